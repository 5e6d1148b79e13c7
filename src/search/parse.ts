import type { Limits } from '../base/limits.ts'
import { type Failure, fail, type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import { appliedValue, type FilterContext, isLenient, readFilter } from './filters.ts'
import { normalise } from './normalise.ts'
import { holdsOneDate } from './parameters.ts'
import type { ParsedSearch, SearchText } from './request.ts'
import { checkTogether, type ResultParameters, resultParameters } from './result-parameters.ts'
import { suggest } from './suggest.ts'
import type { Node, ParamRef, Part, Query } from './tree.ts'
import { atParameter, malformed, shortName } from './types/search-type.ts'

export type SearchInput = {
  /** The types that are searched: one, or all of the system or compartment. */
  readonly types: readonly string[]
  /** Decoded, in the order sent. */
  readonly parameters: readonly SearchText[]
  readonly handling: 'strict' | 'lenient'
  readonly compartment?: { readonly type: string; readonly id: string }
  readonly definitions: Definitions
  readonly limits: Limits
  readonly settings: { readonly base: string; readonly zone: string }
  /** ms */
  readonly now: number
}

/**
 * What the parameters of a search ask for. Strict handling fails at the first parameter that is unknown, unsupported or empty; lenient handling
 * leaves it out and says so. What is malformed fails under both. Every failure names the parameter and the rule.
 * @see https://hl7.org/fhir/R4/search.html, rest-api.md 17
 */
export const parseSearch = (input: SearchInput): Outcome<ParsedSearch> => {
  const { limits, parameters } = input
  if (parameters.length > limits.parametersMax) return fail('too-many-parameters', { max: limits.parametersMax })
  const types = searchedTypes(input)
  if (!types.ok) return types
  const reading = readParameters(input, types.value)
  if (!reading.ok) return reading
  const { filters, results, applied, ignored } = reading.value
  const together = checkTogether(results)
  if (!together.ok) return together
  const count = results.count ?? limits.countDefault
  return ok({
    query: queryOf(types.value, filters, input, results.sort ?? []),
    count,
    total: results.total ?? 'cheap',
    summary: results.summary ?? 'false',
    ...(results.elements === undefined ? {} : { elements: results.elements }),
    includes: results.includes,
    revincludes: results.revincludes,
    applied: results.count === undefined ? [...applied, { name: '_count', value: String(count) }] : applied,
    ignored,
  })
}

/** The conditions of each type, with those of the compartment, in normal form. */
export const queryOf = (
  types: readonly string[],
  filters: readonly (readonly Node[])[],
  input: Pick<SearchInput, 'definitions' | 'compartment'>,
  sort: Query['sort'] = [],
): Query => {
  const facts = { holdsOneDate: (param: ParamRef) => holdsOneDate(input.definitions, param) }
  const parts = types.map((type, index): Part => {
    const conditions = filters.map(ofTypes => ofTypes[index] as Node)
    const inside = input.compartment ? [insideCompartment(type, input.compartment, input.definitions)] : []
    return { type, where: normalise({ op: 'and', of: [...inside, ...conditions] }, facts) }
  })
  return { parts, sort }
}

// --- which types

const searchedTypes = (input: SearchInput): Outcome<readonly string[]> => {
  const named = input.parameters.filter(({ name }) => name === '_type')
  const [first, second] = named
  if (second) return fail('repeated-parameter', { parameter: '_type' }, atParameter('_type'))
  const types = inCompartment(input)
  // A search of one type does not know `_type`; readParameter says so.
  if (!types.ok || first === undefined || input.types.length === 1) return types
  return namedTypes(first.value, types.value, input)
}

const namedTypes = (value: string, types: readonly string[], { definitions, compartment }: SearchInput): Outcome<readonly string[]> => {
  if (value === '') return fail('empty-value', { parameter: '_type' }, atParameter('_type'))
  const names = [...new Set(value.split(','))]
  for (const name of names) {
    if (!definitions.isResourceType(name)) {
      const suggestion = suggest(name, definitions.resourceTypes)
      return malformed('_type', suggestion === undefined ? rule('named-type') : rule('named-type-suggestion', { suggestion }))
    }
    if (!types.includes(name)) return fail('not-in-compartment', { type: name, compartment: compartment?.type ?? '' }, atParameter('_type'))
  }
  return ok(names)
}

const inCompartment = ({ types, compartment, definitions }: SearchInput): Outcome<readonly string[]> => {
  if (!compartment) return ok(types)
  const inside = types.filter(type => compartmentParameters(type, compartment.type, definitions).length > 0)
  return inside.length > 0 ? ok(inside) : fail('not-in-compartment', { type: types[0] ?? '', compartment: compartment.type })
}

const compartmentParameters = (type: string, owner: string, definitions: Definitions): readonly string[] => {
  const resources = definitions.compartment(owner)?.resources
  return (resources && Object.hasOwn(resources, type) && resources[type]) || []
}

const insideCompartment = (type: string, owner: { readonly type: string; readonly id: string }, definitions: Definitions): Node => {
  const codes = compartmentParameters(type, owner.type, definitions)
  const params = codes.filter(code => code !== '_id').map((code): ParamRef => ({ type, code, kind: 'reference' }))
  const byReference: Node = params.length === 0 ? { op: 'none' } : { op: 'compartment', owner, params }
  // The owner is in its own compartment.
  return type === owner.type ? { op: 'or', of: [{ op: 'id', ids: [owner.id] }, byReference] } : byReference
}

// --- one parameter after the other

type Reading = {
  /** Per filter one node for each type. */
  readonly filters: (readonly Node[])[]
  readonly results: ResultParameters
  readonly applied: SearchText[]
  readonly ignored: Issue[]
}

const readParameters = (input: SearchInput, types: readonly string[]): Outcome<Reading> => {
  const reading: Reading = { filters: [], results: { includes: [], revincludes: [] }, applied: [], ignored: [] }
  const seen = new Set<string>()
  const context = filterContext(input)
  let nodes = 0
  for (const text of input.parameters) {
    const read = readParameter(text, types, input, context, reading, seen)
    if (!read.ok && !(input.handling === 'lenient' && isLenient(read.failure.kind))) return read
    if (!read.ok) reading.ignored.push(ignoredParameter(text.name))
    else if (read.value.filter) nodes += weightOf(read.value.filter)
    if (nodes > 10 * context.alternativesMax)
      return fail('too-many-values', { parameter: shortName(text.name), max: context.orValuesMax }, atParameter(text.name))
  }
  return ok(reading)
}

const ignoredParameter = (name: string): Issue => issue('warning', 'parameter-ignored', { parameter: shortName(name) }, atParameter(name))

const readParameter = (
  text: SearchText,
  types: readonly string[],
  input: SearchInput,
  context: FilterContext,
  { filters, results, applied }: Reading,
  seen: Set<string>,
): Outcome<{ readonly filter?: readonly Node[] }> => {
  const [name = '', modifier] = text.name.split(':')
  if (name === '_type' && modifier === undefined) {
    if (input.types.length === 1)
      return fail('unknown-parameter', { parameter: '_type', where: input.types[0] as string }, atParameter('_type'))
    applied.push(text)
    return ok({})
  }
  const row = Object.hasOwn(resultParameters, name) ? resultParameters[name] : undefined
  if (!row) {
    const filter = readForTypes(text, types, context)
    if (!filter.ok) return filter
    filters.push(filter.value)
    applied.push({ name: text.name, value: appliedValue(text.value) })
    return ok({ filter: filter.value })
  }
  if (modifier !== undefined && !row.modifiers?.includes(text.name.slice(name.length + 1)))
    return fail('unknown-modifier', { parameter: name, modifier: shortName(modifier) }, atParameter(text.name))
  if (!row.repeats && seen.has(name)) return repeated(name)
  seen.add(name)
  if (text.value === '') return fail('empty-value', { parameter: name }, atParameter(text.name))
  const value = row.read({ ...text, modifier }, results, { types, definitions: input.definitions, limits: input.limits })
  if (!value.ok) return value
  applied.push({ name: text.name, value: value.value })
  return ok({})
}

const repeated = (name: string): { readonly ok: false; readonly failure: Failure } =>
  fail('repeated-parameter', { parameter: shortName(name) }, atParameter(name))

/** A parameter of several types must be common to all of them. */
const readForTypes = (text: SearchText, types: readonly string[], context: FilterContext): Outcome<readonly Node[]> => {
  const nodes: Node[] = []
  for (const type of types) {
    const node = readFilter(type, text, context)
    if (!node.ok) return node
    nodes.push(node.value)
  }
  return ok(nodes)
}

/** How a filter is read; alternatives a value may grow to by types and units are ten for each value that may be given. */
export const filterContext = (input: Pick<SearchInput, 'definitions' | 'limits' | 'settings' | 'now'>): FilterContext => ({
  definitions: input.definitions,
  base: input.settings.base,
  zone: input.settings.zone,
  now: input.now,
  orValuesMax: input.limits.orValuesMax,
  alternativesMax: 10 * input.limits.orValuesMax,
})

/** Conditions of a filter, those of one type counted: the types of a system search share one text. */
const weightOf = ([node]: readonly Node[]): number => (node === undefined ? 0 : leaves(node))

const leaves = (node: Node): number => {
  switch (node.op) {
    case 'and':
    case 'or':
      return node.of.reduce((sum, part) => sum + leaves(part), 0)
    case 'not':
      return leaves(node.of)
    case 'chain':
      return node.of.reduce((sum, part) => sum + leaves(part.where), 0)
    case 'reverse':
      return leaves(node.of.where)
    default:
      return 1
  }
}
