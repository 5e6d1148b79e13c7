import { type Failure, fail, type Outcome, ok } from '../../base/outcome.ts'
import { isRule, type Rule, rule } from '../../base/rules.ts'
import type { Definitions } from '../definitions/definitions.ts'
import { Decimal } from '../model/decimal.ts'
import type { Resource } from '../model/resource.ts'
import { bounded } from './bounded.ts'
import { entriesOf, putEntries } from './entries.ts'
import { type PathOperation, readPathOperations } from './fhirpath-operations.ts'
import type { PatchLimits } from './json-patch.ts'
import { depthUpTo } from './json-size.ts'
import { type Locate, type Location, locator } from './located.ts'
import { placed } from './patch-value.ts'
import { choicesOf, entryAt, type Holder, holderOf, isPresent, type Place, placeAt, putList } from './place.ts'
import { withIdentityOf } from './protected.ts'

/** All paths of a patch together may compute so long; hostile ones would never end. */
const evaluationMs = 500
/** Sum of the squares of the lengths of different paths: fhirpath.js reads a bad one in 0.1 µs times the square of its characters. */
const pathsCostMax = 2_500_000

/**
 * FHIRPath Patch on a resource, which itself stays as it was. All operations or none.
 * Fails `patch-document` and `bad-fhirpath` (400), `patch-failed` and `patch-protected` (422), `too-costly` when the paths compute too long.
 * @see https://hl7.org/fhir/R4/fhirpatch.html
 */
export const applyFhirPathPatch = (
  resource: Resource,
  patch: unknown,
  limits: PatchLimits,
  definitions: Definitions,
): Outcome<Resource> => {
  const operations = readPathOperations(patch, limits.patchOperationsMax)
  if (!operations.ok) return operations
  const locators = locatorsFor(operations.value)
  if (!locators.ok) return locators
  const work: Work = { resource: copyOf(resource) as Resource, locate: locators.value, definitions }
  const applied = bounded(evaluationMs, () => applyAll(operations.value, work))
  if (applied === undefined) return fail('too-costly', { parameter: 'path' })
  if (applied.value !== undefined) return { ok: false, failure: applied.value }
  if (depthUpTo(work.resource, limits.depthMax) > limits.depthMax) {
    return failed(operations.value.length, rule('result-too-deep', { max: limits.depthMax }))
  }
  return withIdentityOf(resource, work.resource)
}

const failed = (number: number, refused: Rule): { readonly ok: false; readonly failure: Failure } =>
  fail('patch-failed', { number, rule: refused })

type Locators = ReadonlyMap<string, Locate>

/** A copy of the resource to work on, and what finds places in it. */
type Work = { readonly resource: Resource; readonly locate: Locators; readonly definitions: Definitions }

/** Every path is read once, before anything runs. With the path of each insert comes the path of what holds its list, which may be empty. */
const locatorsFor = (operations: readonly PathOperation[]): Outcome<Locators> => {
  const paths = new Set(operations.flatMap(({ type, path }) => (type === 'insert' ? [path, ...holderPath(path)] : [path])))
  let cost = 0
  const locators = new Map<string, Locate>()
  for (const path of paths) {
    cost += path.length ** 2
    if (cost > pathsCostMax) return fail('too-costly', { parameter: 'path' })
    const locate = locator(path)
    if (!locate.ok) return locate
    locators.set(path, locate.value)
  }
  return ok(locators)
}

/** `Patient.contact[0]` of `Patient.contact[0].telecom`. */
const lastStep = /^(.+)\.([A-Za-z][A-Za-z0-9]*)$/s
const holderPath = (path: string): readonly string[] => lastStep.exec(path)?.slice(1, 2) ?? []

const applyAll = (operations: readonly PathOperation[], work: Work): Failure | undefined => {
  for (const [at, operation] of operations.entries()) {
    const refused = applyOne(operation, work)
    if (refused !== undefined) return failed(at + 1, refused).failure
  }
  return undefined
}

/** Why an operation cannot be applied; undefined when it was. */
const applyOne = (operation: PathOperation, work: Work): Rule | undefined => {
  const locations = locate(operation.path, work)
  if (isRule(locations)) return locations
  if (operation.type === 'insert') return insert(operation, locations, work)
  if (operation.type === 'move') return move(operation, locations, work)
  if (operation.type === 'delete' && locations.length === 0) return undefined
  const [location] = locations
  if (location === undefined || locations.length > 1) return rule('leads-to-many', { count: locations.length })
  if (operation.type === 'add') return add(operation, location, work)
  return operation.type === 'delete' ? remove(location, work) : replace(operation, location, work)
}

const locate = (path: string, { resource, locate: locators }: Work): readonly Location[] | Rule => {
  try {
    const found = locators.get(path)?.(resource) ?? []
    return found === 'not-elements' ? rule('leads-to-values') : found
  } catch {
    // The library's message may quote the resource.
    return rule('not-evaluable')
  }
}

