import type { Coding } from '@medplum/fhirtypes'
import { type AccessFilter, type AccessSubject, admitsState } from '../../base/access-filter.ts'
import type { Definitions } from '../../fhir/definitions/definitions.ts'
import { Decimal } from '../../fhir/model/decimal.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import type { View } from '../roles/role-table.ts'
import { memberNamed, type Place, type Verdict, verdictOf } from './view.ts'

/** Rows that pass `where` are seen by `view`, or whole without one. */
export type FieldRule = { readonly where: AccessFilter; readonly view?: View }

/**
 * How much of a resource is seen: in every layer (roles, scopes) at least one rule that its row passes must show an element. No layer: all
 * of it.
 */
export type FieldRules = readonly (readonly FieldRule[])[]

/** The views of one row, layer by layer; layers that show it whole are left out. A layer none of whose rules fits shows nothing. */
export type RowViews = readonly (readonly View[])[]

/** Which views hold for a row. A rule whose condition cannot be told does not fit. */
export const rowViews = (rules: FieldRules, subject: AccessSubject): RowViews =>
  rules.flatMap(layer => {
    const fitting = layer.filter(({ where }) => admitsState(where, subject))
    return fitting.some(({ view }) => view === undefined) ? [] : [fitting.flatMap(({ view }) => view ?? [])]
  })

/** A resource as it is seen, and whether anything of it is not. `hidden` has the values that are kept back, by place. */
export type Reduced = { readonly resource: Resource; readonly hidden: ReadonlyMap<string, unknown> }

const valueSystem = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue'
const subsetted: Coding = { system: valueSystem, code: 'SUBSETTED', display: 'subsetted' }
const redacted: Coding = { system: valueSystem, code: 'REDACTED', display: 'redacted' }

/**
 * The resource as those views show it, tagged SUBSETTED and labelled REDACTED when something is missing or masked, so that nobody stores it in place of the whole.
 * The very resource when nothing is hidden.
 */
export const applyFieldRules = (resource: Resource, views: RowViews, definitions: Definitions): Reduced => {
  if (views.length === 0) return { resource, hidden: new Map() }
  const hidden = new Map<string, unknown>()
  const type = resource.resourceType
  const shown = reduceObject(resource, views, { type, within: type, path: '', at: type, depth: 1, definitions, hidden })
  if (hidden.size === 0) return { resource, hidden }
  return { resource: marked({ ...shown, resourceType: type } as Resource), hidden }
}

const marked = ({ resourceType, id, meta, ...rest }: Resource): Resource => ({
  resourceType,
  ...(id !== undefined && { id }),
  meta: { ...meta, tag: withCoding(meta?.tag, subsetted), security: withCoding(meta?.security, redacted) },
  ...rest,
})

const withCoding = (codings: readonly Coding[] | undefined, coding: Coding): Coding[] => [
  ...(codings ?? []).filter(({ system, code }) => system !== coding.system || code !== coding.code),
  coding,
]

type Walk = {
  readonly type: string
  readonly within: string
  readonly path: string
  /** With places in lists, for `hidden`. */
  readonly at: string
  readonly depth: number
  readonly definitions: Definitions
  readonly hidden: Map<string, unknown>
}

type Members = Record<string, unknown>

/** The members that are shown; undefined when none is. */
const reduceObject = (object: object, views: RowViews, walk: Walk): Members | undefined => {
  const kept: Members = {}
  for (const [name, value] of Object.entries(object)) {
    const member = memberNamed(walk.definitions, walk.within, name)
    const element = member?.element.name ?? name
    const place: Place = { type: walk.type, path: walk.path === '' ? element : `${walk.path}.${element}`, depth: walk.depth, name, member }
    const at = `${walk.at}.${name}`
    const shown = reduceAt(value, place, views, { ...walk, within: member?.within ?? '', path: place.path, at })
    if (shown !== undefined) kept[name] = shown
  }
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** A member by what the views say of it, then each of its items by what they say of that. */
const reduceAt = (value: unknown, place: Place, views: RowViews, walk: Walk): unknown => {
  const { verdict, left } = judge(views, place)
  if (verdict === 'show') return value
  if (verdict === 'hide') return keptBack(value, walk)
  if (!Array.isArray(value)) return verdict === 'mask' ? masked(value, walk) : reduceInside(value, left, walk)
  const items = value.flatMap((item, index): readonly unknown[] => {
    const inItem = { ...walk, at: `${walk.at}[${index}]` }
    const shown = verdict === 'mask' ? masked(item, inItem) : reduceItem(item, { ...place, item }, left, inItem)
    return shown === undefined ? [] : [shown]
  })
  return items.length === 0 ? undefined : items
}

const reduceItem = (item: unknown, place: Place, views: RowViews, walk: Walk): unknown => {
  const { verdict, left } = judge(views, place)
  if (verdict === 'show') return item
  if (verdict === 'hide') return keptBack(item, walk)
  return verdict === 'mask' ? masked(item, walk) : reduceInside(item, left, walk)
}

const reduceInside = (value: unknown, views: RowViews, walk: Walk): unknown =>
  typeof value === 'object' && value !== null && !(value instanceof Decimal)
    ? reduceObject(value, views, { ...walk, depth: walk.depth + 1 })
    : keptBack(value, walk)

const keptBack = (value: unknown, { hidden, at }: Walk): undefined => {
  hidden.set(at, value)
  return undefined
}

type Judgement = { readonly verdict: Verdict; readonly left: RowViews }

/** The best that a layer has for the place; the worst of the layers. `left`: those who look inside. */
const judge = (views: RowViews, place: Place): Judgement => {
  const left: (readonly View[])[] = []
  let mask = false
  for (const layer of views) {
    const verdicts = layer.map(view => verdictOf(view, place))
    if (verdicts.includes('show')) continue
    const inside = layer.filter((_, index) => verdicts[index] === 'inside')
    if (inside.length > 0) left.push(inside)
    else if (verdicts.includes('mask')) mask = true
    else return { verdict: 'hide', left: [] }
  }
  // Masked by one layer and opened in part by another: neither says what to show of both.
  if (mask && left.length > 0) return { verdict: 'hide', left: [] }
  return { verdict: mask ? 'mask' : left.length > 0 ? 'inside' : 'show', left }
}

const typeSystem = 'http://terminology.hl7.org/CodeSystem/v2-0203'
const charactersShown = 4

/** An Identifier by its type, system and last characters; the medical record number whole. Nothing else can be masked. */
const masked = (identifier: unknown, walk: Walk): unknown => {
  if (typeof identifier !== 'object' || identifier === null) return keptBack(identifier, walk)
  const { type, system, use, value } = identifier as Members
  if (isRecordNumber(type)) return identifier
  walk.hidden.set(walk.at, identifier)
  if (typeof value !== 'string') return undefined
  const codings = codingsOf(type)
  return {
    ...(use !== undefined && { use }),
    ...(codings.length > 0 && { type: { coding: codings } }),
    ...(system !== undefined && { system }),
    value: lastCharacters(value),
  }
}

/** At most half of a short value. */
const lastCharacters = (value: string): string => {
  const characters = [...value]
  const count = Math.min(charactersShown, Math.floor(characters.length / 2))
  return '*'.repeat(characters.length - count) + characters.slice(characters.length - count).join('')
}

const isRecordNumber = (type: unknown): boolean => codingsOf(type).some(({ system, code }) => system === typeSystem && code === 'MR')

const codingsOf = (type: unknown): readonly Coding[] =>
  typeof type === 'object' && type !== null && 'coding' in type && Array.isArray(type.coding) ? type.coding : []
