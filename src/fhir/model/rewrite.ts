import type { Definitions, Member } from '../definitions/definitions.ts'
import type { Resource } from './resource.ts'

/** Where a target stands that a transaction may have to rewrite. */
export type RewritePlace = {
  /** A Reference, another element of type uri, url, uuid or oid, or a link of a narrative. */
  readonly kind: 'reference' | 'uri' | 'narrative'
  /** FHIRPath of the element: `Observation.subject`. */
  readonly path: string
  /** `…/_history/n`, or the extension resolve-as-version-specific: the answer has to name a version. */
  readonly versionSpecific: boolean
}

/** What a target becomes, or undefined to leave it. The text comes without fragment and without `/_history/n`; a fragment is put back. */
export type RewriteTarget = (text: string, place: RewritePlace) => string | undefined

/**
 * The resource with all targets rewritten that a transaction has to rewrite: `Reference.reference`, elements of type uri, url, uuid and oid,
 * `href` and `src` of narratives; also in extensions, contained resources and Parameters. Never canonicals, never other text.
 * Gives back the very resource when nothing changes. @see https://hl7.org/fhir/R4/http.html#trules
 */
export const rewriteReferences = (resource: Resource, definitions: Definitions, rewrite: RewriteTarget): Resource =>
  inResource(resource, resource.resourceType, { definitions, rewrite }) as Resource // a copy of one

type Walk = { readonly definitions: Definitions; readonly rewrite: RewriteTarget }

const inResource = (object: object, path: string, walk: Walk): object =>
  inMembers(object, 'resourceType' in object ? String(object.resourceType) : '', path, walk)

const inMembers = (object: object, within: string, path: string, walk: Walk): object => {
  const members = walk.definitions.members(within)
  return mapped(object, (value, name) => {
    const plain = name.startsWith('_') ? name.slice(1) : name
    const member = members.get(plain)
    if (member === undefined) return value
    const inner = `${path}.${member.element.name}`
    if (!Array.isArray(value)) return inValue(value, member, inner, walk)
    return mapped(value, (item, at) => inValue(item, member, `${inner}[${at}]`, walk))
  }) as object
}

const uriTypes = new Set(['uri', 'url', 'uuid', 'oid'])

const inValue = (value: unknown, member: Member, path: string, walk: Walk): unknown => {
  const type = member.type?.code ?? ''
  if (typeof value === 'string') {
    if (uriTypes.has(type)) return target(value, { kind: 'uri', path, versionSpecific: false }, walk) ?? value
    return type === 'xhtml' ? inNarrative(value, path, walk) : value
  }
  if (typeof value !== 'object' || value === null) return value
  if (type === 'Reference') return inReference(inMembers(value, member.within, path, walk), path, walk)
  return 'resourceType' in value ? inResource(value, path, walk) : inMembers(value, member.within, path, walk)
}

const versionSpecificUrl = 'http://hl7.org/fhir/StructureDefinition/resolve-as-version-specific'

const inReference = (value: object, path: string, walk: Walk): object => {
  const { reference, extension, ...others } = value as { reference?: unknown; extension?: unknown }
  if (typeof reference !== 'string') return value
  const extensions: readonly unknown[] = Array.isArray(extension) ? extension : []
  const kept = extensions.filter(item => !isVersionSpecific(item))
  const versionSpecific = kept.length < extensions.length
  const next = target(reference, { kind: 'reference', path, versionSpecific }, walk)
  if (next === undefined || (next === reference && !versionSpecific)) return value
  if (!versionSpecific) return { ...value, reference: next }
  return { ...(kept.length > 0 && { extension: kept }), reference: next, ...others }
}

const isVersionSpecific = (extension: unknown): boolean =>
  typeof extension === 'object' && extension !== null && 'url' in extension && extension.url === versionSpecificUrl

/** Version or fragment at the end; criteria after a question mark are none of both. */
const endPattern = /^([^?#]+?)(\/_history\/[A-Za-z0-9\-.]{1,64})?(#.*)?$/s

const target = (text: string, place: RewritePlace, { rewrite }: Walk): string | undefined => {
  if (text === '' || text.startsWith('#')) return undefined
  const [, whole = text, history, fragment = ''] = endPattern.exec(text) ?? []
  const next = rewrite(whole, { ...place, versionSpecific: place.versionSpecific || history !== undefined })
  return next === undefined ? undefined : next + fragment
}

const tagPattern = /<[A-Za-z][^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>/g
const linkPattern = /(\s(?:href|src)\s*=\s*)(?:"([^"]*)"|'([^']*)')/g

const inNarrative = (div: string, path: string, walk: Walk): string =>
  div.replace(tagPattern, tag =>
    tag.replace(linkPattern, (attribute: string, start: string, double: string | undefined, single: string | undefined) => {
      const next = target(unescaped(double ?? single ?? ''), { kind: 'narrative', path, versionSpecific: false }, walk)
      return next === undefined ? attribute : `${start}"${escaped(next)}"`
    }),
  )

const unescaped = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&')
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

/** A copy with other values where `next` gives others; the very container when it gives none. */
const mapped = (container: object, next: (value: unknown, key: string) => unknown): object => {
  let changed: Record<string, unknown> | undefined
  for (const [key, value] of Object.entries(container)) {
    const other = next(value, key)
    if (other === value) continue
    changed ??= (Array.isArray(container) ? [...container] : { ...container }) as Record<string, unknown>
    changed[key] = other
  }
  return changed ?? container
}
