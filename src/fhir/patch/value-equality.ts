import { Decimal, sameNumber } from '../model/decimal.ts'

const isNumber = (value: unknown): value is number | Decimal => typeof value === 'number' || value instanceof Decimal

/** JSON values are equal as RFC 6902 4.6 says: numbers by value (1.10 is 1.1), arrays in order, members of objects in any order. */
export const equalValues = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (isNumber(a) || isNumber(b)) return isNumber(a) && isNumber(b) && sameNumber(a, b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => equalValues(item, b[at]))
  }
  const names = Object.keys(a)
  const membersOf = (object: object) => object as Record<string, unknown>
  return (
    names.length === Object.keys(b).length &&
    names.every(name => Object.hasOwn(b, name) && equalValues(membersOf(a)[name], membersOf(b)[name]))
  )
}
