import type { Definitions, Member } from '../definitions/definitions.ts'
import { Decimal } from '../model/decimal.ts'
import { type Entry, entriesOf, putEntries } from './entries.ts'
import type { PartValue } from './fhirpath-operations.ts'
import { isForbiddenName, isObject } from './protected.ts'

/** The JSON member that a value goes to, and the value in its JSON form. */
export type Placed = { readonly jsonName: string; readonly member: Member; readonly entry: Entry }

/**
 * Where `value` goes as the element `name` within a type or element: a choice takes the member of its data type, parts become the members of an
 * element without one. A text comes back instead when the model does not allow it.
 */
export const placed = (within: string, name: string, value: PartValue, definitions: Definitions): Placed | string => {
  if (isForbiddenName(name)) return 'it names no element of FHIR'
  const jsonName = jsonNameFor(within, name, value, definitions)
  const member = jsonName === undefined ? undefined : definitions.member(within, jsonName)
  if (jsonName === undefined || member === undefined) return 'there is no such element of that data type here'
  const entry = entryOf(value, member, definitions)
  return typeof entry === 'string' ? entry : { jsonName, member, entry }
}

const jsonNameFor = (within: string, name: string, value: PartValue, definitions: Definitions): string | undefined => {
  if (definitions.member(within, name)) return name
  return value.kind === 'typed' && definitions.member(within, name + value.suffix)?.element.name === name ? name + value.suffix : undefined
}

const entryOf = (value: PartValue, member: Member, definitions: Definitions): Entry | string => {
  const wanted = member.type?.code
  if (value.kind === 'resource') {
    return wanted !== undefined && definitions.type(wanted)?.kind === 'resource'
      ? { value: value.resource }
      : 'a resource cannot stand here'
  }
  if (value.kind === 'parts') return fromParts(value, member, definitions)
  const given = typeCode(value.suffix, definitions)
  if (given === undefined || wanted === undefined || !fits(given, wanted, definitions))
    return 'the value has another data type than the element'
  if (!hasForm(value.value, given, definitions)) return 'the value does not have the form of its data type'
  return { value: value.value, companion: value.companion }
}

const fromParts = (value: Extract<PartValue, { kind: 'parts' }>, { within }: Member, definitions: Definitions): Entry | string => {
  const object: Record<string, unknown> = {}
  for (const part of value.parts) {
    const inner = placed(within, part.name, part.value, definitions)
    if (typeof inner === 'string') return inner
    const { jsonName, member, entry } = inner
    const entries = [...entriesOf(object, jsonName), entry]
    if (entries.length > member.element.max) return 'an element that does not repeat is given twice'
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
