import { isContainer } from './json-pointer.ts'

/**
 * R4's JSON knows no empty objects and arrays (2.6.2: an element that is present has properties or extensions), so what a patch leaves empty
 * goes with its last part, and what held nothing else goes too. Values that were empty before, or that the patch itself gives so, are not ours
 * to judge: validation is. FHIRPath Patch does the same element by element (`place.ts`, `entries.ts`). The patch cases of the FHIR test cases
 * leave nothing empty, so they agree.
 * @see https://hl7.org/fhir/R4/json.html
 */

/** `document` without what became empty since `before`: objects and arrays that are empty and not among those of `before`, by identity. */
export const withoutEmptied = (document: unknown, before: readonly unknown[]): unknown => {
  const known = new Set<unknown>()
  for (const value of before) collectEmpty(value, known)
  return remaining(document, known, false)
}

const collectEmpty = (value: unknown, found: Set<unknown>): void => {
  if (!isContainer(value)) return
  const children = Object.values(value)
  if (children.length === 0) found.add(value)
  for (const child of children) collectEmpty(child, found)
}

/** The value itself where nothing in it is to go; undefined when nothing is left of it. */
const remaining = (value: unknown, known: ReadonlySet<unknown>, isCompanion: boolean): unknown => {
  if (!isContainer(value) || known.has(value)) return value
  return Array.isArray(value) ? remainingItems(value, known, isCompanion) : remainingMembers(value, known)
}

const remainingMembers = (value: object, known: ReadonlySet<unknown>): unknown => {
  const entries = Object.entries(value)
  const left = entries.flatMap(([name, child]) => {
    const next = remaining(child, known, name.startsWith('_'))
    return next === undefined ? [] : [[name, next] as const]
  })
  if (left.length === 0) return undefined
  return left.length === entries.length && left.every(([, next], at) => next === entries[at]?.[1]) ? value : Object.fromEntries(left)
}

const remainingItems = (items: readonly unknown[], known: ReadonlySet<unknown>, isCompanion: boolean): unknown => {
  const next = items.map(item => remaining(item, known, false))
  if (items.length > 0 && next.every((item, at) => item === items[at])) return items
  // Ids and extensions of a list of primitives (`_given`) stand beside their values, so they keep their places.
  const left = isCompanion ? next.map(item => item ?? null) : next.filter(item => item !== undefined)
  return left.every(item => item === null) ? undefined : left
}
