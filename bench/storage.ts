/**
 * What the SQLite store writes and reads, without HTTP: `node bench/storage.ts [seconds per step]`.
 * Each version brings 26 index values, as an Observation of a hospital does. CPU counts all threads and the making of the versions.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7Ids } from '../src/base/ids.ts'
import type { Definitions } from '../src/fhir/definitions/definitions.ts'
import type { IndexValues, Mark } from '../src/search/values.ts'
import { lastUpdatedPlaceholder, type NewVersion, type RecordDefinition, type Store, type WritePlan } from '../src/storage/port.ts'
import { openSqliteStore } from '../src/storage/sqlite/store.ts'

/** A queue as the outbox will be. */
type Job = { readonly id: string; readonly queue: string; readonly due: number }
const jobs: RecordDefinition = { name: 'jobs', key: 'id', indexes: { due: ['queue', 'due'] } }
const seconds = Number(process.argv[2] ?? 3)
const ids = uuidv7Ids(Date.now)
const encoder = new TextEncoder()
const filler = 'x'.repeat(1200)
const both: Mark = 3
const dayMs = 86_400_000
let made = 0

const valuesOf = (id: string, n: number): IndexValues => ({
  tokens: Array.from({ length: 12 }, (_, k) => ({
    param: `token${k}`,
    system: `urn:s${k}`,
    code: k === 0 ? id : k < 4 ? `v${(n * 7919) % 50_000}` : `c${n % 30}`,
    mark: both,
  })),
  strings: Array.from({ length: 4 }, (_, k) => ({ param: `string${k}`, value: `name${(n * 31) % 5_000}`, exact: '', mark: both })),
  dates: Array.from({ length: 3 }, (_, k) => ({ param: `date${k}`, lo: 1.6e12 + n * 1000, hi: 1.6e12 + n * 1000 + dayMs, mark: both })),
  numbers: ['', 'urn:ucum|mg'].map(unit => ({ param: 'value-quantity', unit, lo: n % 200, hi: n % 200, mark: both })),
  references: [
    ['subject', 'Patient'],
    ['patient', 'Patient'],
    ['encounter', 'Encounter'],
  ].map(([param = '', type = '']) => ({ param, type, id: `${type}${n % 1000}` })),
  composites: [{ param: 'code-value-quantity', key: `c${n % 30}`, range: { lo: n % 200, hi: n % 200 } }],
  sort: [
    { param: 'date0', least: 1.6e12 + n },
    { param: 'string0', least: `name${n}` },
  ],
  shape: ['date0', 'encounter', 'string0', 'subject', 'token0', 'value-quantity'],
})

const version = (type: string, id: string, versionId = 1): NewVersion => {
  const head = `{"resourceType":"${type}","id":"${id}","meta":{"versionId":"${versionId}","lastUpdated":"`
  const n = made++
  return {
    type,
    id,
    versionId,
    method: 'PUT',
    text: encoder.encode(`${head}${lastUpdatedPlaceholder}"},"note":"${filler}"}`),
    lastUpdatedOffset: head.length,
    values: valuesOf(id, n),
    patients: [`Patient${n % 1000}`],
    organizations: [],
    authors: [],
    confidentiality: 2,
  }
}

const planOf = (versions: readonly NewVersion[], seq: number | 'none' = 'none'): WritePlan => ({
  expects: versions.map(({ type, id }) => ({ type, id, seq })),
  guards: [],
  versions,
})

const commit = async (store: Store, plan: WritePlan): Promise<number> => {
  const done = await store.commit(plan)
  if (!done.ok || !done.value.held) throw new Error('A plan did not hold')
  return done.value.versions[0]?.seq ?? 0
}

/** Runs `step` in so many loops at once until the time is over, and prints its rate, waiting times and CPU. */
const measure = async (name: string, loops: number, resources: number, step: (loop: number) => Promise<unknown>): Promise<void> => {
  const waits: number[] = []
  const cpu = process.cpuUsage()
  const started = performance.now()
  const ends = started + seconds * 1000
  const run = async (loop: number): Promise<void> => {
    while (performance.now() < ends) {
      const begun = performance.now()
      await step(loop)
      waits.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: loops }, (_, loop) => run(loop)))
  const took = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2)
  const rate = Math.round(waits.length / took)
  const perResource = ((user + system) / waits.length / resources).toFixed(0)
  process.stdout.write(
    `${name.padEnd(40)} ${rate}/s, ${rate * resources} resources/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, CPU ${perResource} µs a resource\n`,
  )
}

const folder = mkdtempSync(join(tmpdir(), 'simpul-bench-'))
const store = await openSqliteStore({ path: join(folder, 'store.db'), definitions: {} as Definitions, clock: Date.now, records: [jobs] })
try {
  await measure('creates, 1 in flight', 1, 1, () => commit(store, planOf([version('Observation', ids())])))
  await measure('creates, 32 in flight', 32, 1, () => commit(store, planOf([version('Observation', ids())])))
  await measure('plans of 300, 4 in flight', 4, 300, () =>
    commit(store, planOf(Array.from({ length: 300 }, () => version('Observation', ids())))),
  )
  for (const snapshots of [0, 4, 0, 4]) {
    const states = await Promise.all(
      Array.from({ length: 32 }, async () => {
        const id = ids()
        return { id, versionId: 1, seq: await commit(store, planOf([version('Patient', id)])) }
      }),
    )
    await measure(`updates, 32 in flight, ${snapshots} snapshots each`, 32, 1, async loop => {
      const state = states[loop] as (typeof states)[number]
      for (let n = 0; n < snapshots; n++) await store.snapshot()
      state.versionId++
      state.seq = await commit(store, planOf([version('Patient', state.id, state.versionId)], state.seq))
    })
    process.stdout.write(`${' '.repeat(40)} ${store.statistics().deadEntries} dead entries\n`)
  }
  const records = store.records<Job>(jobs)
  await measure('records put, 32 in flight', 32, 1, () => records.put({ id: ids(), queue: 'mail', due: Date.now() }))
  await measure('records put, taken, finished by 20', 8, 20, async () => {
    const queue = Array.from({ length: 20 }, () => ({ record: 'jobs', put: { id: ids(), queue: 'bpjs', due: Date.now() } }))
    await commit(store, { ...planOf([]), records: queue })
    const taken = await records.take('due', 20, 30_000, { from: ['bpjs'], to: ['bpjs'] })
    if (taken.ok) await Promise.all(taken.value.map(one => records.finish(one)))
  })
  await measure('blobs of 8 MiB, by MiB', 1, 8, () => store.blobs.write([new Uint8Array(8 * 1024 * 1024)]))
  const known: string[] = []
  for await (const block of store.walk({ type: 'Observation', upTo: Number.MAX_SAFE_INTEGER })) known.push(...block.map(one => one.id))
  await measure('newest, 1000 a step', 1, 1000, async () => {
    for (let n = 0; n < 1000; n++) await store.newest('Observation', known[Math.floor(Math.random() * known.length)] ?? '')
  })
} finally {
  await store[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
}
