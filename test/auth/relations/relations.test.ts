/** Who reaches whose record by what a resource says: auth.md 4.1. */
import { describe, expect, test } from '@jest/globals'
import { namedForRelations, relationsOf } from '../../../src/auth/relations/relations.ts'
import type { Written } from '../../../src/auth/relations/written.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import type { Relation } from '../../../src/storage/port.ts'

const day = 86_400_000
const at = (text: string): number => Date.parse(text)
const now = at('2026-11-21T00:00:00+07:00')

/** `care me`, `care me since 2026-11-01 until 2026-12-01 self`: of patient budi unless named. Instants are read back in Jakarta. */
const said = (rows: readonly Relation[]): readonly string[] =>
  rows
    .map(({ from, of, patient, since, until, self }) =>
      [from, of, patient === 'budi' ? '' : `:${patient}`, when('since', since), when('until', until), self ? 'self' : '']
        .filter(part => part !== '')
        .join(' '),
    )
    .toSorted()
const when = (word: string, instant: number | undefined): string =>
  instant === undefined ? '' : `${word} ${new Date(instant + 7 * 3_600_000).toISOString().slice(0, 10)}`

const subject = { reference: 'Patient/budi' }
const doctor = { reference: 'Practitioner/me' }
const rs = { reference: 'Organization/rs' }
const role = { resourceType: 'PractitionerRole', id: 'role', practitioner: doctor, organization: rs }

type Row = readonly [why: string, resource: Resource, expected: readonly string[], written?: Written]

const check = (rows: readonly Row[]): void => {
  for (const [why, resource, expected, written = {}] of rows)
    test(why, () => expect(said(relationsOf(resource, 'x', ['budi'], { now, ...written }))).toEqual([...expected].sort()))
}

const encounter = (more: object): Resource => ({
  resourceType: 'Encounter',
  status: 'in-progress',
  subject,
  participant: [{ individual: doctor }],
  ...more,
})

describe('an Encounter', () => {
  check([
    ['that is open gives care without end', encounter({}), ['care me']],
    ['that is planned counts as open', encounter({ status: 'planned' }), ['care me']],
    ['gives facility by its provider', encounter({ serviceProvider: rs }), ['care me', 'facility rs']],
    ['that ended gives care for 30 days', encounter({ status: 'finished', period: { end: '2026-11-01' } }), ['care me until 2026-12-02']],
    ['that ended 30 days ago gives none', encounter({ status: 'finished', period: { end: '2026-10-21' } }), []],
    ['that ended 29 days ago gives a day', encounter({ status: 'finished', period: { end: '2026-10-22' } }), ['care me until 2026-11-22']],
    [
      'that ended years ago gives facility and no care',
      encounter({ status: 'finished', period: { end: '2015-01-01' }, serviceProvider: rs }),
      ['facility rs'],
    ],
    ['that is over and does not say when gives none', encounter({ status: 'finished' }), []],
    ['with an end that is no date gives none', encounter({ period: { end: 'kemarin' } }), []],
    ['that was cancelled gives no care', encounter({ status: 'cancelled', serviceProvider: rs }), ['facility rs']],
    ['in an unknown state without an end gives none', encounter({ status: 'unknown' }), []],
    ['entered in error gives nothing', encounter({ status: 'entered-in-error', serviceProvider: rs }), []],
    ['open on paper with an end long ago gives none', encounter({ period: { end: '2020-01-01' } }), []],
    [
      'with a role that nobody knows gives no care',
      encounter({ participant: [{ individual: { reference: 'PractitionerRole/role' } }] }),
      [],
    ],
    [
      'with a role that is known gives care to its practitioner',
      encounter({ participant: [{ individual: { reference: 'PractitionerRole/role' } }] }),
      ['care me'],
      { resolve: ({ type, id }) => (`${type}/${id}` === 'PractitionerRole/role' ? role : undefined) },
    ],
    [
      'with a contained role gives care to its practitioner',
      encounter({ contained: [role], participant: [{ individual: { reference: '#role' } }] }),
      ['care me'],
    ],
    [
      'with a role that is no longer active gives none',
      encounter({ contained: [{ ...role, active: false }], participant: [{ individual: { reference: '#role' } }] }),
      [],
    ],
    ['names a relative, who treats nobody', encounter({ participant: [{ individual: { reference: 'RelatedPerson/ibu' } }] }), []],
    [
      'names someone of another server',
      encounter({ participant: [{ individual: { reference: 'https://lain.example/Practitioner/me' } }] }),
      [],
    ],
    ['with participants that are no objects gives nothing', encounter({ participant: ['me', null, [doctor]] }), []],
    [
      'names the same practitioner twice and gives one row',
      encounter({ participant: [{ individual: doctor }, { individual: doctor }] }),
      ['care me'],
    ],
  ])
})

