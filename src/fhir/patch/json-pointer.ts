import { Decimal } from '../model/decimal.ts'

/** Reference tokens of a JSON Pointer; undefined when the text is none. @see https://www.rfc-editor.org/rfc/rfc6901 */
export const parsePointer = (text: string): readonly string[] | undefined => {
  if (text === '') return []
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined
  return text
    .slice(1)
    .split('/')
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Where a token leads in an array: an index that exists, or with `orEnd` one that may be inserted at; -1 for none. */
export const indexIn = (items: readonly unknown[], token: string, orEnd = false): number => {
  if (orEnd && token === '-') return items.length
  if (!/^(?:0|[1-9]\d{0,8})$/.test(token)) return -1
  const index = Number(token)
  return index < items.length + (orEnd ? 1 : 0) ? index : -1
}

/** The value a pointer leads to; undefined when there is none (JSON has no undefined). Own members only. */
export const valueAt = (document: unknown, tokens: readonly string[]): unknown => {
  let value = document
  for (const token of tokens) value = childOf(value, token)
  return value
}

export const childOf = (value: unknown, token: string): unknown => {
  if (Array.isArray(value)) return value[indexIn(value, token)]
  if (!isContainer(value) || !Object.hasOwn(value, token)) return undefined
  return (value as Record<string, unknown>)[token]
}

export const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null && !(value instanceof Decimal)

/**
 * The document with the container of the last token replaced by what `change` makes of a copy of it; everything beside the path is shared
 * with the document given, which stays as it was. Undefined when the path does not lead to a container, or `change` refuses.
 */
export const changedAt = (
  document: unknown,
  tokens: readonly string[],
  change: (container: unknown[] | Record<string, unknown>, last: string) => boolean,
): unknown => {
  const [token, ...rest] = tokens
  if (token === undefined || !isContainer(document)) return undefined
  const copy = Array.isArray(document) ? [...document] : ({ ...document } as Record<string, unknown>)
  if (rest.length === 0) return change(copy, token) ? copy : undefined
  const child = changedAt(childOf(document, token), rest, change)
  if (child === undefined) return undefined
  if (Array.isArray(copy)) copy[Number(token)] = child
  else copy[token] = child
  return copy
}
