import { createHash } from 'node:crypto'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import { stringify } from '../fhir/model/json.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { type Subset, subset } from '../fhir/model/subset.ts'
import { readConditions } from './conditional-read.ts'
import type { Interaction, Parts } from './parts.ts'
import { badParameter, type Readers, readParameters } from './read-parameters.ts'
import { checkViewOfOne, reductionOf, type View, viewReaders } from './view.ts'

/** Modes of R4; TerminologyCapabilities come with terminology, until then they are named as not enabled. */
const modes: readonly string[] = ['full', 'normative', 'terminology']

type Asked = View & { readonly mode: string }

const modeOf = (value: string, name: string): Outcome<Partial<Asked>> =>
  modes.includes(value) ? ok({ mode: value }) : badParameter(name, rule('one-of', { words: modes.join(', ') }))

const type = 'CapabilityStatement'

const readersFor = (parts: Parts): Readers<Asked> => ({ mode: modeOf, ...viewReaders([type], parts) })

/** The same bytes to everybody, unless `_summary` or `_elements` reduce them. @see https://hl7.org/fhir/R4/http.html#capabilities */
export const capabilities: Interaction = async (request, _call, parts) => {
  const asked = readParameters<Asked>(request.parameters, readersFor(parts), 'capabilities')
  if (!asked.ok) return asked
  const view = checkViewOfOne(asked.value)
  if (!view.ok) return view
  const conditions = readConditions(request.conditions, parts.clock())
  if (!conditions.ok) return conditions

  const statement = parts.capabilities(asked.value.mode ?? 'full')
  if (statement === undefined) return fail('not-enabled', { what: 'TerminologyCapabilities' })
  const { bytes, hash, lastModified } = statement
  const how = reductionOf(type, asked.value)
  const etag = how === undefined ? hash : tagOf(hash, how)
  const { tags, since } = conditions.value
  const unmodified =
    tags === undefined ? since !== undefined && Math.floor(lastModified / 1000) * 1000 <= since : tags === '*' || tags.includes(etag)
  if (unmodified) return ok({ status: 304, etag, lastModified })
  return ok({ status: 200, etag, lastModified, body: { kind: 'json', chunks: [how === undefined ? bytes : reduced(bytes, how, parts)] } })
}

/** Another tag than the whole has; known before anything is reduced. */
const tagOf = (hash: string, how: Subset): string =>
  `${hash}-${createHash('sha256').update(JSON.stringify(how)).digest('base64url').slice(0, 11)}`

const reduced = (bytes: Uint8Array, how: Subset, { definitions }: Parts): Uint8Array => {
  const statement: Resource = JSON.parse(Buffer.from(bytes).toString('utf8')) // our own
  return Buffer.from(stringify(subset(statement, definitions, how)))
}
