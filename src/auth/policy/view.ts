import type { Definitions, Member } from '../../fhir/definitions/definitions.ts'
import type { View } from '../roles/role-table.ts'

/** What a view says of one place: whole, some of what is inside, by its last characters, or not at all. */
export type Verdict = 'show' | 'inside' | 'mask' | 'hide'

/** A member of a resource, or an item of it when it is a list. */
export type Place = {
  /** Type of the resource. */
  readonly type: string
  /** Element names from the resource down, without choices' types: `channel.header`, `value`. */
  readonly path: string
  readonly depth: number
  /** As in JSON. */
  readonly name: string
  /** Undefined for what the model does not know. */
  readonly member: Member | undefined
  /** The item; absent when the whole member is asked about. */
  readonly item?: unknown
}

/** What tells one resource from another, and what must be understood: in every view. */
const always: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'implicitRules', 'language', 'modifierExtension'])
/** Copies of everything else, in words or in form: in no view. */
const never: ReadonlySet<string> = new Set(['text', 'extension', 'contained'])

export const verdictOf = (view: View, place: Place): Verdict => {
  if (view.persons?.includes(place.type) === false) return 'show'
  if (view.coded === true) return coded(place)
  if (place.depth === 1 && always.has(place.name)) return 'show'
  if (place.member === undefined) return 'hide'
  // What stands beside a primitive (`_birthDate`) are its extensions.
  if (place.depth === 1 && (never.has(place.name) || place.name.startsWith('_'))) return 'hide'
  return byLists(view, place)
}

const byLists = (view: View, { path, depth, member, item }: Place): Verdict => {
  if (view.hide?.includes(path) === true) return 'hide'
  if (view.only && depth === 1 && !view.only.includes(path) && member?.element.min === 0) return 'hide'
  if (view.mask?.includes(path) === true) return 'mask'
  const uses = view.uses && Object.hasOwn(view.uses, path) ? view.uses[path] : undefined
  if (uses) return item === undefined ? 'inside' : uses.includes(useOf(item)) ? 'show' : 'hide'
  return view.hide?.some(hidden => hidden.startsWith(`${path}.`)) === true ? 'inside' : 'show'
}

const useOf = (item: unknown): string =>
  typeof item === 'object' && item !== null && 'use' in item && typeof item.use === 'string' ? item.use : ''

/** Types that are codes or dates, whole. */
const codedLeaves: ReadonlySet<string> = new Set(['code', 'date', 'dateTime', 'instant', 'Coding'])
/** Types in which codes and dates are looked for. */
const codedBranches: ReadonlySet<string> = new Set([
  'CodeableConcept',
  'Period',
  'Reference',
  'BackboneElement',
  'Element',
  'Extension',
  'Dosage',
])

/** Coded elements and dates; references without the names they carry; and what inverts a meaning (`doNotPerform`). */
const coded = ({ name, depth, member }: Place): Verdict => {
  if (name === 'id' || name === 'resourceType' || (depth === 1 && name === 'meta')) return 'show'
  if (name.startsWith('_') || member === undefined) return 'hide'
  const { element, type } = member
  if (element.path === 'Reference.reference' || element.path === 'Extension.url') return 'show'
  if (type === undefined) return 'inside'
  if (codedLeaves.has(type.code) || (element.modifier && type.code === 'boolean')) return 'show'
  return codedBranches.has(type.code) ? 'inside' : 'hide'
}

/** The member of that JSON name; of `_birthDate` that of `birthDate`. */
export const memberNamed = (definitions: Definitions, within: string, name: string): Member | undefined =>
  definitions.member(within, name.startsWith('_') ? name.slice(1) : name)
