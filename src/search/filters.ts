import { isId } from '../base/ids.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { SearchParameterDefinition } from '../fhir/definitions/definitions.ts'
import { membersOf, readyParameter } from './parameters.ts'
import { dateTest, splitPrefix } from './ranges.ts'
import type { SearchText } from './request.ts'
import type { Node, ParamRef, Part } from './tree.ts'
import { mendedDate, notADate, searchedRange } from './types/date.ts'
import { searchTypes } from './types/index.ts'
import { missing } from './types/missing.ts'
import {
  type Asked,
  atParameter,
  type Modifier,
  malformed,
  type Read,
  type ReadContext,
  type SearchType,
  shortName,
} from './types/search-type.ts'
import { splitValue, unescapeValue } from './value-text.ts'

export type FilterContext = ReadContext & { readonly orValuesMax: number }

/** Steps of chains and `_has`, counted together. */
const chainStepsMax = 3

/**
 * What one `name=value` asks of a resource of `type`: comma is or, a chain goes to what is referred to, `_has` to what refers here.
 * Fails by name and rule; kinds `unknown-…`, `unsupported-…` and `empty-value` are those that lenient handling leaves out.
 */
export const readFilter = (type: string, text: SearchText, context: FilterContext): Outcome<Node> => {
  if (text.name === '') return malformed('', rule('no-name'))
  if (text.value === '') return fail('empty-value', { parameter: shortName(text.name) }, atParameter(text.name))
  if (text.value.includes('\u0000')) return malformed(text.name, rule('holds-nul'))
  return readStep(type, text.name, text, context, 0)
}

/** `rest` is what is left of the name after the steps already taken. */
const readStep = (type: string, rest: string, text: SearchText, context: FilterContext, steps: number): Outcome<Node> => {
  if (steps > chainStepsMax) return malformed(text.name, rule('chain-steps', { max: chainStepsMax }))
  if (rest.startsWith('_has:')) return readHas(type, rest, text, context, steps)
  const dot = rest.indexOf('.')
  if (dot >= 0) return readChain(type, rest.slice(0, dot), rest.slice(dot + 1), text, context, steps)
  const [code, modifier] = splitName(rest)
  const definition = readyParameter(context.definitions, type, code, text.name)
  return definition.ok ? readValues(type, definition.value, modifier, text, context) : definition
}

/** `subject:Patient` is `subject` and `Patient`. */
const splitName = (name: string): readonly [string, string | undefined] => {
  const colon = name.indexOf(':')
  return colon < 0 ? [name, undefined] : [name.slice(0, colon), name.slice(colon + 1)]
}

// --- one parameter

const readValues = (
  type: string,
  definition: SearchParameterDefinition,
  modifier: string | undefined,
  text: SearchText,
  context: FilterContext,
): Outcome<Node> => {
  const members = membersOf(context.definitions, type, definition)
  if (members.length > 0) return readMembers(type, members, modifier, text, context)
  const param: ParamRef = { type, code: definition.code, kind: definition.type }
  const asked: Asked = { name: text.name, param, definition }
  const how = readerOf(definition, modifier, asked, context)
  if (!how.ok) return how
  const nodes = readAlternatives(how.value.read, asked, text.value, context)
  if (!nodes.ok) return nodes
  const any: Node = nodes.value.length === 1 ? (nodes.value[0] as Node) : { op: 'or', of: nodes.value }
  return ok(how.value.negated ? { op: 'not', of: any } : any)
}

/** A composite that is the union of others: one of them holds; it is missing when all of them are. */
const readMembers = (
  type: string,
  members: readonly SearchParameterDefinition[],
  modifier: string | undefined,
  text: SearchText,
  context: FilterContext,
): Outcome<Node> => {
  const nodes: Node[] = []
  for (const member of members) {
    const node = readValues(type, member, modifier, text, context)
    if (!node.ok) return node
    nodes.push(node.value)
  }
  return ok({ op: modifier === 'missing' && text.value === 'true' ? 'and' : 'or', of: nodes })
}

type Reader = { readonly read: Read; readonly negated?: true }

const readerOf = (
  definition: SearchParameterDefinition,
  modifier: string | undefined,
  asked: Asked,
  context: FilterContext,
): Outcome<Reader> => {
  const searchType = ofTheStore[definition.code] ?? searchTypes[definition.type]
  if (modifier === undefined) return ok({ read: searchType.read })
  const row = Object.hasOwn(searchType.modifiers, modifier) ? searchType.modifiers[modifier] : undefined
  const values = { parameter: shortName(definition.code), modifier: shortName(modifier) }
  if (row === 'unsupported') return fail('unsupported-modifier', values, atParameter(asked.name))
  if (row) return ok(row)
  if (searchType.typeModifier && (definition.targets ?? context.definitions.resourceTypes).includes(modifier))
    return ok({ read: searchType.typeModifier(modifier) })
  return fail('unknown-modifier', values, atParameter(asked.name))
}

