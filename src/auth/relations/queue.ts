import type { Resource } from '../../fhir/model/resource.ts'
import type { Served } from './care.ts'
import { dayMs, endOf, greatest, type Span } from './instants.ts'
import { organizationOf } from './people.ts'
import { instanceOf, listOf, recordsOf } from './references.ts'
import type { Written } from './written.ts'

/**
 * Units with open work for the patients of a resource: by id where an Organization is addressed, else as `Location/1` or `HealthcareService/1`; where nobody
 * is, by what kind of work it is: `laboratory@1`, at organization 1, or `laboratory@` where nothing says at which.
 * @see auth.md 4.1, Q
 */
export const queuesOf = (resource: Resource, written: Written): readonly Served[] => {
  const work = works[resource.resourceType]
  const whether = work && stateOf(resource, work)
  if (work === undefined || whether === undefined) return []
  const units = work.addressed(resource).flatMap(unitOf)
  const addressed = units.length > 0 ? units : kindsOf(resource, work, written)
  return addressed.flatMap(of => {
    const while_ = whether === 'open' ? {} : completedSpan(resource, of, written)
    return while_ === undefined ? [] : [{ of, ...while_ }]
  })
}

type Kind = 'laboratory' | 'imaging' | 'pharmacy'

/** Which kinds of work a role has. What is addressed to no unit waits for whoever does such work. */
export const kindsOfRoles: Readonly<Record<string, Kind>> = { lab: 'laboratory', radiology: 'imaging', pharmacist: 'pharmacy' }

type Work = {
  readonly open: readonly string[]
  readonly completed: readonly string[]
  readonly addressed: (resource: Resource) => readonly unknown[]
  readonly kinds: (resource: Resource) => readonly Kind[]
}

const works: Readonly<Record<string, Work>> = {
  ServiceRequest: {
    open: ['active', 'on-hold'],
    completed: ['completed'],
    addressed: ({ performer, locationReference }) => [...listOf(performer), ...listOf(locationReference)],
    kinds: ({ category }) => categoriesOf(category),
  },
  MedicationRequest: {
    open: ['active', 'on-hold'],
    completed: ['completed'],
    addressed: ({ performer, dispenseRequest }) => [performer, ...recordsOf(dispenseRequest).map(one => one.performer)],
    kinds: () => ['pharmacy'],
  },
  Task: {
    open: ['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold'],
    completed: ['completed', 'failed'],
    addressed: ({ owner, location }) => [owner, location],
    kinds: () => [],
  },
  Specimen: {
    open: ['available'],
    completed: ['unavailable', 'unsatisfactory'],
    addressed: () => [],
    kinds: () => ['laboratory'],
  },
}

const stateOf = ({ status }: Resource, { open, completed }: Work): 'open' | 'completed' | undefined => {
  if (typeof status !== 'string') return undefined
  if (open.includes(status)) return 'open'
  return completed.includes(status) ? 'completed' : undefined
}

const units: ReadonlySet<string> = new Set(['Location', 'HealthcareService'])

const unitOf = (reference: unknown): readonly string[] => {
  const key = instanceOf(reference)
  if (key?.type === 'Organization') return [key.id]
  return key !== undefined && units.has(key.type) ? [`${key.type}/${key.id}`] : []
}

const kindsOf = (resource: Resource, work: Work, written: Written): readonly string[] => {
  const kinds = work.kinds(resource)
  if (kinds.length === 0) return []
  const facility = organizationOf(resource.encounter, resource, written) ?? ''
  return kinds.map(kind => `${kind}@${facility}`)
}

/** `system|code` of categories. */
const kindOfCategory: Readonly<Record<string, Kind>> = {
  'http://snomed.info/sct|108252007': 'laboratory',
  'http://terminology.hl7.org/CodeSystem/observation-category|laboratory': 'laboratory',
  'http://terminology.hl7.org/CodeSystem/v2-0074|LAB': 'laboratory',
  'http://snomed.info/sct|363679005': 'imaging',
  'http://terminology.hl7.org/CodeSystem/observation-category|imaging': 'imaging',
  'http://terminology.hl7.org/CodeSystem/v2-0074|RAD': 'imaging',
}

const categoriesOf = (category: unknown): readonly Kind[] => {
  const codings = recordsOf(category).flatMap(({ coding }) => recordsOf(coding))
  const kinds = codings.flatMap(({ system, code }) => kindOfCategory[`${system}|${code}`] ?? [])
  return [...new Set(kinds)]
}

const afterCompletionMs = 14 * dayMs

/**
 * R4 orders do not say when they were completed. It is now when the version before was open; what comes in completed was so by the last time that it
 * tells.
 */
const completedSpan = (resource: Resource, of: string, written: Written): Span | undefined => {
  const earlier = written.before?.find(row => row.from === 'queue' && row.of === of)
  if (earlier?.until !== undefined) return { until: earlier.until }
  const at = earlier === undefined ? lastTimeOf(resource, written) : written.now
  return at === undefined ? undefined : { until: at + afterCompletionMs }
}

const lastTimeOf = (resource: Resource, written: Written): number | undefined => {
  const periods = [...recordsOf(resource.occurrencePeriod), ...recordsOf(resource.executionPeriod)]
  const times = [
    ...periods.map(({ end }) => end),
    resource.occurrenceDateTime,
    resource.lastModified,
    resource.receivedTime,
    resource.authoredOn,
  ]
  return greatest(times.map(time => endOf(time, written)))
}
