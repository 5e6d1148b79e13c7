import type { IncomingMessage } from 'node:http'
import { type Failure, fail } from '../base/outcome.ts'
import type { Counter, Limit, Shared } from '../nodes/shared.ts'
import { callerOf, countedAs } from './caller.ts'

/** How often one address may ask, see docs/operate/redis.md. Nothing of a request is read before it is counted but its first line and its headers. */
export type RateLimit = (req: IncomingMessage, method: string, path: string) => Promise<Counted>

export type Counted = {
  /** For the answer, whatever it will be. */
  readonly headers: readonly string[]
  /** Set when the request is one too many. */
  readonly refused?: Failure
}

export const rateLimits = ['read', 'write'] as const
export type RateLimitName = (typeof rateLimits)[number]

export type RateLimitParts = {
  readonly shared: Pick<Shared, 'counter'>
  /** Requests a minute that read; half as many may write. */
  readonly mostPerMinute: number
  readonly proxies?: readonly string[]
  /** Hears of each refusal. */
  readonly limited: (limit: RateLimitName) => void
}

const windowSeconds = 60
const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export const createRateLimit = ({ shared, mostPerMinute, proxies, limited }: RateLimitParts): RateLimit => {
  const caller = callerOf(proxies)
  const meters = { read: meterOf(shared, 'read', mostPerMinute), write: meterOf(shared, 'write', Math.ceil(mostPerMinute / 2)) }
  return async (req, method, path) => {
    const { limit, count, policy } = meters[isRead(method, path) ? 'read' : 'write']
    const { allowed, remaining, resetMs } = await count(countedAs(caller(req)))
    const seconds = Math.max(1, Math.ceil(resetMs / 1000))
    const headers = headersOf(limit, policy, remaining, seconds)
    if (allowed) return { headers }
    limited(limit.name as RateLimitName)
    return { headers, refused: fail('throttled', { most: limit.most, seconds }, { retryAfterSeconds: seconds }).failure }
  }
}

type Meter = { readonly limit: Limit; readonly count: Counter; readonly policy: string }

const meterOf = (shared: Pick<Shared, 'counter'>, name: RateLimitName, most: number): Meter => {
  const limit = { name, most, windowSeconds }
  return { limit, count: shared.counter(limit), policy: `"${name}";q=${most};w=${windowSeconds}` }
}

/** By the request line alone: a search by POST reads, a Bundle counts as one write. */
const isRead = (method: string, path: string): boolean => reads.has(method) || (method === 'POST' && path.endsWith('/_search'))

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
