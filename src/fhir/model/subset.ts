import type { Coding } from '@medplum/fhirtypes'
import type { Definitions, Element, Member } from '../definitions/definitions.ts'
import { Decimal } from './decimal.ts'
import type { Resource } from './resource.ts'

export type Subset = { readonly summary?: 'true' | 'text' | 'data'; readonly elements?: readonly string[] }

/** Marks a partial copy, so that nobody stores it over the whole. @see https://terminology.hl7.org/CodeSystem/v3-ObservationValue */
const subsetted: Coding = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' }

/**
 * The resource with fewer elements, tagged SUBSETTED. id, meta, mandatory and modifier elements are always there, else the rest could not be
 * understood. `true` goes by the summary flags of R4, down into data types and into the resources of a Bundle; `text` leaves the narrative,
 * `data` all but it, `elements` the top-level elements named (`value`, or `valueQuantity`).
 * @see https://hl7.org/fhir/R4/search.html#summary
 */
export const subset = (resource: Resource, definitions: Definitions, { summary, elements }: Subset): Resource => {
  if (summary === 'true') return markedSubsetted(summaryOf(resource, definitions))
  if (summary === 'data') return markedSubsetted(pick(resource, definitions, name => name !== 'text'))
  const named = new Set(summary === 'text' ? ['text'] : elements)
  return markedSubsetted(
    pick(resource, definitions, (name, { element }) => isNeeded(element) || named.has(element.name) || named.has(name)),
  )
}

const isNeeded = (element: Element): boolean => element.min > 0 || element.modifier

/** Not elements of the model's making, but what tells one resource from another. */
const alwaysKept = new Set(['resourceType', 'id', 'meta'])

type Keeps = (name: string, member: Member) => boolean

/** The members of the resource that `keeps` wants; what the model does not know is left out. */
const pick = (resource: Resource, definitions: Definitions, keeps: Keeps): Resource => {
  const members = definitions.members(resource.resourceType)
  const kept = Object.entries(resource).filter(([name]) => {
    if (alwaysKept.has(name)) return true
    const member = memberNamed(name, members)
    return member !== undefined && keeps(withoutMark(name), member)
  })
  return Object.fromEntries(kept) as Resource // resourceType is among them
}

/** `_birthDate` carries id and extensions of `birthDate`: both go together. */
const withoutMark = (name: string): string => (name.startsWith('_') ? name.slice(1) : name)
const memberNamed = (name: string, members: ReadonlyMap<string, Member>): Member | undefined => members.get(withoutMark(name))

const summaryOf = (resource: Resource, definitions: Definitions): Resource => {
  const { resourceType, id, meta } = resource
  const own = { resourceType, ...(id !== undefined && { id }), ...(meta && { meta }) }
  return { ...summaryWithin(resource, resourceType, definitions), ...own }
}

/** The summary elements of an object whose members are those of `within`. */
const summaryWithin = (object: object, within: string, definitions: Definitions): Record<string, unknown> => {
  const members = definitions.members(within)
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) {
    const member = memberNamed(name, members)
    if (member && (member.element.summary || isNeeded(member.element))) kept[name] = summaryOfValue(value, name, member, definitions)
  }
  return kept
}

const summaryOfValue = (value: unknown, name: string, member: Member, definitions: Definitions): unknown => {
  if (Array.isArray(value)) return value.map(item => summaryOfValue(item, name, member, definitions))
  if (typeof value !== 'object' || value === null || value instanceof Decimal || name.startsWith('_')) return value
  if (isResource(value)) return subset(value, definitions, { summary: 'true' })
  const reduced = summaryWithin(value, member.within, definitions)
  // An element of which no part is in the summary (an extension alone, say) comes whole: FHIR knows no empty objects.
  return Object.keys(reduced).length === 0 ? value : reduced
}

const isResource = (value: object): value is Resource => 'resourceType' in value && typeof value.resourceType === 'string'

/** The resource with the tag SUBSETTED, once. */
export const markedSubsetted = ({ resourceType, id, meta, ...rest }: Resource): Resource => {
  const others = (meta?.tag ?? []).filter(({ system, code }) => system !== subsetted.system || code !== subsetted.code)
  return { resourceType, ...(id !== undefined && { id }), meta: { ...meta, tag: [...others, subsetted] }, ...rest }
}
