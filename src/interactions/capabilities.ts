import { fail, ok, type Outcome } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import { readConditions } from './conditional-read.ts'
import type { Interaction } from './parts.ts'
import { badParameter, readParameters } from './read-parameters.ts'

/** Modes of R4; TerminologyCapabilities come with terminology, until then they are named as not enabled. */
const modes: readonly string[] = ['full', 'normative', 'terminology']

const modeOf = (value: string, name: string): Outcome<{ mode: string }> =>
  modes.includes(value) ? ok({ mode: value }) : badParameter(name, rule('one-of', { words: modes.join(', ') }))

/** The same bytes to everybody. @see https://hl7.org/fhir/R4/http.html#capabilities */
export const capabilities: Interaction = async (request, _call, parts) => {
  const asked = readParameters<{ mode: string }>(request.parameters, { mode: modeOf }, 'capabilities')
  if (!asked.ok) return asked
  const conditions = readConditions(request.conditions, parts.clock())
  if (!conditions.ok) return conditions

  const statement = parts.capabilities(asked.value.mode ?? 'full')
  if (statement === undefined) return fail('not-enabled', { what: 'TerminologyCapabilities' })
  const { bytes, hash: etag, lastModified } = statement
  const { tags, since } = conditions.value
  const unmodified =
    tags === undefined ? since !== undefined && Math.floor(lastModified / 1000) * 1000 <= since : tags === '*' || tags.includes(etag)
  if (unmodified) return ok({ status: 304, etag, lastModified })
  return ok({ status: 200, etag, lastModified, body: { kind: 'json', chunks: [bytes] } })
}
