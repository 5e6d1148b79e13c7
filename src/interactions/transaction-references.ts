import { type Failure, fail } from '../base/outcome.ts'
import { eachReferencePlace, pathOf } from '../fhir/model/reference-places.ts'
import { type ParsedReference, parseReference } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { inEntry } from './bundle-entries.ts'
import type { Parts } from './parts.ts'
import type { Slot } from './transaction-slots.ts'
import type { Targets } from './transaction-targets.ts'

/**
 * Phase 4 of a transaction: what points to entries by their fullUrl comes to point to the instances they write. One walk over every
 * resource, in place; `undo` puts back what was there, for an attempt that lost its race.
 * @see https://hl7.org/fhir/R4/http.html#trules
 */

type Holder = Record<string | number, unknown>

/** A place whose new text is not known yet. */
export type Pending = { readonly slot: Slot; readonly holder: Holder; readonly member: string | number }
export type PendingConditional = Pending & { readonly type: string; readonly criteria: string }
/** To point to the version that this transaction writes or keeps; an instance outside it to its current version. */
export type PendingVersion = Pending & { readonly to: Slot | { readonly type: string; readonly id: string }; readonly suffix: string }

export type Rewriting = {
  readonly conditional: readonly PendingConditional[]
  readonly versioned: readonly PendingVersion[]
  readonly failures: readonly Failure[]
  readonly changes: Changes
}

/** Remembers what stood where it writes. */
export class Changes {
  readonly #before: (readonly [Holder, string | number, unknown])[] = []

  set(holder: Holder, member: string | number, value: unknown): void {
    this.#before.push([holder, member, holder[member]])
    if (value === undefined) delete holder[member]
    else holder[member] = value
  }

  undo(): void {
    for (let last = this.#before.pop(); last !== undefined; last = this.#before.pop()) {
      const [holder, member, value] = last
      holder[member] = value
    }
  }
}

/** The resource of a slot that references stand in: of a create or update, and the Parameters of a FHIRPath Patch. */
export const rewrittenResource = ({ task }: Slot): Resource | undefined => {
  if (task.do === 'create' || task.do === 'update') return task.resource
  return task.do === 'patch' && task.document.kind === 'fhirpath-patch' ? (task.document.value as Resource) : undefined // Parameters
}

/** `Type/id` of what an entry writes or found. */
export const identityOf = (slot: Slot, targets: Targets): { readonly type: string; readonly id: string } | undefined => {
  const target = targets.get(slot)
  if (target?.do === 'share') return identityOf(target.with, targets)
  if (target?.do === 'match') return target.version
  return target?.do === 'write' && 'type' in slot.task ? { type: slot.task.type, id: target.id } : undefined
}

const versionSpecific = 'http://hl7.org/fhir/StructureDefinition/resolve-as-version-specific'
const restful = /^(https?:\/\/.+\/)[A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/
const link = /(\b(?:href|src)\s*=\s*)(?:"([^"]*)"|'([^']*)')/g

/** What a text that names an entry has become: the instance, and what followed its address. */
type Resolved = { readonly slot: Slot; readonly local: string; readonly version: boolean; readonly suffix: string }

export const rewriteReferences = (slots: readonly Slot[], targets: Targets, parts: Parts): Rewriting => {
  const changes = new Changes()
  const conditional: PendingConditional[] = []
  const versioned: PendingVersion[] = []
  const failures: Failure[] = []

  const entries = new Map<string, readonly [Slot, string]>()
  for (const slot of slots) {
    const identity = identityOf(slot, targets)
    const { fullUrl } = slot.entry
    if (identity !== undefined && fullUrl !== undefined) entries.set(fullUrl, [slot, `${identity.type}/${identity.id}`])
  }

  const resolve = (text: string, root: string | undefined): Resolved | undefined => {
    const direct = entries.get(text)
    if (direct !== undefined) return { slot: direct[0], local: direct[1], version: false, suffix: '' }
    const hash = text.indexOf('#')
    const history = text.indexOf('/_history/')
    if (hash > 0) {
      const found = resolve(text.slice(0, hash), root)
      return found && { ...found, suffix: text.slice(hash) }
    }
    if (history > 0) {
      const found = resolve(text.slice(0, history), root)
      return found && { ...found, version: true }
    }
    return root !== undefined && /^[A-Z]/.test(text) ? resolve(root + text, undefined) : undefined
  }

  const rewrite = (slot: Slot, resource: Resource): void => {
    const root = restful.exec(slot.entry.fullUrl ?? '')?.[1]
    const write = (found: Resolved, holder: Holder, member: string | number): void => {
      changes.set(holder, member, found.local + found.suffix)
      if (found.version) versioned.push({ slot, holder, member, to: found.slot, suffix: found.suffix })
    }
    eachReferencePlace(resource, parts.definitions, (place, text, holder, member) => {
      if (place === 'narrative') {
        const next = text.includes('href') || text.includes('src') ? withLinks(text, root) : text
        if (next !== text) changes.set(holder, member, next)
        return
      }
      const found = resolve(text, root)
      if (place === 'uri') {
        if (found !== undefined) write(found, holder, member)
        return
      }
      const asVersion = asksForVersion(holder, changes)
      if (found !== undefined) return write(asVersion ? { ...found, version: true } : found, holder, member)
      const parsed = parseReference(text, parts.settings.base)
      if (parsed.kind === 'urn' && /^urn:(?:uuid|oid):/.test(text)) {
        failures.push(inEntry(fail('unresolved-reference', {}, { expression: [pathOf(resource, holder, member)] }).failure, slot.entry))
      } else outside(parsed, { slot, holder, member }, text, asVersion)
    })
  }

  /** References that name no entry: conditional ones wait for their match, our own become relative, others are kept. */
  const outside = (parsed: ParsedReference, at: Pending, text: string, asVersion: boolean): void => {
    if (parsed.kind === 'conditional' && parts.definitions.isResourceType(parsed.type))
      conditional.push({ ...at, type: parsed.type, criteria: parsed.criteria })
    if (parsed.kind !== 'local') return
    const { type, id, versionId } = parsed
    const relative = `${type}/${id}${versionId === undefined ? '' : `/_history/${versionId}`}`
    if (relative !== text) changes.set(at.holder, at.member, relative)
    if (asVersion && versionId === undefined) versioned.push({ ...at, to: { type, id }, suffix: '' })
  }

  const withLinks = (text: string, root: string | undefined): string =>
    text.replace(link, (whole, before: string, double?: string, single?: string) => {
      const found = resolve(double ?? single ?? '', root)
      return found === undefined ? whole : `${before}"${found.local}${found.suffix}"`
    })

  for (const slot of slots) {
    const resource = targets.get(slot)?.do === 'write' ? rewrittenResource(slot) : undefined
    if (resource !== undefined) rewrite(slot, resource)
  }
  return { conditional, versioned, failures, changes }
}

/** Whether the Reference carries `resolve-as-version-specific`; the extension has then done its work and goes. */
const asksForVersion = (holder: Holder, changes: Changes): boolean => {
  const { extension } = holder
  if (!Array.isArray(extension)) return false
  const others = extension.filter(one => one?.url !== versionSpecific)
  if (others.length === extension.length) return false
  const asked = extension.some(one => one?.url === versionSpecific && one.valueBoolean === true)
  changes.set(holder, 'extension', others.length === 0 ? undefined : others)
  return asked
}
