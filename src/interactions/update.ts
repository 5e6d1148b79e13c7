import { withCreator } from '../auth/relations/creator.ts'
import { isId } from '../base/ids.ts'
import { looksLikeNik } from '../base/nik.ts'
import { fail, type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import { metaForCreate, metaForUpdate } from '../fhir/model/meta.ts'
import { relativeToBase } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { sameContent } from '../fhir/model/same-content.ts'
import type { Query } from '../search/tree.ts'
import type { StoredVersion, WritePlan } from '../storage/port.ts'
import { demandsIfMatch } from './app-state.ts'
import { checkConditions, parseWriteConditions, type WriteConditions } from './conditions.ts'
import { checkMeets, criteriaOfUrl, findOne } from './match-criteria.ts'
import type { Call, Interaction, Parts } from './parts.ts'
import { refuseParameters } from './refuse-parameters.ts'
import type { InteractionRequest } from './request.ts'
import { readResource } from './resource-body.ts'
import { checkSecurityContext } from './security-context.ts'
import { parseStored } from './stored-resource.ts'
import { isVisible } from './visible.ts'
import { answerOf, newVersionAlone, type Preparation, seenAs, seenNow, write, writerOf } from './write.ts'
import { admitNew, checkChangeable, checkReplaceable, createsById } from './write-access.ts'

/** update and conditional update. @see https://hl7.org/fhir/R4/http.html#update */
export const update: Interaction = async (request, call, parts) => {
  const type = request.type as string // the route has one
  const conditions = parseWriteConditions(request.conditions)
  if (!conditions.ok) return conditions
  return request.id === undefined
    ? conditionalUpdate(type, conditions.value, request, call, parts)
    : updateById(type, request.id, conditions.value, request, call, parts)
}

const updateById = async (type: string, id: string, conditions: WriteConditions, request: InteractionRequest, call: Call, parts: Parts) => {
  const refused = refuseParameters(request.parameters, 'update')
  if (!refused.ok) return refused
  if (!isId(id)) return fail('bad-id', {})
  const sent = readResource(request.body, type, parts)
  if (!sent.ok) return sent
  const context = await checkSecurityContext(sent.value, request.body, call, parts)
  if (!context.ok) return context
  const named = request.body?.kind === 'raw' && sent.value.id === undefined ? ok(undefined) : checkIdOfUrl(sent.value, id)
  if (!named.ok) return named
  const resource = relativeToBase(sent.value, parts.settings.base)
  const prepare = async () => prepareUpdate({ resource, id, before: await parts.store.newest(type, id), conditions, request }, call, parts)
  return write(prepare, call, parts)
}

/** @see https://hl7.org/fhir/R4/http.html#update: the resource must have the id of the URL */
export const checkIdOfUrl = (resource: Resource, id: string): Outcome<undefined> => {
  const at = { expression: [`${resource.resourceType}.id`] }
  if (resource.id === undefined) return fail('id-missing', {}, at)
  return resource.id === id ? ok(undefined) : fail('id-mismatch', {}, at)
}

const conditionalUpdate = async (type: string, conditions: WriteConditions, request: InteractionRequest, call: Call, parts: Parts) => {
  const criteria = criteriaOfUrl(type, request.parameters, parts)
  if (!criteria.ok) return criteria
  const sent = readResource(request.body, type, parts)
  if (!sent.ok) return sent
  const context = await checkSecurityContext(sent.value, request.body, call, parts)
  if (!context.ok) return context
  const resource = relativeToBase(sent.value, parts.settings.base)
  return write(() => prepareConditionalUpdate(resource, criteria.value, conditions, request, call, parts), call, parts)
}

const prepareConditionalUpdate = async (
  resource: Resource,
  criteria: Query,
  conditions: WriteConditions,
  request: InteractionRequest,
  call: Call,
  parts: Parts,
): Promise<Outcome<Preparation>> => {
  const type = resource.resourceType
  const found = await findOne(criteria, type, call, parts)
  if (!found.ok) return found
  const { match, guard } = found.value
  const target = await targetOf(resource, match, parts.ids(), call, parts)
  if (!target.ok) return target
  return prepareUpdate({ resource, ...target.value, conditions, request, criteria: { query: criteria, guard } }, call, parts)
}

/** Which instance an update writes, and its newest version. `ownId`: the id is ours, so the rules for ids of clients do not count. */
export type UpdateTarget = { readonly id: string; readonly before: StoredVersion | undefined; readonly ownId?: true }

/** The target of a conditional update: the match; without one the instance of the body's id, or a new one under `newId`. */
export const targetOf = async (
  resource: Resource,
  match: StoredVersion | undefined,
  newId: string,
  call: Call,
  parts: Parts,
): Promise<Outcome<UpdateTarget>> => {
  const { resourceType: type, id } = resource
  if (match !== undefined)
    return id === undefined || id === match.id ? ok({ id: match.id, before: match }) : fail('match-has-other-id', { type })
  if (id === undefined) return ok({ id: newId, before: undefined, ownId: true })
  const before = await parts.store.newest(type, id)
  const taken = (await isVisible({ type, id }, before, call, parts)) && before?.deleted === false
  return taken ? fail('id-taken', { what: `${type}/${id}` }) : ok({ id, before })
}

/** One update, whatever asked for it: a PUT, a conditional PUT, an entry of a transaction. */
export type Update = UpdateTarget & {
  readonly resource: Resource
  readonly conditions: WriteConditions
  readonly request: Pick<InteractionRequest, 'prefer'>
  readonly criteria?: { readonly query: Query; readonly guard: WritePlan['guards'][number] }
}

/** Whether the state table of update lets this write through: visibility, preconditions, ids that clients may choose. */
export const checkUpdate = async (
  { resource, id, before, conditions, ownId }: Omit<Update, 'request'>,
  call: Call,
  parts: Parts,
): Promise<Outcome<undefined>> => {
  // An id of ours that came to nothing is no name.
  const what = ownId && before === undefined ? resource.resourceType : `${resource.resourceType}/${id}`
  const isNew = before === undefined && (ownId === true || createsById(call, resource.resourceType))
  const changeable = isNew ? ok(undefined) : await checkChangeable({ type: resource.resourceType, id }, before, call, parts)
  if (!changeable.ok) return changeable
  const checked = checkConditions(
    what,
    before?.deleted ? undefined : before,
    conditions,
    demandsIfMatch(call, resource.resourceType, parts),
  )
  if (!checked.ok || before !== undefined || ownId) return checked
  if (!parts.settings.updateCreate) return fail('update-create-off', { what }, { allow: ['GET', 'HEAD', 'PATCH', 'DELETE'] })
  if (!parts.settings.nikAsId && looksLikeNik(id)) return fail('nik-as-id', {}, { expression: [`${resource.resourceType}.id`] })
  return checked
}

/** The resource as it is stored over its newest version, the meta rules applied, and whether that would change nothing. Fails `forbidden` for who sees that version in part. */
export const mergedOver = async (
  sent: Resource,
  id: string,
  before: StoredVersion | undefined,
  call: Call,
  parts: Parts,
): Promise<Outcome<{ readonly next: Resource; readonly same: boolean }>> => {
  const by = writerOf(call.principal)
  if (before === undefined || before.deleted)
    return ok({ next: withCreator({ ...sent, id, meta: metaForCreate(sent.meta, call.requestId) }, undefined, by), same: false })
  const old = parseStored(before, parts)
  const replaceable = await checkReplaceable(before, old, call, parts)
  if (!replaceable.ok) return replaceable
  const next = withCreator({ ...sent, id, meta: metaForUpdate(sent.meta, old.meta, call.requestId) }, old, by)
  return ok({ next, same: sameContent(next, old) })
}

const prepareUpdate = async (asked: Update, call: Call, parts: Parts): Promise<Outcome<Preparation>> => {
  const { resource, id, before, request, criteria } = asked
  const checked = await checkUpdate(asked, call, parts)
  if (!checked.ok) return checked
  const merged = await mergedOver(resource, id, before, call, parts)
  if (!merged.ok) return merged
  const { next, same } = merged.value
  if (before !== undefined && same) {
    const told = { issues: [issue('information', 'nothing-changed', {})], seen: await seenNow(before, call, parts) }
    return ok({ answer: answerOf(200, before, before.lastUpdated, request, told) })
  }
  const type = resource.resourceType
  const current = before?.deleted === true ? undefined : before
  const as = { type, id, versionId: (before?.versionId ?? 0) + 1, method: 'PUT' } as const
  const draft = await newVersionAlone(next, as, current, call, parts)
  if (!draft.ok) return draft
  const { version } = draft.value
  const named = before === undefined && asked.ownId !== true
  const admitted = await admitNew({ draft: draft.value, before: current, call, named }, parts)
  if (!admitted.ok) return admitted
  const met: Outcome<readonly Issue[]> = criteria === undefined ? ok([]) : checkMeets(criteria.query, version)
  if (!met.ok) return met
  return ok({
    plan: {
      expects: [{ type, id, seq: before?.seq ?? 'none' }],
      guards: criteria === undefined ? [] : [criteria.guard],
      versions: [version],
    },
    answered: held =>
      answerOf(current === undefined ? 201 : 200, version, held.versions[0]?.lastUpdated as number, request, {
        issues: met.value,
        seen: seenAs(admitted.value.sight, parts),
        firstLink: admitted.value.firstLink,
      }),
  })
}
