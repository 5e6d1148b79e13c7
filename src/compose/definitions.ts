import { readFileSync } from 'node:fs'
import { accessParameters } from '../auth/roles/access-parameters.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { GeneratedCompartments, GeneratedModel, GeneratedSearchParameters } from '../fhir/definitions/generated-form.ts'
import { definitionsFrom } from '../fhir/definitions/load.ts'

/** R4 as it is built into the program, and what conditions of roles ask besides. */
export const loadDefinitions = (): Definitions =>
  definitionsFrom({
    model: generated<GeneratedModel>('model'),
    searchParameters: [...generated<GeneratedSearchParameters>('search-parameters'), ...accessParameters],
    compartments: generated<GeneratedCompartments>('compartments'),
  })

const generated = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../fhir/definitions/generated/${name}.json`, import.meta.url), 'utf8')) as T // made by definitions:build
