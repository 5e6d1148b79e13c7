import { type Rule, rule } from '../../base/rules.ts'

/** What is wrong with a JSON text and at which character; in words that never repeat the text. */
export type JsonFault =
  | { readonly kind: 'syntax'; readonly reason: Rule; readonly at: number }
  | { readonly kind: 'duplicate'; readonly member: string; readonly at: number }

/** Line and column, both from 1; columns count UTF-16 units. */
export const placeOf = (text: string, at: number): { readonly line: number; readonly column: number } => {
  let line = 1
  let start = 0
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', start)) {
    line += 1
    start = next + 1
  }
  return { line, column: at - start + 1 }
}

const memberCharactersMax = 64

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** A piece of a string: all but control characters, quote and backslash; or an escape. In pieces, because a pattern for the whole would overflow. */
const piecePattern = /[ !#-[\]-\uffff]{1,4096}|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const wordPattern = /true|false|null/y

/**
 * The first fault of a JSON text; undefined when there is none. Slow and exact: it runs only on texts already found wanting,
 * whose nesting is already known to be bounded (it calls itself once per level).
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export const faultOf = (text: string): JsonFault | undefined => {
  const reader = { text, at: 0 }
  const fault = valueFault(reader)
  if (fault) return fault
  peek(reader)
  return reader.at < text.length ? syntax(reader, rule('json-after-end')) : undefined
}

type Reader = { readonly text: string; at: number }

const syntax = ({ at }: Reader, reason: Rule): JsonFault => ({ kind: 'syntax', reason, at })

const skip = (reader: Reader, pattern: RegExp): boolean => {
  pattern.lastIndex = reader.at
  const found = pattern.test(reader.text)
  if (found) reader.at = pattern.lastIndex
  return found
}

/** The next character that is no white space, or ''. */
const peek = (reader: Reader): string => {
  let code = reader.text.charCodeAt(reader.at)
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
    reader.at += 1
    code = reader.text.charCodeAt(reader.at)
  }
  return reader.text[reader.at] ?? ''
}

const valueFault = (reader: Reader): JsonFault | undefined => {
  const first = peek(reader)
  if (first === '') return syntax(reader, rule('json-ends-early'))
  if (first === '{') return objectFault(reader)
  if (first === '[') return arrayFault(reader)
  if (first === '"') return stringFault(reader)
  if (/[-\d]/.test(first)) return skip(reader, numberPattern) ? afterNumber(reader) : syntax(reader, rule('json-number'))
  return skip(reader, wordPattern) ? undefined : syntax(reader, rule('json-value'))
}

const afterNumber = (reader: Reader): JsonFault | undefined =>
  /[\d.eE+-]/.test(reader.text[reader.at] ?? '') ? syntax(reader, rule('json-number')) : undefined

const stringFault = (reader: Reader): JsonFault | undefined => {
  reader.at += 1
  while (skip(reader, piecePattern)) {
    // on to the next piece
  }
  const next = reader.text[reader.at]
  if (next === '"') {
    reader.at += 1
    return undefined
  }
  if (next === undefined) return syntax(reader, rule('json-ends-in-string'))
  return syntax(reader, rule(next === '\\' ? 'json-escape' : 'json-control'))
}

const arrayFault = (reader: Reader): JsonFault | undefined => {
  reader.at += 1
  if (peek(reader) === ']') {
    reader.at += 1
    return undefined
  }
  for (;;) {
    const fault = valueFault(reader)
    if (fault) return fault
    const next = peek(reader)
    if (next !== ',' && next !== ']') return syntax(reader, rule('json-symbol', { symbol: ']' }))
    reader.at += 1
    if (next === ']') return undefined
  }
}

const objectFault = (reader: Reader): JsonFault | undefined => {
  const names = new Set<string>()
  reader.at += 1
  if (peek(reader) === '}') {
    reader.at += 1
    return undefined
  }
  for (;;) {
    if (peek(reader) !== '"') return syntax(reader, rule('json-member'))
    const at = reader.at
    const malformed = stringFault(reader)
    if (malformed) return malformed
    const name: string = JSON.parse(reader.text.slice(at, reader.at))
    if (names.has(name)) return { kind: 'duplicate', member: name.slice(0, memberCharactersMax), at }
    names.add(name)
    if (peek(reader) !== ':') return syntax(reader, rule('json-colon'))
    reader.at += 1
    const fault = valueFault(reader)
    if (fault) return fault
    const next = peek(reader)
    if (next !== ',' && next !== '}') return syntax(reader, rule('json-symbol', { symbol: '}' }))
    reader.at += 1
    if (next === '}') return undefined
  }
}
