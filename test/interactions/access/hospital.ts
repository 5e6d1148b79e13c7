import { createDecide, permitAll } from '../../../src/auth/access.ts'
import type { Consents } from '../../../src/auth/consent/consents.ts'
import { decide } from '../../../src/auth/policy/decide.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { admitsState, seesAll } from '../../../src/base/access-filter.ts'
import { interactions } from '../../../src/interactions/index.ts'
import { createPerform } from '../../../src/interactions/perform.ts'
import type { Store } from '../../../src/storage/port.ts'
import type { TestEngine } from '../../support/engines.ts'
import { type TestParts, testParts } from '../../support/parts.ts'
import { portalUser, principalWith, type Stated, stateWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'
import { bundle, entry, type Heard, type Sent, say } from '../speak.ts'

/**
 * A small hospital with two houses. `rs` knows Budi, whom the user `me` treats, and Siti, whom he does not, and who has work ordered from `lab-2`; the clinic
 * knows Agus; Hana is known nowhere. What each resource is to the policy stands beside it, told by hand: so what the paths show is compared with something else than themselves.
 */

export type Told = {
  readonly resource: { readonly resourceType: string; readonly id: string } & Record<string, unknown>
  readonly stated: Stated
}

const category = (code: string) => [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] }]
const labels = (...codes: string[]) => ({
  security: codes.map(code => ({
    system: `http://terminology.hl7.org/CodeSystem/v3-${['N', 'R', 'V'].includes(code) ? 'Confidentiality' : 'ActCode'}`,
    code,
  })),
})

const atRs = ['facility rs', 'queue lab-2'] as const
const treated = ['facility rs', 'care me', 'confirmed me'] as const
const atClinic = ['facility klinik'] as const

const ofPatients = (patients: readonly string[], relations: readonly string[], more: Partial<Stated> = {}): Stated => ({
  patients,
  organizations: [],
  authors: [],
  relations,
  ...more,
})

const patient = (id: string, relations: readonly string[]): Told => ({
  resource: {
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'urn:nik', value: `3171000000${id}` }],
    name: [{ family: id }],
    telecom: [{ system: 'phone', value: `0812-${id}` }],
    gender: 'unknown',
  },
  stated: ofPatients([id], relations),
})

