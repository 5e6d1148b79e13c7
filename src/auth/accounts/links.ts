import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, RecordWrite, StoredRecord } from '../../storage/port.ts'
import type { Ground } from '../ground.ts'
import { again, deleteOver, putOver, type RecordsHeld, untilHeld } from '../record-plans.ts'
import { isSecret, newSecret, secretHash } from '../secrets.ts'
import type { Account } from './account.ts'
import { accountById, type KeptAccount } from './find-account.ts'

/** What a link in a mail is for. Each is used once, and is void when the account moves on. @see auth.md 8 */
export type LinkPurpose = 'reset' | 'invitation' | 'email'

type Link = {
  /** SHA-256 of what stands in the link. */
  readonly hash: string
  readonly purpose: LinkPurpose
  /** Absent for one that was asked for in a name nobody has: it is kept so that the work is the same, and opens nothing. */
  readonly account?: string
  readonly epoch?: number
  /** The address that it confirms. */
  readonly email?: string
  readonly expires: number
}
export type KeptLink = StoredRecord<Link>

export const linkRecords: RecordDefinition = { name: 'reset_token', key: 'hash', expires: 'expires' }

const minuteMs = 60_000
export const linkMs: Readonly<Record<LinkPurpose, number>> = { reset: 15 * minuteMs, invitation: 30 * minuteMs, email: 24 * 60 * minuteMs }

/** A new link; `secret` is what goes into the mail, and is nowhere else. */
export const newLink = (
  { random, clock }: Ground,
  purpose: LinkPurpose,
  account: Account | undefined,
  email?: string,
): { readonly secret: string; readonly write: RecordWrite } => {
  const secret = newSecret(random)
  const link: Link = {
    hash: secretHash(secret),
    purpose,
    ...(account === undefined ? {} : { account: account.id, epoch: account.epoch }),
    ...(email === undefined ? {} : { email }),
    expires: clock() + linkMs[purpose],
  }
  return { secret, write: putOver(linkRecords, undefined, link) }
}

/** The link and its account, as long as it may be used. It stays until a plan deletes it over what was read. */
export const openLink = async (
  ground: Ground,
  purpose: LinkPurpose,
  secret: string,
): Promise<{ readonly link: KeptLink; readonly account: KeptAccount } | undefined> => {
  if (!isSecret(secret)) return undefined
  const link = await ground.store.records<Link>(linkRecords).get(secretHash(secret))
  if (link === undefined || link.value.purpose !== purpose || link.value.expires <= ground.clock() || link.value.account === undefined)
    return undefined
  const account = await accountById(ground, link.value.account)
  const wanted = purpose === 'invitation' ? 'invited' : 'active'
  return account !== undefined && account.value.status === wanted && account.value.epoch === link.value.epoch
    ? { link, account }
    : undefined
}

/**
 * Uses a link up together with what it is for: `write` puts `spent` in its plan. What gets in the way of the plan is looked at anew, until the link
 * is gone: of many who use it one wins.
 */
export const spendLink = <A extends { readonly is: string }>(
  ground: Ground,
  purpose: LinkPurpose,
  secret: string,
  write: (
    account: KeptAccount,
    spent: RecordWrite,
  ) => Promise<{ readonly done: Outcome<RecordsHeld>; readonly answer: A; readonly taken?: A }>,
): Promise<Outcome<A | { readonly is: 'expired' }>> =>
  untilHeld<A | { readonly is: 'expired' }>(async () => {
    const opened = await openLink(ground, purpose, secret)
    if (opened === undefined) return ok({ is: 'expired' })
    const { done, answer, taken } = await write(opened.account, deleteOver(linkRecords, opened.link))
    if (!done.ok) return done
    if (done.value.held) return ok(answer)
    return done.value.unique !== undefined && taken !== undefined ? ok(taken) : again
  })
