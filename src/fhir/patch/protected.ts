import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Resource } from '../model/resource.ts'

/** The patched resource, unless the patch changed what only the server sets: identity and version may be tested, not written. */
export const withIdentityOf = (before: Resource, after: unknown): Outcome<Resource> => {
  if (!isObject(after)) return fail('patch-protected', { element: 'resourceType' })
  const patched = after as Resource // its resourceType is compared with that of a resource below
  const was = metaOf(before)
  const is = metaOf(patched)
  const changed = [
    before.resourceType !== patched.resourceType && 'resourceType',
    before.id !== patched.id && 'id',
    was.versionId !== is.versionId && 'meta.versionId',
    was.lastUpdated !== is.lastUpdated && 'meta.lastUpdated',
  ].find(element => element !== false)
  return changed === undefined ? ok(patched) : fail('patch-protected', { element: changed })
}

const metaOf = ({ meta }: Resource): Record<string, unknown> => (isObject(meta) ? meta : {})

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names that reach the machinery of JavaScript objects. No FHIR element is called so. */
export const isForbiddenName = (name: string): boolean => name === '__proto__' || name === 'constructor' || name === 'prototype'
