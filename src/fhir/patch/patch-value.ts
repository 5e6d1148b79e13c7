import { isRule, type Rule, rule } from '../../base/rules.ts'
import type { Definitions, Member } from '../definitions/definitions.ts'
import { Decimal } from '../model/decimal.ts'
import { type Entry, entriesOf, putEntries } from './entries.ts'
import type { PartValue } from './fhirpath-operations.ts'
import { isForbiddenName, isObject } from './protected.ts'

/** The JSON member that a value goes to, and the value in its JSON form. */
export type Placed = { readonly jsonName: string; readonly member: Member; readonly entry: Entry }

/**
 * Where `value` goes as the element `name` within a type or element: a choice takes the member of its data type, parts become the members of an
 * element without one. A rule comes back instead when the model does not allow it.
 */
export const placed = (within: string, name: string, value: PartValue, definitions: Definitions): Placed | Rule => {
  if (isForbiddenName(name)) return rule('not-of-fhir')
  const jsonName = jsonNameFor(within, name, value, definitions)
  const member = jsonName === undefined ? undefined : definitions.member(within, jsonName)
  if (jsonName === undefined || member === undefined) return rule('no-such-element')
  const entry = entryOf(value, member, definitions)
  return isRule(entry) ? entry : { jsonName, member, entry }
}

const jsonNameFor = (within: string, name: string, value: PartValue, definitions: Definitions): string | undefined => {
  if (definitions.member(within, name)) return name
  return value.kind === 'typed' && definitions.member(within, name + value.suffix)?.element.name === name ? name + value.suffix : undefined
}

const entryOf = (value: PartValue, member: Member, definitions: Definitions): Entry | Rule => {
  const wanted = member.type?.code
  if (value.kind === 'resource') {
    return wanted !== undefined && definitions.type(wanted)?.kind === 'resource' ? { value: value.resource } : rule('no-resource-here')
  }
  if (value.kind === 'parts') return fromParts(value, member, definitions)
  const given = typeCode(value.suffix, definitions)
  if (given === undefined || wanted === undefined || !fits(given, wanted, definitions)) return rule('other-data-type')
  if (!hasForm(value.value, given, definitions)) return rule('form-of-data-type')
  return { value: value.value, companion: value.companion }
}

const fromParts = (value: Extract<PartValue, { kind: 'parts' }>, { within }: Member, definitions: Definitions): Entry | Rule => {
  const object: Record<string, unknown> = {}
  for (const part of value.parts) {
    const inner = placed(within, part.name, part.value, definitions)
    if (isRule(inner)) return inner
    const { jsonName, member, entry } = inner
    const entries = [...entriesOf(object, jsonName), entry]
    if (entries.length > member.element.max) return rule('given-twice')
    putEntries(object, jsonName, entries, member.element.max > 1)
  }
  return { value: object }
}

/** `Date` of `valueDate` is `date`, `HumanName` of `valueHumanName` is itself. */
const typeCode = (suffix: string, definitions: Definitions): string | undefined =>
  [suffix, suffix.charAt(0).toLowerCase() + suffix.slice(1)].find(code => definitions.type(code) !== undefined)

/** Primitives that JSON writes alike stand for each other: many clients send a valueString for a code. */
const fits = (given: string, wanted: string, definitions: Definitions): boolean => {
  if (given === wanted || definitions.isKindOf(given, wanted) || definitions.isKindOf(wanted, given)) return true
  const kinds = [given, wanted].map(code => definitions.type(code)?.kind)
  return kinds.every(kind => kind === 'primitive') && jsonType(given, definitions) === jsonType(wanted, definitions)
}

const jsonType = (code: string, definitions: Definitions): 'boolean' | 'number' | 'string' => {
  if (code === 'boolean') return 'boolean'
  return code === 'decimal' || definitions.isKindOf(code, 'integer') ? 'number' : 'string'
}

const hasForm = (value: unknown, code: string, definitions: Definitions): boolean => {
  if (definitions.type(code)?.kind !== 'primitive') return isObject(value) && !(value instanceof Decimal)
  if (value === undefined) return true // an extension alone
  return (value instanceof Decimal ? 'number' : typeof value) === jsonType(code, definitions)
}
