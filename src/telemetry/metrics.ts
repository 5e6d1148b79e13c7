import { Counter, collectDefaultMetrics, Gauge, Histogram, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client'

/** Prometheus metrics. Label values come from closed lists: the caller's types say which. Only this file and sum.ts know prom-client. */

/** All figures of one process, as sum.ts adds them up. Plain data. */
export type Figures = readonly MetricObjectWithValues<MetricValue<string>>[]

export type Metrics = {
  readonly requestDone: (done: RequestDone) => void
  readonly requestAborted: (interaction: string) => void
  readonly failed: (kind: string) => void
  readonly bug: (room: string) => void
  readonly redacted: (rule: string) => void
  readonly rateLimited: (limit: string) => void
  readonly contentType: string
  /** The exposition text. */
  readonly scrape: () => Promise<string>
  readonly figures: () => Promise<Figures>
}

/** `interaction`, `resourceType` are `none` where there is none. */
export type RequestDone = {
  readonly interaction: string
  readonly resourceType: string
  readonly method: string
  readonly status: number
  readonly seconds: number
  readonly bytes: number
}

export type MetricsOptions = {
  readonly version: string
  readonly engine: string
  readonly inFlight: () => number
  readonly connections: () => number
  readonly connectionsMax: number
  readonly ready: () => boolean
  /** Whether rate limits are counted by each node for itself although they should share. */
  readonly rateLimiterFallback: () => boolean
  readonly rateLimits: readonly string[]
  /** Figures of the store, by name; each becomes `simpul_storage_{name}`. */
  readonly storage: () => StorageFigures
  readonly failureKinds: readonly string[]
}

export type StorageFigures = {
  readonly commits: number
  readonly plans: number
  readonly versions: number
  readonly queued: number
  readonly deadEntries: number
  readonly walBytes: number
}

const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
const byteBuckets = Array.from({ length: 10 }, (_, n) => 256 * 4 ** n)

export const createMetrics = (options: MetricsOptions): Metrics => {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  collectDefaultMetrics({ register: registry })
  describeServer(options, registers)
  describeStorage(options.storage, registers)

  const requests = new Counter({
    name: 'simpul_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['interaction', 'resource_type', 'method', 'code'],
    registers,
  })
  const durations = new Histogram({
    name: 'simpul_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['interaction', 'outcome'],
    buckets: durationBuckets,
    registers,
  })
  const sizes = new Histogram({
    name: 'simpul_http_response_bytes',
    help: 'Bytes of answers, as sent.',
    labelNames: ['interaction'],
    buckets: byteBuckets,
    registers,
  })
  const aborted = new Counter({
    name: 'simpul_http_aborted_total',
    help: 'Requests whose client left before the answer.',
    labelNames: ['interaction'],
    registers,
  })
  const failures = new Counter({
    name: 'simpul_failures_total',
    help: 'Failures answered, by message id.',
    labelNames: ['kind'],
    registers,
  })
  const errors = new Counter({
    name: 'simpul_errors_total',
    help: 'Bugs and broken infrastructure.',
    labelNames: ['room', 'severity'],
    registers,
  })
  const redactions = new Counter({
    name: 'simpul_log_redactions_total',
    help: 'Texts kept out of the log by its last net.',
    labelNames: ['rule'],
    registers,
  })

  const limited = new Counter({
    name: 'simpul_http_rate_limited_total',
    help: 'Requests refused because one address asked too often.',
    labelNames: ['limit'],
    registers,
  })

  // A counter that appears with its first increment has no increase.
  for (const kind of options.failureKinds) failures.inc({ kind }, 0)
  for (const limit of options.rateLimits) limited.inc({ limit }, 0)
  errors.inc({ room: 'http', severity: 'error' }, 0)

  return {
    requestDone: ({ interaction, resourceType, method, status, seconds, bytes }) => {
      requests.inc({ interaction, resource_type: resourceType, method, code: status })
      durations.observe({ interaction, outcome: outcomeOf(status) }, seconds)
      sizes.observe({ interaction }, bytes)
    },
    requestAborted: interaction => aborted.inc({ interaction }),
    failed: kind => failures.inc({ kind }),
    bug: room => errors.inc({ room, severity: 'error' }),
    redacted: rule => redactions.inc({ rule }),
    rateLimited: limit => limited.inc({ limit }),
    contentType: registry.contentType,
    scrape: () => registry.metrics(),
    figures: () => registry.getMetricsAsJSON(),
  }
}

const outcomeOf = (status: number): string => (status >= 500 ? 'server_error' : status >= 400 ? 'client_error' : 'ok')

/** How a gauge of several processes becomes one. */
type Aggregator = 'sum' | 'min' | 'max'

/** A gauge that is read when somebody scrapes. */
const gauge = (name: string, help: string, read: () => number, registers: Registry[], aggregator: Aggregator = 'sum'): void => {
  new Gauge({
    name: `simpul_${name}`,
    help,
    registers,
    aggregator,
    collect() {
      this.set(read())
    },
  })
}

/** A counter that somebody else counts. */
const counter = (name: string, help: string, read: () => number, registers: Registry[]): void => {
  new Counter({
    name: `simpul_${name}`,
    help,
    registers,
    collect() {
      this.reset()
      this.inc(read())
    },
  })
}

const describeServer = (options: MetricsOptions, registers: Registry[]): void => {
  const { version, engine } = options
  new Gauge({
    name: 'simpul_build_info',
    help: 'What runs here; always 1.',
    labelNames: ['version', 'node', 'engine'],
    registers,
    aggregator: 'first',
  }).set({ version, node: process.version, engine }, 1)
  gauge('ready', 'Whether the server takes traffic.', () => Number(options.ready()), registers, 'min')
  gauge(
    'rate_limiter_fallback',
    'Whether each node counts for itself because Redis is away.',
    () => Number(options.rateLimiterFallback()),
    registers,
    'max',
  )
  gauge('http_requests_in_flight', 'Requests being worked on.', options.inFlight, registers)
  gauge('http_connections', 'Open connections.', options.connections, registers)
  gauge('http_connections_max', 'Connections that are let in.', () => options.connectionsMax, registers)
}

// biome-ignore format: a table
const storageMetrics = [
  ['commits', 'storage_commits_total', 'Durable commits; each holds one or more plans.', 'counter'],
  ['plans', 'storage_plans_total', 'Write plans committed.', 'counter'],
  ['versions', 'storage_versions_total', 'Versions written.', 'counter'],
  ['queued', 'storage_queued', 'Write plans waiting for the writer.', 'sum'],
  // Of the store, which processes share: each tells the same.
  ['deadEntries', 'storage_dead_entries', 'Index entries that await sweeping.', 'max'],
  ['walBytes', 'sqlite_wal_bytes', 'Bytes in the write-ahead log.', 'max'],
] as const satisfies readonly (readonly [keyof StorageFigures, string, string, Aggregator | 'counter'])[]

const describeStorage = (storage: () => StorageFigures, registers: Registry[]): void => {
  for (const [figure, name, help, kind] of storageMetrics) {
    const read = (): number => storage()[figure]
    if (kind === 'counter') counter(name, help, read, registers)
    else gauge(name, help, read, registers, kind)
  }
}
