import { fail, ok } from '../base/outcome.ts'
import { readConditions, unmodified } from './conditional-read.ts'
import { history } from './history.ts'
import type { Interaction } from './parts.ts'
import { isVisible } from './visible.ts'

/** All versions of one instance, a deleted one included. @see https://hl7.org/fhir/R4/http.html#history */
export const historyInstance: Interaction = async (request, call, parts) => {
  const { type, id } = request as { type: string; id: string } // the route has both
  const conditions = readConditions({ ...request.conditions }, parts.clock())
  if (!conditions.ok) return conditions
  const newest = await parts.store.newest(type, id)
  if (!(await isVisible({ type, id }, newest, call, parts)) || newest === undefined)
    return fail('unknown-instance', { what: `${type}/${id}` })
  const walk = { name: `history-instance ${type}/${id}`, path: `${type}/${id}/_history` }
  const { since } = conditions.value
  if (since !== undefined && (await unmodified(newest, { since }, parts.store)))
    return ok({ status: 304, lastModified: newest.lastUpdated })
  const answer = await history({ ...walk, types: [type], id }, request, call, parts)
  return answer.ok ? ok({ ...answer.value, lastModified: newest.lastUpdated }) : answer
}
