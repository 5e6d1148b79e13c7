import { fail, type Outcome } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { Decimal } from '../model/decimal.ts'
import type { Resource } from '../model/resource.ts'
import type { PatchLimits } from './json-patch.ts'
import { isForbiddenName, isObject, withIdentityOf } from './protected.ts'

/**
 * JSON Merge Patch on the JSON form of a resource, which itself stays as it was: null removes, objects merge, all else replaces.
 * An object that nulls leave empty goes too (emptied.ts); the RFC would keep it.
 * Fails `patch-document` when the patch is no object, `patch-failed`, `patch-protected`.
 * @see https://www.rfc-editor.org/rfc/rfc7396
 */
export const applyMergePatch = (resource: Resource, patch: unknown, _limits: PatchLimits): Outcome<Resource> => {
  if (!isMergeable(patch)) return fail('patch-document', { rule: rule('merge-patch-form') })
  if (namesForbidden(patch)) return fail('patch-failed', { number: 1, rule: rule('not-of-fhir') })
  return withIdentityOf(resource, merged(resource, patch))
}

const isMergeable = (value: unknown): value is Record<string, unknown> => isObject(value) && !(value instanceof Decimal)

const merged = (target: unknown, patch: unknown): unknown => {
  if (!isMergeable(patch)) return patch
  const result: Record<string, unknown> = isMergeable(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    const before = result[name]
    const next = value === null ? undefined : merged(before, value)
    if (next === undefined || (isEmpty(next) && !isEmpty(before) && !isEmpty(value))) delete result[name]
    else result[name] = next
  }
  return result
}

const isEmpty = (value: unknown): boolean => isMergeable(value) && Object.keys(value).length === 0

const namesForbidden = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, inner]) => (isObject(value) && isForbiddenName(name)) || namesForbidden(inner))
}
