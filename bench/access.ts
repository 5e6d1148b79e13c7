/**
 * What an access filter costs a search that crosses patients: `node bench/access.ts [--observations 1000000] [--engine mongodb]`.
 * A code's Observations by date, the first 50: unlimited, within the relation of a doctor (1 patient in 100) and of a facility (every second one), with labels.
 * Every way is asked in turn, code after code, so that the ratios belong together. Search and answer of the store alone, without HTTP.
 * CPU is that of this process, and of mongod.
 * `--only care` measures the ways of that name alone, beside the unlimited. `--keep folder` leaves the store there, and the next run with it begins where
 * this one had loaded. `--store mongodb://…` measures a database that is there, without the CPU of its server; it is always left.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { any, rowText } from '../src/auth/consent/consent-relations.ts'
import { seesAll } from '../src/base/access-filter.ts'
import type { Definitions } from '../src/fhir/definitions/definitions.ts'
import type { IndexValues } from '../src/search/values.ts'
import type { LoadedVersion, Relation, Store } from '../src/storage/port.ts'
import type { Query } from '../src/search/tree.ts'
import { accessFilters, served } from './access-filters.ts'
import { startMongod, threadMillisecondsOf } from './mongod.ts'

const { values: asked } = parseArgs({
  options: {
    observations: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    engine: { type: 'string', default: 'sqlite' },
    store: { type: 'string' },
    keep: { type: 'string' },
    only: { type: 'string' },
    explain: { type: 'boolean', default: false },
  },
})
const observations = Number(asked.observations)
const patients = Math.max(1000, Math.round(observations / 50))
const ofDoctor = Math.round(patients / 100)
const ofFacility = Math.round(patients / 2)
const codes = 50
const page = 50
const block = 1000
const dayMs = 86_400_000
const newest = Date.UTC(2026, 10, 1)
const noDefinitions = {} as Definitions
const encoder = new TextEncoder()
const filler = 'x'.repeat(900)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

const nothing: IndexValues = { tokens: [], strings: [], dates: [], numbers: [], references: [], composites: [], sort: [], shape: [] }

/** The same each time, below `most`: patients, codes and dates know nothing of one another. @see https://github.com/aappleby/smhasher (finalizer of MurmurHash3) */
const spread = (n: number, what: number, most: number): number => {
  let h = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(what, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return Math.floor((((h ^ (h >>> 16)) >>> 0) / 2 ** 32) * most)
}

const firstSeq = 4096 * (Date.UTC(2026, 9, 1) - Date.UTC(2024, 0, 1))
let made = 0
const version = (type: string, id: string, values: IndexValues, more: Partial<LoadedVersion>): LoadedVersion => ({
  type,
  id,
  versionId: 1,
  method: 'POST',
  text: encoder.encode(`{"resourceType":"${type}","id":"${id}","meta":{"versionId":"1"},"note":"${filler}"}`),
  seq: firstSeq + 409 * made++,
  values,
  patients: [],
  organizations: [],
  authors: [],
  confidentiality: 3,
  ...more,
})

/** One in 50 is restricted, one in 100 of those that are not is sensitive. */
const observation = (n: number): LoadedVersion => {
  const patient = `p${spread(n, 1, patients)}`
  const lo = newest - spread(n, 2, 1500) * dayMs - spread(n, 3, dayMs)
  const values: IndexValues = {
    ...nothing,
    tokens: [
      { param: 'code', system: 'http://loinc.org', code: `c${spread(n, 4, codes)}`, mark: 3 },
      { param: 'category', system: 'urn:category', code: n % 3 === 0 ? 'vital-signs' : 'laboratory', mark: 3 },
      { param: 'status', system: 'urn:status', code: 'final', mark: 3 },
    ],
    dates: [{ param: 'date', lo, hi: lo + 1, mark: 3 }],
    references: ['subject', 'patient'].map(param => ({ param, type: 'Patient', id: patient })),
    sort: [{ param: 'date', least: lo }],
    shape: ['category', 'code', 'date', 'patient', 'status', 'subject'],
  }
  const labels = n % 50 === 0 ? { confidentiality: 4 } : n % 100 === 1 ? { sensitivities: ['PSY'] } : {}
  return version('Observation', `o${n}`, values, { patients: [patient], ...labels })
}

/** One for each patient of the facility; one patient in 100 has closed all to the hospital. */
const encounter = (n: number): LoadedVersion => {
  const patient = `p${n}`
  const relations: Relation[] = [{ from: 'facility', of: served.organization, patient }]
  if (n < ofDoctor) relations.push({ from: 'care', of: served.practitioner, patient, until: Date.now() + 30 * dayMs })
  if (n % 100 === 50) relations.push({ from: 'closed', of: rowText(3, `Organization/${served.organization}`, any, any), patient })
  return version('Encounter', `e${n}`, nothing, { patients: [patient], relations })
}

const load = async (store: Store, count: number, make: (n: number) => LoadedVersion): Promise<void> => {
  for (let from = 0; from < count; from += block) {
    const done = await store.load(Array.from({ length: Math.min(block, count - from) }, (_, n) => make(from + n)))
    if (!done.ok || !done.value.held) throw new Error('A block did not load')
  }
}

const filters = Object.entries(accessFilters).filter(([name]) => name === 'unlimited' || name.includes(asked.only ?? ''))

const byCode = (code: number): Query => ({
  parts: [
    {
      type: 'Observation',
      where: { op: 'token', param: { type: 'Observation', code: 'code', kind: 'token' }, system: 'http://loinc.org', code: `c${code}` },
    },
  ],
  sort: [{ code: 'date', kind: 'date', descending: true }],
})

/** Milliseconds that passed, and those that were worked, by question. `rows`: of the shortest page. */
type Taken = { readonly ms: number[]; readonly cpuMs: number[]; readonly databaseMs: number[]; rows: number }

/** Each way, each code once a round; the first round warms up. */
const measure = async ({ store, databaseMs }: Opened, rounds: number): Promise<ReadonlyMap<string, Taken>> => {
  const taken = new Map(filters.map(([name]): [string, Taken] => [name, { ms: [], cpuMs: [], databaseMs: [], rows: page }]))
  for (let round = 0; round <= rounds; round++)
    for (let code = 0; code < codes; code++)
      for (const [name, access] of filters) {
        const [worked, cpu, begun] = [databaseMs(), process.cpuUsage(), performance.now()]
        const found = await store.search(byCode(code), { access, count: page })
        const ms = performance.now() - begun
        const { user, system } = process.cpuUsage(cpu)
        const database = databaseMs() - worked
        if (!found.ok) throw new Error(found.failure.kind)
        const of = taken.get(name)
        if (round === 0 || of === undefined) continue
        of.ms.push(ms)
        of.cpuMs.push((user + system) / 1000 + database)
        of.databaseMs.push(database)
        of.rows = Math.min(of.rows, found.value.rows.length)
      }
  return taken
}

/** A store and what its server, where it has one, has worked so far (ms). */
type Opened = AsyncDisposable & { readonly store: Store; databaseMs(): number }

const openSqlite = async (): Promise<Opened> => {
  const folder = asked.keep ?? mkdtempSync(join(tmpdir(), 'simpul-bench-'))
  mkdirSync(folder, { recursive: true })
  const { openSqliteStore } = await import('../src/storage/sqlite/store.ts')
  const path = join(folder, 'store.db')
  const store = await openSqliteStore({ path, definitions: noDefinitions, clock: Date.now, synchronous: 'NORMAL' })
  const dispose = async (): Promise<void> => {
    await store[Symbol.asyncDispose]()
    if (asked.keep === undefined) rmSync(folder, { recursive: true })
  }
  return { store, databaseMs: () => 0, [Symbol.asyncDispose]: dispose }
}

const openMongodb = async (): Promise<Opened> => {
  const { openMongoStore } = await import('../src/storage/mongodb/store.ts')
  const mongod = asked.store === undefined ? await startMongod(asked.keep) : undefined
  const address = asked.store ?? mongod?.address('access') ?? ''
  const store = await openMongoStore({ address, definitions: noDefinitions, clock: Date.now })
  const dispose = async (): Promise<void> => {
    await store[Symbol.asyncDispose]()
    await mongod?.[Symbol.asyncDispose]()
  }
  return { store, databaseMs: () => (mongod === undefined ? 0 : threadMillisecondsOf(mongod.pid)), [Symbol.asyncDispose]: dispose }
}

/** Seconds that loading took; undefined when it was there. */
const prepare = async (store: Store): Promise<number | undefined> => {
  const counted = await store.count({ parts: [{ type: 'Observation', where: { op: 'all' } }], sort: [] }, { access: seesAll })
  if (counted.ok && counted.value.count === observations) return undefined
  const begun = performance.now()
  await load(store, ofFacility, encounter)
  await load(store, observations, observation)
  return (performance.now() - begun) / 1000
}

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN
const beside = (some: readonly number[], others: readonly number[]): string =>
  `${median(some).toFixed(2)} | ${(median(some) / median(others)).toFixed(2)}`

await using opened = await (asked.engine === 'mongodb' || asked.store !== undefined ? openMongodb() : openSqlite())
const { store } = opened
const seconds = await prepare(store)
const loaded = seconds === undefined ? 'kept from before' : `loaded in ${seconds.toFixed(0)} s`
say(`${observations} Observations of ${patients} patients on ${store.engine}, ${loaded}; doctor ${ofDoctor}, facility ${ofFacility}.\n`)
const taken = await measure(opened, Number(asked.rounds))
const unlimited = taken.get('unlimited') ?? { ms: [], cpuMs: [] }
say('| access | p50 ms | of unlimited | CPU p50 ms | of unlimited | of it database | rows |')
say('|---|---|---|---|---|---|---|')
for (const [name, { ms, cpuMs, databaseMs, rows }] of taken)
  say(`| ${name} | ${beside(ms, unlimited.ms)} | ${beside(cpuMs, unlimited.cpuMs)} | ${median(databaseMs).toFixed(2)} | ${rows} |`)
const questions = Array.from({ length: 20 }, (_, n) => ({ from: 'care', of: ['doctor'], patient: `p${n * 17}` }) as const)
const started = performance.now()
for (let n = 0; n < 500; n++) await store.related(questions)
say(`\n20 questions about relations: ${(((performance.now() - started) / 500) * 1000).toFixed(0)} µs`)
if (asked.explain)
  for (const [name, access] of filters) {
    const lines = await store.explain(byCode(7), { access, count: page })
    say(`\n${name}\n${lines.ok ? lines.value.join('\n') : lines.failure.kind}`)
  }
