import { createRequire } from 'node:module'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { parse } from '../fhirpath/parser.ts'
import { stringify } from '../model/json.ts'
import type { Resource } from '../model/resource.ts'

/** Where an element stands in the JSON of its resource: member names and indexes from the top. */
export type Location = readonly (string | number)[]

/** The elements that a path selects. 'not-elements' when it gives values that stand nowhere in the resource: `name.count()`. */
export type Locate = (resource: Resource) => readonly Location[] | 'not-elements'

/** Longer paths locate nothing that a shorter one could not; parsing them costs more than linear time. */
const pathCharactersMax = 1000

/** What fhirpath.js knows of an element it found. */
type ResourceNode = { readonly parentResNode: ResourceNode | null; readonly propName: string | null; readonly index: number | null }

type Library = {
  compile(path: string, model: unknown, options: object): (resource: unknown, variables: object) => readonly unknown[]
}

const require = createRequire(import.meta.url)
let library: { readonly fhirpath: Library; readonly r4: unknown } | undefined

/** Loaded when the first such patch comes: it takes longer than the rest of a start. */
const loaded = () => {
  library ??= { fhirpath: require('fhirpath'), r4: require('fhirpath/fhir-context/r4') }
  return library
}

/** A path ready to be evaluated. Fails with `bad-fhirpath`. Its trace() prints nothing and nothing in it can reach out. */
export const locator = (path: string): Outcome<Locate> => {
  if (path.length > pathCharactersMax)
    return fail('bad-fhirpath', { at: pathCharactersMax, rule: rule('at-most-characters', { max: pathCharactersMax }) })
  const parsed = parse(path)
  if (!parsed.ok) return parsed
  const { fhirpath, r4 } = loaded()
  try {
    const evaluate = fhirpath.compile(path, r4, { async: false, traceFn: () => {}, resolveInternalTypes: false })
    return ok(resource => {
      const copy = JSON.parse(stringify(resource)) // with plain numbers
      return locationsOf(evaluate(copy, { resource: copy }))
    })
  } catch {
    return fail('bad-fhirpath', { at: 0, rule: rule('path-evaluable') })
  }
}

const locationsOf = (found: readonly unknown[]): readonly Location[] | 'not-elements' => {
  const locations: Location[] = []
  for (const node of found) {
    if (!isNode(node)) return 'not-elements'
    locations.push(locationOf(node))
  }
  return locations
}

const isNode = (value: unknown): value is ResourceNode => typeof value === 'object' && value !== null && 'parentResNode' in value

const locationOf = ({ parentResNode, propName, index }: ResourceNode): Location => {
  if (parentResNode === null || parentResNode === undefined || propName === null) return []
  const own = index === null || index === undefined ? [propName] : [propName, index]
  return [...locationOf(parentResNode), ...own]
}
