import type { Resource } from '../../fhir/model/resource.ts'
import type { Key } from '../../storage/port.ts'
import { instanceOf, listOf, recordsOf } from './references.ts'
import type { Written } from './written.ts'

/**
 * Whom a resource is about where no search parameter says so: resources that carry others, and resources that speak of others.
 * @see auth.md 5.2
 */

/** Elements that say *this is about the patient*, whatever the type. */
const aboutElements = ['subject', 'patient', 'beneficiary', 'individual', 'candidate', 'for'] as const

/** Ids of Patients that a resource is about by its own elements; of what it carries too. The depth is bounded by that of a body. */
const patientsIn = (resource: Resource): readonly string[] => {
  if (resource.resourceType === 'Patient') return typeof resource.id === 'string' ? [resource.id] : []
  const own = [
    ...aboutElements.flatMap(name => listOf(resource[name])),
    ...(resource.resourceType.startsWith('Appointment')
      ? [resource.actor, ...recordsOf(resource.participant).map(({ actor }) => actor)]
      : []),
    ...(spokenOf[resource.resourceType]?.(resource) ?? []),
  ]
  return [...own.flatMap(reference => patientOf(reference)), ...carriedBy(resource).flatMap(patientsIn)]
}

const patientOf = (reference: unknown): readonly string[] => {
  const key = instanceOf(reference)
  return key?.type === 'Patient' ? [key.id] : []
}

const carriedBy = ({ resourceType, entry, parameter }: Resource): readonly Resource[] => {
  if (resourceType === 'Bundle') return recordsOf(entry).flatMap(({ resource }) => asResource(resource))
  if (resourceType !== 'Parameters') return []
  return recordsOf(parameter).flatMap(one => [...asResource(one.resource), ...asResource({ resourceType, parameter: one.part })])
}

const asResource = (value: unknown): readonly Resource[] => {
  const [record] = recordsOf(value)
  return record !== undefined && typeof record.resourceType === 'string' ? [record as Resource] : []
}

/** References of resources that speak of others: patients themselves, or what is about them. */
const spokenOf: Readonly<Record<string, (resource: Resource) => readonly unknown[]>> = {
  Binary: ({ securityContext }) => [securityContext],
  EnrollmentResponse: ({ request }) => [request],
  Group: ({ member }) => recordsOf(member).map(({ entity }) => entity),
  Linkage: ({ item }) => recordsOf(item).map(({ resource }) => resource),
  MessageHeader: ({ focus }) => listOf(focus),
  PaymentNotice: ({ request, response }) => [request, response],
  PaymentReconciliation: ({ request, detail }) => [request, ...recordsOf(detail).flatMap(one => [one.request, one.response])],
  Provenance: ({ target, entity }) => [...listOf(target), ...recordsOf(entity).map(({ what }) => what)],
  VerificationResult: ({ target }) => listOf(target),
}

const isSpeaking = (type: string): boolean => Object.hasOwn(spokenOf, type) || type === 'Bundle' || type === 'Parameters'

/** Beside what search parameters say: patients spoken of, carried, or named by what is spoken of, as far as `resolve` knows that. */
export const patientsSpokenOf = (resource: Resource, { resolve }: Pick<Written, 'resolve'> = {}): readonly string[] => {
  if (!isSpeaking(resource.resourceType)) return []
  const others = resolve === undefined ? [] : namedForPatients(resource).flatMap(key => resolve(key) ?? [])
  return [...patientsIn(resource), ...others.flatMap(patientsIn)]
}

const namedMax = 50

/** Instances other than Patients of which a resource speaks: look them up and give them as `Written.resolve`. At most 50. */
export const namedForPatients = (resource: Resource): readonly Key[] => {
  const references = spokenOf[resource.resourceType]?.(resource) ?? []
  const keys = references.flatMap(reference => instanceOf(reference) ?? []).filter(({ type }) => type !== 'Patient' && type !== 'Binary')
  const distinct = new Map(keys.map(key => [`${key.type}/${key.id}`, key]))
  return [...distinct.values()].slice(0, namedMax)
}
