import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConsentFilter, PatientsFilter } from '../../src/base/access-filter.ts'
import { testDefinitions } from '../support/definitions.ts'
import { testData } from '../support/test-data.ts'

/**
 * Two hospitals, A with a ward and B, and patients of A, of its ward, of B, of both and of neither, each with one instance of every type and some more by hand.
 * Every id, and words in every resource, can be found again in whatever an answer says: `{prefix}{number}` is an id, with a letter behind it a word of its
 * content. Who knows whom is told here by hand.
 */

export type Family = 'A' | 'ward' | 'closed' | 'both' | 'B' | 'nobody'

type Json = Readonly<Record<string, unknown>>
export type Instance = {
  readonly type: string
  readonly id: string
  readonly family: Family
  /** Its states, one version each; `undefined` is a deletion. */
  readonly states: readonly (Json | undefined)[]
}

export type Hospitals = {
  readonly prefix: string
  readonly instances: readonly Instance[]
  readonly types: readonly string[]
  /** `id(family, type)` */
  id(family: Family, type: string): string
  /** By hand: whether a patient (id) stands in the relation. */
  relates(relation: PatientsFilter, patient: string): boolean
  /** By hand: whether consents leave a state of these patients open. */
  consents(consent: ConsentFilter, type: string, patients: readonly string[]): boolean
  /** Every id and word of the hospitals that stands in a text. */
  wordsIn(text: string): ReadonlySet<string>
}

export const families: readonly Family[] = ['A', 'ward', 'closed', 'both', 'B', 'nobody']

/** Whose organization and practitioner stand in what a family has. */
const organizationOf: Readonly<Record<Family, Family>> = { A: 'A', ward: 'ward', closed: 'A', both: 'A', B: 'B', nobody: 'nobody' }
const practitionerOf: Readonly<Record<Family, Family>> = { A: 'A', ward: 'ward', closed: 'ward', both: 'ward', B: 'B', nobody: 'nobody' }

/** What a run on MongoDB, where each type costs, has at least. */
const core = [
  'Account', 'AllergyIntolerance', 'Appointment', 'AuditEvent', 'Basic', 'Binary', 'Bundle', 'CarePlan', 'CareTeam', 'ChargeItem', 'Claim', 'Communication',
  'Composition', 'Condition', 'Consent', 'Coverage', 'Device', 'DiagnosticReport', 'DocumentReference', 'Encounter', 'EpisodeOfCare', 'Group', 'HealthcareService',
  'ImagingStudy', 'Immunization', 'Linkage', 'List', 'Location', 'Medication', 'MedicationRequest', 'MedicationDispense', 'MessageHeader', 'Observation',
  'Organization', 'Parameters', 'Patient', 'Person', 'Practitioner', 'PractitionerRole', 'Procedure', 'Provenance', 'QuestionnaireResponse', 'RelatedPerson',
  'ServiceRequest', 'Specimen', 'Subscription', 'Task', 'ValueSet',
] as const // biome-ignore format: a list

/** `all`: every type of R4. */
export const makeHospitals = (prefix: string, all: boolean): Hospitals => {
  const definitions = testDefinitions()
  const types = all ? definitions.resourceTypes : definitions.resourceTypes.filter(type => (core as readonly string[]).includes(type))
  const numbers = new Map<string, number>()
  const number = (name: string): number => {
    const known = numbers.get(name) ?? numbers.size
    numbers.set(name, known)
    return known
  }
  const named = (name: string): string => `${prefix}${String(number(name)).padStart(4, '0')}`
  const id = (family: Family, type: string): string => named(`${family} ${type}`)
  const about: About = { id, types: new Set(types), named }
  const instances = [...families.flatMap(family => types.map(type => regular(type, family, about))), ...byHand(about)]
  return {
    prefix,
    instances,
    types,
    id,
    relates: (relation, patient) => known(about).some(row => stands(row, relation, patient)),
    consents: (consent, type, patients) => patients.every(patient => isOpen(consent, type, patient, about)),
    wordsIn: text => new Set(text.match(new RegExp(`${prefix}\\d{4}[a-z]?`, 'g')) ?? []),
  }
}

