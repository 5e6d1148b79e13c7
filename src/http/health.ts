import type { Clock } from '../base/clock.ts'

/** Liveness and readiness, from the last check: a storm of probes costs nothing and reaches no dependency. */

export type Health = AsyncDisposable & {
  readonly live: () => boolean
  readonly ready: () => boolean
  /** From now on not ready: the balancer looks elsewhere while requests under way are finished. */
  readonly drain: () => void
  readonly report: () => { readonly status: 'ok' | 'down'; readonly version: string; readonly time: string }
}

export type HealthOptions = {
  /** Round trip to the store. */
  readonly check: () => Promise<{ readonly ok: boolean }>
  readonly clock: Clock
  readonly version: string
  /** Between checks; tests shorten it. */
  readonly everyMs?: number
}

const checkEveryMs = 5000
const answerWithinMs = 1000
const turnWithinMs = 10_000

/** The first check is made before this returns. */
export const startHealth = async ({ check, clock, version, everyMs = checkEveryMs }: HealthOptions): Promise<Health> => {
  let storeAnswers = false
  let draining = false
  let turnedMs = performance.now()
  const look = async (): Promise<void> => {
    turnedMs = performance.now()
    storeAnswers = await answersInTime(check)
  }
  await look()
  const timer = setInterval(() => void look(), everyMs)
  timer.unref()
  const ready = (): boolean => storeAnswers && !draining
  return {
    live: () => performance.now() - turnedMs < Math.max(turnWithinMs, everyMs * 2),
    ready,
    drain: () => {
      draining = true
    },
    report: () => ({ status: ready() ? 'ok' : 'down', version, time: new Date(clock()).toISOString() }),
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  }
}

/** A store that throws or hangs does not answer. */
const answersInTime = async (check: () => Promise<{ readonly ok: boolean }>): Promise<boolean> => {
  const { promise: late, resolve } = Promise.withResolvers<{ readonly ok: boolean }>()
  const timer = setTimeout(() => resolve({ ok: false }), answerWithinMs)
  try {
    return (await Promise.race([check(), late])).ok
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}
