import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordWrite, StoredRecord } from '../../storage/port.ts'
import { type Account, type AccountRules, accountRecords } from '../accounts/account.ts'
import type { Fact, Method } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { firstOf, putOver } from '../record-plans.ts'
import { isSecret, newSecret, secretHash } from '../secrets.ts'
import { absoluteMs, movedFrom, notedMs, type Session, sessionRecords, userAgentFamily, withProof } from './session.ts'

/** A session that lives, with its account as it is now. */
export type LiveSession = { readonly session: StoredRecord<Session>; readonly account: StoredRecord<Account> }

const minuteMs = 60_000

/** By the value of a cookie. */
export const findSession = async (ground: Ground, cookie: string): Promise<LiveSession | undefined> =>
  isSecret(cookie) ? alive(ground, await firstOf(ground.store.records<Session>(sessionRecords), 'cookie', [secretHash(cookie)])) : undefined

/** By its stable id, as grants and tokens name it. */
export const sessionById = async (ground: Ground, id: string): Promise<LiveSession | undefined> =>
  alive(ground, await ground.store.records<Session>(sessionRecords).get(id))

const alive = async ({ store, clock }: Ground, session: StoredRecord<Session> | undefined): Promise<LiveSession | undefined> => {
  if (session === undefined || Math.min(session.value.expires, session.value.endsAt) <= clock()) return undefined
  const account = await store.records<Account>(accountRecords).get(session.value.account)
  if (account === undefined || account.value.status !== 'active' || account.value.epoch !== session.value.epoch) return undefined
  return { session, account }
}

/** A new session, and what has to be written for it. The value of the cookie is nowhere else. */
export const newSession = async (
  ground: Ground,
  rules: AccountRules,
  account: Account,
  { amr, outside }: Pick<Session, 'amr' | 'outside'>,
  origin: Origin,
): Promise<{
  readonly session: Session
  readonly cookie: string
  readonly records: readonly RecordWrite[]
  readonly facts: readonly Fact[]
}> => {
  const now = ground.clock()
  const cookie = newSecret(ground.random)
  const endsAt = now + absoluteMs
  const session: Session = {
    id: ground.ids(),
    cookie: secretHash(cookie),
    account: account.id,
    epoch: account.epoch,
    createdAt: now,
    seenAt: now,
    endsAt,
    expires: Math.min(endsAt, now + rules.idleMinutes * minuteMs),
    amr,
    ...(outside === undefined ? {} : { outside }),
    ...(origin.userAgent === undefined ? {} : { userAgentFamily: userAgentFamily(origin.userAgent) }),
    ...(origin.country === undefined ? {} : { country: origin.country }),
  }
  const displaced = await beyond(ground, rules, account)
  return {
    session,
    cookie,
    records: [
      putOver(sessionRecords, undefined, session),
      ...displaced.map((id): RecordWrite => ({ record: sessionRecords.name, delete: id })),
    ],
    facts: displaced.map(id => ({ what: 'session-displaced', account: account.id, session: id })),
  }
}

/** Sessions that have to go so that one more is not too many: the oldest. */
const beyond = async (ground: Ground, { sessionsMax }: AccountRules, { id, epoch }: Account): Promise<readonly string[]> => {
  if (sessionsMax === 0) return []
  const living = (await sessionsOf(ground, id)).filter(one => one.epoch === epoch)
  return living.slice(sessionsMax - 1).map(one => one.id)
}

/** At most so many of one account are looked at. */
const listedMax = 1_000

/** Sessions of an account, the newest first; those of an older epoch, which are dead, among them. */
export const sessionsOf = async ({ store }: Ground, account: string): Promise<readonly Session[]> => {
  const range = { from: [account], to: [account], descending: true, limit: listedMax }
  return (await store.records<Session>(sessionRecords).range('account', range)).rows.map(({ value }) => value)
}

/**
 * Notes that the browser came: the idle end moves on. What meanwhile ended stays so. That it comes from another country, or is another browser, becomes a
 * fact, once for each session: a signal, nothing ends by it. @see audit.md 4.1, A-06
 */
export const noteRequest = async (
  ground: Ground,
  rules: AccountRules,
  { session }: LiveSession,
  origin: Origin,
): Promise<Outcome<void>> => {
  const now = ground.clock()
  const { value, key } = session
  const moved = value.moved === undefined ? movedFrom(value, origin) : undefined
  if (moved === undefined && now - value.seenAt < notedMs) return ok(undefined)
  const expires = Math.min(value.endsAt, now + rules.idleMinutes * minuteMs)
  const after: Session = { ...value, seenAt: now, expires, ...(moved === undefined ? {} : { moved }) }
  const facts: readonly Fact[] = moved === undefined ? [] : [{ what: 'session-moved', account: value.account, session: key, reason: moved }]
  const done = await commitFacts(ground, [putOver(sessionRecords, session, after)], facts, origin)
  return done.ok ? ok(undefined) : done
}

/** The session with another cookie, and a proof more where there is one: at step-up and when roles change. The old value is dead. */
export const withNewCookie = (
  { random, clock }: Ground,
  session: StoredRecord<Session>,
  method?: Method,
): { readonly cookie: string; readonly after: Session; readonly write: RecordWrite } => {
  const cookie = newSecret(random)
  const { value } = session
  const after = { ...value, cookie: secretHash(cookie), amr: method === undefined ? value.amr : withProof(value.amr, method, clock()) }
  return { cookie, after, write: putOver(sessionRecords, session, after) }
}

/** Ties the session of the authorization server's library to ours. False: it changed or ended meanwhile. */
export const tieLibrarySession = async (ground: Ground, { session }: LiveSession, libraryUid: string): Promise<Outcome<boolean>> => {
  const done = await ground.store.records<Session>(sessionRecords).put({ ...session.value, libraryUid }, session.revision)
  return done.ok ? ok(done.value.held) : done
}

/** By the `uid` of the library's session. */
export const sessionByLibraryUid = async (ground: Ground, libraryUid: string): Promise<LiveSession | undefined> =>
  alive(ground, await firstOf(ground.store.records<Session>(sessionRecords), 'library', [libraryUid]))

/** Ends one session. One that is over counts as ended. */
export const logOut = async (ground: Ground, { session }: LiveSession, origin: Origin): Promise<Outcome<readonly Fact[]>> => {
  const facts: readonly Fact[] = [{ what: 'logged-out', account: session.value.account, session: session.key }]
  const done = await commitFacts(ground, [{ record: sessionRecords.name, delete: session.key }], facts, origin)
  return done.ok ? ok(facts) : done
}
