import type { Resource } from '../../fhir/model/resource.ts'
import { beginOf, dayMs, during, endOf, greatest, least, type Span, span, spanOf } from './instants.ts'
import { practitionerOf } from './people.ts'
import { recordsOf, listOf } from './references.ts'
import type { Written } from './written.ts'

/** Someone or some place, and while when. */
export type Served = Span & { readonly of: string }

/** Practitioners who treat the patients of a resource, by what it says of itself. @see auth.md 4.1, C */
export const careOf = (resource: Resource, written: Written): readonly Served[] => carers[resource.resourceType]?.(resource, written) ?? []

type Carers = (resource: Resource, written: Written) => readonly Served[]

/** An Encounter that is open, and one that ended, for so long. */
const afterEncounterMs = 30 * dayMs
const beforeAppointmentMs = 7 * dayMs
const afterAppointmentMs = dayMs

const named = (references: readonly unknown[], while_: Span | undefined, resource: Resource, written: Written): readonly Served[] =>
  while_ === undefined
    ? []
    : references.flatMap(reference => {
        const of = practitionerOf(reference, resource, written)
        return of === undefined ? [] : [{ of, ...while_ }]
      })

const encounter: Carers = (resource, written) =>
  named(
    recordsOf(resource.participant).map(({ individual }) => individual),
    encounterSpan(resource, written),
    resource,
    written,
  )

const openEncounters: ReadonlySet<unknown> = new Set(['planned', 'arrived', 'triaged', 'in-progress', 'onleave'])

/** One that is over, and does not say when, ended nobody knows how long ago. */
const encounterSpan = ({ status, period }: Resource, written: Written): Span | undefined => {
  if (status === 'cancelled') return undefined
  const end = recordsOf(period)[0]?.end
  if (end === undefined) return openEncounters.has(status) ? {} : undefined
  const until = endOf(end, written)
  return until === undefined ? undefined : { until: until + afterEncounterMs }
}

const careTeam: Carers = (resource, written) => {
  const whole = resource.status === 'active' ? spanOf(resource.period, written) : undefined
  if (whole === undefined) return []
  return recordsOf(resource.participant).flatMap(({ member, period }) => {
    const own = spanOf(period, written)
    return named([member], own && during(whole, own), resource, written)
  })
}

const appointment: Carers = (resource, written) => {
  const actors = recordsOf(resource.participant).filter(({ status }) => status !== 'declined')
  return named(
    actors.map(({ actor }) => actor),
    appointmentSpan(resource, written),
    resource,
    written,
  )
}

/** Until there is a time, the times that were asked for count. */
const appointmentSpan = (resource: Resource, written: Written): Span | undefined => {
  if (resource.status === 'cancelled') return undefined
  const times = resource.start === undefined ? recordsOf(resource.requestedPeriod) : [resource]
  const first = least(times.map(({ start }) => beginOf(start, written)))
  const last = greatest(times.flatMap(({ start, end }) => [endOf(start, written), endOf(end, written)]))
  return first === undefined || last === undefined ? undefined : span(first - beforeAppointmentMs, last + afterAppointmentMs)
}

/** Open orders, and the elements that say who asked and who does it. */
const order =
  (open: readonly string[], ...elements: readonly string[]): Carers =>
  (resource, written) =>
    typeof resource.status === 'string' && open.includes(resource.status)
      ? named(
          elements.flatMap(name => listOf(resource[name])),
          {},
          resource,
          written,
        )
      : []

const requested = ['active', 'on-hold'] as const
const tasks = ['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold'] as const

const carers: Readonly<Record<string, Carers>> = {
  Encounter: encounter,
  CareTeam: careTeam,
  Appointment: appointment,
  Patient: (resource, written) => named(listOf(resource.generalPractitioner), {}, resource, written),
  ServiceRequest: order(requested, 'requester', 'performer'),
  MedicationRequest: order(requested, 'requester', 'performer'),
  DeviceRequest: order(requested, 'requester', 'performer'),
  NutritionOrder: order(requested, 'orderer'),
  SupplyRequest: order(requested, 'requester'),
  VisionPrescription: order(['active'], 'prescriber'),
  CommunicationRequest: order(requested, 'requester'),
  Task: order(tasks, 'requester', 'owner'),
}
