/** What may be written: by one grant that reaches both states and the elements that changed; patients are not moved, hidden elements not touched. */
import { describe, expect, test } from '@jest/globals'
import { decide } from '../../../src/auth/policy/decide.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { changedElements, checkWrite } from '../../../src/auth/policy/write-check.ts'
import { Decimal } from '../../../src/fhir/model/decimal.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { type Asking, portalUser, principalWith, type Stated, stateWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'

const definitions = testDefinitions()
const near: Stated = { relations: ['facility rs', 'queue lab-1'] }
const as = (role: string, rest: Asking = {}): Principal => principalWith({ roles: [role], ...rest })

type State = readonly [content: Readonly<Record<string, unknown>>, stated: Stated]

const write = (principal: Principal, interaction: string, type: string, after: State, before?: State): string => {
  const decision = decide(testRoles(), principal, interaction, type)
  if (!decision.allow || !decision.check) return 'refused'
  const state = ([content, stated]: State) => ({
    resource: { resourceType: type, id: '1', ...content } as Resource,
    subject: stateWith(stated),
  })
  const verdict = checkWrite(
    decision.check,
    { ...(before && { before: state(before) }), after: state(after) },
    decision.fields,
    definitions,
  )
  return verdict.ok ? (verdict.firstLink ? 'first link' : 'written') : verdict.rule
}

describe('creating', () => {
  const rows: readonly (readonly [what: string, principal: Principal, type: string, after: State, verdict: string])[] = [
    ['a doctor for a patient of the house', as('doctor'), 'Condition', [{}, near], 'written'],
    ['a doctor for a stranger', as('doctor'), 'Condition', [{}, {}], 'state'],
    [
      'about a patient and a stranger at once',
      as('doctor'),
      'Condition',
      [{}, { patients: ['budi', 'siti'], relations: ['facility rs:budi'] }],
      'state',
    ],
    ['against a consent', as('doctor'), 'Condition', [{}, { ...near, consent: false }], 'beside'],
    ['with a label beyond the clearance', as('doctor'), 'Condition', [{}, { ...near, confidentiality: 5 }], 'beside'],
    ['a result of the laboratory', as('lab'), 'Observation', [{}, { ...near, params: ['category=laboratory'] }], 'written'],
    ['a result without category', as('lab'), 'Observation', [{}, near], 'state'],
    [
      'a state that the granular scope does not cover',
      as('doctor', { scope: 'user/Observation.cruds?category=vital-signs' }),
      'Observation',
      [{}, { ...near, params: ['category=laboratory'] }],
      'beside',
    ],
    [
      'a state that it covers',
      as('doctor', { scope: 'user/Observation.cruds?category=vital-signs' }),
      'Observation',
      [{}, { ...near, params: ['category=vital-signs'] }],
      'written',
    ],
    [
      'for another than the patient of the launch',
      as('doctor', { scope: 'patient/*.cruds', launch: { patient: 'budi' } }),
      'Observation',
      [{}, { ...near, patients: ['siti'] }],
      'beside',
    ],
    [
      '⁵ a visit with a diagnosis, by reception',
      as('receptionist'),
      'Encounter',
      [{ status: 'planned', diagnosis: [{}] }, near],
      'elements',
    ],
    ['⁵ a visit, by reception', as('receptionist'), 'Encounter', [{ status: 'planned' }, near], 'written'],
    ['the first visit of a stranger, by reception', as('receptionist'), 'Encounter', [{ status: 'planned' }, {}], 'first link'],
    ['the first visit of a stranger, by a doctor', as('doctor'), 'Encounter', [{}, {}], 'state'],
    ['an emergency of a stranger, by a doctor', as('doctor'), 'Encounter', [{}, { params: ['class=EMER'] }], 'first link'],
    ['an emergency of a known patient', as('doctor'), 'Encounter', [{}, { ...near, params: ['class=EMER'] }], 'written'],
    ['a new patient, by reception', as('receptionist'), 'Patient', [{ name: [{ text: 'x' }] }, { patients: ['new'] }], 'written'],
    ['²¹ signing as oneself', as('doctor'), 'Provenance', [{}, { ...near, params: ['agent=Practitioner/me'] }], 'written'],
    ['²¹ signing as another', as('doctor'), 'Provenance', [{}, { ...near, params: ['agent=Practitioner/other'] }], 'state'],
    ['⁴ proposing an appointment', portalUser(), 'Appointment', [{}, { patients: ['me'], params: ['status=proposed'] }], 'written'],
    ['⁴ booking an appointment', portalUser(), 'Appointment', [{}, { patients: ['me'], params: ['status=booked'] }], 'state'],
    ['⁴ proposing one for another', portalUser(), 'Appointment', [{}, { patients: ['budi'], params: ['status=proposed'] }], 'state'],
    ['⁴ answering for oneself', portalUser(), 'AppointmentResponse', [{}, { patients: ['me'], params: ['actor=Patient/me'] }], 'written'],
    ['⁴ a slot', portalUser(), 'Slot', [{}, { patients: [] }], 'refused'],
    [
      '¹⁴ a reading at home',
      portalUser(),
      'Observation',
      [{}, { patients: ['me'], params: ['category=vital-signs', '_tag=patient-generated', 'performer=Patient/me'] }],
      'written',
    ],
    [
      '¹⁴ without the tag',
      portalUser(),
      'Observation',
      [{}, { patients: ['me'], params: ['category=vital-signs', 'performer=Patient/me'] }],
      'state',
    ],
    [
      '¹⁴ as the doctor',
      portalUser(),
      'Observation',
      [{}, { patients: ['me'], params: ['category=vital-signs', '_tag=patient-generated', 'performer=Practitioner/me'] }],
      'state',
    ],
    [
      '¹⁴ a laboratory result',
      portalUser(),
      'Observation',
      [{}, { patients: ['me'], params: ['category=laboratory', '_tag=patient-generated', 'performer=Patient/me'] }],
      'state',
    ],
    [
      '¹⁴ an answered questionnaire',
      portalUser(),
      'QuestionnaireResponse',
      [{}, { patients: ['me'], params: ['_tag=patient-generated', 'author=Patient/me'] }],
      'written',
    ],
  ]
  for (const [what, principal, type, after, verdict] of rows) {
    test(`${what}: ${verdict}`, () => {
      expect(write(principal, 'create', type, after)).toBe(verdict)
    })
  }
})

