import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Figures } from './metrics.ts'

/** Figures of several processes as one exposition: counters and most gauges are added up, the others joined as metrics.ts says. */
export const sumOf = async (parts: readonly Figures[]): Promise<string> => joined(parts).metrics()

/** What outlives a process that ended: its counts. Without them a sum would fall when one ends, and look like a restart. */
export const countsIn = (figures: Figures): Figures => figures.filter(({ type }) => lasting.has(String(type)))

export const joinedCounts = async (parts: readonly Figures[]): Promise<Figures> => joined(parts).getMetricsAsJSON()

const lasting: ReadonlySet<string> = new Set(['counter', 'histogram'])

const joined = (parts: readonly Figures[]): Registry =>
  // The library takes the plain figures, which its types call metrics.
  AggregatorRegistry.aggregate(parts as unknown as object[])

/** What the process tells that started the others and serves nobody. */
export const figuresOfPrimary = (count: { readonly workers: () => number; readonly deaths: () => number }): (() => Promise<Figures>) => {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'simpul_workers',
    help: 'Processes that serve.',
    registers,
    collect() {
      this.set(count.workers())
    },
  })
  new Counter({
    name: 'simpul_worker_deaths_total',
    help: 'Processes that ended without being asked to; each was started anew.',
    registers,
    collect() {
      this.reset()
      this.inc(count.deaths())
    },
  })
  return async () =>
    (await registry.getMetricsAsJSON()).map(metric => (metric.name === startTime ? { ...metric, aggregator: 'first' } : metric))
}

/** The library leaves it out of sums. That of the process that started the others is that of the server. */
const startTime = 'process_start_time_seconds'
