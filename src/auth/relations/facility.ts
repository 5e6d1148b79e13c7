import type { Resource } from '../../fhir/model/resource.ts'
import { organizationOf } from './people.ts'
import { recordsOf } from './references.ts'
import type { Written } from './written.ts'

/**
 * Ids of the Organizations at which the patients of a resource are known by it. A Coverage names its payer, and no facility: it makes nobody known.
 * An Appointment is at the organizations of its places, services and practitioners' roles. @see auth.md 4.1, F
 */
export const facilitiesOf = (resource: Resource, written: Written): readonly string[] =>
  (placesOf[resource.resourceType]?.(resource) ?? []).flatMap(reference => organizationOf(reference, resource, written) ?? [])

const placesOf: Readonly<Record<string, (resource: Resource) => readonly unknown[]>> = {
  Patient: ({ managingOrganization }) => [managingOrganization],
  Encounter: ({ serviceProvider }) => [serviceProvider],
  EpisodeOfCare: ({ managingOrganization }) => [managingOrganization],
  Appointment: ({ participant }) => recordsOf(participant).map(({ actor }) => actor),
}
