/** What access filters ask of a resource: its privacy compartment, owners, authors and labels. auth.md 5.2, 5.4, 12.4 */
import { describe, expect, test } from '@jest/globals'
import { readLabelRules } from '../../src/auth/labels/label-rules.ts'
import { createLabelling } from '../../src/auth/labels/written-labels.ts'
import { creatorOf, withCreator } from '../../src/auth/relations/creator.ts'
import type { Written } from '../../src/auth/relations/written.ts'
import type { Resource } from '../../src/fhir/model/resource.ts'
import { accessAttributes } from '../../src/interactions/access-attributes.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { testDefinitions } from '../support/definitions.ts'
import { testBase } from '../support/parts.ts'

const index = createIndexer(testDefinitions(), { base: testBase, zone: 'Asia/Jakarta' })
const attributesOf = (resource: Resource, written?: Written) => accessAttributes(resource, 'x', index(resource), written)

const budi = { reference: 'Patient/budi' }
const siti = { reference: 'Patient/siti' }
const rs = { reference: 'Organization/rs' }
const me = { reference: 'Practitioner/me' }

describe('whom it is about', () => {
  const observation = { resourceType: 'Observation', id: 'o', subject: budi }
  const rows: readonly (readonly [why: string, resource: Resource, patients: readonly string[], known?: readonly Resource[]])[] = [
    ['a patient himself', { resourceType: 'Patient', id: 'x', link: [{ other: siti }] }, ['x']],
    ['subject', { resourceType: 'Observation', subject: budi, performer: [siti], focus: [siti] }, ['budi']],
    ['patient', { resourceType: 'AllergyIntolerance', patient: budi, asserter: siti, recorder: siti }, ['budi']],
    ['beneficiary', { resourceType: 'Coverage', beneficiary: budi, subscriber: siti, payor: [siti] }, ['budi']],
    ['individual', { resourceType: 'ResearchSubject', individual: budi }, ['budi']],
    [
      'an appointment, all who come',
      { resourceType: 'Appointment', participant: [{ actor: budi }, { actor: siti }, { actor: me }] },
      ['budi', 'siti'],
    ],
    ['an answer to an appointment', { resourceType: 'AppointmentResponse', actor: budi }, ['budi']],
    ['not an actor elsewhere', { resourceType: 'Schedule', actor: [budi] }, []],
    ['a task, for whom', { resourceType: 'Task', for: budi, requester: siti, owner: siti }, ['budi']],
    ['an audit event, all its patients', { resourceType: 'AuditEvent', entity: [{ what: budi }, { what: siti }] }, ['budi', 'siti']],
    ['a person, its records', { resourceType: 'Person', link: [{ target: budi }, { target: me }] }, ['budi']],
    ['an account, each subject', { resourceType: 'Account', subject: [budi, siti, rs] }, ['budi', 'siti']],
    ['a communication, not who hears of it', { resourceType: 'Communication', subject: budi, recipient: [siti], sender: siti }, ['budi']],
    ['a list, not what stands in it', { resourceType: 'List', subject: budi, entry: [{ item: siti }] }, ['budi']],
    ['a group, its members', { resourceType: 'Group', member: [{ entity: budi }, { entity: siti }, { entity: me }] }, ['budi', 'siti']],
    ['a linkage, what it links', { resourceType: 'Linkage', item: [{ resource: budi }, { resource: siti }] }, ['budi', 'siti']],
    [
      'a linkage of what is about somebody',
      { resourceType: 'Linkage', item: [{ resource: { reference: 'Observation/o' } }] },
      ['budi'],
      [observation],
    ],
    ['provenance of a patient', { resourceType: 'Provenance', target: [budi], agent: [{ who: siti }] }, ['budi']],
    [
      'provenance of what is about somebody',
      { resourceType: 'Provenance', target: [{ reference: 'Observation/o' }] },
      ['budi'],
      [observation],
    ],
    ['provenance of what nobody knows', { resourceType: 'Provenance', target: [{ reference: 'Observation/weg' }] }, []],
    ['a binary, by its context', { resourceType: 'Binary', securityContext: budi }, ['budi']],
    [
      'a binary, by the patient of its context',
      { resourceType: 'Binary', securityContext: { reference: 'Observation/o' } },
      ['budi'],
      [observation],
    ],
    [
      'an answer to an enrolment',
      { resourceType: 'EnrollmentResponse', request: { reference: 'EnrollmentRequest/e' } },
      ['budi'],
      [{ resourceType: 'EnrollmentRequest', id: 'e', candidate: budi }],
    ],
    [
      'a notice of payment',
      { resourceType: 'PaymentNotice', request: { reference: 'Claim/c' } },
      ['budi'],
      [{ resourceType: 'Claim', id: 'c', patient: budi }],
    ],
    [
      'a payment, each line',
      { resourceType: 'PaymentReconciliation', detail: [{ request: { reference: 'Claim/c' } }, { request: { reference: 'Claim/d' } }] },
      ['budi', 'siti'],
      [
        { resourceType: 'Claim', id: 'c', patient: budi },
        { resourceType: 'Claim', id: 'd', patient: siti },
      ],
    ],
    ['a message, what it brings', { resourceType: 'MessageHeader', focus: [budi] }, ['budi']],
    ['a verification', { resourceType: 'VerificationResult', target: [budi] }, ['budi']],
    [
      'a bundle, whatever it holds, however deep',
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [
          { resource: { resourceType: 'Observation', subject: budi } },
          { resource: { resourceType: 'Patient', id: 'agus' } },
          { resource: { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Coverage', beneficiary: siti } }, {}, null] } },
        ],
      },
      ['budi', 'agus', 'siti'],
    ],
    [
      'a patient of another server is nobody here',
      { resourceType: 'Observation', subject: { reference: 'https://lain.example/fhir/Patient/budi' } },
      [],
    ],
    ['a place is about nobody', { resourceType: 'Location', managingOrganization: rs }, []],
  ]
  for (const [why, resource, patients, known = []] of rows)
    test(why, () => {
      const resolve: Written['resolve'] = ({ type, id }) => known.find(one => one.resourceType === type && one.id === id)
      expect(attributesOf(resource, { resolve }).patients).toEqual(patients)
    })
})

describe('to whom it belongs', () => {
  const rows: readonly (readonly [why: string, resource: Resource])[] = [
    ['a place', { resourceType: 'Location', managingOrganization: rs }],
    ['an encounter', { resourceType: 'Encounter', serviceProvider: rs }],
    ['a document', { resourceType: 'DocumentReference', custodian: rs }],
    ['a group', { resourceType: 'Group', managingEntity: rs }],
    ['a claim', { resourceType: 'Claim', provider: rs }],
    ['an answer to a claim', { resourceType: 'ClaimResponse', requestor: rs }],
    ['a study', { resourceType: 'ResearchStudy', sponsor: rs }],
    ['a task', { resourceType: 'Task', owner: rs }],
    ['an invoice', { resourceType: 'Invoice', issuer: rs }],
    ['a report of measures', { resourceType: 'MeasureReport', reporter: rs }],
  ]
  for (const [why, resource] of rows) test(why, () => expect(attributesOf(resource).organizations).toEqual(['rs']))
  test('not to its payer', () => expect(attributesOf({ resourceType: 'Coverage', payor: [rs] }).organizations).toEqual([]))
})

describe('who made it', () => {
  test('author, recorder, requester and performer', () => {
    for (const [resourceType, name] of [
      ['Composition', 'author'],
      ['Condition', 'recorder'],
      ['ServiceRequest', 'requester'],
    ] as const)
      expect(attributesOf({ resourceType, [name]: resourceType === 'Composition' ? [me] : me }).authors).toEqual(['Practitioner/me'])
    expect(attributesOf({ resourceType: 'Observation', performer: [me] }).authors).toEqual(['Practitioner/me'])
  })

  const types = ['Basic', 'Binary', 'Group', 'Subscription'] as const
  test('of types without such an element whoever created it, however often others write', () => {
    for (const resourceType of types) {
      const created = withCreator({ resourceType }, undefined, 'Practitioner/me')
      expect(attributesOf(created).authors).toEqual(['Practitioner/me'])
      const updated = withCreator({ resourceType, language: 'id' }, created, 'Practitioner/lain')
      expect(creatorOf(updated)).toBe('Practitioner/me')
      expect(withCreator(updated, updated, 'Practitioner/lain')).toBe(updated)
    }
  })
  test('whatever the writer says of it', () => {
    const forged = withCreator({ resourceType: 'Binary' }, undefined, 'Practitioner/korban')
    expect(creatorOf(withCreator(forged, undefined, 'Practitioner/me'))).toBe('Practitioner/me')
    expect(creatorOf(withCreator(forged, undefined, undefined))).toBeUndefined()
    expect(creatorOf(withCreator(forged, { resourceType: 'Binary' }, 'Practitioner/korban'))).toBeUndefined()
    expect(attributesOf(withCreator(forged, undefined, undefined)).authors).toEqual([])
  })
  test('not of others', () => {
    const observation = { resourceType: 'Observation' }
    expect(withCreator(observation, undefined, 'Practitioner/me')).toBe(observation)
    expect(
      creatorOf({ ...withCreator({ resourceType: 'Binary' }, undefined, 'Practitioner/me'), resourceType: 'Observation' }),
    ).toBeUndefined()
  })
})

describe('labels at write', () => {
  const read = readLabelRules({
    version: '1',
    rules: [
      { name: 'hiv', confidentiality: 'R', sensitivities: ['HIV'], codes: ['http://hl7.org/fhir/sid/icd-10|B2*'] },
      { name: 'jiwa', confidentiality: 'R', sensitivities: ['PSY'], organizations: ['rsj'] },
    ],
  })
  if (!read.ok) throw new Error(read.problems.join())
  const labelling = createLabelling(read.rules)
  const hiv = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'B24' }] }
  const r = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }
  const psy = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' }
  const shown = (resource: Resource): readonly unknown[] => {
    const { confidentiality, sensitivities } = attributesOf(labelling(resource))
    return [confidentiality, sensitivities]
  }
  test('nothing is made anew where nothing fits', () => {
    const plain = { resourceType: 'Condition', code: { text: 'B24' } }
    expect(labelling(plain)).toBe(plain)
    expect(shown(plain)).toEqual([3, undefined])
  })
  test('by code, and by the organization that it belongs to', () => {
    expect(shown({ resourceType: 'Condition', code: hiv })).toEqual([4, ['HIV']])
    expect(shown({ resourceType: 'Encounter', serviceProvider: { reference: 'Organization/rsj' } })).toEqual([4, ['PSY']])
    expect(shown({ resourceType: 'Encounter', serviceProvider: rs })).toEqual([3, undefined])
  })
  test('beside those it has, never fewer', () => {
    expect(shown({ resourceType: 'Condition', code: hiv, meta: { security: [psy] } })).toEqual([4, ['HIV', 'PSY']])
  })
  test('a bundle has the highest of its entries, however deep', () => {
    const inner = { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Observation', meta: { security: [psy] } } }] }
    expect(
      shown({ resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Patient', meta: { security: [r] } } }, { resource: inner }] }),
    ).toEqual([4, ['PSY']])
    expect(shown({ resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Condition', code: hiv } }] })).toEqual([4, ['HIV']])
    expect(shown({ resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Patient' } }] })).toEqual([3, undefined])
  })
})
