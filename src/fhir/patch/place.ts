import type { Definitions, Member } from '../definitions/definitions.ts'
import type { Resource } from '../model/resource.ts'
import { type Entry, entriesOf, putEntries } from './entries.ts'
import type { Location } from './located.ts'
import { isObject } from './protected.ts'

type Members = Record<string, unknown>

/** An object of a resource's JSON and what the model calls it: a type's name or an element's path. */
export type Holder = { readonly object: Members; readonly within: string }

/** One entry of a member of an object. */
export type Place = Holder & { readonly jsonName: string; readonly at: number; readonly member: Member }

/** The place a location means; undefined for the resource itself and for what the model does not know. */
export const placeAt = (resource: Resource, location: Location, definitions: Definitions): Place | undefined => {
  let holder: Holder = { object: resource, within: resource.resourceType }
  let place: Place | undefined
  for (let step = 0; step < location.length; step += 1) {
    if (place !== undefined) holder = holderOf(place)
    const index = location[step + 1]
    const at = typeof index === 'number' ? index : 0
    place = stepInto(holder, String(location[step]), at, definitions)
    if (place === undefined) return undefined
    if (typeof index === 'number') step += 1
  }
  return place
}

const stepInto = ({ object, within }: Holder, name: string, at: number, definitions: Definitions): Place | undefined => {
  const jsonName = jsonNameIn(object, within, name, definitions)
  const member = definitions.member(within, jsonName)
  return member && { object, within, jsonName, at, member }
}

/** FHIRPath says `value`, JSON says `valueQuantity`. */
const jsonNameIn = (object: Members, within: string, name: string, definitions: Definitions): string => {
  if (definitions.member(within, name)) return name
  return choicesOf(within, name, definitions).find(jsonName => isPresent(object, jsonName)) ?? name
}

/** The JSON names of an element: several for a choice. */
export const choicesOf = (within: string, elementName: string, definitions: Definitions): readonly string[] =>
  [...definitions.members(within)].filter(([, { element }]) => element.name === elementName).map(([jsonName]) => jsonName)

export const isPresent = (object: Members, jsonName: string): boolean =>
  Object.hasOwn(object, jsonName) || Object.hasOwn(object, `_${jsonName}`)

export const entryAt = ({ object, jsonName, at }: Place): Entry | undefined => entriesOf(object, jsonName)[at]

/** The object that holds what is below a place; for a primitive the one of its id and extensions, made when there is none. */
export const holderOf = (place: Place): Holder => {
  const { object, jsonName, at, member } = place
  const { value, companion } = entryAt(place) ?? {}
  if (isObject(value)) return { object: value, within: typeof value.resourceType === 'string' ? value.resourceType : member.within }
  if (isObject(companion)) return { object: companion, within: member.within }
  const made: Members = {}
  const key = `_${jsonName}`
  if (!Array.isArray(object[jsonName])) object[key] = made
  else {
    const values: readonly unknown[] = object[jsonName] as readonly unknown[]
    const before = Array.isArray(object[key]) ? object[key] : []
    object[key] = values.map((_, index) => (index === at ? made : (before[index] ?? null)))
  }
  return { object: made, within: member.within }
}

/** Writes the entries of the place's list. */
export const putList = ({ object, jsonName, member }: Place, entries: readonly Entry[]): void =>
  putEntries(object, jsonName, entries, Array.isArray(object[jsonName]) || Array.isArray(object[`_${jsonName}`]) || member.element.max > 1)
