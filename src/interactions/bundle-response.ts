import { STATUS_CODES } from 'node:http'
import { canonicalBase } from '../base/canonical.ts'
import { type Outcome, statusOf } from '../base/outcome.ts'
import { issuesOf, operationOutcome } from '../fhir/operation-outcome.ts'
import type { Parts } from './parts.ts'
import type { Answer, Context } from './request.ts'

/** The Bundle that answers a batch or transaction, assembled around stored bytes: one response for each entry, in the order of the request. */

const encoder = new TextEncoder()

const instant = (ms: number): string => new Date(ms).toISOString().replace('Z', '+00:00')

const responseOf = (result: Outcome<Answer>, context: Context): Record<string, unknown> => {
  const language = context.language ?? 'en'
  const status = result.ok ? result.value.status : statusOf(result.failure)
  const { location, versionId, lastModified, body, issues = [] } = result.ok ? result.value : ({} as Partial<Answer>)
  const told = result.ok
    ? body?.kind === 'outcome'
      ? issues
      : issues.filter(({ severity }) => severity === 'warning')
    : issuesOf(result.failure)
  return {
    status: `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
    ...(location === undefined ? {} : { location }),
    ...(versionId === undefined ? {} : { etag: `W/"${versionId}"` }),
    ...(lastModified === undefined ? {} : { lastModified: instant(lastModified) }),
    ...(told.length === 0 ? {} : { outcome: operationOutcome(told, language, canonicalBase) }),
  }
}

/** `[base]/Type/id` of what an entry's resource is; a search result is a Bundle without an address. */
const fullUrlOf = (answer: Answer, parts: Parts): string => {
  const [only, ...others] = answer.touched ?? []
  return only !== undefined && others.length === 0 ? `${parts.settings.base}/${only.type}/${only.id}` : `urn:uuid:${parts.ids()}`
}

/** What HEAD answers. */
export const withoutBody = (answer: Answer): Answer => {
  const { body: _, ...rest } = answer
  return rest
}

/** Results in the order of the request. */
export const responseBundle = (
  type: 'batch-response' | 'transaction-response',
  results: readonly Outcome<Answer>[],
  context: Context,
  parts: Parts,
): Answer => {
  const chunks: Uint8Array[] = []
  let text = `{"resourceType":"Bundle","id":"${parts.ids()}","type":"${type}"`
  for (const [at, result] of results.entries()) {
    text += at === 0 ? ',"entry":[{' : ',{'
    if (result.ok && result.value.body?.kind === 'json') {
      text += `"fullUrl":${JSON.stringify(fullUrlOf(result.value, parts))},"resource":`
      chunks.push(encoder.encode(text), ...result.value.body.chunks)
      text = ','
    }
    text += `"response":${JSON.stringify(responseOf(result, context))}}`
  }
  chunks.push(encoder.encode(results.length === 0 ? `${text}}` : `${text}]}`))
  const marks = [...new Set(results.flatMap(result => (result.ok ? (result.value.marks ?? []) : [])))]
  return {
    status: 200,
    ...(marks.length === 0 ? {} : { marks }),
    body: { kind: 'json', chunks },
    touched: results.flatMap(result => (result.ok ? (result.value.touched ?? []) : [])),
  }
}
