/** Figures of several processes as one: what Prometheus reads of a server with SIMPUL_WORKERS (operate.md 5). */
import { describe, expect, test } from '@jest/globals'
import { failureKinds } from '../../src/base/failure-kinds.ts'
import { createMetrics, type StorageFigures } from '../../src/telemetry/metrics.ts'
import { countsIn, figuresOfPrimary, joinedCounts, sumOf } from '../../src/telemetry/sum.ts'

const storage: StorageFigures = { commits: 1, plans: 2, versions: 3, queued: 4, deadEntries: 5, walBytes: 6 }
const metricsOf = (figures: Partial<StorageFigures> & { readonly ready?: boolean; readonly inFlight?: number } = {}) =>
  createMetrics({
    version: '0.0.0',
    engine: 'none',
    inFlight: () => figures.inFlight ?? 0,
    connections: () => 7,
    connectionsMax: 10,
    ready: () => figures.ready ?? true,
    rateLimiterFallback: () => false,
    rateLimits: ['read'],
    storage: () => ({ ...storage, ...figures }),
    failureKinds: Object.keys(failureKinds),
  })
const done = { interaction: 'read', resourceType: 'Patient', method: 'GET', status: 200, seconds: 0.02, bytes: 100 } as const
const valueIn = (text: string, name: string): number =>
  Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1])

describe('figures of several processes', () => {
  test('are added up, or joined as their meaning wants', async () => {
    const [one, other] = [metricsOf({ inFlight: 2 }), metricsOf({ inFlight: 3, ready: false, deadEntries: 9 })]
    one.requestDone(done)
    other.requestDone(done)
    other.requestDone(done)
    const text = await sumOf([await one.figures(), await other.figures()])
    const rows: readonly (readonly [string, number])[] = [
      ['simpul_http_requests_total{interaction="read",resource_type="Patient",method="GET",code="200"}', 3],
      ['simpul_http_request_duration_seconds_count{interaction="read",outcome="ok"}', 3],
      ['simpul_http_request_duration_seconds_bucket{le="0.025",interaction="read",outcome="ok"}', 3],
      ['simpul_http_requests_in_flight', 5],
      ['simpul_http_connections', 14],
      ['simpul_ready', 0],
      ['simpul_storage_plans_total', 4],
      ['simpul_storage_queued', 8],
      ['simpul_storage_dead_entries', 9],
      ['simpul_sqlite_wal_bytes', 6],
    ]
    for (const [name, value] of rows) expect([name, valueIn(text, name)]).toEqual([name, value])
    expect(text.match(/^simpul_build_info\{.*\} 1$/gm)?.length).toBe(1)
  })

  test('keep the counts of a process that ended, and only these', async () => {
    const gone = metricsOf({ inFlight: 2 })
    gone.requestDone(done)
    const counts = countsIn(await gone.figures())
    const twice = await joinedCounts([counts, counts])
    const text = await sumOf([twice, await metricsOf().figures()])
    expect(valueIn(text, 'simpul_http_requests_total{interaction="read",resource_type="Patient",method="GET",code="200"}')).toBe(2)
    expect(valueIn(text, 'simpul_storage_commits_total')).toBe(3)
    expect(valueIn(text, 'simpul_http_requests_in_flight')).toBe(0)
  })

  test('say when the first process started, and how many serve', async () => {
    const primary = figuresOfPrimary({ workers: () => 3, deaths: () => 2 })
    const text = await sumOf([await primary(), await metricsOf().figures()])
    expect(valueIn(text, 'process_start_time_seconds')).toBeGreaterThan(0)
    expect([valueIn(text, 'simpul_workers'), valueIn(text, 'simpul_worker_deaths_total')]).toEqual([3, 2])
  })

  test('are scraped by one process as they stand, however often', async () => {
    const metrics = metricsOf()
    await metrics.scrape()
    expect(valueIn(await metrics.scrape(), 'simpul_storage_versions_total')).toBe(3)
    expect(await metrics.scrape()).toContain('# TYPE simpul_storage_versions_total counter')
  })
})
