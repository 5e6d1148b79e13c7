import { readFileSync } from 'node:fs'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import { definitionsFrom } from '../fhir/definitions/load.ts'

/** R4 as it is built into the program. */
export const loadDefinitions = (): Definitions =>
  definitionsFrom({
    model: generated('model'),
    searchParameters: generated('search-parameters'),
    compartments: generated('compartments'),
  })

const generated = (name: string): never =>
  JSON.parse(readFileSync(new URL(`../fhir/definitions/generated/${name}.json`, import.meta.url), 'utf8')) as never
