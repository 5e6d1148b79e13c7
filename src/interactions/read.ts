import { fail, ok } from '../base/outcome.ts'
import { readConditions, unmodified } from './conditional-read.ts'
import { notModified, shown } from './instance-answer.ts'
import type { Interaction } from './parts.ts'
import { sightsOf } from './sight.ts'
import { readView } from './view.ts'
import { isVisible } from './visible.ts'

/** read and conditional read. @see https://hl7.org/fhir/R4/http.html#read, #cread */
export const read: Interaction = async (request, call, parts) => {
  const { type, id } = request as { type: string; id: string } // the route has both
  const view = readView(request.parameters, type, 'read', parts)
  if (!view.ok) return view
  const conditions = readConditions(request.conditions, parts.clock())
  if (!conditions.ok) return conditions

  const newest = await parts.store.newest(type, id)
  // Access before existence: a stranger gets the same 404 for hidden, deleted and never used.
  if (!(await isVisible({ type, id }, newest, call, parts)) || newest === undefined)
    return fail('unknown-instance', { what: `${type}/${id}` })
  if (newest.deleted) return fail('deleted-instance', { what: `${type}/${id}` }, { versionId: newest.versionId })
  if (await unmodified(newest, conditions.value, parts.store)) return ok(notModified(newest))
  const sightOf = await sightsOf([newest], call, parts)
  return ok(shown(newest, view.value, sightOf(newest), parts))
}
