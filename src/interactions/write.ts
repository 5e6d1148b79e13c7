import { setTimeout } from 'node:timers/promises'
import type { Written } from '../auth/relations/written.ts'
import { isOver } from '../base/deadline.ts'
import { fail, type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { storedForm } from '../fhir/model/stored-form.ts'
import type { IndexValues } from '../search/values.ts'
import type { Committed, Key, Method, NewVersion, StoredVersion, WritePlan } from '../storage/port.ts'
import { type AccessAttributes, accessAttributes, labelAttributes } from './access-attributes.ts'
import { surroundingsOf } from './access-surroundings.ts'
import type { Call, Parts } from './parts.ts'
import type { Answer, InteractionRequest } from './request.ts'
import { isBlind, isWholeSight, type Sight, sightsOf } from './sight.ts'
import { reduced } from './view.ts'
import { visibleOf } from './visible.ts'

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
    if (committed.value.held) {
      // What consents say now holds from the next request on.
      const consents = plan.versions.filter(({ type }) => type === 'Consent')
      if (consents.length > 0) {
        call.access.consents.forget(consents.flatMap(({ patients }) => patients))
        await parts.consentsWritten?.(consents.map(({ id }) => id))
      }
      return ok(answered(committed.value))
    }
    const { referrers, taken } = committed.value
    if (referrers !== undefined && referrers.length > 0) return stillReferenced(plan, referrers, call, parts)
    if (taken !== undefined) return taken === call.once ? fail('already-done', {}) : fail('key-taken', {})
  }
  return fail('write-conflict', {}, { retryAfterSeconds: 1 })
}

const nameOf = ({ type, id }: Key): string => `${type}/${id}`

/** Names those referrers that the caller may see, else says only that there are some. */
const stillReferenced = async (plan: WritePlan, referrers: readonly Key[], call: Call, parts: Parts): Promise<Outcome<never>> => {
  const newest = (await parts.store.newestMany(referrers)).filter(version => version !== undefined)
  const seen = await visibleOf(newest, call, parts, 'read')
  const visible = seen.slice(0, referrersNamedMax).map(nameOf)
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

/**
 * A version ready for the store, the resource that it holds, and what of it the caller answers for: labels that rules add are no reason to refuse a write to
 * who may not see them.
 */
export type Draft = { readonly version: IndexedVersion; readonly resource: Resource; readonly claimed: AccessAttributes }

/** Room that base64 and the members around it take in a stored Binary. */
const binaryStoredMax = (parts: Pick<Parts, 'limits'>): number => Math.ceil((parts.limits.binaryBytesMax * 4) / 3) + 4096

/**
 * `resource` as a version ready for the store, with what it says of whom it is about and who reaches them. Its id and meta are already those to be
 * stored. Fails `body-too-large` over the limit for stored bytes.
 */
export const newVersion = (
  sent: Resource,
  as: Key & { versionId: number; method: Method },
  written: Written,
  parts: Parts,
): Outcome<Draft> => {
  const { type, id, versionId, method } = as
  const resource = parts.labelling?.(sent) ?? sent
  const { text, lastUpdatedOffset } = storedForm(resource, { id, versionId })
  const max = type === 'Binary' ? binaryStoredMax(parts) : parts.limits.resourceBytesMax
  if (text.length > max) return fail('body-too-large', { max })
  const values = parts.index(resource)
  const attributes = accessAttributes(resource, id, values, written)
  const claimed = resource === sent ? attributes : { ...attributes, sensitivities: [], ...labelAttributes(sent) }
  return ok({ version: { type, id, versionId, method, text, lastUpdatedOffset, values, ...attributes }, resource, claimed })
}

/** A version that is written alone; `before` is the state that it takes the place of. */
export const newVersionAlone = async (
  resource: Resource,
  as: Key & { versionId: number; method: Method },
  before: StoredVersion | undefined,
  call: Call,
  parts: Parts,
): Promise<Outcome<Draft>> => {
  const key = { type: as.type, id: as.id }
  const written = await surroundingsOf([{ key, resource, follows: before !== undefined }], writerOf(call.principal), parts)
  return newVersion(resource, as, written(key), parts)
}

/** `Practitioner/17` of the person who writes; programs write for nobody. */
export const writerOf = (principal: Call['principal']): string | undefined =>
  principal.kind === 'user' || principal.kind === 'patient' ? principal.fhirUser : undefined

/** The deletion that follows `before`. It stays visible to whom the last state was. */
export const deletionOf = (before: StoredVersion, { relations: _, ...attributes }: AccessAttributes): NewVersion => ({
  type: before.type,
  id: before.id,
  versionId: before.versionId + 1,
  method: 'DELETE',
  text: new Uint8Array(0),
  lastUpdatedOffset: -1,
  ...attributes,
})

/** The bytes of a version as the writer sees them; undefined where none may be shown. */
export type Seen = (version: Key & { readonly versionId: number; readonly text: Uint8Array }) => Uint8Array | undefined

const asStored: Seen = ({ text }) => text

export const seenAs = (sight: Sight, parts: Parts): Seen => {
  if (isWholeSight(sight)) return asStored
  return isBlind(sight) ? () => undefined : version => reduced(version, undefined, sight, parts)
}

/** What is there already, as the caller of a write sees it. */
export const seenNow = async (version: StoredVersion, call: Call, parts: Parts): Promise<Seen> =>
  seenAs((await sightsOf([version], call, parts))(version), parts)

/** What an answer says beside its version. */
export type Told = { readonly issues?: readonly Issue[]; readonly seen?: Seen; readonly firstLink?: true | undefined }

/** Status and body of a write that was done, or that found nothing to do: as `Prefer: return` asks. */
export const answerOf = (
  status: number,
  version: Key & { readonly versionId: number; readonly text: Uint8Array },
  lastUpdated: number,
  request: Pick<InteractionRequest, 'prefer'>,
  { issues = [], seen = asStored, firstLink }: Told = {},
): Answer => {
  const { type, id, versionId } = version
  const location = `${type}/${id}/_history/${versionId}`
  const asked = request.prefer.return ?? 'representation'
  const bytes = asked === 'representation' ? seen(version) : undefined
  // Who may write and not read is shown nothing.
  const wanted = asked === 'representation' && bytes === undefined ? 'minimal' : asked
  const told = wanted === 'OperationOutcome' && issues.length === 0 ? [issue('information', 'done', {})] : issues
  return {
    status,
    versionId,
    lastModified: lastUpdated,
    location,
    issues: told,
    ...(firstLink && { marks: ['first-link'] as const }),
    touched: [{ type, id, versionId }],
    ...(bytes !== undefined ? { body: { kind: 'json', chunks: [bytes] }, ...(status === 200 ? { contentLocation: location } : {}) } : {}),
    ...(wanted === 'OperationOutcome' ? { body: { kind: 'outcome' } } : {}),
  }
}
