import { compile, resolveInternalTypes, types } from 'fhirpath'
import r4 from 'fhirpath/fhir-context/r4'

/** Evaluates an expression on a resource; complete but slow. */
export type Fallback = (
  expression: string,
) => (resource: unknown, variables?: Readonly<Record<string, unknown>>) => readonly FallbackValue[]
export type FallbackValue = { readonly type: string; readonly value: unknown }

/**
 * fhirpath.js for what our compiler does not support. Its own trace would print patient data, and asynchronous functions would reach out:
 * both are off. A room that wants it imports it late: loading costs more than the rest of the start.
 */
export const fhirPathFallback: Fallback = expression => {
  const evaluate = compile(expression, r4, { async: false, traceFn: () => {}, resolveInternalTypes: false })
  return (resource, variables) => {
    const found: unknown[] = evaluate(resource, { resource, context: resource, ...variables })
    const codes = types(found)
    return found.flatMap((item, i) => {
      const value = resolveInternalTypes([item])[0]
      return value === undefined || value === null ? [] : [{ type: (codes[i] ?? '').replace(/^FHIR\./, ''), value }]
    })
  }
}
