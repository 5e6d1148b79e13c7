import { Decimal } from '../model/decimal.ts'
import { isObject } from './protected.ts'

/**
 * One element as JSON writes it. A primitive has two halves: its value under `birthDate`, its id and extensions under `_birthDate`;
 * lists of primitives are two arrays, filled up with null.
 * @see https://hl7.org/fhir/R4/json.html#primitive
 */
export type Entry = { readonly value?: unknown; readonly companion?: unknown }

type Members = Record<string, unknown>

/** What stands under a member, as a list, whether or not it is written as one. */
export const entriesOf = (object: Members, name: string): readonly Entry[] => {
  const values = listOf(own(object, name))
  const companions = listOf(own(object, `_${name}`))
  return Array.from({ length: Math.max(values.length, companions.length) }, (_, at) => ({
    value: values[at] ?? undefined,
    companion: companions[at] ?? undefined,
  }))
}

/** Writes entries under a member: as arrays if it `repeats`; none at all removes it, and empty ones are left out. */
export const putEntries = (object: Members, name: string, entries: readonly Entry[], repeats: boolean): void => {
  const kept = entries.filter(({ value, companion }) => !isNothing(value) || !isNothing(companion))
  putHalf(
    object,
    name,
    kept.map(({ value }) => value),
    repeats,
  )
  putHalf(
    object,
    `_${name}`,
    kept.map(({ companion }) => companion),
    repeats,
  )
}

const putHalf = (object: Members, name: string, values: readonly unknown[], repeats: boolean): void => {
  if (values.every(isNothing)) delete object[name]
  else object[name] = repeats ? values.map(value => (isNothing(value) ? null : value)) : values[0]
}

const own = (object: Members, name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined)

const listOf = (value: unknown): readonly unknown[] => {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

/** FHIR knows no empty elements. */
const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || (isObject(value) && !(value instanceof Decimal) && Object.keys(value).length === 0)
