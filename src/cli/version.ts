import { readFileSync } from 'node:fs'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/** The version in package.json. */
export const simpulVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version

export const version = (terminal: Terminal): number => {
  const record = { simpul: simpulVersion(), fhir: '4.0.1', node: process.versions.node, sqlite: process.versions.sqlite ?? '' }
  report(terminal, record, `Simpul ${record.simpul} (FHIR ${record.fhir}, Node ${record.node}, SQLite ${record.sqlite})`)
  return exitCodes.good
}
