import { withCreator } from '../auth/relations/creator.ts'
import { isId } from '../base/ids.ts'
import { fail, issue, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import { metaForPatch } from '../fhir/model/meta.ts'
import { relativeToBase } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { sameContent } from '../fhir/model/same-content.ts'
import { applyFhirPathPatch } from '../fhir/patch/fhirpath-patch.ts'
import { applyJsonPatch } from '../fhir/patch/json-patch.ts'
import { applyMergePatch } from '../fhir/patch/merge-patch.ts'
import type { Query } from '../search/tree.ts'
import type { StoredVersion, WritePlan } from '../storage/port.ts'
import { demandsIfMatch } from './app-state.ts'
import { checkConditions, parseWriteConditions, type WriteConditions } from './conditions.ts'
import { criteriaOfUrl, findOne } from './match-criteria.ts'
import type { Call, Interaction, Parts } from './parts.ts'
import type { PatchDocument } from './patch-document.ts'
import { touchesShownOnly } from './patch-places.ts'
import { refuseParameters } from './refuse-parameters.ts'
import type { Body, InteractionRequest } from './request.ts'
import { checkResource, readJson } from './resource-body.ts'
import { sightsOf } from './sight.ts'
import { parseStored } from './stored-resource.ts'
import { answerOf, newVersionAlone, type Preparation, seenAs, seenNow, write, writerOf } from './write.ts'
import { admitNew, checkChangeable } from './write-access.ts'

/** patch and conditional patch: JSON Patch, JSON Merge Patch, FHIRPath Patch. @see https://hl7.org/fhir/R4/http.html#patch */
export const patch: Interaction = async (request, call, parts) => {
  const { id } = request
  const type = request.type as string // the route has one
  const conditions = parseWriteConditions(request.conditions)
  if (!conditions.ok) return conditions
  const document = readPatch(request.body, parts)
  if (id === undefined) {
    const criteria = criteriaOfUrl(type, request.parameters, parts)
    if (!criteria.ok) return criteria
    if (!document.ok) return document
    return write(() => prepareConditionalPatch(type, criteria.value, document.value, conditions.value, request, call, parts), call, parts)
  }
  const refused = refuseParameters(request.parameters, 'patch')
  if (!refused.ok) return refused
  if (!isId(id)) return fail('bad-id', {})
  if (!document.ok) return document
  const prepare = async () => {
    const before = await parts.store.newest(type, id)
    return preparePatch({ type, id, before, document: document.value, conditions: conditions.value, request }, call, parts)
  }
  return write(prepare, call, parts)
}

/** Fails like any body; an array sent as plain JSON is refused with the type it should have had. */
export const readPatch = (body: Body | undefined, parts: Pick<Parts, 'limits'>): Outcome<PatchDocument> => {
  const json = readJson(body, parts)
  if (!json.ok) return json
  if (body?.kind === 'json-patch' || body?.kind === 'merge-patch') return ok({ kind: body.kind, value: json.value })
  if (Array.isArray(json.value)) return fail('content-type-unknown', { available: 'application/json-patch+json' })
  const type = typeof json.value === 'object' && json.value !== null && 'resourceType' in json.value ? json.value.resourceType : undefined
  return type === 'Parameters'
    ? ok({ kind: 'fhirpath-patch', value: json.value })
    : fail('patch-document', { rule: rule('path-patch-form') })
}

/** What a patch is applied to and under which conditions. */
export type Patching = {
  readonly type: string
  readonly id: string
  readonly before: StoredVersion | undefined
  readonly document: PatchDocument
  readonly conditions: WriteConditions
}

const apply = (resource: Resource, { kind, value }: PatchDocument, parts: Parts): Outcome<Resource> => {
  if (kind === 'json-patch') return applyJsonPatch(resource, value, parts.limits)
  if (kind === 'merge-patch') return applyMergePatch(resource, value, parts.limits)
  return applyFhirPathPatch(resource, value, parts.limits, parts.definitions)
}

const binaryPatchMax = 1024 * 1024

/**
 * The patched resource with its meta, or that nothing changed. Never creates: fails `unknown-instance`, `deleted-instance`, the failures of
 * conditions, of the patch itself, and of a result that may not be stored.
 */
export const patched = async (
  patching: Patching,
  call: Call,
  parts: Parts,
): Promise<Outcome<{ readonly before: StoredVersion; readonly next: Resource; readonly same: boolean }>> => {
  const { type, id, before, document, conditions } = patching
  const what = `${type}/${id}`
  const changeable = await checkChangeable({ type, id }, before, call, parts)
  if (!changeable.ok || before === undefined) return changeable.ok ? fail('unknown-instance', { what }) : changeable
  if (before.deleted) return fail('deleted-instance', { what }, { versionId: before.versionId })
  const checked = checkConditions(what, before, conditions, demandsIfMatch(call, type, parts))
  if (!checked.ok) return checked
  if (type === 'Binary' && before.text.length > (binaryPatchMax * 4) / 3) {
    return fail('method-not-allowed', { method: 'PATCH' }, { allow: ['GET', 'HEAD', 'PUT', 'DELETE'] })
  }
  const sight = (await sightsOf([before], call, parts))(before)
  if (!touchesShownOnly(document, sight, type, parts.definitions)) return fail('forbidden', {})
  const old = parseStored(before, parts)
  const result = apply(parseStored(before, parts), document, parts)
  if (!result.ok) return result
  const sound = checkResource(result.value, type, parts.definitions)
  if (!sound.ok) return sound
  const meta = metaForPatch(sound.value.meta, old.meta, call.requestId)
  const next = withCreator({ ...relativeToBase(sound.value, parts.settings.base), meta }, old, writerOf(call.principal))
  return ok({ before, next, same: sameContent(next, old) })
}

type PatchRequest = Patching & {
  readonly request: InteractionRequest
  readonly guard?: WritePlan['guards'][number]
}

const preparePatch = async (patching: PatchRequest, call: Call, parts: Parts): Promise<Outcome<Preparation>> => {
  const { type, id, request, guard } = patching
  const result = await patched(patching, call, parts)
  if (!result.ok) return result
  const { before, next, same } = result.value
  if (same) {
    const told = { issues: [issue('information', 'nothing-changed', {})], seen: await seenNow(before, call, parts) }
    return ok({ answer: answerOf(200, before, before.lastUpdated, request, told) })
  }
  const draft = await newVersionAlone(next, { type, id, versionId: before.versionId + 1, method: 'PUT' }, before, call, parts)
  if (!draft.ok) return draft
  const { version } = draft.value
  const admitted = await admitNew({ draft: draft.value, before, call }, parts)
  if (!admitted.ok) return admitted
  const seen = seenAs(admitted.value.sight, parts)
  return ok({
    plan: { expects: [{ type, id, seq: before.seq }], guards: guard === undefined ? [] : [guard], versions: [version] },
    answered: held => answerOf(200, version, held.versions[0]?.lastUpdated as number, request, { seen }),
  })
}

const prepareConditionalPatch = async (
  type: string,
  query: Query,
  document: PatchDocument,
  conditions: WriteConditions,
  request: InteractionRequest,
  call: Call,
  parts: Parts,
): Promise<Outcome<Preparation>> => {
  const found = await findOne(query, type, call, parts)
  if (!found.ok) return found
  const { match, guard } = found.value
  if (match === undefined) return fail('no-match', { type })
  return preparePatch({ type, id: match.id, before: match, document, conditions, request, guard }, call, parts)
}
