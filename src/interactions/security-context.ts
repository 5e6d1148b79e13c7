import { fail, ok, type Outcome } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import { parseReference } from '../fhir/model/references.ts'
import type { Call, Parts } from './parts.ts'
import type { Body } from './request.ts'
import { maySee } from './visible.ts'

/** X-Security-Context of raw content: the instance whose access rules it shares must be there for the caller. @see https://hl7.org/fhir/R4/binary.html#security */
export const checkSecurityContext = async (body: Body | undefined, call: Call, parts: Parts): Promise<Outcome<undefined>> => {
  if (body?.kind !== 'raw' || body.securityContext === undefined) return ok(undefined)
  const reference = parseReference(body.securityContext, parts.settings.base)
  const newest = reference.kind === 'local' ? await parts.store.newest(reference.type, reference.id) : undefined
  if (newest !== undefined && !newest.deleted && (await maySee(newest, call, parts))) return ok(undefined)
  return fail('bad-header', { header: 'X-Security-Context', rule: rule('names-instance') }, { location: ['http.X-Security-Context'] })
}
