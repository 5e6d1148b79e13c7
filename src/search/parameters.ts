import { fail, type Outcome } from '../base/outcome.ts'
import type { Definitions, SearchParameterDefinition } from '../fhir/definitions/definitions.ts'
import { suggest } from './suggest.ts'
import type { ParamRef } from './tree.ts'
import { atParameter, shortName } from './types/search-type.ts'

/** `ready`: indexed and searchable. `unsupported`: R4 has it, this server names it and refuses. */
export type ParameterState = 'ready' | 'unsupported'
export type RegisteredParameter = { readonly definition: SearchParameterDefinition; readonly state: ParameterState }

/** Parameters of R4 for all types that are not answered yet, whether or not the definitions list them. */
const unsupportedParameters: ReadonlySet<string> = new Set([
  '_text',
  '_content',
  '_list',
  '_query',
  '_filter',
  '_contained',
  '_containedType',
  '_score',
])

const stateOf = (definition: SearchParameterDefinition): ParameterState =>
  definition.type === 'special' || unsupportedParameters.has(definition.code) ? 'unsupported' : 'ready'

/** The parameters of a concrete type with their states, in the order of the definitions. */
export const registeredParameters = (definitions: Definitions, type: string): readonly RegisteredParameter[] =>
  [...definitions.searchParameters(type).values()].map(definition => ({ definition, state: stateOf(definition) }))

/** The parameter `code` of a type, ready to be searched. Fails `unsupported-parameter` or `unknown-parameter…`; `name` is what the client wrote. */
export const readyParameter = (definitions: Definitions, type: string, code: string, name: string): Outcome<SearchParameterDefinition> => {
  const definition = definitions.searchParameters(type).get(code)
  if (definition && stateOf(definition) === 'ready') return { ok: true, value: definition }
  if (definition || unsupportedParameters.has(code)) return fail('unsupported-parameter', { parameter: shortName(code) }, atParameter(name))
  return unknownParameter(definitions, type, code, name)
}

const unknownParameter = (definitions: Definitions, type: string, code: string, name: string): Outcome<never> => {
  const suggestion = suggest(code, candidates(definitions, type))
  const parameter = shortName(code)
  return suggestion === undefined
    ? fail('unknown-parameter', { parameter, where: type }, atParameter(name))
    : fail('unknown-parameter-suggestion', { parameter, where: type, suggestion }, atParameter(name))
}

const forResults = ['_count', '_sort', '_include', '_revinclude', '_summary', '_elements', '_total', '_has']

const candidates = (definitions: Definitions, type: string): readonly string[] => [
  ...registeredParameters(definitions, type).flatMap(({ definition, state }) => (state === 'ready' ? definition.code : [])),
  ...forResults,
]

/** Whether the parameter holds at most one date (`Patient.birthDate`), so that several conditions on it can exclude each other. */
export const holdsOneDate = (definitions: Definitions, { type, code }: ParamRef): boolean => {
  const expression = definitions.searchParameters(type).get(code)?.expression
  const alternatives = expression?.split('|').flatMap(text => (text.trim().startsWith(`${type}.`) ? text.trim() : [])) ?? []
  const [path, second] = alternatives
  return path !== undefined && second === undefined && /^\w+(\.\w+)+$/.test(path) && isOneDate(definitions, path)
}

const dateTypes: ReadonlySet<string> = new Set(['date', 'dateTime', 'instant'])

const isOneDate = (definitions: Definitions, path: string): boolean => {
  const [type, ...steps] = path.split('.') as [string, ...string[]]
  let within = type
  for (const [index, step] of steps.entries()) {
    const element = definitions.member(within, step)?.element
    if (element?.max !== 1) return false
    if (index === steps.length - 1) return !element.choice && dateTypes.has(element.types[0]?.code ?? '')
    within = `${within}.${step}`
  }
  return false
}

const members = new WeakMap<SearchParameterDefinition, ReadonlyMap<string, readonly SearchParameterDefinition[]>>()

/**
 * The composites of the type that together are this composite: `combo-code-value-quantity` is `code-value-quantity` or
 * `component-code-value-quantity`. Such a one has no index values of its own; it is asked as its members. Empty for all others.
 */
export const membersOf = (
  definitions: Definitions,
  type: string,
  definition: SearchParameterDefinition,
): readonly SearchParameterDefinition[] => {
  if (definition.type !== 'composite') return []
  const known = members.get(definition)?.get(type)
  if (known) return known
  const found = findMembers(definitions, type, definition)
  members.set(definition, new Map([...(members.get(definition) ?? []), [type, found]]))
  return found
}

const findMembers = (
  definitions: Definitions,
  type: string,
  definition: SearchParameterDefinition,
): readonly SearchParameterDefinition[] => {
  const whole = itemsOf(definition)
  if (whole.length < 2) return []
  const others = [...definitions.searchParameters(type).values()].filter(other => other !== definition && hasPartsOf(other, definition))
  const found = whole.map(item => others.find(other => itemsOf(other).join() === item))
  return found.every(member => member !== undefined) ? found : []
}

/** The alternatives of the expression that gives the items. */
const itemsOf = ({ expression = '' }: SearchParameterDefinition): readonly string[] => expression.split('|').map(text => text.trim())

/** Whether both take the same components from an item. */
const hasPartsOf = ({ components: a = [] }: SearchParameterDefinition, { components: b = [] }: SearchParameterDefinition): boolean =>
  a.length === b.length && a.every((part, at) => part.expression === b[at]?.expression)
