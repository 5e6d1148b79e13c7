import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Parameter } from './request.ts'

/** Parameters of the transport, which http has read already. */
const ofTransport: ReadonlySet<string> = new Set(['_format', '_pretty'])

/** An interaction without parameters of its own fails `unknown-parameter` on any. */
export const refuseParameters = (parameters: readonly Parameter[], where: string): Outcome<undefined> => {
  const strange = parameters.find(({ name }) => !ofTransport.has(name))
  if (strange === undefined) return ok(undefined)
  return fail('unknown-parameter', { parameter: strange.name, where }, { location: [`http.${strange.name}`] })
}
