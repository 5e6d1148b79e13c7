import { isId } from '../base/ids.ts'
import { fail, issue, type Outcome, ok } from '../base/outcome.ts'
import type { Query } from '../search/tree.ts'
import type { StoredVersion, WritePlan } from '../storage/port.ts'
import { demandsIfMatch } from './app-state.ts'
import { accessToNobody } from './access-attributes.ts'
import { checkConditions, parseWriteConditions, type WriteConditions } from './conditions.ts'
import { criteriaOfUrl, findMatches, guardOf } from './match-criteria.ts'
import type { Call, Interaction, Parts } from './parts.ts'
import { refuseParameters } from './refuse-parameters.ts'
import type { Answer, InteractionRequest } from './request.ts'
import { attributesOf } from './visible.ts'
import { deletionOf, type Preparation, write } from './write.ts'
import { checkChangeable } from './write-access.ts'

/** delete and conditional delete. @see https://hl7.org/fhir/R4/http.html#delete */
export const deleteInteraction: Interaction = async (request, call, parts) => {
  const { type, id } = request
  if (type === undefined) return fail('method-not-allowed', { method: 'DELETE' }, { allow: ['GET', 'HEAD', 'POST'] })
  const conditions = parseWriteConditions(request.conditions)
  if (!conditions.ok) return conditions
  if (id === undefined) return conditionalDelete(type, conditions.value, request, call, parts)
  const refused = refuseParameters(request.parameters, 'delete')
  if (!refused.ok) return refused
  if (!isId(id)) return fail('bad-id', {})
  return write(() => prepareDelete(type, id, conditions.value, request, call, parts), call, parts)
}

/** Hidden is answered as never existed: nothing is deleted and nothing is told. */
const prepareDelete = async (
  type: string,
  id: string,
  conditions: WriteConditions,
  request: InteractionRequest,
  call: Call,
  parts: Parts,
): Promise<Outcome<Preparation>> => {
  const newest = await parts.store.newest(type, id)
  const changeable = await checkChangeable({ type, id }, newest, call, parts)
  if (!changeable.ok && changeable.failure.kind !== 'unknown-instance') return changeable
  const before = changeable.ok ? newest : undefined
  const current = before?.deleted ? undefined : before
  const checked = checkConditions(`${type}/${id}`, current, conditions, demandsIfMatch(call, type, parts))
  if (!checked.ok) return checked
  if (current === undefined) return ok({ answer: deletedAnswer(request, before) })
  return prepareDeletions([current], [], request, parts)
}

const conditionalDelete = async (type: string, conditions: WriteConditions, request: InteractionRequest, call: Call, parts: Parts) => {
  if (parts.settings.conditionalDelete === 'off')
    return fail('method-not-allowed', { method: 'DELETE' }, { allow: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH'] })
  const criteria = criteriaOfUrl(type, request.parameters, parts)
  if (!criteria.ok) return criteria
  return write(() => prepareConditionalDelete(type, criteria.value, conditions, request, call, parts), call, parts)
}

/**
 * What criteria delete: one match, or in multiple mode all of them up to the limit. Fails `multiple-matches`, `too-many-matches`.
 * A single match is guarded; several are each expected as they were seen, and one that appears meanwhile stays.
 */
export const findDeletions = async (
  type: string,
  criteria: Query,
  call: Call,
  parts: Parts,
): Promise<Outcome<{ readonly matches: readonly StoredVersion[]; readonly guards: WritePlan['guards'] }>> => {
  const max = parts.settings.conditionalDelete === 'multiple' ? parts.limits.conditionalDeleteMax : 1
  const found = await findMatches(criteria, call, parts, max + 1)
  if (!found.ok) return found
  const { rows, asked } = found.value
  if (rows.length > max) {
    if (max === 1) return fail('multiple-matches', { type })
    const counted = await parts.store.count(asked.query, { access: asked.access, deadline: call.deadline })
    return counted.ok ? fail('too-many-matches', { count: counted.value.count, max }) : counted
  }
  return ok({ matches: rows, guards: rows.length > 1 ? [] : [guardOf(asked, rows[0])] })
}

const prepareConditionalDelete = async (
  type: string,
  criteria: Query,
  conditions: WriteConditions,
  request: InteractionRequest,
  call: Call,
  parts: Parts,
): Promise<Outcome<Preparation>> => {
  const found = await findDeletions(type, criteria, call, parts)
  if (!found.ok) return found
  const { matches, guards } = found.value
  if (matches.length === 0 && conditions.ifMatch !== undefined) return fail('version-mismatch', { what: type })
  for (const match of matches) {
    const checked = checkConditions(`${type}/${match.id}`, match, conditions, demandsIfMatch(call, type, parts))
    if (!checked.ok) return checked
  }
  return matches.length === 0 ? ok({ answer: deletedAnswer(request, undefined) }) : prepareDeletions(matches, guards, request, parts)
}

const prepareDeletions = async (
  matches: readonly StoredVersion[],
  guards: WritePlan['guards'],
  request: InteractionRequest,
  parts: Parts,
): Promise<Outcome<Preparation>> => {
  const versions = await Promise.all(matches.map(async match => deletionOf(match, (await attributesOf(match, parts)) ?? accessToNobody)))
  const keys = matches.map(({ type, id }) => ({ type, id }))
  return ok({
    plan: {
      expects: matches.map(({ type, id, seq }) => ({ type, id, seq })),
      guards,
      versions,
      ...(parts.settings.deleteReferenced === 'refuse' ? { unreferenced: keys } : {}),
    },
    answered: held => {
      const touched = versions.map(({ type, id, versionId }) => ({ type, id, versionId }))
      const [only] = versions
      const one =
        versions.length === 1 && only !== undefined
          ? { versionId: only.versionId, lastUpdated: held.versions[0]?.lastUpdated as number }
          : undefined
      return { ...deletedAnswer(request, one), touched }
    },
  })
}

/** 204, with the ETag of the deletion where there is one to be seen. */
export const deletedAnswer = (
  request: Pick<InteractionRequest, 'prefer'>,
  deletion: { readonly versionId: number; readonly lastUpdated: number } | undefined,
): Answer => ({
  ...(request.prefer.return === 'OperationOutcome'
    ? { status: 200, body: { kind: 'outcome' }, issues: [issue('information', 'done', {})] }
    : { status: 204 }),
  ...(deletion === undefined ? {} : { versionId: deletion.versionId, lastModified: deletion.lastUpdated }),
})
