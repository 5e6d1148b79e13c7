import { type Outcome, ok } from '../../../base/outcome.ts'
import type { TakenRecord } from '../../../storage/port.ts'
import type { AccountParts } from '../../account-parts.ts'
import type { Account } from '../../accounts/account.ts'
import { accountById } from '../../accounts/find-account.ts'
import type { Ground } from '../../ground.ts'
import { present } from '../../members.ts'
import { commitRecords } from '../../record-plans.ts'
import type { PublicAddress } from '../../web.ts'
import { mailText } from './mail-of.ts'
import type { Mailer, NotTaken, OutgoingMail } from './mailer.ts'
import { type LinkContent, type Mail, mailRecords, sealedPlace } from './outbox.ts'

export type DeliveryParts = {
  readonly accounts: AccountParts
  readonly address: PublicAddress
  readonly mailer: Mailer
  /** Told of each mail that did not go: its id, and why in a word. */
  readonly notSent?: (mail: string, why: NotSent) => void
  /** Who is told of emergencies now. Absent: nobody, and what is for them waits. */
  readonly officers?: () => Promise<readonly Account[]>
}

/** `away`: no mail goes now. The others are about the one mail. */
export type NotSent = { readonly is: 'away' } | NotTaken

const mailsARound = 20
const leaseMs = 5 * 60_000
/** A round that took so long leaves the rest to the next, so that nobody else takes a mail that is under way. */
const roundMs = leaseMs / 2
const firstWaitMs = 30_000
const longestWaitMs = 6 * 3_600_000

/**
 * Sends what is due; run it every few seconds. Each mail is taken by one node at a time. What does not go is tried again later, ever less often, until
 * it is of no use any more; what was refused for good is not. A mail may go twice when a node stops between sending and noting it. Says how many were sent.
 */
export const sendDueMails = async (parts: DeliveryParts): Promise<Outcome<number>> => {
  const { ground } = parts.accounts
  const mails = ground.store.records<Mail>(mailRecords)
  const began = ground.clock()
  const taken = await mails.take('due', mailsARound, leaseMs, { to: [began] })
  if (!taken.ok) return taken
  let sent = 0
  let over = false
  for (const one of taken.value) {
    if (over || ground.clock() - began > roundMs) {
      const left = await mails.release(one)
      if (!left.ok) return left
      continue
    }
    if (one.value.to === 'officers') {
      const given = await toEach(parts, one)
      if (!given.ok) return given
      continue
    }
    const mail = await written(parts, one)
    const done = mail === undefined ? ok(undefined) : await parts.mailer.send(mail)
    const why: NotSent | undefined = done.ok ? done.value : { is: 'away' }
    if (why !== undefined) parts.notSent?.(one.key, why)
    const again = why !== undefined && why.is !== 'refused'
    const noted = again ? await mails.release(one, later(one.value, ground.clock())) : await mails.finish(one)
    if (!noted.ok) return noted
    if (mail !== undefined && why === undefined) sent += 1
    // Where nobody carries mails one try a round is enough.
    over = why?.is === 'away'
  }
  return ok(sent)
}

/** One mail becomes one for each officer, in one write. While there is none it waits. */
const toEach = async ({ accounts: { ground }, officers }: DeliveryParts, one: TakenRecord<Mail>): Promise<Outcome<unknown>> => {
  const found = (await officers?.()) ?? []
  if (found.length === 0) return ground.store.records<Mail>(mailRecords).release(one, later(one.value, ground.clock()))
  const { to: _, ...mail } = one.value
  const own = found.map(({ id }) => ({
    record: mailRecords.name,
    put: { ...mail, id: ground.ids(), account: id },
    expected: 'none' as const,
  }))
  return commitRecords(ground.store, [{ record: mailRecords.name, delete: one.key, expected: one.revision, lease: one.lease }, ...own])
}

const later = (mail: Mail, now: number): Mail => ({
  ...mail,
  attempts: mail.attempts + 1,
  due: now + Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(mail.attempts, 20)),
})

/** Undefined when nobody is to get it: an account without an address, or one that is gone. */
const written = async ({ accounts, address }: DeliveryParts, { key, value }: TakenRecord<Mail>): Promise<OutgoingMail | undefined> => {
  const { ground, rules } = accounts
  const account = value.account === undefined ? undefined : await accountById(ground, value.account)
  const link = await contentOf(ground, value)
  const to = link?.to ?? account?.value.email
  if (value.kind === 'nothing' || account === undefined || to === undefined || (value.sealed !== undefined && link === undefined))
    return undefined
  const text = mailText(value.kind, account.value.locale, {
    facility: rules.facility,
    zone: rules.zone,
    address: address.base,
    at: value.at,
    ...(value.until === undefined ? {} : { until: value.until }),
    ...present({ browser: value.browser, patient: value.patient, emergency: value.emergency, by: value.by }),
    ...present({ reviews: value.reviews, notices: value.notices }),
    ...(link === undefined ? {} : { secret: link.secret }),
  })
  return { ...text, id: key, to }
}

const contentOf = async ({ fields }: Ground, { id, sealed }: Mail): Promise<LinkContent | undefined> => {
  const text = sealed === undefined ? undefined : await fields.decrypt(sealed, sealedPlace(id))
  // Written by `postLink`, and authenticated by its encryption.
  return text === undefined ? undefined : (JSON.parse(text) as LinkContent)
}