describe('updating', () => {
  const rows: readonly (readonly [what: string, principal: Principal, type: string, before: State, after: State, verdict: string])[] = [
    ['a doctor, a patient of the house', as('doctor'), 'Condition', [{ a: 1 }, near], [{ a: 2 }, near], 'written'],
    [
      'to a stranger',
      as('doctor'),
      'Condition',
      [{}, { patients: ['budi'], relations: ['facility rs:budi'] }],
      [{}, { patients: ['siti'], relations: ['facility rs:budi'] }],
      'state',
    ],
    [
      'from a stranger',
      as('doctor'),
      'Condition',
      [{}, { patients: ['siti'], relations: ['facility rs:budi'] }],
      [{}, { patients: ['budi'], relations: ['facility rs:budi'] }],
      'state',
    ],
    [
      'with a stranger added',
      as('doctor'),
      'Appointment',
      [{}, { patients: ['budi'], relations: ['facility rs:budi'] }],
      [{}, { patients: ['budi', 'siti'], relations: ['facility rs:budi'] }],
      'state',
    ],
    [
      'with a stranger taken away',
      as('doctor'),
      'Appointment',
      [{}, { patients: ['budi', 'siti'], relations: ['facility rs:budi'] }],
      [{}, { patients: ['budi'], relations: ['facility rs:budi'] }],
      'state',
    ],
    [
      'with a stranger who stays',
      as('doctor'),
      'Appointment',
      [{}, { patients: ['budi', 'siti'], relations: ['facility rs:budi'] }],
      [{ status: 'booked' }, { patients: ['budi', 'siti'], relations: ['facility rs:budi'] }],
      'written',
    ],
    [
      'between two of the house',
      as('doctor'),
      'Condition',
      [{}, { ...near, patients: ['budi'] }],
      [{}, { ...near, patients: ['siti'] }],
      'written',
    ],
    ['the patient taken away', as('doctor'), 'Condition', [{}, near], [{}, { ...near, patients: [] }], 'state'],
    [
      'out of the category',
      as('lab'),
      'Observation',
      [{}, { ...near, params: ['category=laboratory'] }],
      [{}, { ...near, params: ['category=imaging'] }],
      'state',
    ],
    [
      'into the category',
      as('lab'),
      'Observation',
      [{}, { ...near, params: ['category=imaging'] }],
      [{}, { ...near, params: ['category=laboratory'] }],
      'state',
    ],
    [
      'one grant for the old state, another for the new',
      principalWith({ roles: ['lab', 'radiology'] }),
      'Observation',
      [{}, { ...near, params: ['category=laboratory'] }],
      [{}, { ...near, params: ['category=imaging'] }],
      'state',
    ],
    [
      '¹ a telephone number',
      as('nurse'),
      'Patient',
      [{ telecom: [{ value: '1' }], name: [{ text: 'x' }] }, near],
      [{ telecom: [{ value: '2' }], name: [{ text: 'x' }] }, near],
      'written',
    ],
    ['¹ a name', as('nurse'), 'Patient', [{ name: [{ text: 'x' }] }, near], [{ name: [{ text: 'y' }] }, near], 'elements'],
    [
      '¹ the extensions of a birth date',
      as('nurse'),
      'Patient',
      [{ birthDate: '1990' }, near],
      [{ birthDate: '1990', _birthDate: { id: 'x' } }, near],
      'elements',
    ],
    ['¹ a security label', as('nurse'), 'Patient', [{ meta: {} }, near], [{ meta: { security: [{ code: 'U' }] } }, near], 'elements'],
    [
      '¹ what the server writes into meta',
      as('nurse'),
      'Patient',
      [{ meta: { versionId: '1', lastUpdated: 'a' } }, near],
      [{ meta: { versionId: '2', lastUpdated: 'b' }, photo: [{}] }, near],
      'written',
    ],
    ['¹ the death of a patient', as('nurse'), 'Patient', [{}, near], [{ deceasedBoolean: true }, near], 'elements'],
    [
      "¹ one's own address",
      portalUser(),
      'Patient',
      [{}, { id: 'me', patients: ['me'] }],
      [{ address: [{ text: 'x' }] }, { id: 'me', patients: ['me'] }],
      'written',
    ],
    [
      '¹ the address of another',
      portalUser(),
      'Patient',
      [{}, { patients: ['budi'] }],
      [{ address: [{ text: 'x' }] }, { patients: ['budi'] }],
      'state',
    ],
    [
      '¹⁵ the status of a prescription',
      as('pharmacist'),
      'MedicationRequest',
      [{ status: 'active' }, near],
      [{ status: 'completed', note: [{ text: 'x' }] }, near],
      'written',
    ],
    [
      '¹⁵ the dose of a prescription',
      as('pharmacist'),
      'MedicationRequest',
      [{ dosageInstruction: [{ text: '1' }] }, near],
      [{ dosageInstruction: [{ text: '2' }] }, near],
      'elements',
    ],
    [
      '⁴ cancelling',
      portalUser(),
      'Appointment',
      [{ status: 'booked' }, { patients: ['me'], params: ['status=booked'] }],
      [
        { status: 'cancelled', cancelationReason: {} },
        { patients: ['me'], params: ['status=cancelled'] },
      ],
      'written',
    ],
    [
      '⁴ moving',
      portalUser(),
      'Appointment',
      [
        { status: 'booked', start: '1' },
        { patients: ['me'], params: ['status=booked'] },
      ],
      [
        { status: 'cancelled', start: '2' },
        { patients: ['me'], params: ['status=cancelled'] },
      ],
      'elements',
    ],
    [
      '¹⁷ revoking',
      portalUser(),
      'Consent',
      [{ status: 'active' }, { patients: ['me'], params: ['consentor=Patient/me', 'status=active'] }],
      [{ status: 'inactive' }, { patients: ['me'], params: ['consentor=Patient/me', 'status=inactive'] }],
      'written',
    ],
    [
      '¹⁷ editing',
      portalUser(),
      'Consent',
      [{ status: 'active' }, { patients: ['me'], params: ['consentor=Patient/me', 'status=active'] }],
      [
        { status: 'active', provision: {} },
        { patients: ['me'], params: ['consentor=Patient/me', 'status=active'] },
      ],
      'state',
    ],
    [
      "¹⁹ stopping another's subscription",
      as('admin'),
      'Subscription',
      [
        { status: 'active', criteria: 'x' },
        { patients: [], params: ['status=active'] },
      ],
      [
        { status: 'off', criteria: 'x' },
        { patients: [], params: ['status=off'] },
      ],
      'written',
    ],
    [
      "¹⁹ changing another's subscription",
      as('admin'),
      'Subscription',
      [
        { status: 'active', criteria: 'x' },
        { patients: [], params: ['status=active'] },
      ],
      [
        { status: 'off', criteria: 'y' },
        { patients: [], params: ['status=off'] },
      ],
      'elements',
    ],
    [
      'hidden: a diagnosis that reception does not see',
      as('receptionist'),
      'Encounter',
      [{ diagnosis: [{ rank: 1 }] }, near],
      [{ status: 'finished' }, near],
      'elements',
    ],
    [
      'hidden: the narrative that reception does not see',
      as('receptionist'),
      'Encounter',
      [{ text: { div: 'x' } }, near],
      [{ status: 'finished' }, near],
      'hidden',
    ],
    [
      'visible: the status of a visit with a diagnosis',
      as('receptionist'),
      'Encounter',
      [{ diagnosis: [{ rank: 1 }] }, near],
      [{ diagnosis: [{ rank: 1 }], status: 'finished' }, near],
      'written',
    ],
    [
      'hidden: the address of a stranger, by reception',
      as('receptionist'),
      'Patient',
      [{ address: [{ text: 'x' }], name: [{ text: 'a' }] }, {}],
      [{ name: [{ text: 'b' }] }, {}],
      'hidden',
    ],
    [
      'visible: the name of a stranger, by reception',
      as('receptionist'),
      'Patient',
      [{ address: [{ text: 'x' }], name: [{ text: 'a' }] }, {}],
      [{ address: [{ text: 'x' }], name: [{ text: 'b' }] }, {}],
      'written',
    ],
    [
      'masked: the number of a stranger, by reception',
      as('receptionist'),
      'Patient',
      [{ identifier: [{ value: '3174000000001234' }] }, {}],
      [{ identifier: [{ value: '************1234' }] }, {}],
      'hidden',
    ],
  ]
  for (const [what, principal, type, before, after, verdict] of rows) {
    test(`${what}: ${verdict}`, () => {
      expect(write(principal, 'update', type, after, before)).toBe(verdict)
    })
  }
})

