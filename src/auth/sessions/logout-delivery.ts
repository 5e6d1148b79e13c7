import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordWrite, TakenRecord } from '../../storage/port.ts'
import type { Client } from '../clients/client.ts'
import { type ClientRegistry, isUsable } from '../clients/registry.ts'
import type { Fact } from '../facts.ts'
import { type GrantContext, grantRecords } from '../grants/grant-context.ts'
import { commitFacts, type Ground } from '../ground.ts'
import type { SigningKeys } from '../keys/signing-keys.ts'
import type { Outgoing } from '../outgoing/outgoing.ts'
import { commitRecords } from '../record-plans.ts'
import { type LogoutNotice, logoutNoticeRecords, lookedBackMs, noticeMs } from './logout-notice.ts'
import { logoutToken } from './logout-token.ts'
import { sessionById } from './sessions.ts'

export type LogoutDeliveryParts = {
  readonly ground: Ground
  readonly issuer: string
  readonly clients: Pick<ClientRegistry, 'find' | 'health'>
  readonly signingKeys: Pick<SigningKeys, 'currentJwks'>
  readonly outgoing: Outgoing
}

type Taken = TakenRecord<LogoutNotice>
type About = NonNullable<LogoutNotice['about']>

const noticesARound = 50
const roundsMax = 20
const leaseMs = 5 * 60_000
/** Applications that are told at the same time; each hears of one session after the other. */
const clientsAtOnce = 8
const timeoutMs = 2_500
/** The answer says nothing beyond its status. */
const answerBytesMax = 4_096
const minute = 60_000
/** Until the next try, after each that failed; after the last of them nobody is told any more. */
const waitsMs = [minute / 2, 2 * minute, 10 * minute, 60 * minute] as const
/** Of one account within the time that is looked back. */
const grantsMax = 1_000

/**
 * Tells applications of sessions that are over; run it every few seconds. Each notice is taken by one node at a time and noted when it is done: a node that dies
 * over it leaves it to the others, so an application may be told twice, and never not at all while it answers within five tries. One that does not answer is
 * asked once a round, and holds up nobody else for longer than that takes.
 */
export const tellApplications = async (parts: LogoutDeliveryParts): Promise<Outcome<undefined>> => {
  const notices = parts.ground.store.records<LogoutNotice>(logoutNoticeRecords)
  for (let round = 0; round < roundsMax; round++) {
    const taken = await notices.take('due', noticesARound, leaseMs, { to: [parts.ground.clock()] })
    if (!taken.ok) return taken
    if (taken.value.length === 0) break
    const dealt = await dealWith(parts, taken.value)
    if (!dealt.ok) return dealt
  }
  return ok(undefined)
}

const dealWith = async (parts: LogoutDeliveryParts, taken: readonly Taken[]): Promise<Outcome<undefined>> => {
  for (const one of taken) {
    const spread = one.value.about === undefined ? await spreadOut(parts, one) : ok(undefined)
    if (!spread.ok) return spread
  }
  const byClient = Object.values(Object.groupBy(taken, ({ value }) => value.about?.client ?? ''))
  const queue = byClient.flatMap(notices => (notices?.[0]?.value.about === undefined ? [] : [notices]))
  let first: Outcome<undefined> = ok(undefined)
  const lane = async (): Promise<void> => {
    for (let notices = queue.shift(); notices !== undefined; notices = queue.shift()) {
      const told = await tellOne(parts, notices)
      if (!told.ok && first.ok) first = told
    }
  }
  await Promise.all(Array.from({ length: Math.min(clientsAtOnce, queue.length) }, lane))
  return first
}