type About = { readonly id: Hospitals['id']; readonly types: ReadonlySet<string>; readonly named: (name: string) => string }

// --- who knows whom

type Known = { readonly from: PatientsFilter['from']; readonly of: string; readonly patient: string; readonly confirmed?: true }

const known = ({ id }: About): readonly Known[] => {
  const facility = (of: Family, patient: Family): Known => ({
    from: 'facility',
    of: id(of, 'Organization'),
    patient: id(patient, 'Patient'),
  })
  return [
    facility('A', 'A'),
    facility('ward', 'ward'),
    facility('A', 'closed'),
    facility('A', 'both'),
    facility('B', 'both'),
    facility('B', 'B'),
    facility('nobody', 'nobody'),
    { from: 'care', of: id('A', 'Practitioner'), patient: id('A', 'Patient'), confirmed: true },
    { from: 'care', of: id('B', 'Practitioner'), patient: id('B', 'Patient'), confirmed: true },
    ...(['ward', 'closed', 'both'] as const).map(
      (family): Known => ({ from: 'care', of: id('ward', 'Practitioner'), patient: id(family, 'Patient'), confirmed: true }),
    ),
    { from: 'queue', of: id('A', 'Organization'), patient: id('A', 'Patient') },
    { from: 'queue', of: id('B', 'Organization'), patient: id('B', 'Patient') },
    ...families.map((family): Known => ({ from: 'group', of: id(family, 'Group'), patient: id(family, 'Patient') })),
  ]
}

const stands = (row: Known, { from, of, confirmed }: PatientsFilter, patient: string): boolean =>
  row.from === from && row.patient === patient && of.includes(row.of) && (confirmed !== true || row.confirmed === true)

/** `closed` denies hospital A everything; `ward` denies the doctor of A its observations. */
const isOpen = ({ recipients }: ConsentFilter, type: string, patient: string, { id }: About): boolean => {
  if (patient === id('closed', 'Patient')) return !recipients.includes(`Organization/${id('A', 'Organization')}`)
  if (patient === id('ward', 'Patient') && type === 'Observation') return !recipients.includes(`Practitioner/${id('A', 'Practitioner')}`)
  return true
}

// --- one instance of each type for each family

const folder = testData('r4-examples')
const files = folder === undefined ? [] : readdirSync(join(folder, 'json')).toSorted()

/** The shortest example of the type, as it is published; the bare type where there is none. */
const exampleOf = (type: string): Json => {
  const texts = files
    .filter(file => file.startsWith(`${type}-`))
    .map(file => readFileSync(join(folder as string, 'json', file), 'utf8'))
    .toSorted((a, b) => a.length - b.length)
  const [text] = texts
  return text === undefined ? { resourceType: type } : (JSON.parse(text) as Json)
}

const examples = new Map<string, Json>()
const example = (type: string): Json => {
  const found = examples.get(type) ?? exampleOf(type)
  examples.set(type, found)
  return found
}

const regular = (type: string, family: Family, about: About): Instance => {
  const id = about.id(family, type)
  const { id: _, meta: _meta, contained: _contained, text: _text, ...content } = example(type)
  const rewritten = rewrite(content, family, about) as Json
  return { type, id, family, states: [marked({ ...rewritten, ...given(type, family, about), resourceType: type, id })] }
}

/** References lead to the family's own; what cannot be rewritten goes. */
const rewrite = (value: unknown, family: Family, about: About): unknown => {
  if (Array.isArray(value)) return value.flatMap(item => rewrite(item, family, about) ?? [])
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).flatMap(([name, inner]): readonly (readonly [string, unknown])[] => {
    if (name === 'reference' && typeof inner === 'string') {
      const to = referenceTo(inner, family, about)
      return to === undefined ? [] : [[name, to]]
    }
    const kept = rewrite(inner, family, about)
    return kept === undefined ? [] : [[name, kept]]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members)
}

