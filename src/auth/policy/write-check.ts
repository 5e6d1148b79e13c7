import { type AccessFilter, type AccessSubject, admitsState } from '../../base/access-filter.ts'
import type { Definitions } from '../../fhir/definitions/definitions.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import { sameContent } from '../../fhir/model/same-content.ts'
import { labelsOf, lowersLabels } from '../labels/labels.ts'
import { applyFieldRules, type FieldRules, rowViews } from './field-rules.ts'
import { memberNamed } from './view.ts'

/** One grant by which a write can be allowed. */
export type WriteAlternative = {
  readonly name: string
  /** The stored state passes. */
  readonly before: AccessFilter
  /** The new state passes. */
  readonly after: AccessFilter
  /** Only these elements change. */
  readonly elements?: readonly string[]
  /** These elements are not brought, and not changed. */
  readonly without: readonly string[]
  /** The write makes a patient known to a facility and is recorded as that. */
  readonly firstLink?: true
}

/** What a create or update must satisfy beside the filter that its stored state passed. */
export type WriteCheck = {
  readonly alternatives: readonly WriteAlternative[]
  /** Scopes, labels and consent, of the new state too. */
  readonly after: AccessFilter
  /** Whether labels may be lowered. */
  readonly lowers: boolean
  /** Whether an update may create: only who reaches every instance of the type, for others a hidden id and a free one are alike. */
  readonly createsById: boolean
}

/** A resource as it is or shall be (after the rules for meta), and what filters ask of it. Relations and consents have been looked up (`lookupsOf`). */
export type WrittenState = { readonly resource: Resource; readonly subject: AccessSubject }

export type WriteVerdict =
  | { readonly ok: true; readonly rule: string; readonly firstLink: boolean }
  | { readonly ok: false; readonly rule: 'state' | 'elements' | 'hidden' | 'labels' | 'beside' }

/**
 * Whether the new state may be stored: by one grant that reaches both states and the elements that changed, with nothing changed that the caller
 * does not see. Of a new resource, and of one whose patients change, every patient on either side must be the caller's to write.
 * In doubt not.
 */
export const checkWrite = (
  check: WriteCheck,
  states: { readonly before?: WrittenState; readonly after: WrittenState },
  fields: FieldRules,
  definitions: Definitions,
): WriteVerdict => {
  const { before, after } = states
  const moved = before === undefined || !samePatients(before.subject, after.subject)
  if (!passes(check.after, after.subject, moved)) return { ok: false, rule: 'beside' }
  const fitting = check.alternatives.filter(
    one => passes(one.after, after.subject, moved) && (before === undefined || passes(one.before, before.subject, moved)),
  )
  if (fitting.length === 0) return { ok: false, rule: 'state' }
  const changed = changedElements(before?.resource, after.resource, definitions)
  const allowed = fitting.filter(one => mayChange(one, changed, before !== undefined))
  if (allowed.length === 0) return { ok: false, rule: 'elements' }
  if (before && !check.lowers && lowersLabels(labelsOf(before.resource), labelsOf(after.resource))) return { ok: false, rule: 'labels' }
  if (before && !keepsHidden(before, after, fields, definitions)) return { ok: false, rule: 'hidden' }
  const best = allowed.find(({ firstLink }) => firstLink !== true) ?? allowed[0]
  return { ok: true, rule: best?.name ?? '', firstLink: best?.firstLink === true }
}

const samePatients = ({ patients: a }: AccessSubject, { patients: b }: AccessSubject): boolean =>
  a !== undefined && b !== undefined && a.length === b.length && a.every(patient => b.includes(patient))

/** When patients come or go, a filter that one of several patients would pass is asked for each of them alone. */
const passes = (filter: AccessFilter, subject: AccessSubject, moved: boolean): boolean => {
  const patients = subject.patients ?? []
  if (!admitsState(filter, subject)) return false
  return !moved || patients.length < 2 || patients.every(patient => admitsState(filter, { ...subject, patients: [patient] }))
}

const mayChange = ({ elements, without }: WriteAlternative, changed: ReadonlySet<string>, isUpdate: boolean): boolean =>
  without.every(element => !changed.has(element)) &&
  (!isUpdate || elements === undefined || [...changed].every(element => elements.includes(element)))

/**
 * Names of the top elements that differ; all that a new resource has. What the server itself writes into meta does not count.
 */
export const changedElements = (before: Resource | undefined, after: Resource, definitions: Definitions): ReadonlySet<string> => {
  const changed = new Set<string>()
  for (const name of new Set([...Object.keys(before ?? {}), ...Object.keys(after)])) {
    if (name === 'resourceType' || name === 'id') continue
    if (!isSame(name, before?.[name], after[name])) changed.add(memberNamed(definitions, after.resourceType, name)?.element.name ?? name)
  }
  return changed
}

const isSame = (name: string, a: unknown, b: unknown): boolean => {
  if (name === 'meta') return sameContent(holding({ meta: a }), holding({ meta: b }))
  return sameContent(holding(a === undefined ? {} : { value: a }), holding(b === undefined ? {} : { value: b }))
}

/** Clothes for what resources are compared by. An absent meta is an empty one. */
const holding = ({ meta, ...rest }: { readonly meta?: unknown; readonly value?: unknown }): Resource =>
  ({ resourceType: '', ...(meta !== undefined && { meta }), ...rest }) as Resource // meta as it was parsed

/** Nobody who sees in part overwrites what he cannot see. Who may write and not read at all replaces by that right, and learns nothing by it. */
const keepsHidden = (before: WrittenState, after: WrittenState, fields: FieldRules, definitions: Definitions): boolean => {
  const views = rowViews(fields, before.subject).filter(layer => layer.length > 0)
  if (views.length === 0) return true
  const [had, has] = [before, after].map(({ resource }) => applyFieldRules(resource, views, definitions).hidden)
  return (
    had !== undefined &&
    has !== undefined &&
    had.size === has.size &&
    [...had].every(([at, value]) => has.has(at) && isSame('', value, has.get(at)))
  )
}
