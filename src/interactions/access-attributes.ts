import { type AccessFilter, permits } from '../base/access-filter.ts'
import type { Written } from '../auth/relations/written.ts'
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
const ownedBy: ReadonlySet<string> = new Set(['organization', 'service-provider', 'managing-organization', 'custodian'])

const isAboutPatient = (type: string, param: string): boolean =>
  aboutPatient.has(param) || (param === 'actor' && (type === 'Appointment' || type === 'AppointmentResponse'))

const confidentialitySystem = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const levels: Readonly<Record<string, number>> = { U: 0, L: 1, M: 2, N: 3, R: 4, V: 5 }
const normal = 3

/** The highest confidentiality label, normal without one. */
const confidentialityOf = (resource: Resource): number => {
  const security: unknown = resource.meta?.security
  if (!Array.isArray(security)) return normal
  const found = security.flatMap(coding => (coding?.system === confidentialitySystem ? (levels[coding.code] ?? []) : []))
  return found.length === 0 ? normal : Math.max(...found)
}

/** Taken from the index values, so that nothing is evaluated twice. `written` matters to relations alone. */
export const accessAttributes = (resource: Resource, id: string, values: IndexValues, _written: Written = {}): AccessAttributes => {
  const type = resource.resourceType
  const patients = new Set<string>(type === 'Patient' ? [id] : [])
  const organizations = new Set<string>(type === 'Organization' ? [id] : [])
  const authors = new Set<string>()
  for (const reference of values.references) {
    if (reference.type === 'Patient' && isAboutPatient(type, reference.param)) patients.add(reference.id)
    else if (reference.type === 'Organization' && ownedBy.has(reference.param)) organizations.add(reference.id)
    if (byAuthor.has(reference.param)) authors.add(`${reference.type}/${reference.id}`)
  }
  return { patients: [...patients], organizations: [...organizations], authors: [...authors], confidentiality: confidentialityOf(resource) }
}

/** Whether the filter lets a state through, all of whose attributes are known. In doubt it does not. */
export const admits = (filter: AccessFilter, id: string, attributes: AccessAttributes): boolean =>
  permits(filter, { id, ...attributes }) === true
