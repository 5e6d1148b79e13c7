import { Decimal } from '../model/decimal.ts'

/**
 * About how many characters of JSON a value takes; looks no further than `max`, then anything above it comes back. Values shared within
 * count every time they stand, as they would in the text.
 */
export const sizeUpTo = (value: unknown, max: number): number => {
  if (typeof value === 'string') return value.length + 2
  if (value instanceof Decimal) return value.text.length
  if (typeof value !== 'object' || value === null) return 8
  let size = 2
  for (const name in value) {
    if (size > max) break
    size += (Array.isArray(value) ? 1 : name.length + 4) + sizeUpTo((value as Record<string, unknown>)[name], max - size)
  }
  return size
}

/** Levels of objects and arrays in a value: 0 for a text, 1 for `[]`; stops at one above `max`. */
export const depthUpTo = (value: unknown, max: number): number => {
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return 0
  if (max <= 0) return 1
  let inner = 0
  for (const child of Object.values(value)) {
    inner = Math.max(inner, depthUpTo(child, max - 1))
    if (inner >= max) break
  }
  return inner + 1
}
