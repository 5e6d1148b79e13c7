/**
 * `npm run bench`: every cell in one run, each against a server of its own process, so that figures and ratios belong together.
 * `npm run bench -- read crud` runs some cells; `--seconds 3` shortens them, `--bundles 600` imports and searches the larger file. Results go to docs/performance.md by hand, with date and command.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { crudCell } from './cells/crud.ts'
import { importCell } from './cells/import.ts'
import { put, readCell } from './cells/read.ts'
import { searchCell } from './cells/search.ts'
import { transactionCell } from './cells/transactions.ts'
import { type Figures, hasWrk } from './load.ts'
import { fsyncsPerSecond, startSimpul } from './processes.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '5' }, bundles: { type: 'string', default: '100' } },
})
const seconds = Number(values.seconds)
const wanted = (cell: string): boolean => positionals.length === 0 || positionals.includes(cell)
const data = resolve(import.meta.dirname, '..', process.env.SIMPUL_TEST_DATA ?? '../shared/data')
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

let floorPerSecond: number | undefined

const row = (cell: string, figures: Figures): void => {
  const ratio = floorPerSecond === undefined ? '–' : `${((figures.perSecond / floorPerSecond) * 100).toFixed(0)} %`
  const cells = [
    cell,
    Math.round(figures.perSecond),
    figures.cpuSecondsPer1000.toFixed(3),
    figures.p50Ms.toFixed(2),
    figures.p99Ms.toFixed(2),
    figures.errors,
    ratio,
  ]
  say(`| ${cells.join(' | ')} |`)
}

say(
  `Node ${process.versions.node}, SQLite ${process.versions.sqlite}; reads and searches from ${hasWrk() ? 'wrk' : 'autocannon'}, all else from autocannon; ${seconds} s a cell; ${fsyncsPerSecond()} fsyncs/s on this disk.`,
)
say('')
say('| cell | operations/s | server CPU s per 1,000 | p50 ms | p99 ms | errors | of the Express floor |')
say('|---|---|---|---|---|---|---|')

if (wanted('read')) {
  const server = await startSimpul()
  const { floor, read } = await readCell(server, seconds)
  floorPerSecond = floor.perSecond
  row('bare Express 5, same 2 KB', floor)
  row('read by id', read)
  await server.stop()
}

if (wanted('crud')) {
  const server = await startSimpul()
  await put(server, 'Patient/bench', { resourceType: 'Patient', id: 'bench' })
  row('CRUD loop, 9 types, 32 connections', await crudCell(server, seconds))
  await server.stop()
}

if (wanted('transactions')) {
  const server = await startSimpul()
  await put(server, 'Patient/bench', { resourceType: 'Patient', id: 'bench' })
  for (const clients of [1, 8, 32, 128])
    row(`transactions of 2 resources, ${clients} clients`, await transactionCell(server, clients, seconds))
  await server.stop()
}

const synthea = join(data, `synthea/bundles-${values.bundles}.ndjson.gz`)
if (!existsSync(synthea)) say('\n##### SYNTHEA DATA ABSENT: IMPORT AND SEARCH ARE LEFT OUT #####')
else if (wanted('import') || wanted('search')) {
  const server = await startSimpul()
  row('Synthea import, 4 clients (resources)', await importCell(server, synthea))
  say(`\nresident after import: ${server.residentMiB().toFixed(0)} MiB\n`)
  if (wanted('search')) {
    const { mix, kinds } = await searchCell(server, seconds)
    say('| cell | operations/s | server CPU s per 1,000 | p50 ms | p99 ms | errors | of the Express floor |')
    say('|---|---|---|---|---|---|---|')
    row('search mix, 8 connections', mix)
    for (const [name, figures] of Object.entries(kinds)) row(`search: ${name}`, figures)
  }
  await server.stop()
}
