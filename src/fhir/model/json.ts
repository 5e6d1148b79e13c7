import { isAscii, isUtf8 } from 'node:buffer'
import { fail, ok, type Outcome } from '../../base/outcome.ts'
import { Decimal, isPlainNumber } from './decimal.ts'
import { faultOf, placeOf } from './json-fault.ts'
import { numberLengthMax, scanJson } from './json-scan.ts'

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
  const text = decode(body, 0, body.length)
  const parsed = tryParse(text, scan.oddNumbers)
  if (parsed === undefined) return failAtFault(text)
  if (scan.loneSurrogate >= 0) return fail('lone-surrogate', placeOf(text, decode(body, 0, scan.loneSurrogate).length))
  if (scan.longNumber >= 0) {
    const reason = `a number has more than ${numberLengthMax} characters`
    return fail('json-syntax', { reason, ...placeOf(text, decode(body, 0, scan.longNumber).length) })
  }
  // Of members with one name JSON.parse keeps the last: fewer in the value than in the text means that one came twice.
  return countMembers(parsed.value) === scan.members ? ok(parsed.value) : failAtFault(text)
}

/** JSON text of `value`, numbers with the digits they came with. */
export const stringify = (value: unknown): string => JSON.stringify(value)

const withoutByteOrderMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

const decode = (bytes: Uint8Array, start: number, end: number): string => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString(isAscii(buffer) ? 'latin1' : 'utf8', start, end)
}

const tryParse = (text: string, oddNumbers: boolean): { readonly value: unknown } | undefined => {
  try {
    return { value: oddNumbers ? (JSON.parse as ParseWithSource)(text, keepDigits) : JSON.parse(text) }
  } catch {
    // The engine's message quotes the document; ours says the same without quoting.
    return undefined
  }
}

/** JSON.parse with the third argument of the reviver, which TypeScript's library does not know yet. */
type ParseWithSource = (text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown) => unknown

const keepDigits = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && source !== undefined && !isPlainNumber(source) ? new Decimal(source) : value

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

const failAtFault = (text: string): Outcome<never> => {
  const fault = faultOf(text)
  if (fault === undefined) return fail('json-syntax', { reason: 'it cannot be read', line: 1, column: 1 })
  const place = placeOf(text, fault.at)
  if (fault.kind === 'duplicate') return fail('duplicate-member', { member: fault.member, ...place })
  return fail('json-syntax', { reason: fault.reason, ...place })
}