const referenceTo = (text: string, family: Family, about: About): string | undefined => {
  const type = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]+(?:\/_history\/\w+)?$/.exec(text)?.[1]
  return type !== undefined && about.types.has(type) ? `${type}/${idWithin(type, family, about)}` : undefined
}

const idWithin = (type: string, family: Family, { id }: About): string => {
  if (type === 'Organization') return id(organizationOf[family], type)
  return id(type === 'Practitioner' ? practitionerOf[family] : family, type)
}

const tag = 'urn:leaks'

/** Words in what everybody sees of it, in narrative and notes, and in what only some see. */
const marked = (resource: Json & { readonly id: string }): Json => {
  const { id, resourceType } = resource
  const noted = ['Condition', 'Observation', 'Procedure', 'MedicationRequest', 'ServiceRequest', 'ChargeItem', 'Claim'].includes(
    String(resourceType),
  )
  const plain = ['Binary', 'Bundle', 'Parameters'].includes(String(resourceType))
  return {
    ...resource,
    meta: { ...(resource.meta as Json | undefined), tag: [{ system: tag, code: `${id}t` }] },
    ...(plain ? {} : { text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${id}v</div>` } }),
    ...(noted && resource.note === undefined ? { note: [{ text: `${id}o` }] } : {}),
  }
}

const concept = (system: string, code: string) => ({ coding: [{ system, code }] })
const category = (code: string) => [concept('http://terminology.hl7.org/CodeSystem/observation-category', code)]

/** What stands in place of what the example has: what relations, consents and views hang on. */
const given = (type: string, family: Family, about: About): Json => {
  const ref = (to: string, of = family) => ({ reference: `${to}/${idWithin(to, of, about)}` })
  const own = about.id(family, type)
  const patient = ref('Patient')
  switch (type) {
    case 'Organization':
      return { name: `${own}n`, type: undefined, active: true, partOf: family === 'ward' ? ref('Organization', 'A') : undefined }
    case 'Practitioner':
      return { birthDate: '1980-02-03', telecom: [{ system: 'phone', use: 'home', value: `${own}c` }], active: true }
    case 'Patient':
      return {
        active: true,
        name: [{ family: `${own}n` }],
        identifier: [{ system: 'urn:nik', value: `3171${own}i` }],
        telecom: [{ system: 'phone', value: `${own}c` }],
        address: [{ text: `${own}r` }],
        contact: undefined,
        managingOrganization: ref('Organization'),
        generalPractitioner: [ref('Practitioner')],
        link: undefined,
      }
    case 'Encounter':
      return {
        status: 'in-progress',
        subject: patient,
        serviceProvider: ref('Organization'),
        reasonCode: [{ text: `${own}w` }],
        period: { start: '2026-11-20' },
      }
    case 'ServiceRequest': {
      const hasQueue = family === 'A' || family === 'B'
      return {
        status: hasQueue ? 'active' : 'draft',
        subject: patient,
        performer: hasQueue ? [ref('Organization')] : undefined,
        locationReference: undefined,
        category: [concept('http://snomed.info/sct', '108252007')],
      }
    }
    case 'MedicationRequest':
    case 'Task':
      return { status: 'draft', ...(type === 'Task' ? { for: patient } : { subject: patient }) }
    case 'Specimen':
      return { status: 'unavailable', subject: patient, receivedTime: '2015-08-16T07:03:00Z' }
    case 'Observation':
      return { status: 'final', subject: patient, category: category('laboratory'), performer: [ref('Practitioner')] }
    case 'Group':
      return { actual: true, active: true, member: [{ entity: patient }] }
    case 'Consent':
      return consentOf(family, about)
    case 'AuditEvent':
      return { entity: [{ what: patient }] }
    case 'Appointment':
      return {
        status: 'booked',
        start: '2026-11-21T02:00:00Z',
        end: '2026-11-21T03:00:00Z',
        participant: [{ actor: patient, status: 'accepted' }],
      }
    case 'Bundle':
      return { type: 'document', entry: [{ resource: { resourceType: 'Composition', id: `${own}k`, subject: patient } }], link: undefined }
    case 'Binary':
      return { contentType: 'text/plain', data: Buffer.from(`${own}b`).toString('base64'), securityContext: patient }
    case 'Basic':
    case 'Condition':
    case 'Contract':
    case 'MeasureReport':
    case 'QuestionnaireResponse':
      return { subject: type === 'Contract' ? [patient] : patient }
    case 'DetectedIssue':
    case 'Device':
    case 'MolecularSequence':
    case 'SupplyDelivery':
      return { patient }
    case 'AppointmentResponse':
      return { actor: patient }
    case 'SupplyRequest':
      return { deliverTo: patient }
    case 'VerificationResult':
      return { target: [patient] }
    case 'PaymentNotice':
      return { request: ref('Claim') }
    case 'Parameters':
      return { parameter: [{ name: 'one', resource: { resourceType: 'Basic', subject: patient } }] }
    case 'Provenance':
      return { target: [ref('Observation')] }
    case 'MessageHeader':
      return { focus: [patient] }
    case 'Linkage':
      return {
        item: [
          { type: 'source', resource: patient },
          { type: 'alternate', resource: ref('Observation') },
        ],
      }
    case 'Subscription':
      return {
        status: 'off',
        criteria: `Observation?patient=${patient.reference}`,
        channel: { type: 'rest-hook', endpoint: 'https://a.example/' },
      }
    case 'List':
      return { subject: patient, entry: [{ item: ref('Observation') }, { item: ref('Condition') }] }
    case 'Person':
      return { link: [{ target: patient }], managingOrganization: undefined }
    default:
      return {}
  }
}

const consentOf = (family: Family, about: About): Json => {
  const ref = (to: string, of = family) => ({ reference: `${to}/${idWithin(to, of, about)}` })
  const recipient = (reference: object) => ({
    role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
    reference,
  })
  const provisions: Partial<Record<Family, Json>> = {
    closed: { type: 'deny', actor: [recipient(ref('Organization', 'A'))] },
    ward: {
      type: 'deny',
      actor: [recipient(ref('Practitioner', 'A'))],
      class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
    },
  }
  const provision = provisions[family]
  const { resourceType: _, ...cleared } = Object.fromEntries(Object.keys(example('Consent')).map(name => [name, undefined]))
  return {
    ...cleared,
    status: provision === undefined ? 'inactive' : 'active',
    scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [concept('http://loinc.org', '59284-0')],
    patient: ref('Patient'),
    dateTime: '2026-11-01',
    performer: [ref('Patient')],
    sourceAttachment: { title: `${about.id(family, 'Consent')}s` },
    policy: [{ uri: 'https://rs.example/persetujuan/3' }],
    ...(provision && { provision }),
  }
}

// --- by hand: labels, several patients, contexts, changes of patient, deletions

const security = (...codes: string[]) => ({
  security: codes.map(code => ({
    system: `http://terminology.hl7.org/CodeSystem/v3-${['N', 'R', 'V'].includes(code) ? 'Confidentiality' : 'ActCode'}`,
    code,
  })),
})

