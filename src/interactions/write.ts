import { setTimeout } from 'node:timers/promises'
import { isOver } from '../base/deadline.ts'
import { fail, type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { storedForm } from '../fhir/model/stored-form.ts'
import type { IndexValues } from '../search/values.ts'
import type { Committed, Key, Method, NewVersion, StoredVersion, WritePlan } from '../storage/port.ts'
import { accessAttributes, admits } from './access-attributes.ts'
import type { Call, Parts } from './parts.ts'
import type { Answer, InteractionRequest } from './request.ts'
import { maySee } from './visible.ts'

/**
 * The one story of writing: *prepare on what is there, commit if that still holds, else prepare again*. Preparation is pure work on
 * this thread; the store only checks what preparation saw and writes rows.
 * @see docs/decisions/2026-11-21-writes.md
 */

export type Held = Extract<Committed, { held: true }>

/** What preparing comes to: an answer with nothing to write, or a plan and the answer once it held. */
export type Preparation<T = Answer> = { readonly answer: T } | { readonly plan: WritePlan; readonly answered: (held: Held) => T }

const retriesMax = 5
const referrersNamedMax = 5

/** Spread out, so that writers that met once do not meet again: up to 2, 4, 8, 16, 32 ms. */
const pause = (attempt: number): Promise<void> => setTimeout(Math.random() * 2 ** attempt)

/**
 * Commits what `prepare` gives. A lost race prepares again on the new state, where an If-Match that no longer holds fails by itself.
 * Fails `write-conflict` after five more tries, `still-referenced`, `waited-too-long` when the deadline ends before the commit begins.
 */
export const write = async <T>(prepare: () => Promise<Outcome<Preparation<T>>>, call: Call, parts: Parts): Promise<Outcome<T>> => {
  for (let attempt = 0; attempt <= retriesMax; attempt += 1) {
    if (attempt > 0) await pause(attempt)
    const prepared = await prepare()
    if (!prepared.ok) return prepared
    if ('answer' in prepared.value) return ok(prepared.value.answer)
    if (isOver(call.deadline)) return fail('waited-too-long', {}, { retryAfterSeconds: 1 })
    const { plan, answered } = prepared.value
    const committed = await parts.store.commit(call.once === undefined ? plan : { ...plan, once: call.once })
    if (!committed.ok) return committed
    if (committed.value.held) return ok(answered(committed.value))
    const { referrers, taken } = committed.value
    if (referrers !== undefined && referrers.length > 0) return stillReferenced(plan, referrers, call, parts)
    if (taken !== undefined) return taken === call.once ? fail('already-done', {}) : fail('key-taken', {})
  }
  return fail('write-conflict', {}, { retryAfterSeconds: 1 })
}

const nameOf = ({ type, id }: Key): string => `${type}/${id}`

/** Names those referrers that the caller may see, else says only that there are some. */
const stillReferenced = async (plan: WritePlan, referrers: readonly Key[], call: Call, parts: Parts): Promise<Outcome<never>> => {
  const visible: string[] = []
  for (const [at, version] of (await parts.store.newestMany(referrers)).entries()) {
    if (visible.length === referrersNamedMax) break
    if (version !== undefined && (await maySee(version, call, parts))) visible.push(nameOf(referrers[at] as Key))
  }
  const deleted = (plan.unreferenced ?? []).map(nameOf)
  const names = visible.join(', ')
  const others = visible.length === 0 ? rule('others') : rule('names-and-others', { names })
  return fail('still-referenced', {
    what: deleted.slice(0, referrersNamedMax).join(', '),
    referrers: visible.length < referrers.length ? others : names,
  })
}

/** A version with content; what criteria are evaluated on is never absent. */
export type IndexedVersion = NewVersion & { readonly values: IndexValues }

/** Whether the caller may bring about this state. */
export const admitsNew = (version: NewVersion, call: Call): boolean => admits(call.access.filterFor(version.type), version.id, version)

/** Room that base64 and the members around it take in a stored Binary. */
const binaryStoredMax = (parts: Pick<Parts, 'limits'>): number => Math.ceil((parts.limits.binaryBytesMax * 4) / 3) + 4096

/** `resource` as a version ready for the store. Its id and meta are already those to be stored. Fails `body-too-large` over the limit for stored bytes. */
export const newVersion = (resource: Resource, as: Key & { versionId: number; method: Method }, parts: Parts): Outcome<IndexedVersion> => {
  const { type, id, versionId, method } = as
  const { text, lastUpdatedOffset } = storedForm(resource, { id, versionId })
  const max = type === 'Binary' ? binaryStoredMax(parts) : parts.limits.resourceBytesMax
  if (text.length > max) return fail('body-too-large', { max })
  const values = parts.index(resource)
  return ok({ type, id, versionId, method, text, lastUpdatedOffset, values, ...accessAttributes(resource, id, values) })
}

/** The deletion that follows `before`. It stays visible to whom the last state was. */
export const deletionOf = (
  before: StoredVersion,
  attributes: Pick<NewVersion, 'patients' | 'organizations' | 'authors' | 'confidentiality'>,
): NewVersion => ({
  type: before.type,
  id: before.id,
  versionId: before.versionId + 1,
  method: 'DELETE',
  text: new Uint8Array(0),
  lastUpdatedOffset: -1,
  ...attributes,
})

/** Status and body of a write that was done, or that found nothing to do: as `Prefer: return` asks. */
export const answerOf = (
  status: number,
  version: Key & { readonly versionId: number; readonly text: Uint8Array },
  lastUpdated: number,
  request: Pick<InteractionRequest, 'prefer'>,
  issues: readonly Issue[] = [],
): Answer => {
  const { type, id, versionId, text } = version
  const location = `${type}/${id}/_history/${versionId}`
  const wanted = request.prefer.return ?? 'representation'
  const told = wanted === 'OperationOutcome' && issues.length === 0 ? [issue('information', 'done', {})] : issues
  return {
    status,
    versionId,
    lastModified: lastUpdated,
    location,
    issues: told,
    touched: [{ type, id, versionId }],
    ...(wanted === 'representation'
      ? { body: { kind: 'json', chunks: [text] }, ...(status === 200 ? { contentLocation: location } : {}) }
      : {}),
    ...(wanted === 'OperationOutcome' ? { body: { kind: 'outcome' } } : {}),
  }
}