describe('a care team', () => {
  const team = (more: object): Resource => ({
    resourceType: 'CareTeam',
    status: 'active',
    subject,
    participant: [{ member: doctor }],
    ...more,
  })
  check([
    ['gives care to its members', team({}), ['care me']],
    ['for its period', team({ period: { start: '2026-11-10', end: '2026-11-30' } }), ['care me since 2026-11-10 until 2026-12-01']],
    [
      'and that of the member',
      team({ period: { start: '2026-11-10' }, participant: [{ member: doctor, period: { start: '2026-11-12', end: '2026-11-25' } }] }),
      ['care me since 2026-11-12 until 2026-11-26'],
    ],
    [
      'that never met its member gives none',
      team({ period: { end: '2026-11-10' }, participant: [{ member: doctor, period: { start: '2026-11-12' } }] }),
      [],
    ],
    ['that is only proposed gives none', team({ status: 'proposed' }), []],
    ['that is no longer active gives none', team({ status: 'inactive' }), []],
  ])
})

describe('an appointment', () => {
  const appointment = (more: object): Resource => ({
    resourceType: 'Appointment',
    status: 'booked',
    start: '2026-11-20T09:00:00+07:00',
    end: '2026-11-20T09:30:00+07:00',
    participant: [{ actor: subject }, { actor: doctor, status: 'accepted' }],
    ...more,
  })
  const clinic = { resourceType: 'Location', id: 'poli', managingOrganization: rs }
  check([
    ['gives care from 7 days before to 1 day after', appointment({}), ['care me since 2026-11-13 until 2026-11-21']],
    ['gives none two days later', appointment({ start: '2026-11-19T09:00:00+07:00', end: '2026-11-19T09:30:00+07:00' }), []],
    ['that is cancelled gives none', appointment({ status: 'cancelled' }), []],
    ['that was declined gives none', appointment({ participant: [{ actor: doctor, status: 'declined' }] }), []],
    [
      'without a time yet counts the time asked for',
      appointment({ start: undefined, end: undefined, requestedPeriod: [{ start: '2026-12-01', end: '2026-12-02' }] }),
      ['care me since 2026-11-24 until 2026-12-04'],
    ],
    ['without any time gives none', appointment({ start: undefined, end: undefined }), []],
    ['at a place that nobody knows gives no facility', appointment({ participant: [{ actor: { reference: 'Location/poli' } }] }), []],
    [
      'at a place that is known gives its facility',
      appointment({ participant: [{ actor: { reference: 'Location/poli' } }] }),
      ['facility rs'],
      { resolve: () => clinic },
    ],
  ])
})

describe('orders', () => {
  const order = (more: object): Resource => ({
    resourceType: 'ServiceRequest',
    status: 'active',
    subject,
    requester: doctor,
    performer: [{ reference: 'Practitioner/analis' }],
    ...more,
  })
  const lab = [{ coding: [{ system: 'http://snomed.info/sct', code: '108252007' }] }]
  const before: readonly Relation[] = [{ from: 'queue', of: 'unit', patient: 'budi' }]
  const toUnit = { requester: undefined, performer: [{ reference: 'Organization/unit' }] }
  check([
    ['that are open give care to who asked and who does it', order({}), ['care me', 'care analis']],
    ['that are completed give no care', order({ status: 'completed' }), []],
    ['in draft give none', order({ status: 'draft' }), []],
    ['that are revoked give no unit anything', order({ ...toUnit, status: 'revoked' }), []],
    ['addressed to a unit wait there', order(toUnit), ['queue unit']],
    [
      'addressed to a place wait there',
      order({ ...toUnit, performer: [], locationReference: [{ reference: 'Location/lab' }] }),
      ['queue Location/lab'],
    ],
    ['addressed to nobody wait for the kind of work', order({ ...toUnit, performer: [], category: lab }), ['queue laboratory@']],
    [
      'addressed to nobody wait at the place of their encounter, where it is known',
      order({ ...toUnit, performer: [], category: lab, encounter: { reference: 'Encounter/1' } }),
      ['queue laboratory@rs'],
      { resolve: () => ({ resourceType: 'Encounter', serviceProvider: rs }) },
    ],
    ['completed now are seen 14 days more', order({ ...toUnit, status: 'completed' }), ['queue unit until 2026-12-05'], { before }],
    [
      'written again after completion keep the end they had',
      order({ ...toUnit, status: 'completed' }),
      ['queue unit until 2026-11-23'],
      { before: [{ from: 'queue', of: 'unit', patient: 'budi', until: now + 2 * day }] },
    ],
    [
      'that came in completed count from the last time they tell',
      order({ ...toUnit, status: 'completed', authoredOn: '2026-11-15' }),
      ['queue unit until 2026-11-30'],
    ],
    ['that came in completed long ago give nothing', order({ ...toUnit, status: 'completed', authoredOn: '2019-11-15' }), []],
    ['that came in completed without any time give nothing', order({ ...toUnit, status: 'completed' }), []],
    [
      'of medicines wait for pharmacies where nobody is addressed',
      { resourceType: 'MedicationRequest', status: 'active', subject, requester: doctor },
      ['care me', 'queue pharmacy@'],
    ],
    [
      'of medicines wait where they are to be dispensed',
      {
        resourceType: 'MedicationRequest',
        status: 'active',
        subject,
        dispenseRequest: { performer: { reference: 'Organization/apotek' } },
      },
      ['queue apotek'],
    ],
    [
      'as tasks wait with their owner',
      { resourceType: 'Task', status: 'ready', for: subject, requester: doctor, owner: { reference: 'Organization/unit' } },
      ['care me', 'queue unit'],
    ],
    [
      'as tasks that failed give no care',
      { resourceType: 'Task', status: 'failed', for: subject, requester: doctor, lastModified: '2010-01-01' },
      [],
    ],
    ['as specimens wait for laboratories', { resourceType: 'Specimen', status: 'available', subject }, ['queue laboratory@']],
  ])
})