const noPlace = rule('leads-to-no-place')

type Of<T extends PathOperation['type']> = Extract<PathOperation, { type: T }>

const holderAt = (location: Location, { resource, definitions }: Work): Holder | undefined => {
  if (location.length === 0) return { object: resource, within: resource.resourceType }
  const place = placeAt(resource, location, definitions)
  return place && holderOf(place)
}

const add = ({ name, value }: Of<'add'>, location: Location, work: Work): Rule | undefined => {
  const holder = holderAt(location, work)
  if (holder === undefined) return noPlace
  const { object, within } = holder
  const target = placed(within, name, value, work.definitions)
  if (isRule(target)) return target
  const { jsonName, member, entry } = target
  const repeats = member.element.max > 1
  if (!repeats && choicesOf(within, member.element.name, work.definitions).some(choice => isPresent(object, choice))) {
    return rule('there-already')
  }
  putEntries(object, jsonName, [...entriesOf(object, jsonName), entry], repeats)
  return undefined
}

const replace = ({ value }: Of<'replace'>, location: Location, work: Work): Rule | undefined => {
  const place = placeAt(work.resource, location, work.definitions)
  if (place === undefined) return noPlace
  const { element } = place.member
  const target = placed(place.within, element.choice ? element.name : place.jsonName, value, work.definitions)
  if (isRule(target)) return target
  if (target.jsonName !== place.jsonName) putList(place, [])
  const next = { ...place, jsonName: target.jsonName, member: target.member }
  putList(next, listOf(place).length === 0 ? [target.entry] : listOf(place).with(place.at, target.entry))
  return undefined
}

const remove = (location: Location, work: Work): Rule | undefined => {
  const place = placeAt(work.resource, location, work.definitions)
  if (place === undefined) return noPlace
  putList(place, listOf(place).toSpliced(place.at, 1))
  leaveNoEmptyElements(holderLocation(location), work)
  return undefined
}

/** An element whose last part was taken goes too. */
const leaveNoEmptyElements = (from: Location, { resource, definitions }: Work): void => {
  for (let location = from; location.length > 0; location = holderLocation(location)) {
    const place = placeAt(resource, location, definitions)
    if (place === undefined) return
    const before = listOf(place).length
    putList(place, listOf(place))
    if (listOf(place).length === before) return
  }
}

const listOf = ({ object, jsonName }: Place) => entriesOf(object, jsonName)

const holderLocation = (location: Location): Location => location.slice(0, typeof location.at(-1) === 'number' ? -2 : -1)

const listName = (location: Location): string => JSON.stringify(typeof location.at(-1) === 'number' ? location.slice(0, -1) : location)

/** The list whose elements, all of them, a path selects. */
const listAt = (locations: readonly Location[], { resource, definitions }: Work): Place | Rule => {
  const [first] = locations
  const place = first && placeAt(resource, first, definitions)
  if (place === undefined) return noPlace
  const whole = listOf(place).length === locations.length && locations.every(location => listName(location) === listName(first ?? []))
  if (!whole || place.member.element.max <= 1) return rule('leads-to-part-of-list')
  return place
}

const insert = ({ path, index, value }: Of<'insert'>, locations: readonly Location[], work: Work): Rule | undefined => {
  if (locations.length === 0) return insertIntoNothing(path, index, value, work)
  const place = listAt(locations, work)
  if (isRule(place)) return place
  if (index > locations.length) return rule('index-behind-end')
  const target = placed(place.within, place.jsonName, value, work.definitions)
  if (isRule(target)) return target
  putList(place, listOf(place).toSpliced(index, 0, target.entry))
  return undefined
}

/** A list without elements is not there for FHIRPath: its holder is looked for instead. */
const insertIntoNothing = (path: string, index: number, value: Of<'insert'>['value'], work: Work): Rule | undefined => {
  const [, holder, name] = lastStep.exec(path) ?? []
  if (holder === undefined || name === undefined) return noPlace
  if (index > 0) return rule('index-behind-end')
  const locations = locate(holder, work)
  if (isRule(locations)) return locations
  const [location] = locations
  return location === undefined || locations.length > 1 ? noPlace : add({ type: 'add', path: holder, name, value }, location, work)
}

const move = ({ source, destination }: Of<'move'>, locations: readonly Location[], work: Work): Rule | undefined => {
  const place = listAt(locations, work)
  if (isRule(place)) return place
  const entry = entryAt({ ...place, at: source })
  if (entry === undefined || destination >= locations.length) return rule('ends-behind-end')
  putList(place, listOf(place).toSpliced(source, 1).toSpliced(destination, 0, entry))
  return undefined
}

const copyOf = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return value
  if (Array.isArray(value)) return value.map(copyOf)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copyOf(inner)]))
}
