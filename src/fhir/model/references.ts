import { isId } from '../../base/ids.ts'
import type { Resource } from './resource.ts'

/** What the text of a Reference says. @see https://hl7.org/fhir/R4/references.html#literal */
export type ParsedReference =
  /** An instance of this server. The type has the form of a type name; whether it is one, definitions know. */
  | { readonly kind: 'local'; readonly type: string; readonly id: string; readonly versionId?: string }
  /** A contained resource; `id` '' is the container itself. */
  | { readonly kind: 'fragment'; readonly id: string }
  /** `Type?criteria`, as transactions allow; `criteria` may be '', which matches nothing but is no address either. */
  | { readonly kind: 'conditional'; readonly type: string; readonly criteria: string }
  | { readonly kind: 'absolute'; readonly url: string }
  | { readonly kind: 'urn'; readonly urn: string }
  | { readonly kind: 'other'; readonly text: string }

const conditionalPattern = /^([A-Z][A-Za-z]*)\?(.*)$/s
const schemePattern = /^[A-Za-z][A-Za-z0-9+.-]*:/
const typePattern = /^[A-Z][A-Za-z]*$/

/** Reads a reference; `base` is our own (`{SIMPUL_BASE_URL}/fhir`): absolute references under it are local. */
export const parseReference = (text: string, base: string): ParsedReference => {
  if (text.startsWith('#')) return { kind: 'fragment', id: text.slice(1) }
  if (text.startsWith('urn:')) return { kind: 'urn', urn: text }
  const relative = relativeTo(text, base) ?? text
  const local = localOf(relative)
  if (local) return local
  const [, type, criteria] = conditionalPattern.exec(relative) ?? []
  if (type !== undefined && criteria !== undefined) return { kind: 'conditional', type, criteria }
  return schemePattern.test(text) ? { kind: 'absolute', url: text } : { kind: 'other', text }
}

/** What follows our base and a slash; undefined when the text does not begin so. */
export const relativeTo = (text: string, base: string): string | undefined =>
  text.length > base.length && text.startsWith(base) && text[base.length] === '/' ? text.slice(base.length + 1) : undefined

const localOf = (text: string): Extract<ParsedReference, { kind: 'local' }> | undefined => {
  const steps = text.split('/', 5)
  const [type = '', id = '', history, versionId = ''] = steps
  if (!typePattern.test(type) || !isId(id)) return undefined
  if (steps.length === 2) return { kind: 'local', type, id }
  return steps.length === 4 && history === '_history' && isId(versionId) ? { kind: 'local', type, id, versionId } : undefined
}

/** A JSON object that is a Reference with a literal reference in it. */
type ReferenceElement = { reference: string; [member: string]: unknown }

/** The members of a Reference. Other elements that have a `reference` (Expression, DetectedIssue) have members of their own beside it. */
const referenceMembers = new Set(['reference', '_reference', 'type', '_type', 'identifier', 'display', '_display', 'id', 'extension'])

/** Immunization.education.reference is the one uri that can stand alone. */
const namesOfOthers = new Set(['education'])

const isReference = (value: object, name: string): value is ReferenceElement => {
  if (!('reference' in value) || typeof value.reference !== 'string' || namesOfOthers.has(name)) return false
  for (const member in value) if (!referenceMembers.has(member)) return false
  return true
}

/**
 * The resource with absolute references under our own base made relative: both mean the same instance, and the relative one survives
 * a change of host. Gives back the very value when there is nothing to change.
 */
export const relativeToBase = (resource: Resource, base: string): Resource => withRelative(resource, '', base) as Resource

const withRelative = (value: object, name: string, base: string): object => {
  if (Array.isArray(value)) return withRelativeItems(value, name, base)
  let changed: Record<string, unknown> | undefined
  for (const [member, inner] of Object.entries(value)) {
    if (typeof inner !== 'object' || inner === null) continue
    const next = withRelative(inner, member, base)
    if (next === inner) continue
    changed ??= { ...value }
    changed[member] = next
  }
  const whole = changed ?? value
  if (!isReference(whole, name)) return whole
  const reference = localText(whole.reference, base)
  return reference === whole.reference ? whole : { ...whole, reference }
}

const withRelativeItems = (items: readonly unknown[], name: string, base: string): readonly unknown[] => {
  let changed: unknown[] | undefined
  for (const [at, item] of items.entries()) {
    if (typeof item !== 'object' || item === null) continue
    const next = withRelative(item, name, base)
    if (next === item) continue
    changed ??= [...items]
    changed[at] = next
  }
  return changed ?? items
}

/** Only references to instances: `[base]/Patient/1`; other URLs below our base stay as they are. */
const localText = (text: string, base: string): string => {
  const relative = relativeTo(text, base)
  return relative !== undefined && localOf(relative) ? relative : text
}
