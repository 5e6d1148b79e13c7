import type { RecordDefinition } from '../../storage/port.ts'
import type { Method } from '../facts.ts'

/** One login of one browser. Grants and emergencies name it by `id`, which never changes; the cookie's value does. @see auth.md 3 */
export type Session = {
  readonly id: string
  /** SHA-256 of the cookie's value. */
  readonly cookie: string
  readonly account: string
  /** Of the account when it was made; with another epoch the session is dead. */
  readonly epoch: number
  readonly createdAt: number
  /** The last request that was noted, to the minute. */
  readonly seenAt: number
  /** ms: the end whatever happens, and the end unless somebody comes before. */
  readonly endsAt: number
  readonly expires: number
  readonly amr: readonly Proof[]
  /** `uid` of the session that the authorization server's library keeps. */
  readonly libraryUid?: string
  /** Of a login by an outside identity provider: which one, and how it names the session. */
  readonly outside?: OutsideSession
  readonly userAgentFamily?: string
  readonly country?: string
  /** What of its origin changed first: told once. */
  readonly moved?: Moved
}

export type Moved = 'country' | 'user-agent'

/** `provider`: id of ours; `sid`: of the provider, by which it says that the session is over. */
export type OutsideSession = { readonly provider: string; readonly sid?: string }

/** A way in which somebody proved who they are, and when last (ms). */
export type Proof = { readonly method: Method; readonly at: number }

export const sessionRecords: RecordDefinition = {
  name: 'session',
  key: 'id',
  unique: { cookie: ['cookie'] },
  indexes: {
    account: ['account', 'createdAt'],
    library: ['libraryUid'],
    provider: ['outside.provider'],
    outside: ['outside.provider', 'outside.sid'],
  },
  expires: 'expires',
}

export const absoluteMs = 12 * 3_600_000
/** How long a step-up opens what asks for one. */
export const freshMs = 5 * 60_000
/** A request is noted when the last one noted is so long ago: not every request is a write. */
export const notedMs = 60_000

const factors: ReadonlySet<Method> = new Set(['otp', 'backup', 'mfa'])

export const withProof = (amr: readonly Proof[], method: Method, at: number): readonly Proof[] => [
  ...amr.filter(one => one.method !== method),
  { method, at },
]

/** ms of the last second factor; undefined without one. */
export const factorAt = (amr: readonly Proof[]): number | undefined => {
  const times = amr.filter(({ method }) => factors.has(method)).map(({ at }) => at)
  return times.length === 0 ? undefined : Math.max(...times)
}

/** Authentication context: with one factor, or with two. */
export const acrOf = (amr: readonly Proof[]): 1 | 2 => (factorAt(amr) === undefined ? 1 : 2)

/** Whether the strongest proof the account has was given in the last 5 minutes. */
export const isFresh = (amr: readonly Proof[], hasFactor: boolean, now: number): boolean => {
  const at = hasFactor ? factorAt(amr) : Math.max(0, ...amr.map(proof => proof.at))
  return at !== undefined && now - at <= freshMs
}

/** What of a session's origin changed: a signal, for addresses and browsers change for good reasons as well. */
export const movedFrom = (
  session: Session,
  { userAgent, country }: { readonly userAgent?: string; readonly country?: string },
): Moved | undefined => {
  if (country !== undefined && session.country !== undefined && country !== session.country) return 'country'
  const known = session.userAgentFamily
  return userAgent !== undefined && known !== undefined && userAgentFamily(userAgent) !== known ? 'user-agent' : undefined
}

/** Coarse, so that an update of the browser does not count as another one. */
export const userAgentFamily = (userAgent: string): string =>
  (['Edg', 'OPR', 'SamsungBrowser', 'Firefox', 'Chrome', 'Safari'] as const).find(name => userAgent.includes(name)) ?? 'other'
