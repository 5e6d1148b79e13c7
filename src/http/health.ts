import type { Clock } from '../base/clock.ts'
import type { SharedState } from '../nodes/shared.ts'
import type { StoreHealth } from '../storage/port.ts'

/**
 * Liveness, readiness and what they rest on, from the last check: a storm of probes costs nothing and reaches no dependency. Answers name no
 * host, no address and no error text.
 */

export type Health = AsyncDisposable & {
  readonly live: () => boolean
  /** Whether the server takes traffic. What nodes share may be away: then each is on its own, and that is no reason to stop. */
  readonly ready: () => boolean
  /** The same of this process alone, where several serve together. */
  readonly readyAlone: () => boolean
  /** From now on not ready: the balancer looks elsewhere while requests under way are finished. */
  readonly drain: () => void
  readonly report: () => Report
  readonly database: () => DatabaseReport
  readonly redis: () => RedisReport
  readonly detailed: () => DetailedReport
}

type Status = 'ok' | 'degraded' | 'down'
type Report = { readonly status: Status; readonly version: string; readonly time: string }
/** `since`: the check that first found it so. `ms`: the round trip. */
type Checked<State extends string> = { readonly state: State; readonly since: string; readonly ms?: number }
type DatabaseReport = Checked<'ok' | 'down'> & Omit<StoreHealth, 'ok' | 'ms'> & { readonly engine: string }
type RedisReport = Checked<SharedState['name']>
type DetailedReport = Report & {
  readonly uptimeSeconds: number
  readonly draining: boolean
  readonly checks: { readonly database: DatabaseReport; readonly redis: RedisReport }
  readonly load: Readonly<Record<string, number>>
}

export type HealthOptions = {
  /** Round trip to the store. */
  readonly check: () => Promise<Omit<StoreHealth, 'ms'>>
  readonly engine?: string
  readonly shared?: () => SharedState
  /** Whether the processes that serve the same port take traffic: who asks one of them asks about all. */
  readonly together?: () => boolean
  /** Figures of the moment, for `/health/detailed`. */
  readonly load?: () => Readonly<Record<string, number>>
  readonly clock: Clock
  readonly version: string
  /** Between checks; tests shorten it. */
  readonly everyMs?: number
}

const checkEveryMs = 5000
const answerWithinMs = 1000
const turnWithinMs = 10_000

/** The first check is made before this returns. */
export const startHealth = async (options: HealthOptions): Promise<Health> => {
  const {
    check,
    engine = 'none',
    shared = notConfigured,
    together = alone,
    load = () => ({}),
    clock,
    version,
    everyMs = checkEveryMs,
  } = options
  let store: StoreHealth = { ok: false, ms: 0 }
  const storeSince = sinceOf(clock)
  const sharedSince = sinceOf(clock)
  let draining = false
  let turnedMs = performance.now()
  const look = async (): Promise<void> => {
    turnedMs = performance.now()
    sharedSince(shared().name)
    store = await answerInTime(check)
    storeSince(String(store.ok))
  }
  await look()
  const timer = setInterval(() => void look(), everyMs)
  timer.unref()
  const readyAlone = (): boolean => store.ok && !draining
  const ready = (): boolean => readyAlone() && together()
  const status = (): Status => (!ready() ? 'down' : shared().name === 'fallback' ? 'degraded' : 'ok')
  const report = (): Report => ({ status: status(), version, time: new Date(clock()).toISOString() })
  const database = (): DatabaseReport => {
    const { ok, ms, ...more } = store
    return { state: ok ? 'ok' : 'down', since: storeSince(String(ok)), engine, ...(ok ? { ms: tenths(ms) } : {}), ...more }
  }
  const redis = (): RedisReport => {
    const { name, ms } = shared()
    return { state: name, since: sharedSince(name), ...(ms === undefined ? {} : { ms: tenths(ms) }) }
  }
  return {
    live: () => performance.now() - turnedMs < Math.max(turnWithinMs, everyMs * 2),
    ready,
    readyAlone,
    drain: () => {
      draining = true
    },
    report,
    database,
    redis,
    detailed: () => ({
      ...report(),
      uptimeSeconds: Math.round(process.uptime()),
      draining,
      checks: { database: database(), redis: redis() },
      load: load(),
    }),
    [Symbol.asyncDispose]: async () => clearInterval(timer),
  }
}

const alone = (): boolean => true

const notConfigured = (): SharedState => ({ name: 'not-configured' })

const tenths = (ms: number): number => Math.round(ms * 10) / 10

/** When a state was first seen, of states told one after the other. */
const sinceOf = (clock: Clock): ((state: string) => string) => {
  let known: string | undefined
  let since = ''
  return state => {
    if (state !== known) [known, since] = [state, new Date(clock()).toISOString()]
    return since
  }
}

/** A store that throws or hangs does not answer. */
const answerInTime = async (check: HealthOptions['check']): Promise<StoreHealth> => {
  const started = performance.now()
  const { promise: late, resolve } = Promise.withResolvers<{ readonly ok: boolean }>()
  const timer = setTimeout(() => resolve({ ok: false }), answerWithinMs)
  try {
    const answer = await Promise.race([check(), late])
    return { ...answer, ms: performance.now() - started }
  } catch {
    return { ok: false, ms: performance.now() - started }
  } finally {
    clearTimeout(timer)
  }
}
