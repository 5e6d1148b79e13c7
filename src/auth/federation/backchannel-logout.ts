import { type Outcome, ok } from '../../base/outcome.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { isRecord } from '../roles/json-shape.ts'
import { secretHash } from '../secrets.ts'
import { type Session, sessionRecords } from '../sessions/session.ts'
import { sessionsOf } from '../sessions/sessions.ts'
import { type LogoutTokenSeen, logoutTokenRecords } from './logout-token.ts'
import { type Provider, providerAs } from './provider.ts'
import { linkOf } from './provider-link.ts'

/** What a logout token says, once its signature, issuer, audience and times are right. */
export type LogoutClaims = Readonly<Record<string, unknown>>

const event = 'http://schemas.openid.net/event/backchannel-logout'
/** A token is of now: an old one that somebody kept ends nothing. */
const ageMsMax = 5 * 60_000
const textMax = 512
/** Of one session of a provider there are few here; a page at a time, in any case. */
const pageRows = 200
const pagesMax = 50

/** Ends what the token names: sessions of a `sid`, or all that the `sub` has from this provider. False: no logout token, or one that came before. @see OpenID Connect Back-Channel Logout 1.0, 2.6 */
export const endNamed = async (ground: Ground, provider: Provider, claims: LogoutClaims, origin: Origin): Promise<Outcome<boolean>> => {
  const { sid, sub, jti, iat, events } = claims
  const now = ground.clock()
  const isEvent = isRecord(events) && isRecord(events[event])
  const isOfNow = typeof iat === 'number' && Math.abs(now - iat * 1000) <= ageMsMax
  if (!isEvent || !isOfNow || 'nonce' in claims || !isShortText(jti)) return ok(false)
  if (!isShortText(sid) && !isShortText(sub)) return ok(false)
  const first = await isFirst(ground, provider, jti)
  if (!first.ok || !first.value) return first
  const ended = isShortText(sid) ? await endOfSid(ground, provider, sid, origin) : await endOfSubject(ground, provider, String(sub), origin)
  return ended.ok ? ok(true) : ended
}

const isShortText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= textMax

/** Of many that are the same one counts. */
const isFirst = async ({ store, clock }: Ground, { id }: Provider, jti: string): Promise<Outcome<boolean>> => {
  const seen: LogoutTokenSeen = { id: secretHash(JSON.stringify([id, jti])), expires: clock() + 2 * ageMsMax }
  const done = await store.records<LogoutTokenSeen>(logoutTokenRecords).put(seen, 'none')
  return done.ok ? ok(done.value.held) : done
}

const endOfSid = (ground: Ground, { id }: Provider, sid: string, origin: Origin): Promise<Outcome<undefined>> =>
  endInIndex(ground, 'outside', [id, sid], id, origin)

const endOfSubject = async (ground: Ground, { id, issuer }: Provider, subject: string, origin: Origin): Promise<Outcome<undefined>> => {
  const linked = await linkOf(ground, issuer, subject)
  if (linked === undefined) return ok(undefined)
  const sessions = (await sessionsOf(ground, linked.value.account)).filter(({ outside }) => outside?.provider === id)
  return sessions.length === 0 ? ok(undefined) : end(ground, sessions, id, origin)
}

/** All that the provider ever began: it is not believed any more. */
export const endAllOf = (ground: Ground, { id }: Provider, origin: Origin): Promise<Outcome<undefined>> =>
  endInIndex(ground, 'provider', [id], id, origin)

const endInIndex = async (
  ground: Ground,
  index: 'outside' | 'provider',
  at: readonly string[],
  provider: string,
  origin: Origin,
): Promise<Outcome<undefined>> => {
  for (let page = 0; page < pagesMax; page++) {
    const { rows, more } = await ground.store.records<Session>(sessionRecords).range(index, { from: at, to: at, limit: pageRows })
    if (rows.length === 0) return ok(undefined)
    const done = await end(
      ground,
      rows.map(({ value }) => value),
      provider,
      origin,
    )
    if (!done.ok || !more) return done
  }
  return ok(undefined)
}

const end = async (ground: Ground, sessions: readonly Session[], provider: string, origin: Origin): Promise<Outcome<undefined>> => {
  const facts = sessions.map(
    ({ id, account }): Fact => ({ what: 'logged-out', account, session: id, by: providerAs(provider), provider, reason: 'provider' }),
  )
  const records = sessions.map(({ id }) => ({ record: sessionRecords.name, delete: id }))
  const done = await commitFacts(ground, records, facts, origin)
  return done.ok ? ok(undefined) : done
}
