import type { Counter, Limit, Shared, Use } from '../nodes/shared.ts'

/** A limit and what counts against it: over all nodes where they share something, else in this process; never nothing. */
export type Meter = { readonly limit: Limit; readonly count: Counter; readonly policy: string }

export const meterOf = (shared: Pick<Shared, 'counter'>, limit: Limit): Meter => ({
  limit,
  count: shared.counter(limit),
  policy: `"${limit.name}";q=${limit.most};w=${limit.windowSeconds}`,
})

export type Metered = {
  readonly limit: Limit
  readonly allowed: boolean
  /** Until the window ends, at least one. */
  readonly seconds: number
  readonly headers: readonly string[]
}

export const countedBy = (meter: Meter, key: string): Metered | Promise<Metered> => {
  const use = meter.count(key)
  return 'then' in use ? use.then(one => metered(meter, one)) : metered(meter, use)
}

const metered = ({ limit, policy }: Meter, { allowed, remaining, resetMs }: Use): Metered => {
  const seconds = Math.max(1, Math.ceil(resetMs / 1000))
  return { limit, allowed, seconds, headers: headersOf(limit, policy, remaining, seconds) }
}

/** Those of the IETF draft and those that clients have known for longer; both count seconds from now. @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
const headersOf = ({ name, most }: Limit, policy: string, remaining: number, seconds: number): readonly string[] => [
  'RateLimit-Policy',
  policy,
  'RateLimit',
  `"${name}";r=${remaining};t=${seconds}`,
  'X-RateLimit-Limit',
  String(most),
  'X-RateLimit-Remaining',
  String(remaining),
  'X-RateLimit-Reset',
  String(seconds),
]
