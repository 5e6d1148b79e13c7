/**
 * `npm run bench`: every cell on every engine in one run, each against a server of its own process, so that figures and ratios belong together.
 * `npm run bench -- read crud` runs some cells; `--engines mongodb` one engine; `--seconds 3` shortens them; `--bundles 600` imports and
 * searches the larger file; `--workers 2` starts so many processes. Results go to docs/performance.md by hand, with date and command.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { crudCell } from './cells/crud.ts'
import { importCell } from './cells/import.ts'
import { put, readCell } from './cells/read.ts'
import { searchCell } from './cells/search.ts'
import { signedInCell } from './cells/signed-in.ts'
import { transactionCell } from './cells/transactions.ts'
import { engines, type MeasuredEngine } from './engines.ts'
import { type Figures, hasWrk } from './load.ts'
import { fsyncsPerSecond } from './processes.ts'
import { closed } from './sign-in.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '5' },
    bundles: { type: 'string', default: '100' },
    engines: { type: 'string', default: 'sqlite,mongodb' },
    workers: { type: 'string', default: '1' },
  },
})
const seconds = Number(values.seconds)
const environment = values.workers === '1' ? {} : { SIMPUL_WORKERS: values.workers }
const wanted = (cell: string): boolean => positionals.length === 0 || positionals.includes(cell)
const data = resolve(import.meta.dirname, '..', process.env.SIMPUL_TEST_DATA ?? '../shared/data')
const synthea = join(data, `synthea/bundles-${values.bundles}.ndjson.gz`)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

let floorPerSecond: number | undefined

const header = (): void => {
  say('| cell | operations/s | CPU s per 1,000 | p50 ms | p99 ms | errors | of the Express floor |')
  say('|---|---|---|---|---|---|---|')
}

const row = (cell: string, figures: Figures): void => {
  const ratio = floorPerSecond === undefined ? '–' : `${((figures.perSecond / floorPerSecond) * 100).toFixed(0)} %`
  const { cpuSecondsPer1000: own, databaseCpuSecondsPer1000: database } = figures
  const cells = [
    cell,
    Math.round(figures.perSecond),
    database === undefined ? own.toFixed(3) : `${own.toFixed(3)} + ${database.toFixed(3)}`,
    figures.p50Ms.toFixed(2),
    figures.p99Ms.toFixed(2),
    figures.errors,
    ratio,
  ]
  say(`| ${cells.join(' | ')} |`)
}

const read = async (engine: MeasuredEngine): Promise<void> => {
  const server = await engine.start(environment)
  const { floor, read: figures } = await readCell(server, seconds)
  floorPerSecond = floor.perSecond
  row('bare Express 5, same 2 KB', floor)
  row('read by id', figures)
  await server.stop()
}

/** What signing in costs a read: the ratio is that of this run. */
const signedIn = async (engine: MeasuredEngine): Promise<void> => {
  await using servers = new AsyncDisposableStack()
  const started = async (given: Readonly<Record<string, string>>) => servers.adopt(await engine.start(given), server => server.stop())
  const [open, guarded] = [await started(environment), await started({ ...environment, ...closed() })]
  const figures = await signedInCell(open, guarded, seconds)
  row('read by id, sign-in off', figures.open)
  row(`read by id, a doctor's token (${((figures.doctor.perSecond / figures.open.perSecond) * 100).toFixed(0)} % of off)`, figures.doctor)
}

const crud = async (engine: MeasuredEngine): Promise<void> => {
  const server = await engine.start(environment)
  await put(server, 'Patient/bench', { resourceType: 'Patient', id: 'bench' })
  row('CRUD loop, 9 types, 32 connections', await crudCell(server, seconds))
  await server.stop()
}

const transactions = async (engine: MeasuredEngine): Promise<void> => {
  const server = await engine.start(environment)
  await put(server, 'Patient/bench', { resourceType: 'Patient', id: 'bench' })
  for (const clients of [1, 8, 32, 128])
    row(`transactions of 2 resources, ${clients} clients`, await transactionCell(server, clients, seconds))
  await server.stop()
}

const importAndSearch = async (engine: MeasuredEngine): Promise<void> => {
  const server = await engine.start(environment)
  row('Synthea import, 4 clients (resources)', await importCell(server, synthea))
  say(`\nresident after import: ${server.residentMiB().toFixed(0)} MiB\n`)
  if (wanted('search')) {
    const { mix, kinds } = await searchCell(server, seconds)
    header()
    row('search mix, 8 connections', mix)
    for (const [name, figures] of Object.entries(kinds)) row(`search: ${name}`, figures)
  }
  await server.stop()
}

say(
  `Node ${process.versions.node}, SQLite ${process.versions.sqlite}; reads and searches from ${hasWrk() ? 'wrk' : 'autocannon'}, all else from autocannon; ${seconds} s a cell; ${fsyncsPerSecond()} fsyncs/s on this disk; ${values.workers} process(es).`,
)

for (const name of values.engines.split(',')) {
  const start = engines[name]
  if (start === undefined) throw new Error(`There is no engine ${name}: ${Object.keys(engines).join(', ')}`)
  await using engine = await start()
  floorPerSecond = undefined
  say(`\n${engine.name}. CPU is the server's${name === 'sqlite' ? '' : ', then the database’s'}.\n`)
  header()
  if (wanted('read')) await read(engine)
  if (wanted('signed-in')) await signedIn(engine)
  if (wanted('crud')) await crud(engine)
  if (wanted('transactions')) await transactions(engine)
  if (!wanted('import') && !wanted('search')) continue
  if (existsSync(synthea)) await importAndSearch(engine)
  else say('\n##### SYNTHEA DATA ABSENT: IMPORT AND SEARCH ARE LEFT OUT #####')
}