describe('a Patient', () => {
  check([
    [
      'gives care to the general practitioner and facility to who keeps the record',
      { resourceType: 'Patient', generalPractitioner: [doctor, rs], managingOrganization: rs },
      ['care me', 'facility rs'],
    ],
    [
      'in an episode of care is known there',
      { resourceType: 'EpisodeOfCare', status: 'active', managingOrganization: rs },
      ['facility rs'],
    ],
    ['is not made known by a Coverage, which names a payer', { resourceType: 'Coverage', status: 'active', payor: [rs] }, []],
    ['is not made known by an Observation', { resourceType: 'Observation', status: 'final', performer: [doctor, rs] }, []],
  ])
})

describe('a Group', () => {
  const group = (more: object): Resource => ({ resourceType: 'Group', actual: true, active: true, ...more })
  const members = [
    { entity: { reference: 'Patient/siti' } },
    { entity: { reference: 'Patient/agus' }, period: { start: '2026-01-01', end: '2026-12-31' } },
    { entity: { reference: 'Patient/old' }, period: { end: '2020-01-01' } },
    { entity: { reference: 'Patient/gone' }, inactive: true },
    { entity: doctor },
  ]
  check([
    ['reaches its members', group({ member: members }), ['group x :siti', 'group x :agus since 2026-01-01 until 2027-01-01']],
    ['that is not active reaches nobody', group({ active: false, member: members }), []],
    ['of what may be reaches nobody', group({ actual: false, member: members }), []],
  ])
  test('has at most 10,000 rows', () => {
    const many = Array.from({ length: 10_500 }, (_, n) => ({ entity: { reference: `Patient/p${n}` } }))
    expect(relationsOf(group({ member: many }), 'x', []).length).toBe(10_000)
  })
})

describe('who wrote himself in', () => {
  const own = encounter({})
  const confirmed: readonly Relation[] = [{ from: 'care', of: 'me', patient: 'budi' }]
  const self: readonly Relation[] = [{ from: 'care', of: 'me', patient: 'budi', self: true }]
  check([
    ['is marked', own, ['care me self'], { by: 'Practitioner/me' }],
    ['is not, when somebody else writes', own, ['care me'], { by: 'Practitioner/lain' }],
    ['is not, when a program writes', own, ['care me']],
    ['stays marked when somebody else writes later', own, ['care me self'], { by: 'Practitioner/lain', before: self }],
    ['stays marked when a program writes later', own, ['care me self'], { before: self }],
    ['is not, where others wrote him in before', own, ['care me'], { by: 'Practitioner/me', before: confirmed }],
    [
      'is marked in orders, teams, appointments and as general practitioner',
      { resourceType: 'Patient', generalPractitioner: [doctor] },
      ['care me self'],
      { by: 'Practitioner/me' },
    ],
    [
      'is not a facility',
      encounter({ participant: [], serviceProvider: { reference: 'Organization/me' } }),
      ['facility me'],
      { by: 'Practitioner/me' },
    ],
  ])
})

test('what has to be looked up is named, bounded, and nothing else', () => {
  const names = (resource: Resource): readonly string[] => namedForRelations(resource).map(({ type, id }) => `${type}/${id}`)
  expect(names(encounter({}))).toEqual([])
  expect(
    names(
      encounter({
        participant: [{ individual: { reference: 'PractitionerRole/a' } }],
        location: [{ location: { reference: 'Location/1' } }],
      }),
    ),
  ).toEqual(['PractitionerRole/a'])
  expect(names({ resourceType: 'Observation', performer: [{ reference: 'PractitionerRole/a' }] })).toEqual([])
  const many = Array.from({ length: 200 }, (_, n) => ({ actor: { reference: `Location/${n}` } }))
  expect(names({ resourceType: 'Appointment', participant: many }).length).toBe(50)
})
