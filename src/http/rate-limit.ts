import type { IncomingMessage } from 'node:http'
import { type Failure, fail } from '../base/outcome.ts'
import type { Shared } from '../nodes/shared.ts'
import { callerOf, countedAs } from './caller.ts'
import { countedBy, type Meter, meterOf } from './meter.ts'

/** How often one address may ask, see docs/operate/redis.md. Nothing of a request is read before it is counted but its first line and its headers. */
export type RateLimit = (req: IncomingMessage, method: string, path: string) => Promise<Counted>

export type Counted = {
  /** For the answer, whatever it will be. */
  readonly headers: readonly string[]
  /** Set when the request is one too many. */
  readonly refused?: Failure
}

export const rateLimits = ['read', 'write'] as const

export type RateLimitParts = {
  readonly shared: Pick<Shared, 'counter'>
  /** Requests a minute that read; half as many may write. */
  readonly mostPerMinute: number
  readonly proxies?: readonly string[]
  /** Hears of each refusal. */
  readonly limited: (limit: string) => void
}

const windowSeconds = 60
const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export const createRateLimit = ({ shared, mostPerMinute, proxies, limited }: RateLimitParts): RateLimit => {
  const caller = callerOf(proxies)
  const meter = (name: (typeof rateLimits)[number], most: number): Meter => meterOf(shared, { name, most, windowSeconds })
  const meters = { read: meter('read', mostPerMinute), write: meter('write', halfOf(mostPerMinute)) }
  return async (req, method, path) =>
    throttled(await countedBy(meters[isRead(method, path) ? 'read' : 'write'], countedAs(caller(req))), limited)
}

/** Writes cost more than reads. */
export const halfOf = (most: number): number => Math.ceil(most / 2)

/** By the request line alone: a search by POST reads, a Bundle counts as one write. */
export const isRead = (method: string, path: string): boolean => reads.has(method) || (method === 'POST' && path.endsWith('/_search'))

/** As the FHIR API answers it. */
export const throttled = (
  { limit, allowed, seconds, headers }: Awaited<ReturnType<typeof countedBy>>,
  limited: (limit: string) => void,
): Counted => {
  if (allowed) return { headers }
  limited(limit.name)
  return { headers, refused: fail('throttled', { most: limit.most, seconds }, { retryAfterSeconds: seconds }).failure }
}
