import { isAscii, isUtf8 } from 'node:buffer'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { Decimal, isPlainNumber } from './decimal.ts'
import { faultOf, placeOf } from './json-fault.ts'
import { numberLengthMax, type Scan, scanJson } from './json-scan.ts'

/**
 * The value of a JSON document in UTF-8, its numbers kept digit for digit (`Decimal` where a number would lose some).
 * Stricter than JSON.parse: a member named twice, half of a surrogate pair and nesting beyond `depthMax` are refused. Members named
 * `__proto__` are own properties like any other.
 * Fails `empty-body`, `not-utf8`, `too-deep`, `lone-surrogate`, `duplicate-member`, `json-syntax`; the last three say where, none repeats content.
 * @see https://hl7.org/fhir/R4/json.html
 */
export const parseJson = (bytes: Uint8Array, { depthMax }: { readonly depthMax: number }): Outcome<unknown> => {
  const body = withoutByteOrderMark(bytes)
  if (body.length === 0) return fail('empty-body', {})
  if (!isUtf8(body)) return fail('not-utf8', {})
  const scan = scanJson(body, depthMax)
  if (scan.depth > depthMax) return fail('too-deep', { max: depthMax })
  const parsed = tryParse(body, scan)
  if (parsed === undefined) return failAtFault(body)
  if (scan.loneSurrogate >= 0) return fail('lone-surrogate', placeIn(body, scan.loneSurrogate))
  if (scan.longNumber >= 0) {
    return fail('json-syntax', { reason: rule('json-long-number', { max: numberLengthMax }), ...placeIn(body, scan.longNumber) })
  }
  // Of members with one name JSON.parse keeps the last: fewer in the value than in the text means that one came twice.
  return parsed.members === scan.members ? ok(parsed.value) : failAtFault(body)
}

/** JSON text of `value`, numbers with the digits they came with. */
export const stringify = (value: unknown): string => JSON.stringify(value)

const withoutByteOrderMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

const decode = (bytes: Uint8Array, start = 0, end = bytes.length): string => {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString(isAscii(buffer) ? 'latin1' : 'utf8', start, end)
}

type Parsed = { readonly value: unknown; readonly members: number }

/** Undefined for what is no JSON. The engine's message quotes the document; ours (json-fault.ts) says the same without quoting. */
const tryParse = (body: Uint8Array, { oddNumbers, escapedNul }: Scan): Parsed | undefined => {
  try {
    if (oddNumbers.length === 0) return counted(JSON.parse(decode(body)))
    if (escapedNul) return counted((JSON.parse as ParseWithSource)(decode(body), keepDigits))
    const whole = [JSON.parse(withMarkedNumbers(body, oddNumbers))] // in a list, so that a number alone can be put in place too
    const members = reviveItems(whole)
    return { value: whole[0], members }
  } catch {
    return undefined
  }
}

const counted = (value: unknown): Parsed => ({ value, members: countMembers(value) })

const countMembers = (value: unknown): number => {
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) count += countMembers(value[at])
    return count
  }
  for (const name in value) count += 1 + countMembers((value as Record<string, unknown>)[name])
  return count
}

/** JSON.parse with the third argument of the reviver, which TypeScript's library does not know yet. It costs five to nine times JSON.parse. */
type ParseWithSource = (text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown) => unknown

const keepDigits = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && source !== undefined && !isPlainNumber(source) ? new Decimal(source) : value

/** A string that begins with NUL is a marked number: JSON can only write NUL escaped, and documents that do go the slow way. */
const mark = '\u0000'
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The text with the numbers at `places` that would lose digits turned into marked strings. */
const withMarkedNumbers = (body: Uint8Array, places: readonly number[]): string => {
  const whole = isAscii(body) ? decode(body) : undefined
  const slice = (start: number, end: number): string => whole?.slice(start, end) ?? decode(body, start, end)
  let text = ''
  let done = 0
  for (let at = 0; at < places.length; at += 2) {
    const start = places[at] as number
    const end = places[at + 1] as number
    const number = slice(start, end)
    // What is no number stays for the parser to refuse; so does one that stands where a member's name should.
    if (isPlainNumber(number) || !numberPattern.test(number) || isBeforeColon(body, end)) continue
    text += `${slice(done, start)}"\\u0000${number}"`
    done = end
  }
  return text + slice(done, body.length)
}

const isBeforeColon = (body: Uint8Array, end: number): boolean => {
  let at = end
  while ((body[at] ?? 0x21) <= 0x20) at += 1
  return body[at] === 0x3a
}

/** Turns marked strings below `container` into Decimals, in place; gives back how many members there are. */
const revive = (container: object): number => {
  const members = container as Record<string, unknown>
  let count = 0
  for (const name in members) {
    const value = members[name]
    count += 1
    if (typeof value === 'string') {
      if (value.startsWith(mark)) members[name] = new Decimal(value.slice(1))
    } else if (typeof value === 'object' && value !== null) count += Array.isArray(value) ? reviveItems(value) : revive(value)
  }
  return count
}

const reviveItems = (items: unknown[]): number => {
  let count = 0
  for (let at = 0; at < items.length; at += 1) {
    const value = items[at]
    if (typeof value === 'string') {
      if (value.startsWith(mark)) items[at] = new Decimal(value.slice(1))
    } else if (typeof value === 'object' && value !== null) count += Array.isArray(value) ? reviveItems(value) : revive(value)
  }
  return count
}

const placeIn = (body: Uint8Array, at: number): { readonly line: number; readonly column: number } =>
  placeOf(decode(body), decode(body, 0, at).length)

const failAtFault = (body: Uint8Array): Outcome<never> => {
  const text = decode(body)
  const fault = faultOf(text)
  if (fault === undefined) return fail('json-syntax', { reason: rule('json-unreadable'), line: 1, column: 1 })
  const place = placeOf(text, fault.at)
  if (fault.kind === 'duplicate') return fail('duplicate-member', { member: fault.member, ...place })
  return fail('json-syntax', { reason: fault.reason, ...place })
}
