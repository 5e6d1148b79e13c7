import { atMost } from '../base/at-most.ts'
import { isOver } from '../base/deadline.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { eachReferencePlace, pathOf } from '../fhir/model/reference-places.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { type Entry, inEntry, requestOf } from './bundle-entries.ts'
import { responseBundle, withoutBody } from './bundle-response.ts'
import type { Call, Parts } from './parts.ts'
import type { Answer, InteractionCode, InteractionRequest, Prefer } from './request.ts'

/** batch: every entry is a request of its own, with its own access decision, audit record and failure. @see https://hl7.org/fhir/R4/http.html#transaction */

const readsAtOnceMax = 8

const writing: ReadonlySet<InteractionCode> = new Set(['create', 'update', 'patch', 'delete'])

/** In the order given: reads that follow each other run up to 8 at a time, writes one after another. */
export const runBatch = async (
  entries: readonly Entry[],
  request: InteractionRequest,
  call: Call,
  parts: Parts,
): Promise<Outcome<Answer>> => {
  const prefer: Prefer = { ...request.prefer, return: request.prefer.return ?? 'minimal' }
  const fullUrls = new Set(entries.flatMap(({ fullUrl = '' }) => (fullUrl.startsWith('urn:') ? [fullUrl] : [])))
  const results: Outcome<Answer>[] = []
  let reads: Entry[] = []
  const run = async (entry: Entry): Promise<void> => {
    const result = await runEntry(entry, prefer, fullUrls, call, parts)
    results[entry.index] = result.ok ? result : { ok: false, failure: inEntry(result.failure, entry) }
  }
  for (const entry of entries) {
    if (entry.method === 'GET' || entry.method === 'HEAD') reads.push(entry)
    else {
      await atMost(readsAtOnceMax, reads, run)
      reads = []
      await run(entry)
    }
  }
  await atMost(readsAtOnceMax, reads, run)
  return { ok: true, value: { ...responseBundle('batch-response', results, call, parts), touched: [] } }
}

const runEntry = async (
  entry: Entry,
  prefer: Prefer,
  fullUrls: ReadonlySet<string>,
  call: Call,
  parts: Parts,
): Promise<Outcome<Answer>> => {
  if (isOver(call.deadline)) return fail('waited-too-long', {})
  const request = requestOf(entry, prefer, parts)
  if (!request.ok) return request
  if (writing.has(request.value.interaction) && fullUrls.size > 0 && entry.resource !== undefined) {
    const pointed = pointsAmong(entry.resource, fullUrls, parts)
    if (pointed !== undefined) return fail('unresolved-reference', {}, { expression: [pointed] })
  }
  const { principal, requestId, deadline, language, once } = call
  const answer = await parts.perform(request.value, {
    principal,
    requestId,
    deadline,
    via: 'batch',
    ...(language === undefined ? {} : { language }),
    // Each entry is a unit of its own, and so happens at most once by itself.
    ...(once === undefined ? {} : { once: `${once}/${entry.index}` }),
  })
  return entry.method === 'HEAD' && answer.ok ? ok(withoutBody(answer.value)) : answer
}

/** Path of a reference to another entry: in a batch nothing is rewritten, so it would point nowhere. */
const pointsAmong = (resource: Resource, fullUrls: ReadonlySet<string>, parts: Parts): string | undefined => {
  let found: string | undefined
  eachReferencePlace(resource, parts.definitions, (place, text, holder, member) => {
    if (found === undefined && place === 'reference' && fullUrls.has(text)) found = pathOf(resource, holder, member)
  })
  return found
}
