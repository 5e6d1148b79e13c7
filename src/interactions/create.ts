import { withCreator } from '../auth/relations/creator.ts'
import { type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import { metaForCreate } from '../fhir/model/meta.ts'
import { relativeToBase } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Query } from '../search/tree.ts'
import { checkMeets, findOne, readCriteria } from './match-criteria.ts'
import type { Call, Interaction, Parts } from './parts.ts'
import { refuseParameters } from './refuse-parameters.ts'
import type { InteractionRequest } from './request.ts'
import { readResource } from './resource-body.ts'
import { checkSecurityContext } from './security-context.ts'
import { answerOf, newVersionAlone, type Preparation, seenAs, seenNow, write, writerOf } from './write.ts'
import { admitNew } from './write-access.ts'

/** create and conditional create. @see https://hl7.org/fhir/R4/http.html#create */
export const create: Interaction = async (request, call, parts) => {
  const type = request.type as string // the route has one
  const refused = refuseParameters(request.parameters, 'create')
  if (!refused.ok) return refused
  const text = request.conditions?.ifNoneExist
  const criteria = text === undefined ? ok(undefined) : readCriteria(type, text, parts)
  if (!criteria.ok) return criteria
  const sent = readResource(request.body, type, parts)
  if (!sent.ok) return sent
  const context = await checkSecurityContext(sent.value, request.body, call, parts)
  if (!context.ok) return context
  const resource = relativeToBase(sent.value, parts.settings.base)
  return write(() => prepareCreate(resource, criteria.value, request, call, parts), call, parts)
}

const prepareCreate = async (
  sent: Resource,
  criteria: Query | undefined,
  request: InteractionRequest,
  call: Call,
  parts: Parts,
): Promise<Outcome<Preparation>> => {
  const type = sent.resourceType
  const found = criteria === undefined ? ok(undefined) : await findOne(criteria, type, call, parts)
  if (!found.ok) return found
  const match = found.value?.match
  if (match !== undefined) {
    const seen = await seenNow(match, call, parts)
    return ok({ answer: answerOf(200, match, match.lastUpdated, request, { seen }) })
  }

  const id = parts.ids()
  const resource = withCreator({ ...sent, id, meta: metaForCreate(sent.meta, call.requestId) }, undefined, writerOf(call.principal))
  const draft = await newVersionAlone(resource, { type, id, versionId: 1, method: 'POST' }, undefined, call, parts)
  if (!draft.ok) return draft
  const { version } = draft.value
  const admitted = await admitNew({ draft: draft.value, before: undefined, call }, parts)
  if (!admitted.ok) return admitted
  const seen = seenAs(admitted.value.sight, parts)
  const met = criteria === undefined ? ok([]) : checkMeets(criteria, version)
  if (!met.ok) return met
  return ok({
    plan: {
      expects: [{ type, id, seq: 'none' }],
      guards: found.value === undefined ? [] : [found.value.guard],
      versions: [version],
    },
    answered: held =>
      answerOf(201, version, held.versions[0]?.lastUpdated as number, request, {
        issues: [...remarks(sent), ...met.value],
        seen,
        firstLink: admitted.value.firstLink,
      }),
  })
}

/** What a client that creates may not have meant. */
const remarks = (sent: Resource): Issue[] => [
  ...(sent.id === undefined ? [] : [issue('warning', 'id-ignored', {}, { expression: [`${sent.resourceType}.id`] })]),
  ...(sent.resourceType === 'Bundle' && (sent.type === 'batch' || sent.type === 'transaction')
    ? [issue('information', 'bundle-stored', {})]
    : []),
]
