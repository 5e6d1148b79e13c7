import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Counter, Limit, Use } from './shared.ts'

/** Keys counted one by one within a window; those beyond share a counter, so that addresses without number cannot fill the memory. */
const keysMax = 50_000
const others = 'others'

/** Counts in this process. */
export const memoryCounter = ({ name, most, windowSeconds }: Limit): Counter => {
  const limiter = new RateLimiterMemory({ keyPrefix: name, points: most, duration: windowSeconds })
  const bounded = boundedKeys(windowSeconds)
  return key => useOf(limiter.consume(bounded(key)))
}

/** The library answers a use beyond the limit by rejecting with the count; anything else that it throws is thrown. */
export const useOf = async (consumed: Promise<RateLimiterRes>): Promise<Use> => {
  try {
    return counted(await consumed, true)
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return counted(refused, false)
    throw refused
  }
}

const counted = ({ remainingPoints, msBeforeNext }: RateLimiterRes, allowed: boolean): Use => ({
  allowed,
  remaining: remainingPoints,
  resetMs: Math.max(0, msBeforeNext),
})

/** The limiter forgets a key when its window ends; the keys seen here are forgotten together, which is at most one window later. */
const boundedKeys = (windowSeconds: number): ((key: string) => string) => {
  const known = new Set<string>()
  let sinceMs = performance.now()
  return key => {
    const now = performance.now()
    if (now - sinceMs > windowSeconds * 1000) {
      known.clear()
      sinceMs = now
    }
    if (known.has(key)) return key
    if (known.size >= keysMax) return others
    known.add(key)
    return key
  }
}
