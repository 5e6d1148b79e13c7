import type { Resource } from '../../fhir/model/resource.ts'
import { containedOf, instanceOf } from './references.ts'
import type { Written } from './written.ts'

/** The resource that a reference leads to: contained, or known from beside. */
const targetOf = (reference: unknown, within: Resource, { resolve }: Written): Resource | undefined => {
  const key = instanceOf(reference)
  return key === undefined ? containedOf(reference, within) : resolve?.(key)
}

/**
 * Id of the Practitioner whom a reference means. A PractitionerRole means its practitioner where it is contained or known from beside; else nobody:
 * whom a role belongs to is not guessed.
 */
export const practitionerOf = (reference: unknown, within: Resource, written: Written): string | undefined => {
  const key = instanceOf(reference)
  if (key?.type === 'Practitioner') return key.id
  if (key !== undefined && key.type !== 'PractitionerRole') return undefined
  const role = targetOf(reference, within, written)
  if (role?.resourceType !== 'PractitionerRole' || role.active === false) return undefined
  const practitioner = instanceOf(role.practitioner)
  return practitioner?.type === 'Practitioner' ? practitioner.id : undefined
}

/** Of what belongs to an organization, the element that names it. */
const ownerElement: Readonly<Record<string, string>> = {
  Location: 'managingOrganization',
  HealthcareService: 'providedBy',
  PractitionerRole: 'organization',
  Encounter: 'serviceProvider',
}

/** Id of the Organization that a reference means, or to which the place, service, role or encounter it means belongs. */
export const organizationOf = (reference: unknown, within: Resource, written: Written): string | undefined => {
  const key = instanceOf(reference)
  if (key?.type === 'Organization') return key.id
  const target = targetOf(reference, within, written)
  const owner = target && ownerElement[target.resourceType]
  const organization = target && owner ? instanceOf(target[owner]) : undefined
  return organization?.type === 'Organization' ? organization.id : undefined
}