describe('labels', () => {
  const labelledAs = (code: string): Readonly<Record<string, unknown>> => ({
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code }] },
  })
  const inCare: Stated = { relations: ['facility rs', 'confirmed me'] }

  test('are raised by who may update, and lowered only by who reviews', () => {
    const [normal, restricted]: [State, State] = [
      [labelledAs('N'), inCare],
      [labelledAs('R'), { ...inCare, confidentiality: 4 }],
    ]
    expect(write(as('doctor'), 'update', 'Condition', restricted, normal)).toBe('written')
    expect(write(as('doctor'), 'update', 'Condition', normal, restricted)).toBe('labels')
    expect(write(principalWith({ roles: ['doctor', 'auditor'] }), 'update', 'Condition', normal, restricted)).toBe('written')
  })

  test('are not raised beyond what one sees oneself', () => {
    expect(write(as('doctor'), 'update', 'Condition', [labelledAs('R'), { ...near, confidentiality: 4 }], [{}, near])).toBe('beside')
  })
})

test('the names of changed elements are those of the model', () => {
  const before: Resource = {
    resourceType: 'Observation',
    id: '1',
    meta: { versionId: '1' },
    valueQuantity: { value: new Decimal('1.0') },
    status: 'final',
    note: [],
  }
  const after: Resource = {
    resourceType: 'Observation',
    id: '1',
    valueQuantity: { value: new Decimal('1.00') },
    status: 'final',
    effectiveDateTime: '2026',
  }
  expect([...changedElements(before, after, definitions)].sort()).toEqual(['effective', 'note', 'value'])
  expect([...changedElements(before, { ...before, meta: { lastUpdated: 'x' } }, definitions)]).toEqual([])
  expect([...changedElements(undefined, after, definitions)].sort()).toEqual(['effective', 'status', 'value'])
})
