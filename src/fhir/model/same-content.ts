import { Decimal, decimalText } from './decimal.ts'
import { withoutFragment } from './meta.ts'
import type { Resource } from './resource.ts'

/**
 * Whether storing `a` over `b` would change nothing: the same JSON values. Order of members does not count; order of arrays, digits of numbers
 * and the narrative do. Not compared: meta.versionId, meta.lastUpdated and the fragment of meta.source, which are the server's own.
 */
export const sameContent = (a: Resource, b: Resource): boolean => {
  const { meta: ofA, ...restOfA } = a
  const { meta: ofB, ...restOfB } = b
  return sameValue(comparable(ofA), comparable(ofB)) && sameValue(restOfA, restOfB)
}

const comparable = (meta: Resource['meta']): object => {
  const { versionId: _v, lastUpdated: _l, source, ...rest } = meta ?? {}
  const given = typeof source === 'string' ? withoutFragment(source) : source
  return given === '' || given === undefined ? rest : { ...rest, source: given }
}

/** Equality of JSON values; numbers by their digits. */
const sameValue = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (a instanceof Decimal || b instanceof Decimal) return decimalText(a) === decimalText(b) && decimalText(a) !== ''
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameValue(item, b[at]))
  }
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every(name => Object.hasOwn(b, name) && sameValue(memberOf(a, name), memberOf(b, name)))
  )
}

const memberOf = (object: object, name: string): unknown => (object as Record<string, unknown>)[name]
