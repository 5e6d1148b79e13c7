import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Rule } from '../base/rules.ts'
import type { Parameter } from './request.ts'

/** What one parameter says; `where` is known to `readParameters`. */
export type Readers<T> = Readonly<Record<string, (value: string, name: string) => Outcome<Partial<T>>>>

/** Parameters of the transport, which http has read already. */
const ofTransport: ReadonlySet<string> = new Set(['_format', '_pretty'])

/**
 * Reads the parameters of an interaction that knows only its own. Fails `unknown-parameter` on any other, `repeated-parameter` and
 * `empty-value`, and as the readers do.
 */
export const readParameters = <T>(parameters: readonly Parameter[], readers: Readers<T>, where: string): Outcome<Partial<T>> => {
  const seen = new Set<string>()
  const result: Partial<T> = {}
  for (const { name, value } of parameters) {
    if (ofTransport.has(name)) continue
    const at = { location: [`http.${name}`] }
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
    if (reader === undefined) return fail('unknown-parameter', { parameter: name, where }, at)
    if (seen.has(name)) return fail('repeated-parameter', { parameter: name }, at)
    seen.add(name)
    if (value === '') return fail('empty-value', { parameter: name }, at)
    const read = reader(value, name)
    if (!read.ok) return read
    Object.assign(result, read.value)
  }
  return ok(result)
}

export const badParameter = (name: string, broken: Rule): Outcome<never> =>
  fail('bad-parameter', { parameter: name, rule: broken }, { location: [`http.${name}`] })
