import { labelsOf } from '../auth/labels/labels.ts'
import { creatorOf } from '../auth/relations/creator.ts'
import { patientsSpokenOf } from '../auth/relations/patients.ts'
import { instanceOf, listOf } from '../auth/relations/references.ts'
import { relationsOf } from '../auth/relations/relations.ts'
import type { Written } from '../auth/relations/written.ts'
import { type AccessFilter, confidentialityLevels, permits } from '../base/access-filter.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { IndexValues } from '../search/values.ts'
import type { NewVersion } from '../storage/port.ts'

/** What access filters ask of a version and searches cannot. `patients` and `organizations` are ids, `authors` are `Type/id`. */
export type AccessAttributes = Pick<
  NewVersion,
  'patients' | 'organizations' | 'authors' | 'confidentiality' | 'sensitivities' | 'relations'
>

/** Only who sees everything sees what has these. */
export const accessToNobody: AccessAttributes = { patients: [], organizations: [], authors: [], confidentiality: 5 }

/** Parameters that say *this is about the patient*: the privacy compartment, narrower than R4's. `actor` counts in Appointments alone. */
const aboutPatient: ReadonlySet<string> = new Set(['patient', 'subject', 'beneficiary', 'individual'])
const byAuthor: ReadonlySet<string> = new Set(['author', 'recorder', 'requester', 'performer'])
/** To whom something belongs that is about nobody. */
const ownedBy: ReadonlySet<string> = new Set([
  'organization',
  'service-provider',
  'managing-organization',
  'managing-entity',
  'custodian',
  'provider',
  'requestor',
  'sponsor',
  'owner',
  'issuer',
  'reporter',
  'responsible',
])

const isAboutPatient = (type: string, param: string): boolean =>
  aboutPatient.has(param) || (param === 'actor' && (type === 'Appointment' || type === 'AppointmentResponse'))

/**
 * Taken from the index values, so that nothing is evaluated twice, and from the resource where no search parameter says it. Of a state in hand give
 * `written.resolve` as at its write; what else was known of the write matters to relations alone.
 */
export const accessAttributes = (resource: Resource, id: string, values: IndexValues, written: Written = {}): AccessAttributes => {
  const type = resource.resourceType
  const patients = new Set<string>(type === 'Patient' ? [id] : patientsSpokenOf(resource, written))
  const organizations = new Set<string>(type === 'Organization' ? [id] : [])
  const creator = creatorOf(resource)
  const authors = new Set<string>(creator === undefined ? [] : [creator])
  for (const reference of values.references) {
    if (reference.type === 'Patient' && isAboutPatient(type, reference.param)) patients.add(reference.id)
    else if (reference.type === 'Organization' && ownedBy.has(reference.param)) organizations.add(reference.id)
    if (byAuthor.has(reference.param)) authors.add(`${reference.type}/${reference.id}`)
  }
  const about = [...patients]
  const relations = relationsOf(resource, id, about, written)
  for (const author of authorsOf(resource)) authors.add(author)
  return {
    patients: about,
    organizations: [...organizations],
    authors: [...authors],
    ...labelAttributes(resource),
    ...(relations.length === 0 ? {} : { relations }),
  }
}

/** R4 has no parameter for who recorded a Condition, and for some more: the elements say it themselves. */
const authoredBy = ['author', 'recorder', 'requester'] as const

const authorsOf = (resource: Resource): readonly string[] =>
  authoredBy.flatMap(name =>
    listOf(resource[name]).flatMap(reference => {
      const key = instanceOf(reference)
      return key === undefined ? [] : [`${key.type}/${key.id}`]
    }),
  )

/** What a resource's security labels say. */
export const labelAttributes = (resource: Resource): Pick<AccessAttributes, 'confidentiality' | 'sensitivities'> => {
  const { confidentiality, sensitivities } = labelsOf(resource)
  return { confidentiality: confidentialityLevels[confidentiality], ...(sensitivities.length === 0 ? {} : { sensitivities }) }
}

/** Whether the filter lets a state through, all of whose attributes are known. In doubt it does not. */
export const admits = (filter: AccessFilter, id: string, attributes: AccessAttributes): boolean =>
  permits(filter, { id, sensitivities: [], ...attributes }) === true