const readAlternatives = (read: Read, asked: Asked, value: string, context: FilterContext): Outcome<readonly Node[]> => {
  const texts = splitValue(value, ',')
  if (texts.length > context.orValuesMax)
    return fail('too-many-values', { parameter: shortName(asked.name), max: context.orValuesMax }, atParameter(asked.name))
  const nodes: Node[] = []
  for (const text of texts) {
    if (text === '') return fail('empty-value', { parameter: shortName(asked.name) }, atParameter(asked.name))
    const node = read(text, asked, context)
    if (!node.ok) return node
    nodes.push(node.value)
  }
  return ok(nodes)
}

// --- _id and _lastUpdated: the store knows them of every instance

const readId: Read = (text, { name }) => {
  const id = unescapeValue(text)
  return isId(id) ? ok({ op: 'id', ids: [id] }) : malformed(name, rule('id-form'))
}

const readLastUpdated: Read = (text, { name }, context) => {
  const { prefix, rest } = splitPrefix(text)
  const range = searchedRange(rest, context.zone)
  return range ? ok({ op: 'lastUpdated', test: dateTest(prefix, range.lo, range.hi, context.now) }) : malformed(name, notADate)
}

/** Every instance has them. */
const neverMissing: Modifier = {
  read(text, asked, context) {
    const node = (missing as Exclude<Modifier, 'unsupported'>).read(text, asked, context)
    return node.ok ? ok(text === 'true' ? { op: 'none' } : { op: 'all' }) : node
  },
}

const ofTheStore: Readonly<Partial<Record<string, SearchType>>> = {
  _id: {
    index: () => undefined,
    read: readId,
    modifiers: { ...searchTypes.token.modifiers, missing: neverMissing, not: { read: readId, negated: true } },
  },
  _lastUpdated: { index: () => undefined, read: readLastUpdated, modifiers: { missing: neverMissing } },
}

// --- chains

/** `subject:Patient.name=x`: every target type that knows the rest is one part; none knows it: the failure of the last one asked. */
const readChain = (type: string, step: string, rest: string, text: SearchText, context: FilterContext, steps: number): Outcome<Node> => {
  const [code, targetType] = splitName(step)
  const definition = readyParameter(context.definitions, type, code, text.name)
  if (!definition.ok) return definition
  if (definition.value.type !== 'reference') return malformed(text.name, rule('chain-reference', { parameter: shortName(code) }))
  const targets = chainTargets(definition.value, targetType, context)
  if (targets.length === 0)
    return fail('unknown-modifier', { parameter: shortName(code), modifier: shortName(targetType ?? '') }, atParameter(text.name))
  const parts: Part[] = []
  let failed: Outcome<Node> | undefined
  for (const target of targets) {
    const where = readStep(target, rest, text, context, steps + 1)
    if (where.ok) parts.push({ type: target, where: where.value })
    else if (isLenient(where.failure.kind)) failed = where
    else return where
  }
  return parts.length === 0 && failed ? failed : ok({ op: 'chain', param: { type, code, kind: 'reference' }, of: parts })
}

const chainTargets = (
  definition: SearchParameterDefinition,
  targetType: string | undefined,
  { definitions }: FilterContext,
): readonly string[] => {
  const targets = definition.targets ?? definitions.resourceTypes
  return targetType === undefined ? targets : targets.filter(target => target === targetType)
}

/** `_has:Observation:patient:code=x`: an Observation refers here by `patient` and has the code. */
const readHas = (type: string, name: string, text: SearchText, context: FilterContext, steps: number): Outcome<Node> => {
  const [, source = '', code = '', ...rest] = name.split(':')
  if (rest.length === 0 || rest[0] === '') return malformed(text.name, rule('has-form'))
  if (!context.definitions.isResourceType(source)) return malformed(text.name, rule('has-type'))
  const definition = readyParameter(context.definitions, source, code, text.name)
  if (!definition.ok) return definition
  if (definition.value.type !== 'reference' || !(definition.value.targets?.includes(type) ?? true))
    return malformed(text.name, rule('has-reference', { parameter: shortName(code), source, type }))
  const where = readStep(source, rest.join(':'), text, context, steps + 1)
  return where.ok
    ? ok({ op: 'reverse', param: { type: source, code, kind: 'reference' }, of: { type: source, where: where.value } })
    : where
}

const lenientKinds: ReadonlySet<string> = new Set([
  'unknown-parameter',
  'unknown-parameter-suggestion',
  'unsupported-parameter',
  'unknown-modifier',
  'unsupported-modifier',
  'unknown-element',
  'empty-value',
])

/** Whether lenient handling leaves a parameter out that fails so; what is malformed stays an error. */
export const isLenient = (kind: string): boolean => lenientKinds.has(kind)

const datePrefixed = /T[\d:.]+ \d{2}:\d{2}/

/** The value as `self` shows it: a `+` that arrived as a blank is a `+` again. */
export const appliedValue = (value: string): string =>
  datePrefixed.test(value) && /^[a-z]{0,2}\d{4}-/.test(value) ? mendedDate(value) : value
