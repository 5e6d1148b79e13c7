import { fail, type Outcome, ok } from '../base/outcome.ts'
import { type Rule, rule } from '../base/rules.ts'
import { parseReference } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Call, Parts } from './parts.ts'
import type { Body } from './request.ts'
import { isVisible } from './visible.ts'

/**
 * X-Security-Context: the instance whose access rules a Binary shares. It must be there for the caller, and a Binary sent as a resource must
 * say the same: two answers to who may read it would be none. @see https://hl7.org/fhir/R4/binary.html#security-context
 */
export const checkSecurityContext = async (
  resource: Resource,
  body: Body | undefined,
  call: Call,
  parts: Parts,
): Promise<Outcome<undefined>> => {
  const header = body !== undefined && 'securityContext' in body ? body.securityContext : undefined
  if (header === undefined) return ok(undefined)
  const instance = instanceNamed(header, parts)
  if (instance === undefined) return refused(rule('names-instance'))
  const newest = await parts.store.newest(instance.type, instance.id)
  if (!(await isVisible(instance, newest, call, parts, 'read')) || newest === undefined || newest.deleted)
    return refused(rule('names-instance'))
  const named = instanceNamed(referenceOf(resource.securityContext), parts)
  return named !== undefined && named.type === newest.type && named.id === newest.id
    ? ok(undefined)
    : refused(rule('agrees-with', { element: 'Binary.securityContext' }))
}

const refused = (broken: Rule): Outcome<never> =>
  fail('bad-header', { header: 'X-Security-Context', rule: broken }, { location: ['http.X-Security-Context'] })

const instanceNamed = (text: string, { settings }: Parts): { readonly type: string; readonly id: string } | undefined => {
  const parsed = parseReference(text, settings.base)
  return parsed.kind === 'local' && parsed.versionId === undefined ? parsed : undefined
}

const referenceOf = (element: unknown): string =>
  typeof element === 'object' && element !== null && 'reference' in element && typeof element.reference === 'string'
    ? element.reference
    : ''