const byHand = (about: About): readonly Instance[] => {
  const ref = (to: string, of: Family) => ({ reference: `${to}/${idWithin(to, of, about)}` })
  const made: Instance[] = []
  const add = (type: string, name: string, family: Family, ...states: readonly (Json | undefined)[]): string => {
    const id = about.named(`${family} ${type} ${name}`)
    made.push({ type, id, family, states: states.map(state => state && marked({ ...state, resourceType: type, id })) })
    return `${type}/${id}`
  }
  const observation = (of: Family, code: string, ...labels: string[]): Json => ({
    ...(labels.length === 0 ? {} : { meta: security(...labels) }),
    status: 'final',
    category: category(code),
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: ref('Patient', of),
    encounter: ref('Encounter', of),
    performer: [ref('Practitioner', of)],
  })
  const binary = (text: string, context?: object): Json => ({
    contentType: 'text/plain',
    data: Buffer.from(text).toString('base64'),
    ...(context && { securityContext: context }),
  })
  for (const family of families) {
    add('Observation', 'vital', family, observation(family, 'vital-signs'))
    const restricted = add('Observation', 'restricted', family, observation(family, 'laboratory', 'R'))
    add('Observation', 'psychiatry', family, observation(family, 'survey', 'R', 'PSY'))
    add('Observation', 'hiv', family, observation(family, 'laboratory', 'N', 'HIV'))
    add('Observation', 'secret', family, observation(family, 'laboratory', 'V'))
    add('Observation', 'raised', family, observation(family, 'laboratory'), observation(family, 'laboratory', 'R'))
    // Labels stay when a state replaces another; begun anew, an instance has its own.
    add('Observation', 'begun anew', family, observation(family, 'laboratory', 'V'), undefined, observation(family, 'laboratory'))
    add('Observation', 'gone', family, observation(family, 'laboratory'), undefined)
    add('Condition', 'restricted', family, { meta: security('R'), subject: ref('Patient', family), encounter: ref('Encounter', family) })
    add('Binary', 'restricted', family, binary('restricted', { reference: restricted }))
    add('Binary', 'bare', family, binary('bare'))
    add('Provenance', 'restricted', family, {
      target: [{ reference: restricted }],
      recorded: '2026-11-20T00:00:00Z',
      agent: [{ who: ref('Practitioner', family) }],
    })
  }
  add('Encounter', 'at B', 'both', {
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: ref('Patient', 'both'),
    serviceProvider: ref('Organization', 'B'),
  })
  add('Observation', 'moved away', 'B', observation('A', 'laboratory'), observation('B', 'laboratory'))
  add('Appointment', 'two', 'A', {
    status: 'booked',
    start: '2026-11-21T02:00:00Z',
    end: '2026-11-21T03:00:00Z',
    participant: [
      { actor: ref('Patient', 'A'), status: 'accepted' },
      { actor: ref('Patient', 'B'), status: 'accepted' },
    ],
  })
  add('List', 'of others', 'A', {
    status: 'current',
    mode: 'working',
    subject: ref('Patient', 'A'),
    entry: [{ item: ref('Observation', 'B') }, { item: ref('Observation', 'A') }, { item: ref('Condition', 'nobody') }],
  })
  add('List', 'foreign', 'B', {
    status: 'current',
    mode: 'working',
    subject: ref('Patient', 'B'),
    entry: [{ item: ref('Observation', 'A') }, { item: ref('Patient', 'A') }],
  })
  add('AuditEvent', 'two', 'B', {
    recorded: '2026-11-20T00:00:00Z',
    entity: [{ what: ref('Patient', 'A') }, { what: ref('Patient', 'B') }],
  })
  add('Observation', 'points at another', 'A', {
    ...observation('A', 'laboratory'),
    hasMember: [ref('Observation', 'B'), { reference: `${ref('Observation', 'B').reference}/_history/1` }],
    derivedFrom: [ref('Observation', 'nobody')],
  })
  add('Provenance', 'of two', 'B', {
    target: [ref('Observation', 'A'), ref('Observation', 'B')],
    recorded: '2026-11-20T00:00:00Z',
    agent: [{ who: ref('Practitioner', 'B') }],
  })
  return made
}
