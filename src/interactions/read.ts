import { fail, ok } from '../base/outcome.ts'
import { readConditions, unmodified } from './conditional-read.ts'
import { notModified, shown } from './instance-answer.ts'
import type { Interaction } from './parts.ts'
import { readView } from './view.ts'
import { maySee } from './visible.ts'

/** read and conditional read. @see https://hl7.org/fhir/R4/http.html#read, #cread */
export const read: Interaction = async (request, call, parts) => {
  const { type, id } = request as { type: string; id: string } // the route has both
  const view = readView(request.parameters, type, 'read', parts)
  if (!view.ok) return view
  const conditions = readConditions(request.conditions, parts.clock())
  if (!conditions.ok) return conditions

  const newest = await parts.store.newest(type, id)
  // Access before existence: a stranger gets the same 404 for hidden, deleted and never used.
  if (newest === undefined || !(await maySee(newest, call, parts))) return fail('unknown-instance', { what: `${type}/${id}` })
  if (newest.deleted) return fail('deleted-instance', { what: `${type}/${id}` }, { versionId: newest.versionId })
  if (await unmodified(newest, conditions.value, parts.store)) return ok(notModified(newest))
  return ok(shown(newest, view.value, parts))
}
