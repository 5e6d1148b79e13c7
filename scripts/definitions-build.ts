import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { compartmentsOf } from './definitions/compartments.ts'
import { correct } from './definitions/correct.ts'
import { invariantsOf, modelOf } from './definitions/model.ts'
import { readPublished } from './definitions/package.ts'
import { searchParametersOf } from './definitions/search-parameters.ts'

/** The generated files by name, as text: the same bytes on every run. Fails when a correction finds nothing to correct. */
export const buildDefinitions = (): Readonly<Record<string, string>> => {
  const published = correct(readPublished())
  return {
    'model.json': linesOf(modelOf(published)),
    'invariants.json': objectOf(invariantsOf(published)),
    'search-parameters.json': listOf(searchParametersOf(published)),
    'compartments.json': objectOf(compartmentsOf(published)),
  }
}

/** Compact JSON with one entry per line, so that a change shows as a line. */
const objectOf = (object: object): string => `{\n${rowsOf(object)}\n}\n`
const rowsOf = (object: object): string =>
  Object.entries(object)
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join(',\n')
const listOf = (list: readonly unknown[]): string => `[\n${list.map(item => JSON.stringify(item)).join(',\n')}\n]\n`
const linesOf = (object: object): string =>
  `{\n${Object.entries(object)
    .map(([name, value]) => `${JSON.stringify(name)}:{\n${rowsOf(value)}\n}`)
    .join(',\n')}\n}\n`

/** Budgets in bytes: the files are read at every start. */
const budgets: Readonly<Record<string, number>> = {
  'model.json': 900_000,
  'invariants.json': 100_000,
  'search-parameters.json': 600_000,
  'compartments.json': 60_000,
}

if (import.meta.main) {
  const folder = resolve(import.meta.dirname, '../src/fhir/definitions/generated')
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(buildDefinitions())) {
    const size = Buffer.byteLength(text)
    if (size > (budgets[name] ?? 0)) throw new Error(`${name} has ${size} bytes; the budget is ${budgets[name]}.`)
    writeFileSync(join(folder, name), text)
    process.stdout.write(`${name} ${size} bytes\n`)
  }
}
