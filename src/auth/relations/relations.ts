import type { RelationKind } from '../../base/access-filter.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import type { Key, Relation } from '../../storage/port.ts'
import { consentRelations } from '../consent/consent-relations.ts'
import { careOf, type Served } from './care.ts'
import { facilitiesOf } from './facility.ts'
import { spanOf } from './instants.ts'
import { queuesOf } from './queue.ts'
import { instanceOf, listOf, recordsOf } from './references.ts'
import type { Written } from './written.ts'

/** What the store takes of one version. A Group with more members reaches the first of them. */
const rowsMax = 10_000

/**
 * Who reaches the record of whom, by what this state says of itself; `patients` are the ids of those it is about. Pure: times become `since` and
 * `until`, and what was over before `written.now` gives no row, so that old history costs nothing. What is entered in error says nothing.
 * `of` is an id: of a Practitioner, an Organization, a Group; other units and kinds of work are named by `queue.ts`.
 * @see auth.md 4.1
 */
export const relationsOf = (resource: Resource, id: string, patients: readonly string[], written: Written = {}): readonly Relation[] => {
  if (!speaking.has(resource.resourceType) || isError(resource)) return []
  if (resource.resourceType === 'Group') return bounded(membersOf(resource, id, written), written)
  if (resource.resourceType === 'Consent') return bounded(consentRelations(resource, written), written)
  if (patients.length === 0) return []
  const rows: Relation[] = []
  const add = (from: RelationKind, served: readonly Served[]): void => {
    for (const one of served) for (const patient of patients) rows.push({ from, ...one, patient })
  }
  add('care', careOf(resource, written))
  add(
    'facility',
    facilitiesOf(resource, written).map(of => ({ of })),
  )
  add('queue', queuesOf(resource, written))
  return bounded(rows, written)
}

/** Types that say something of relations at all. */
const speaking: ReadonlySet<string> = new Set([
  'Patient',
  'Encounter',
  'EpisodeOfCare',
  'Appointment',
  'CareTeam',
  'ServiceRequest',
  'MedicationRequest',
  'DeviceRequest',
  'NutritionOrder',
  'SupplyRequest',
  'VisionPrescription',
  'CommunicationRequest',
  'Task',
  'Specimen',
  'Group',
  'Consent',
])

/** Whether versions of the type can have rows: what was said before is worth a question then. */
export const speaksOfRelations = (type: string): boolean => speaking.has(type)

const isError = ({ status }: Resource): boolean => status === 'entered-in-error'

const membersOf = (resource: Resource, id: string, written: Written): readonly Relation[] => {
  if (resource.active === false || resource.actual === false) return []
  return recordsOf(resource.member).flatMap(({ entity, inactive, period }): readonly Relation[] => {
    const member = instanceOf(entity)
    const while_ = spanOf(period, written)
    if (inactive === true || member?.type !== 'Patient' || while_ === undefined) return []
    return [{ from: 'group', of: id, patient: member.id, ...while_ }]
  })
}

/** Each once, none that is over, those of one's own making marked. */
const bounded = (rows: readonly Relation[], written: Written): readonly Relation[] => {
  const { now = Number.NEGATIVE_INFINITY } = written
  const found = new Map<string, Relation>()
  for (const row of rows) {
    if (row.until !== undefined && row.until <= now) continue
    if (found.size === rowsMax) break
    const key = `${row.from} ${row.of} ${row.patient} ${row.since} ${row.until}`
    if (!found.has(key)) found.set(key, row.from === 'care' && isSelf(row, written) ? { ...row, self: true } : row)
  }
  return [...found.values()]
}

/** Who wrote himself in stays so when others write later, and who was written in by others is not undone by writing himself. */
const isSelf = ({ of, patient }: Relation, { by, before = [] }: Written): boolean => {
  const earlier = before.filter(row => row.from === 'care' && row.of === of && row.patient === patient)
  return earlier.length > 0 ? earlier.every(({ self }) => self === true) : by === `Practitioner/${of}`
}

const resolvable: ReadonlySet<string> = new Set(['PractitionerRole', 'Location', 'HealthcareService', 'Encounter'])
const namedMax = 50

/** Instances whose content tells more of the relations of this one: look them up and give them as `Written.resolve`. At most 50. */
export const namedForRelations = (resource: Resource): readonly Key[] => {
  const { resourceType } = resource
  if (!speaking.has(resourceType) || resourceType === 'Group' || resourceType === 'Consent' || isError(resource)) return []
  const found = new Map<string, Key>()
  for (const reference of referencesIn(resource)) {
    const key = instanceOf(reference)
    if (key === undefined || !resolvable.has(key.type) || found.size === namedMax) continue
    // Only the kind of work is at the place of an encounter; other orders do not ask for it.
    if (key.type === 'Encounter' && resourceType !== 'ServiceRequest' && resourceType !== 'MedicationRequest') continue
    if ((key.type === 'Location' || key.type === 'HealthcareService') && resourceType !== 'Appointment') continue
    found.set(`${key.type}/${key.id}`, key)
  }
  return [...found.values()]
}

const elements = ['requester', 'performer', 'owner', 'orderer', 'prescriber', 'encounter', 'generalPractitioner'] as const

const referencesIn = (resource: Resource): readonly unknown[] => [
  ...elements.flatMap(name => listOf(resource[name])),
  ...recordsOf(resource.participant).flatMap(({ individual, member, actor }) => [individual, member, actor]),
]
