import { fail, ok } from '../base/outcome.ts'
import { readConditions, unmodified } from './conditional-read.ts'
import { notModified, shown } from './instance-answer.ts'
import type { Interaction } from './parts.ts'
import { sightsOf } from './sight.ts'
import { readView } from './view.ts'
import { isPastVisible } from './visible.ts'

/** vread: a past version is shown even when the instance is deleted now. @see https://hl7.org/fhir/R4/http.html#vread */
export const vread: Interaction = async (request, call, parts) => {
  const { type, id, versionId } = request as { type: string; id: string; versionId: string } // the route has all three
  const view = readView(request.parameters, type, 'vread', parts)
  if (!view.ok) return view
  const conditions = readConditions(request.conditions, parts.clock())
  if (!conditions.ok) return conditions

  const what = `${type}/${id}/_history/${versionId}`
  const number = versionNumber(versionId)
  const version = number === undefined ? undefined : await parts.store.version(type, id, number)
  if (!(await isPastVisible({ type, id }, version, call, parts)) || version === undefined) return fail('unknown-instance', { what })
  if (version.deleted) return fail('deleted-instance', { what }, { versionId: version.versionId })
  if (await unmodified(version, conditions.value, parts.store)) return ok(notModified(version))
  const sightOf = await sightsOf([version], call, parts)
  return ok(shown(version, view.value, sightOf(version), parts))
}

/** Versions count from 1; `01` or `abc` names none. */
const versionNumber = (text: string): number | undefined => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined)
