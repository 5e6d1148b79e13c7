/** What one pass over the bytes of a JSON document tells. Right for every document that JSON.parse accepts; for others only `depth` is meant. */
export type Scan = {
  /** Deepest nesting of objects and arrays; stops counting one beyond the bound given. */
  readonly depth: number
  /** Members of all objects, those repeated counted again. */
  readonly members: number
  /** Start and end, one after the other, of numbers that may not come back from a JavaScript number digit for digit. */
  readonly oddNumbers: readonly number[]
  /** A string holds an escaped NUL. */
  readonly escapedNul: boolean
  /** Byte offset of an escaped half of a surrogate pair, or -1. */
  readonly loneSurrogate: number
  /** Byte offset of a number of more than `numberLengthMax` characters, or -1. */
  readonly longNumber: number
}

/** A number that somebody measured has fewer digits; the bound keeps computing on texts cheap. */
export const numberLengthMax = 1000

/** Digits that every double keeps. */
const safeDigits = 15

const quote = 0x22
const backslash = 0x5c
const zero = 0x30
const point = 0x2e

/**
 * The pass is a loop over bytes by hand: together with JSON.parse it has to stay near the price of JSON.parse alone.
 * Strings are skipped, structure is counted, numbers are looked at.
 */
export const scanJson = (bytes: Uint8Array, depthMax: number): Scan => {
  const end = bytes.length
  let open = 0
  let depth = 0
  let members = 0
  const oddNumbers: number[] = []
  let escapedNul = false
  let loneSurrogate = -1
  let longNumber = -1
  let nextEscape = positionOf(backslash, bytes, 0)
  for (let at = 0; at < end; at += 1) {
    const byte = bytes[at] as number
    if (byte <= 0x20 || byte === 0x2c) continue // white space and commas say nothing
    if (byte === quote) {
      const start = at
      at += 1
      while (at < end && bytes[at] !== quote) at += 1
      if (at > nextEscape) {
        at = start + 1
        for (; at < end && bytes[at] !== quote; at += 1) {
          if (bytes[at] !== backslash) continue
          if (isEscapedNul(bytes, at)) escapedNul = true
          const next = afterEscape(bytes, at)
          if (next < 0 && loneSurrogate < 0) loneSurrogate = at
          at = Math.abs(next) - 1
        }
        nextEscape = positionOf(backslash, bytes, at)
      }
    } else if (byte === 0x3a) {
      members += 1
    } else if (byte === 0x7b || byte === 0x5b) {
      open += 1
      if (open > depth) depth = open
      if (depth > depthMax) break
    } else if (byte === 0x7d || byte === 0x5d) {
      open -= 1
    } else if (byte === 0x2d || (byte >= zero && byte <= 0x39)) {
      const next = numberEnd(bytes, at)
      if (mayBeOdd(bytes, at, next)) oddNumbers.push(at, next)
      if (next - at > numberLengthMax && longNumber < 0) longNumber = at
      at = next - 1
    }
  }
  return { depth, members, oddNumbers, escapedNul, loneSurrogate, longNumber }
}

const positionOf = (byte: number, bytes: Uint8Array, from: number): number => {
  const at = bytes.indexOf(byte, from)
  return at < 0 ? bytes.length : at
}

const numberEnd = (bytes: Uint8Array, start: number): number => {
  let at = start + 1
  while (at < bytes.length) {
    const byte = bytes[at] as number
    if (!((byte >= zero && byte <= 0x39) || byte === point || byte === 0x65 || byte === 0x45 || byte === 0x2b || byte === 0x2d)) break
    at += 1
  }
  return at
}

/** Errs on the safe side: a yes is looked at again with the text in hand. */
const mayBeOdd = (bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start > safeDigits) return true
  if (bytes[start] === 0x2d && bytes[start + 1] === zero) return true // -0 loses its sign, -0.5 does not
  if (bytes[start] === zero && end - start > 7) return true // 0.0000001 comes back as 1e-7
  let fraction = false
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number
    if (byte === point) fraction = true
    else if (byte === 0x65 || byte === 0x45) return true
  }
  return fraction && bytes[end - 1] === zero
}

/** Where the text goes on after the escape at `at`; negative when it is half of a surrogate pair alone. */
const afterEscape = (bytes: Uint8Array, at: number): number => {
  const half = surrogateAt(bytes, at)
  if (half === 'none') return at + 2
  if (half === 'high' && surrogateAt(bytes, at + 6) === 'low') return at + 12
  return -(at + 6)
}

const surrogateAt = (bytes: Uint8Array, at: number): 'none' | 'high' | 'low' => {
  const isD = bytes[at] === backslash && bytes[at + 1] === 0x75 && ((bytes[at + 2] ?? 0) | 0x20) === 0x64
  if (!isD) return 'none'
  const digit = (bytes[at + 3] ?? 0) | 0x20 // 8, 9, a, b: high; c, d, e, f: low; the digits keep their value under the mask
  if (digit === 0x38 || digit === 0x39 || digit === 0x61 || digit === 0x62) return 'high'
  return digit >= 0x63 && digit <= 0x66 ? 'low' : 'none'
}

const isEscapedNul = (bytes: Uint8Array, at: number): boolean =>
  bytes[at + 1] === 0x75 && bytes[at + 2] === zero && bytes[at + 3] === zero && bytes[at + 4] === zero && bytes[at + 5] === zero