/** One that names an account becomes one for each session of it that is over and each application that has to hear of that, in one write. */
const spreadOut = async (parts: LogoutDeliveryParts, one: Taken): Promise<Outcome<unknown>> => {
  const { ground } = parts
  const now = ground.clock()
  const records = ground.store.records<LogoutNotice>(logoutNoticeRecords)
  const writes: RecordWrite[] = []
  for (const about of await overAndToTell(parts, one.value.account, now)) {
    const id = `${about.session}.${about.client}`
    if ((await records.get(id)) !== undefined) continue
    const notice: LogoutNotice = { id, account: one.value.account, about, due: now, tries: 0, expires: now + noticeMs }
    writes.push({ record: logoutNoticeRecords.name, put: notice, expected: 'none' })
  }
  const gone: RecordWrite = { record: logoutNoticeRecords.name, delete: one.key, expected: one.revision, lease: one.lease }
  const done = await commitRecords(ground.store, [gone, ...writes])
  // Somebody else told of the same at that moment: what is left is looked up again.
  return done.ok && !done.value.held ? records.release(one) : done
}

const overAndToTell = async ({ ground, clients }: LogoutDeliveryParts, account: string, now: number): Promise<readonly About[]> => {
  const range = { from: [account, now - lookedBackMs], to: [account], descending: true, limit: grantsMax }
  const { rows } = await ground.store.records<GrantContext>(grantRecords).range('account', range)
  const pairs = new Map(rows.map(({ value: { session, client } }) => [`${session}.${client}`, { session, client }]))
  const found: About[] = []
  for (const about of pairs.values()) {
    const client = await clients.find(about.client)
    if (addressOf(client) !== undefined && (await sessionById(ground, about.session)) === undefined) found.push(about)
  }
  return found
}

/** Undefined: it did not ask, or is to hear of nothing any more. */
const addressOf = (client: Client | undefined): string | undefined =>
  client !== undefined && isUsable(client) ? client.backchannelLogoutUri : undefined

/** All notices of one application. After one that it did not take the others wait as long. */
const tellOne = async (parts: LogoutDeliveryParts, notices: readonly Taken[]): Promise<Outcome<undefined>> => {
  let why: string | undefined
  for (const one of notices) {
    const { about } = one.value
    if (about === undefined) continue
    const address = addressOf(await parts.clients.find(about.client))
    if (address !== undefined) why ??= await told(parts, address, one.value, about)
    const noted = await note(parts, one, about, address === undefined ? 'nobody' : (why ?? 'told'))
    if (!noted.ok) return noted
  }
  return ok(undefined)
}

/** Undefined when it took it; otherwise why not, in a word of ours. */
const told = async (
  { ground, issuer, signingKeys, outgoing }: LogoutDeliveryParts,
  url: string,
  { account }: LogoutNotice,
  about: About,
): Promise<string | undefined> => {
  const token = await logoutToken({ ground, issuer, signingKeys }, { account, ...about })
  const answer = await outgoing({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ logout_token: token }).toString(),
    timeoutMs,
    bodyBytesMax: answerBytesMax,
  })
  if (!answer.ok) return answer.why
  return answer.status === 200 || answer.status === 204 ? undefined : `status-${answer.status}`
}

/** `nobody`: it does not want to hear of it any more. */
const note = async ({ ground, clients }: LogoutDeliveryParts, one: Taken, about: About, how: string): Promise<Outcome<unknown>> => {
  const { due: _, ...done } = { ...one.value, tries: one.value.tries + 1 }
  const again = how === 'told' || how === 'nobody' ? undefined : waitsMs[one.value.tries]
  const after: LogoutNotice = again === undefined ? done : { ...done, due: ground.clock() + again }
  if (how !== 'told' && how !== 'nobody') clients.health.trouble(about.client, 'logout-not-taken')
  const write: RecordWrite = { record: logoutNoticeRecords.name, put: after, expected: one.revision, lease: one.lease }
  const facts = again === undefined && how !== 'nobody' ? [factOf(one.value, about, how)] : []
  return commitFacts(ground, [write], facts, { address: '' })
}

const factOf = ({ account }: LogoutNotice, about: About, how: string): Fact =>
  how === 'told' ? { what: 'logout-told', account, ...about } : { what: 'logout-not-told', account, ...about, reason: how }
