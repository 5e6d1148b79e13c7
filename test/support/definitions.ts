import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accessParameters } from '../../src/auth/roles/access-parameters.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { definitionsFrom } from '../../src/fhir/definitions/load.ts'

const folder = join(import.meta.dirname, '../../src/fhir/definitions/generated')
const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'))

let loaded: Definitions | undefined

/** The definitions as compose loads them, read once per test file. */
export const testDefinitions = (): Definitions => {
  loaded ??= definitionsFrom({
    model: read('model.json'),
    searchParameters: [...read('search-parameters.json'), ...accessParameters],
    compartments: read('compartments.json'),
  })
  return loaded
}
