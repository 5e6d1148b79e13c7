import { fail, type Outcome, ok } from '../base/outcome.ts'
import { parseReference } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Call, Parts } from './parts.ts'

/**
 * State that an app keeps for itself, in a Basic: one code of a system that the client registered, about one person of this server, small, and changed only by
 * who knows which version he changes. It holds for clients that registered such systems; which ones they see is part of their scopes' filter.
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html, auth.md 7.7
 */

/** Bytes as stored. */
const bytesMax = 256 * 1024

const keepsAppState = ({ principal }: Call, type: string): boolean =>
  type === 'Basic' && principal.kind !== 'anonymous' && (principal.appStateSystems?.length ?? 0) > 0

/** Whether a change must name the version that it changes. */
export const demandsIfMatch = (call: Call, type: string, { settings }: Parts): boolean =>
  settings.ifMatchRequired || keepsAppState(call, type)

const owners: ReadonlySet<string> = new Set(['Patient', 'Practitioner', 'PractitionerRole', 'RelatedPerson', 'Person'])

/** Fails `body-too-large`, and `forbidden` for what is no app state. */
export const checkAppState = (resource: Resource, bytes: number, call: Call, { settings }: Parts): Outcome<undefined> => {
  if (!keepsAppState(call, resource.resourceType)) return ok(undefined)
  if (bytes > bytesMax) return fail('body-too-large', { max: bytesMax })
  const { code, subject } = resource as {
    readonly code?: { readonly coding?: unknown }
    readonly subject?: { readonly reference?: unknown }
  }
  const hasOneCoding = Array.isArray(code?.coding) && code.coding.length === 1
  return hasOneCoding && isOwner(subject?.reference, settings.base) ? ok(undefined) : fail('forbidden', {})
}

const isOwner = (reference: unknown, base: string): boolean => {
  const parsed = typeof reference === 'string' ? parseReference(reference, base) : undefined
  return parsed?.kind === 'local' && parsed.versionId === undefined && owners.has(parsed.type)
}
