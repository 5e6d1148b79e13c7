import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Parameter } from '../interactions/request.ts'

/** `application/x-www-form-urlencoded` text, of a URL or of a form, as parameters in the order sent. */

type QueryLimits = Pick<Limits, 'urlValueBytesMax' | 'parametersMax'>

const none: readonly Parameter[] = []

/**
 * `+` and `%20` are blanks; nothing between two `&` is nothing. Fails `bad-url` (no UTF-8, a NUL), `nameless-parameter`,
 * `too-many-parameters`, `url-too-long` for one value longer than a search value may be.
 */
export const parseQuery = (text: string, limits: QueryLimits): Outcome<readonly Parameter[]> => {
  if (text === '') return ok(none)
  const parameters: Parameter[] = []
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf('&', start)
    const end = found === -1 ? text.length : found
    if (end > start) {
      const parameter = parsePair(text, start, end)
      if (parameter === undefined) return fail('bad-url', {})
      if (parameter.name === '') return fail('nameless-parameter', {})
      if (parameter.value.length > limits.urlValueBytesMax) return fail('url-too-long', { max: limits.urlValueBytesMax })
      if (parameters.push(parameter) > limits.parametersMax) return fail('too-many-parameters', { max: limits.parametersMax })
    }
    start = end + 1
  }
  return ok(parameters)
}

const parsePair = (text: string, start: number, end: number): Parameter | undefined => {
  const found = text.indexOf('=', start)
  const equals = found === -1 || found > end ? end : found
  const name = decodeFormText(text.slice(start, equals))
  const value = equals === end ? '' : decodeFormText(text.slice(equals + 1, end))
  return name === undefined || value === undefined ? undefined : { name, value }
}

/** Undefined when the percent-encoding is no UTF-8, or hides a NUL. */
const decodeFormText = (text: string): string | undefined => decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text)

/** Decodes once. Undefined when it cannot be: `%zz`, `%ff`, `%00`, bytes that are no ASCII. */
export const decodePercent = (text: string): string | undefined => {
  if (!isPlainAscii(text)) return undefined
  if (!text.includes('%')) return text
  try {
    const decoded = decodeURIComponent(text)
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}

const isPlainAscii = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0 || code > 126) return false
  }
  return true
}