const encounter = (id: string, of: string, organization: string, more: object = {}, relations: readonly string[] = []): Told => ({
  resource: {
    resourceType: 'Encounter',
    id,
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${of}` },
    serviceProvider: { reference: `Organization/${organization}` },
    reasonCode: [{ text: `reason-${of}` }],
    period: { start: '2026-11-20' },
    ...more,
  },
  stated: ofPatients([of], relations, { organizations: [organization] }),
})

const observation = (
  id: string,
  of: string,
  code: string,
  relations: readonly string[],
  security: readonly string[] = [],
  stated: Partial<Stated> = {},
): Told => ({
  resource: {
    resourceType: 'Observation',
    id,
    ...(security.length === 0 ? {} : { meta: labels(...security) }),
    status: 'final',
    category: category(code),
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }], text: id },
    subject: { reference: `Patient/${of}` },
    encounter: { reference: `Encounter/visit-${of}` },
  },
  stated: ofPatients([of], relations, { params: [`category=${code}`], ...stated }),
})

const condition = (id: string, of: string, relations: readonly string[]): Told => ({
  resource: {
    resourceType: 'Condition',
    id,
    subject: { reference: `Patient/${of}` },
    encounter: { reference: `Encounter/visit-${of}` },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'A00' }], text: `words-${of}` },
    note: [{ text: `note-${of}` }],
  },
  stated: ofPatients([of], relations),
})

export const told: readonly Told[] = [
  { resource: { resourceType: 'Organization', id: 'rs', name: 'rs' }, stated: ofPatients([], [], { organizations: ['rs'] }) },
  { resource: { resourceType: 'Organization', id: 'klinik', name: 'klinik' }, stated: ofPatients([], [], { organizations: ['klinik'] }) },
  { resource: { resourceType: 'Practitioner', id: 'me', birthDate: '1980-01-01' }, stated: ofPatients([], []) },
  { resource: { resourceType: 'Practitioner', id: 'other' }, stated: ofPatients([], []) },
  patient('budi', treated),
  patient('siti', atRs),
  patient('agus', atClinic),
  patient('hana', []),
  encounter('visit-budi', 'budi', 'rs', { participant: [{ individual: { reference: 'Practitioner/me' } }] }, treated),
  encounter('visit-siti', 'siti', 'rs', {}, atRs),
  encounter('visit-agus', 'agus', 'klinik', {}, atClinic),
  observation('budi-lab', 'budi', 'laboratory', treated),
  observation('budi-vital', 'budi', 'vital-signs', treated),
  observation('budi-restricted', 'budi', 'laboratory', treated, ['R'], { confidentiality: 4 }),
  observation('budi-psy', 'budi', 'survey', treated, ['R', 'PSY'], { confidentiality: 4, sensitivities: ['PSY'] }),
  observation('budi-secret', 'budi', 'laboratory', treated, ['V'], { confidentiality: 5 }),
  observation('siti-lab', 'siti', 'laboratory', atRs),
  observation('siti-restricted', 'siti', 'laboratory', atRs, ['R'], { confidentiality: 4 }),
  observation('agus-lab', 'agus', 'laboratory', atClinic),
  observation('hana-vital', 'hana', 'vital-signs', []),
  condition('budi-condition', 'budi', treated),
  condition('siti-condition', 'siti', atRs),
  condition('agus-condition', 'agus', atClinic),
  {
    resource: {
      resourceType: 'ServiceRequest',
      id: 'order-siti',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/siti' },
      performer: [{ reference: 'Organization/lab-2' }],
    },
    stated: ofPatients(['siti'], atRs),
  },
]

export const nameOf = ({ resource }: Told): string => `${resource.resourceType}/${resource.id}`

/** Nobody has said anything. */
export const noConsents: Consents = {
  across: () => seesAll,
  of: async () => seesAll,
  closesAnything: async () => false,
  forget: () => undefined,
}

/** How often each method of a store was called. */
export type Counted = { readonly store: Store; readonly calls: Map<string, number> }

/** The very store, behind something that counts. */
export const counting = (store: Store): Counted => {
  const calls = new Map<string, number>()
  const proxy = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1)
        return Reflect.apply(value, target, given)
      }
    },
  })
  return { store: proxy, calls }
}

export type Hospital = {
  readonly parts: TestParts
  readonly calls: Map<string, number>
  /** As this principal; nobody in particular sees everything. */
  ask(principal: Principal | undefined, method: string, url: string, sent?: Sent): Promise<Heard>
  [Symbol.asyncDispose](): Promise<void>
}

/** The hospital with its records, each written once. */
export const openHospital = async (
  engine: TestEngine,
  consents: Consents = noConsents,
  more: readonly object[] = [],
): Promise<Hospital> => {
  const real = createDecide({ roles: testRoles, consents, clock: () => 0 })
  const made = await testParts({
    engine,
    decide: (principal, interaction, type) => (principal.kind === 'anonymous' ? permitAll : real)(principal, interaction, type),
  })
  const { store, calls } = counting(made.store)
  const parts: TestParts = { ...made, store, perform: (request, context) => perform(request, context) }
  const perform = createPerform(interactions, parts)
  const seed = [...told.map(({ resource }) => resource), ...more] as readonly { resourceType: string; id: string }[]
  const heard = await say(parts, 'POST', '', {
    body: bundle(
      'transaction',
      seed.map(resource => entry('PUT', `${resource.resourceType}/${resource.id}`, resource)),
    ),
  })
  if (heard.status !== 200) throw new Error(JSON.stringify(heard.failure))
  return {
    parts,
    calls,
    ask: (principal, method, url, sent = {}) =>
      say(parts, method, url, { ...sent, context: { ...sent.context, ...(principal && { principal }) } }),
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  }
}

/** What the policy says of the records that were told, by hand: the names of those that the principal may see by this interaction. */
export const expected = (principal: Principal, interaction: string): ReadonlySet<string> =>
  new Set(
    told.flatMap(one => {
      const decision = decide(testRoles(), principal, interaction, one.resource.resourceType)
      const seen = decision.allow && admitsState(decision.filter, stateWith({ id: one.resource.id, ...one.stated }))
      return seen ? [nameOf(one)] : []
    }),
  )

const inUnit = (unit: string, principal: Principal): Principal => ({
  ...principal,
  roles: principal.roles.map(one => ({ ...one, units: [unit] })),
})

/** Who asks: every role that sees patients, and what apps are given. */
export const askers: Readonly<Record<string, Principal>> = {
  'a doctor': principalWith({ roles: ['doctor'] }),
  'a nurse': principalWith({ roles: ['nurse'] }),
  'a receptionist': principalWith({ roles: ['receptionist'] }),
  'a pharmacist': principalWith({ roles: ['pharmacist'] }),
  'the laboratory': inUnit('lab-2', principalWith({ roles: ['lab'] })),
  billing: principalWith({ roles: ['billing'] }),
  'an auditor': principalWith({ roles: ['auditor'] }),
  'the administrator': principalWith({ roles: ['admin'] }),
  'a doctor of the clinic': {
    ...principalWith({ roles: ['doctor'] }),
    fhirUser: 'Practitioner/other',
    roles: [{ role: 'doctor', organizations: ['klinik'] }],
  },
  'a doctor in an app for everything': principalWith({ roles: ['doctor'], scope: 'user/*.cruds' }),
  'a doctor in an app for laboratory results': principalWith({
    roles: ['doctor'],
    scope:
      'user/Patient.rs user/Encounter.rs user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
  }),
  'a doctor in an app for results and vital signs': principalWith({
    roles: ['doctor', 'nurse'],
    scope: ['laboratory', 'vital-signs']
      .map(code => `user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|${code}`)
      .join(' '),
  }),
  'the laboratory in an app for everything': inUnit('lab-2', principalWith({ roles: ['lab', 'radiology'], scope: 'user/*.rs' })),
  'a doctor in an app that only searches': principalWith({ roles: ['doctor'], scope: 'user/*.s' }),
  'a doctor in an app that only reads': principalWith({ roles: ['doctor'], scope: 'user/*.r' }),
  "a doctor in Budi's app": principalWith({ roles: ['doctor'], scope: 'patient/*.rs', launch: { patient: 'budi' } }),
  "a doctor who broke the glass for Siti's record": principalWith({ roles: ['doctor'], emergencies: ['siti'] }),
  Budi: portalUser({ fhirUser: 'Patient/budi' }),
  'Budi in an app': portalUser({ fhirUser: 'Patient/budi', scope: 'patient/*.rs', launch: { patient: 'budi' } }),
  'Budi in an app for vital signs': portalUser({
    fhirUser: 'Patient/budi',
    scope: 'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
    launch: { patient: 'budi' },
  }),
}
