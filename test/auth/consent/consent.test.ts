/** Consents: which can be enforced, and what they open and close, across patients and to the letter. auth.md 12.1 to 12.3 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ConsentDefault } from '../../../src/auth/consent/consent-rule.ts'
import { acrossPatients } from '../../../src/auth/consent/across-patients.ts'
import { checkConsent } from '../../../src/auth/consent/check-consent.ts'
import { consentRelations } from '../../../src/auth/consent/consent-relations.ts'
import { type Consents, createConsents } from '../../../src/auth/consent/consents.ts'
import { codeParams, dateParams } from '../../../src/auth/consent/matter.ts'
import { isActivePrivacyConsent } from '../../../src/auth/consent/read-consent.ts'
import { labelsOf } from '../../../src/auth/labels/labels.ts'
import { type AccessSubject, type ConsentFilter, confidentialityLevels, permits } from '../../../src/base/access-filter.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import type { Relation } from '../../../src/storage/port.ts'
import { testDefinitions } from '../../support/definitions.ts'

const now = Date.parse('2026-11-21T08:00:00Z')

// --- consents in short

type Provision = Readonly<Record<string, unknown>>
const concept = (system: string, code: string): object => ({ coding: [{ system, code }] })
const recipient = (reference: string): object => ({
  role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
  reference: reference.startsWith('client/')
    ? { type: 'Device', identifier: { system: 'https://simpul.example/fhir/identifier/client', value: reference.slice(7) } }
    : { reference },
})
const purpose = (code: string): object => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code })
const type = (code: string): object => ({ system: 'http://hl7.org/fhir/resource-types', code })
const level = (code: string): object => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code })
const sensitivity = (code: string): object => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code })

const consentWith = (provision: Provision | undefined, more: object = {}): Resource => ({
  resourceType: 'Consent',
  status: 'active',
  scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
  category: [concept('http://loinc.org', '59284-0')],
  patient: { reference: 'Patient/budi' },
  dateTime: '2026-11-01',
  performer: [{ reference: 'Patient/budi' }],
  sourceAttachment: { title: 'Formulir 7' },
  policy: [{ uri: 'https://rs.example/persetujuan/3' }],
  ...(provision && { provision }),
  ...more,
})

const deny = (conditions: Provision = {}): Provision => ({ type: 'deny', ...conditions })
const permit = (conditions: Provision = {}): Provision => ({ type: 'permit', ...conditions })

// --- who asks, and what

const asking = (
  recipients: readonly string[] = ['Practitioner/me', 'Organization/rs'],
  purposes: readonly string[] = ['TREAT'],
): ConsentFilter => ({
  op: 'consent',
  recipients,
  purposes,
  mode: 'exact',
})
const outside: ConsentFilter = { ...asking(['Practitioner/me', 'Organization/rs', 'client/aplikasi-1']), outside: true }
const research = asking(undefined, ['HRESCH'])

type Matter = {
  readonly type?: string
  readonly id?: string
  readonly patients?: readonly string[]
  readonly security?: readonly object[]
  readonly code?: string
  readonly date?: string
  readonly authors?: readonly string[]
}

const consentsOf = (consents: readonly Resource[], byDefault: ConsentDefault = 'normal', more = false): Consents =>
  createConsents({
    activeConsents: async patient => ({
      consents: consents.filter(one => (one.patient as { reference?: string } | undefined)?.reference === `Patient/${patient}`),
      more,
    }),
    newest: async (of, id) =>
      of === 'CareTeam' && id === 'a'
        ? { resourceType: 'CareTeam', status: 'active', participant: [{ member: { reference: 'Practitioner/me' } }] }
        : of === 'Encounter' && id === '9'
          ? { resourceType: 'Encounter', diagnosis: [{ condition: { reference: 'Condition/1' } }] }
          : undefined,
    clock: () => now,
    zone: 'Asia/Jakarta',
    byDefault,
  })

/** A state as filters ask about it; one day as its date, so that comparing texts compares dates. */
const subjectOf = (matter: Matter, rows: readonly Relation[]): AccessSubject => {
  const security = (matter.security ?? []) as { system: string; code: string }[]
  const labels = labelsOf({ meta: { security } })
  return {
    id: matter.id ?? '1',
    patients: matter.patients ?? ['budi'],
    authors: matter.authors ?? [],
    organizations: [],
    confidentiality: confidentialityLevels[labels.confidentiality],
    sensitivities: labels.sensitivities,
    meets: ({ code, values }) => values.some(value => meets(code, value, matter, security)),
    relates: ({ from, of }, patient) =>
      rows.some(
        row =>
          row.from === from &&
          row.patient === patient &&
          of.includes(row.of) &&
          (row.since ?? Number.NEGATIVE_INFINITY) <= now &&
          now < (row.until ?? Number.POSITIVE_INFINITY),
      ),
  }
}

const meets = (
  code: string,
  value: string,
  { code: own, date }: Matter,
  security: readonly { system: string; code: string }[],
): boolean => {
  if (code === '_security') return security.some(one => `${one.system}|${one.code}` === value)
  if (['date', 'recorded-date', 'authoredon'].includes(code)) {
    const [prefix, day] = [value.slice(0, 2), value.slice(2)]
    if (date === undefined) return false
    return { eb: date < day, lt: date < day, sa: date > day, gt: date > day, ge: date >= day, le: date <= day }[prefix] ?? false
  }
  return own !== undefined && value === own
}

const isOpen = async (
  consents: readonly Resource[],
  filter: ConsentFilter,
  matter: Matter = {},
  byDefault: ConsentDefault = 'normal',
): Promise<boolean> => {
  const words = await consentsOf(consents, byDefault).of(filter, matter.type ?? 'Condition', matter.patients ?? ['budi'])
  return permits(words, subjectOf(matter, rowsOf(consents))) === true
}

const rowsOf = (consents: readonly Resource[]): readonly Relation[] =>
  consents.flatMap(one => consentRelations(one, { zone: 'Asia/Jakarta' }))

const isOpenAcross = (
  consents: readonly Resource[],
  filter: ConsentFilter,
  matter: Matter = {},
  byDefault: ConsentDefault = 'normal',
): boolean => permits(acrossPatients(filter, matter.type ?? 'Condition', byDefault), subjectOf(matter, rowsOf(consents))) === true

// --- tables

type Row = readonly [
  why: string,
  consents: readonly Resource[],
  filter: ConsentFilter,
  exact: 'open' | 'closed',
  across: 'open' | 'closed',
  matter?: Matter,
  byDefault?: ConsentDefault,
]

const check = (rows: readonly Row[]): void => {
  for (const [why, consents, filter, exact, across, matter, byDefault] of rows)
    test(why, async () => {
      expect(await isOpen(consents, filter, matter, byDefault)).toBe(exact === 'open')
      expect(isOpenAcross(consents, filter, matter, byDefault)).toBe(across === 'open')
    })
}

const hiv: Matter = { security: [level('R'), sensitivity('HIV')] }
const me = recipient('Practitioner/me')
const rs = recipient('Organization/rs')

describe('without a consent', () => {
  check([
    ['treatment is open', [], asking(), 'open', 'open'],
    ['so are payment and operations', [], asking(undefined, ['HPAYMT', 'HQUALIMP']), 'open', 'open'],
    ['so is what patients ask for', [], asking(['Patient/budi'], ['PATRQT']), 'open', 'open'],
    ['research is closed', [], research, 'closed', 'closed'],
    ['marketing is closed', [], asking(undefined, ['HMARKT']), 'closed', 'closed'],
    ['treatment and research together are closed', [], asking(undefined, ['TREAT', 'HRESCH']), 'closed', 'closed'],
    ['an unknown purpose is closed', [], asking(undefined, ['APASAJA']), 'closed', 'closed'],
    ['no purpose is closed', [], asking(undefined, []), 'closed', 'closed'],
    ['an application from outside is closed', [], outside, 'closed', 'closed'],
    ['what is about nobody is open to all', [], research, 'open', 'open', { patients: [] }],
    ['deny closes treatment', [], asking(), 'closed', 'closed', {}, 'deny'],
    ['all opens research', [], research, 'open', 'open', {}, 'all'],
    ['all opens applications from outside', [], outside, 'open', 'open', {}, 'all'],
    ['deny closes what several are about', [], asking(), 'closed', 'closed', { type: 'Appointment', patients: ['budi', 'siti'] }, 'deny'],
  ])
})

describe('what the patient wants in general', () => {
  const closed = consentWith(deny())
  check([
    ['a deny closes all', [closed], asking(), 'closed', 'closed'],
    ['of other patients nothing', [closed], asking(), 'open', 'open', { patients: ['siti'] }],
    ['of several, one is enough', [closed], asking(), 'closed', 'closed', { type: 'Appointment', patients: ['siti', 'budi'] }],
    ['never to the patient', [closed], asking(['Patient/budi'], ['PATRQT']), 'open', 'open'],
    ['but to another one', [closed], asking(['Patient/siti'], ['PATRQT']), 'closed', 'closed'],
    ['to the patient through an application', [closed], asking(['Patient/budi', 'client/aplikasi-1'], ['PATRQT']), 'open', 'open'],
    [
      'but for one that he closed it to',
      [consentWith(deny({ actor: [recipient('client/aplikasi-1')] }))],
      asking(['Patient/budi', 'client/aplikasi-1'], ['PATRQT']),
      'closed',
      'closed',
    ],
    [
      'and what he closed to it alone',
      [consentWith(deny({ actor: [recipient('client/aplikasi-1')], class: [type('Observation')] }))],
      asking(['Patient/budi', 'client/aplikasi-1'], ['PATRQT']),
      'open',
      'open',
    ],
    [
      'nor by one that nobody can read',
      [consentWith({ type: 'maybe' })],
      asking(['Patient/budi', 'client/aplikasi-1'], ['PATRQT']),
      'open',
      'open',
    ],
    [
      'to the patient not what is about others too',
      [consentWith(deny(), { patient: { reference: 'Patient/siti' } })],
      asking(['Patient/budi'], ['PATRQT']),
      'closed',
      'closed',
      { type: 'Appointment', patients: ['budi', 'siti'] },
    ],
    ['a permit opens research', [consentWith(permit())], research, 'open', 'open'],
    ['a permit for research opens research', [consentWith(permit({ purpose: [purpose('HRESCH')] }))], research, 'open', 'open'],
    ['and a narrower purpose', [consentWith(permit({ purpose: [purpose('HRESCH')] }))], asking(undefined, ['CLINTRCH']), 'open', 'open'],
    ['but no wider one', [consentWith(permit({ purpose: [purpose('CLINTRCH')] }))], research, 'closed', 'closed'],
    [
      'each purpose by itself',
      [consentWith(permit({ purpose: [purpose('HRESCH')] })), consentWith(deny({ purpose: [purpose('TREAT')] }))],
      asking(undefined, ['HRESCH', 'TREAT']),
      'closed',
      'closed',
    ],
    ['a deny for research leaves treatment', [consentWith(deny({ purpose: [purpose('HRESCH')] }))], asking(), 'open', 'open'],
    ['a deny beats a permit', [consentWith(permit()), consentWith(deny())], asking(), 'closed', 'closed'],
    ['an inactive deny closes nothing', [consentWith(deny(), { status: 'inactive' })], asking(), 'open', 'open'],
    ['one not yet in force closes nothing', [consentWith(deny({ period: { start: '2026-11-22' } }))], asking(), 'open', 'open'],
    [
      'one in force today closes',
      [consentWith(deny({ period: { start: '2026-11-21', end: '2026-11-21' } }))],
      asking(),
      'closed',
      'closed',
    ],
    ['one that ended closes nothing', [consentWith(deny({ period: { end: '2026-11-20' } }))], asking(), 'open', 'open'],
    [
      'one of research, not of privacy, closes nothing',
      [consentWith(deny(), { scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'research') })],
      asking(),
      'open',
      'open',
    ],
  ])
})

describe('nearness: the person, the organization, the label, the matter, in general', () => {
  const general = (exception: Provision, root: Provision = deny()): Resource => consentWith({ ...root, provision: [exception] })
  check([
    ['a permit for the person goes before a deny for all', [general(permit({ actor: [me] }))], asking(), 'open', 'open'],
    ['a permit for the organization goes before a deny for all', [general(permit({ actor: [rs] }))], asking(), 'open', 'open'],
    [
      'a deny for the person goes before a permit for the organization',
      [consentWith(permit({ actor: [rs] })), consentWith(deny({ actor: [me] }))],
      asking(),
      'closed',
      'closed',
    ],
    [
      'a permit for the person goes before a deny for the organization',
      [consentWith(deny({ actor: [rs] })), consentWith(permit({ actor: [me] }))],
      asking(),
      'open',
      'open',
    ],
    [
      'a deny for the person beats a permit for the person',
      [consentWith(deny({ actor: [me] })), consentWith(permit({ actor: [me] }))],
      asking(),
      'closed',
      'closed',
    ],
    ['a deny for others says nothing', [consentWith(deny({ actor: [recipient('Practitioner/lain')] }))], asking(), 'open', 'open'],
    [
      'of a list of both, the nearer counts for the person and the other for the organization',
      [consentWith(permit({ actor: [recipient('Practitioner/lain'), rs] })), consentWith(deny({ actor: [me] }))],
      asking(),
      'closed',
      'closed',
    ],
    [
      'a permit for the organization goes before a deny by label',
      [consentWith(permit({ actor: [rs] })), consentWith(deny({ securityLabel: [sensitivity('HIV')] }))],
      asking(),
      'open',
      'open',
      hiv,
    ],
    [
      'a deny by label goes before a permit by class',
      [consentWith(deny({ securityLabel: [sensitivity('HIV')] })), consentWith(permit({ class: [type('Condition')] }))],
      asking(),
      'closed',
      'closed',
      hiv,
    ],
    [
      'a permit by label goes before a deny by class',
      [consentWith(permit({ securityLabel: [sensitivity('HIV')] })), consentWith(deny({ class: [type('Condition')] }))],
      asking(),
      'open',
      'closed',
      hiv,
    ],
    [
      'a permit by class goes before a deny for all',
      [consentWith(deny()), consentWith(permit({ class: [type('Condition')] }))],
      asking(),
      'open',
      'open',
    ],
    [
      'and leaves other classes closed',
      [consentWith(deny()), consentWith(permit({ class: [type('Condition')] }))],
      asking(),
      'closed',
      'closed',
      { type: 'Observation' },
    ],
    [
      'a care team is an organization, of whoever is in it',
      [general(permit({ actor: [recipient('CareTeam/a')] }))],
      asking(),
      'open',
      'closed',
    ],
    ['and closes for its members', [consentWith(deny({ actor: [recipient('CareTeam/a')] }))], asking(), 'closed', 'closed'],
    [
      'and for nobody else, though across patients nobody knows',
      [consentWith(deny({ actor: [recipient('CareTeam/a')] }))],
      asking(['Practitioner/lain']),
      'open',
      'closed',
    ],
    ['an application is a person', [consentWith(permit({ actor: [recipient('client/aplikasi-1')] }))], outside, 'open', 'open'],
    [
      'what is permitted to the doctor is not to an application from outside',
      [consentWith(permit({ actor: [me] }))],
      outside,
      'closed',
      'closed',
    ],
    ['nor what is permitted to all', [consentWith(permit())], outside, 'closed', 'closed'],
    [
      'an application is closed by a deny for the doctor',
      [consentWith(permit({ actor: [recipient('client/aplikasi-1')] })), consentWith(deny({ actor: [me] }))],
      outside,
      'closed',
      'closed',
    ],
  ])
})

describe('exceptions', () => {
  const but = (root: Provision, ...provision: readonly Provision[]): Resource => consentWith({ ...root, provision })
  check([
    ['from a permit', [but(permit(), deny({ class: [type('Condition')] }))], research, 'closed', 'closed'],
    ['leave the rest', [but(permit(), deny({ class: [type('Condition')] }))], research, 'open', 'open', { type: 'Observation' }],
    ['from a deny for a person', [but(deny({ actor: [me] }), permit({ class: [type('Condition')] }))], asking(), 'open', 'closed'],
    [
      'leave the rest of it',
      [but(deny({ actor: [me] }), permit({ class: [type('Condition')] }))],
      asking(),
      'closed',
      'closed',
      { type: 'Observation' },
    ],
    [
      'hold within their root alone',
      [but(permit({ actor: [recipient('Practitioner/lain')] }), deny({ class: [type('Condition')] }))],
      asking(),
      'open',
      'open',
    ],
    [
      'hold for the purposes of their root alone',
      [but(deny({ purpose: [purpose('HRESCH')] }), permit({ actor: [me] }))],
      asking(undefined, ['HMARKT']),
      'closed',
      'closed',
    ],
    ['have their own time', [but(deny(), permit({ actor: [me], period: { end: '2026-11-01' } }))], asking(), 'closed', 'closed'],
    ['for a purpose go before the rest', [but(deny(), permit({ purpose: [purpose('TREAT')] }))], asking(), 'open', 'open'],
    [
      'that both fit: the deny',
      [but(permit(), deny({ class: [type('Condition')] }), permit({ code: [concept('x', '1')] }))],
      research,
      'closed',
      'closed',
      { code: 'x|1' },
    ],
  ])
})

describe('labels, codes, times and data', () => {
  check([
    ['a deny for R closes R', [consentWith(deny({ securityLabel: [level('R')] }))], asking(), 'closed', 'closed', hiv],
    ['and what is more', [consentWith(deny({ securityLabel: [level('R')] }))], asking(), 'closed', 'closed', { security: [level('V')] }],
    ['and leaves N; across patients it closes all', [consentWith(deny({ securityLabel: [level('R')] }))], asking(), 'open', 'closed'],
    ['a deny for N closes what has no label', [consentWith(deny({ securityLabel: [level('N')] }))], asking(), 'closed', 'closed'],
    ['a deny for N leaves L', [consentWith(deny({ securityLabel: [level('N')] }))], asking(), 'open', 'closed', { security: [level('L')] }],
    ['a permit up to N opens what has no label', [consentWith(permit({ securityLabel: [level('N')] }))], research, 'open', 'closed'],
    ['but not R', [consentWith(permit({ securityLabel: [level('N')] }))], research, 'closed', 'closed', hiv],
    ['a deny by sensitivity closes it', [consentWith(deny({ securityLabel: [sensitivity('HIV')] }))], asking(), 'closed', 'closed', hiv],
    [
      'written in the older system too',
      [consentWith(deny({ securityLabel: [sensitivity('HIV')] }))],
      asking(),
      'closed',
      'closed',
      { security: [level('HIV')] },
    ],
    [
      'a deny by code closes it',
      [consentWith(deny({ code: [concept('http://loinc.org', '718-7')] }))],
      asking(),
      'closed',
      'closed',
      { code: 'http://loinc.org|718-7' },
    ],
    [
      'and nothing else',
      [consentWith(deny({ code: [concept('http://loinc.org', '718-7')] }))],
      asking(),
      'open',
      'closed',
      { code: 'http://loinc.org|1-8' },
    ],
    [
      'a deny by code closes what can hide it',
      [consentWith(deny({ code: [concept('http://loinc.org', '718-7')] }))],
      asking(),
      'closed',
      'closed',
      { type: 'Bundle' },
    ],
    [
      'a permit by code does not open that',
      [consentWith(permit({ code: [concept('http://loinc.org', '718-7')] }))],
      research,
      'closed',
      'closed',
      { type: 'Bundle' },
    ],
    [
      'a deny by time closes what was then',
      [consentWith(deny({ dataPeriod: { start: '2020-01-01', end: '2020-12-31' } }))],
      asking(),
      'closed',
      'closed',
      { date: '2020-06-01' },
    ],
    [
      'and not what was later',
      [consentWith(deny({ dataPeriod: { start: '2020-01-01', end: '2020-12-31' } }))],
      asking(),
      'open',
      'closed',
      { date: '2021-06-01' },
    ],
    ['but what has no time', [consentWith(deny({ dataPeriod: { end: '2020-12-31' } }))], asking(), 'closed', 'closed'],
    [
      'a permit by time opens what was then',
      [consentWith(permit({ dataPeriod: { start: '2020-01-01', end: '2020-12-31' } }))],
      research,
      'open',
      'closed',
      { date: '2020-06-01' },
    ],
    ['and nothing without a time', [consentWith(permit({ dataPeriod: { start: '2020-01-01' } }))], research, 'closed', 'closed'],
    [
      'a deny of one instance',
      [consentWith(deny({ data: [{ meaning: 'instance', reference: { reference: 'Condition/1' } }] }))],
      asking(),
      'closed',
      'closed',
      { id: '1' },
    ],
    [
      'leaves the others',
      [consentWith(deny({ data: [{ meaning: 'instance', reference: { reference: 'Condition/1' } }] }))],
      asking(),
      'open',
      'closed',
      { id: '2' },
    ],
    [
      'a deny of what an instance refers to',
      [consentWith(deny({ data: [{ meaning: 'related', reference: { reference: 'Encounter/9' } }] }))],
      asking(),
      'closed',
      'closed',
      { id: '1' },
    ],
    [
      'a deny of what somebody wrote',
      [consentWith(deny({ data: [{ meaning: 'authoredby', reference: { reference: 'Practitioner/lain' } }] }))],
      asking(),
      'closed',
      'closed',
      { authors: ['Practitioner/lain'] },
    ],
  ])
})

describe('what cannot be enforced is refused, by name', () => {
  const rows: readonly (readonly [why: string, consent: Resource, element: string])[] = [
    ['no evidence', consentWith(deny(), { sourceAttachment: undefined }), 'Consent.source[x]'],
    ['nobody who agreed', consentWith(deny(), { performer: [] }), 'Consent.performer'],
    ['no time', consentWith(deny(), { dateTime: undefined }), 'Consent.dateTime'],
    ['no wording', consentWith(deny(), { policy: undefined }), 'Consent.policyRule'],
    ['no patient', consentWith(deny(), { patient: undefined }), 'Consent.patient'],
    ['a patient of another server', consentWith(deny(), { patient: { reference: 'https://lain.example/Patient/1' } }), 'Consent.patient'],
    ['no provision', consentWith(undefined), 'Consent.provision'],
    ['no effect', consentWith({}), 'Consent.provision.type'],
    ['an unknown effect', consentWith({ type: 'maybe' }), 'Consent.provision.type'],
    ['actions', consentWith(deny({ action: [{}] })), 'Consent.provision.action'],
    ['a modifier', consentWith(deny({ modifierExtension: [{}] })), 'Consent.provision.modifierExtension'],
    ['a modifier of the whole', consentWith(deny(), { modifierExtension: [{}] }), 'Consent.modifierExtension'],
    [
      'an actor in another role',
      consentWith(deny({ actor: [{ role: concept('x', 'CST'), reference: { reference: 'Practitioner/me' } }] })),
      'Consent.provision.actor[0]',
    ],
    ['an actor that is a group', consentWith(deny({ actor: [recipient('Group/1')] })), 'Consent.provision.actor[0]'],
    [
      'an actor of another server',
      consentWith(deny({ actor: [me, recipient('https://lain.example/Practitioner/1')] })),
      'Consent.provision.actor[1]',
    ],
    ['a device that is no application', consentWith(deny({ actor: [recipient('Device/1')] })), 'Consent.provision.actor[0]'],
    ['a purpose of another system', consentWith(deny({ purpose: [{ system: 'x', code: 'TREAT' }] })), 'Consent.provision.purpose[0]'],
    [
      'a class that is no resource type',
      consentWith(deny({ class: [{ system: 'urn:ietf:bcp:13', code: 'application/hl7-cda+xml' }] })),
      'Consent.provision.class[0]',
    ],
    ['a label of another system', consentWith(deny({ securityLabel: [{ system: 'x', code: 'R' }] })), 'Consent.provision.securityLabel[0]'],
    ['a code that is only text', consentWith(deny({ code: [{ text: 'HIV' }] })), 'Consent.provision.code[0]'],
    [
      'data with dependents',
      consentWith(deny({ data: [{ meaning: 'dependents', reference: { reference: 'Encounter/1' } }] })),
      'Consent.provision.data[0]',
    ],
    ['a period that is none', consentWith(deny({ period: { end: 'besok' } })), 'Consent.provision.period'],
    ['a list that is none', consentWith(deny({ actor: {} })), 'Consent.provision.actor'],
    ['an empty list', consentWith(deny({ actor: [] })), 'Consent.provision.actor'],
    [
      'exceptions from exceptions',
      consentWith({ ...deny(), provision: [{ ...permit(), provision: [deny()] }] }),
      'Consent.provision.provision[0].provision',
    ],
    ['an exception without effect', consentWith({ ...deny(), provision: [{}] }), 'Consent.provision.provision[0].type'],
    [
      'more exceptions than anybody means',
      consentWith({ ...deny(), provision: Array.from({ length: 21 }, () => permit()) }),
      'Consent.provision.provision',
    ],
    [
      'more combinations than can be kept',
      consentWith(
        deny({
          actor: Array.from({ length: 50 }, (_, n) => recipient(`Practitioner/${n}`)),
          purpose: Array.from({ length: 50 }, (_, n) => purpose(`P${n}`)),
        }),
      ),
      'Consent.provision',
    ],
  ]
  for (const [why, consent, element] of rows)
    test(why, async () => {
      const checked = checkConsent(consent)
      expect(checked.ok).toBe(false)
      if (checked.ok) return
      expect(checked.failure.values).toEqual({ element })
      expect(['consent-not-enforceable', 'consent-incomplete']).toContain(checked.failure.kind)
      // Where it stands all the same, in data from before, nothing of the patient is open.
      if (consent.patient === undefined || element === 'Consent.patient') return
      expect(await isOpen([consent], asking())).toBe(false)
      expect(isOpenAcross([consent], asking())).toBe(false)
    })

  test('all faults are told at once', () => {
    const checked = checkConsent(consentWith({ action: [{}] }, { dateTime: undefined }))
    expect(checked.ok).toBe(false)
    expect(!checked.ok && [checked.failure, ...(checked.failure.more ?? [])].map(({ values }) => values)).toEqual([
      { element: 'Consent.dateTime' },
      { element: 'Consent.provision.action' },
      { element: 'Consent.provision.type' },
    ])
  })

  test('what is not an active privacy consent is not our business', () => {
    for (const resource of [
      { resourceType: 'Patient' },
      consentWith({ type: 'maybe' }, { status: 'draft' }),
      consentWith({ type: 'maybe' }, { scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment') }),
    ]) {
      expect(isActivePrivacyConsent(resource)).toBe(false)
      expect(checkConsent(resource)).toEqual({ ok: true, value: undefined })
      expect(consentRelations(resource)).toEqual([])
    }
  })

  test('A.12 55: more consents than are read close everything', async () => {
    const words = await consentsOf([], 'all', true).of(asking(), 'Condition', ['budi'])
    expect(permits(words, subjectOf({}, []))).toBe(false)
  })
})

test('parameters that rules are translated to exist', () => {
  const definitions = testDefinitions()
  for (const [name, { permit: permits_, deny: denies }] of Object.entries(codeParams))
    for (const code of [...permits_, ...denies])
      if (name !== 'ClinicalImpression')
        expect([name, code, definitions.searchParameters(name).get(code)?.type]).toEqual([name, code, 'token'])
  for (const [name, code] of Object.entries(dateParams))
    expect([name, code, definitions.searchParameters(name).get(code)?.type]).toEqual([name, code, 'date'])
})

test('rows are short, and each says something once', () => {
  const rows = rowsOf([
    consentWith({
      ...permit({ purpose: [purpose('HRESCH')] }),
      provision: [deny({ class: [type('Condition')] }), permit({ securityLabel: [level('R')] })],
    }),
  ])
  expect(rows.map(({ from, of }) => `${from} ${of}`)).toEqual(['closed somewhere', 'permitted 6|*|HRESCH|*', 'closed 5|*|HRESCH|Condition'])
})

describe('what is remembered', () => {
  const counting = (): { consents: Consents; loads: () => number; clock: { now: number } } => {
    let loads = 0
    const clock = { now }
    const consents = createConsents({
      activeConsents: async () => {
        loads += 1
        if (loads === 99) throw new Error('away')
        return { consents: [], more: false }
      },
      newest: async () => undefined,
      clock: () => clock.now,
      zone: 'Asia/Jakarta',
      byDefault: 'normal',
    })
    return { consents, loads: () => loads, clock }
  }
  test('for 30 seconds, and not a moment longer', async () => {
    const { consents, loads, clock } = counting()
    await consents.of(asking(), 'Condition', ['budi'])
    clock.now += 29_999
    await consents.of(asking(), 'Condition', ['budi'])
    expect(loads()).toBe(1)
    clock.now += 1
    await consents.of(asking(), 'Condition', ['budi'])
    expect(loads()).toBe(2)
  })
  test('until a consent of the patient is written', async () => {
    const { consents, loads } = counting()
    await consents.of(asking(), 'Condition', ['budi', 'siti'])
    consents.forget(['budi'])
    await consents.of(asking(), 'Condition', ['budi', 'siti'])
    expect(loads()).toBe(3)
  })
  test('not when the clock ran back', async () => {
    const { consents, loads, clock } = counting()
    await consents.of(asking(), 'Condition', ['budi'])
    clock.now -= 60_000
    await consents.of(asking(), 'Condition', ['budi'])
    expect(loads()).toBe(2)
  })
})

// --- general rules

const actors = ['Practitioner/me', 'Practitioner/lain', 'Organization/rs', 'CareTeam/a', 'client/aplikasi-1']
const purposes = ['TREAT', 'ETREAT', 'HRESCH', 'CLINTRCH', 'HMARKT']
const types = ['Condition', 'Observation', 'Appointment', 'Bundle']
const maybe = <T>(name: string, of: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.option(of, { nil: undefined, freq: 2 }).map(value => (value === undefined ? {} : { [name]: value }))
const some = <T>(of: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...of], { minLength: 1, maxLength: 2 })

const conditions: fc.Arbitrary<Provision> = fc
  .tuple(
    maybe(
      'actor',
      some(actors).map(names => names.map(recipient)),
    ),
    maybe(
      'purpose',
      some(purposes).map(codes => codes.map(purpose)),
    ),
    maybe(
      'class',
      some(types).map(codes => codes.map(type)),
    ),
    maybe(
      'securityLabel',
      some(['R', 'N', 'L', 'HIV']).map(codes => codes.map(code => (code === 'HIV' ? sensitivity(code) : level(code)))),
    ),
    maybe('code', fc.constant([concept('x', '1')])),
    maybe('dataPeriod', fc.constantFrom({ start: '2020-01-01' }, { end: '2020-12-31' })),
    maybe('period', fc.constantFrom({ end: '2026-11-20' }, { end: '2026-11-22' }, { start: '2026-11-22' })),
    maybe('data', fc.constant([{ meaning: 'instance', reference: { reference: 'Condition/1' } }])),
    fc.constantFrom('permit', 'deny'),
  )
  .map(parts => ({ ...Object.assign({}, ...parts.slice(0, -1)), type: parts.at(-1) }))

const anyConsent = fc
  .tuple(conditions, fc.array(conditions, { maxLength: 3 }), fc.constantFrom('budi', 'siti'))
  .map(([root, provision, patient]) =>
    consentWith({ ...root, ...(provision.length > 0 && { provision }) }, { patient: { reference: `Patient/${patient}` } }),
  )

const anyCaller: fc.Arbitrary<ConsentFilter> = fc
  .tuple(fc.subarray([...actors, 'Patient/budi']), fc.subarray(purposes), fc.boolean())
  .map(([recipients, codes, far]) => ({ ...asking(recipients, codes), ...(far && { outside: true as const }) }))

const anyMatter: fc.Arbitrary<Matter & { type: string; patients: readonly string[] }> = fc.record({
  type: fc.constantFrom(...types),
  id: fc.constantFrom('1', '2'),
  patients: fc.constant(['budi']),
  security: fc.subarray([level('R'), level('L'), sensitivity('HIV')]),
  code: fc.constantFrom('x|1', 'x|2'),
  date: fc.constantFrom('2019-06-01', '2020-06-01', '2021-06-01'),
})

const anyMatterOfSome = fc
  .tuple(anyMatter, fc.constantFrom<readonly string[]>(['budi'], ['siti'], ['budi', 'siti'], []))
  .map(([matter, patients]) => ({
    ...matter,
    // Only these can be about several.
    patients: matter.type === 'Appointment' || matter.type === 'Bundle' ? patients : patients.slice(0, 1),
  }))

const anyDefault = fc.constantFrom<ConsentDefault>('normal', 'deny', 'all')

describe('in general', () => {
  test('T30: what is shown across patients would be shown to the letter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyConsent, { maxLength: 4 }),
        anyCaller,
        anyMatterOfSome,
        anyDefault,
        async (consents, filter, matter, byDefault) => {
          if (isOpenAcross(consents, filter, matter, byDefault)) expect(await isOpen(consents, filter, matter, byDefault)).toBe(true)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('a question about one patient shows no more than each state by itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyConsent, { maxLength: 4 }),
        anyCaller,
        anyMatterOfSome,
        anyDefault,
        async (consents, filter, matter, byDefault) => {
          if (!matter.patients.includes('budi')) return
          const words = await consentsOf(consents, byDefault).of(filter, matter.type, ['budi'])
          if (permits(words, subjectOf(matter, rowsOf(consents))) === true)
            expect(await isOpen(consents, filter, matter, byDefault)).toBe(true)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('another deny never opens anything, and every random consent can be enforced', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyConsent, { maxLength: 3 }),
        conditions,
        anyCaller,
        anyMatter,
        anyDefault,
        async (consents, one, filter, matter, byDefault) => {
          for (const consent of consents) expect(checkConsent(consent).ok).toBe(true)
          const more = [...consents, consentWith({ ...one, type: 'deny' })]
          if (await isOpen(more, filter, matter, byDefault)) expect(await isOpen(consents, filter, matter, byDefault)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('where anything is closed, it is said that something is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyConsent, { maxLength: 3 }),
        anyCaller,
        anyMatter,
        anyDefault,
        async (consents, filter, matter, byDefault) => {
          if (filter.purposes.length === 0) return
          if (!(await isOpen(consents, filter, matter, byDefault)))
            expect(await consentsOf(consents, byDefault).closesAnything(filter, 'budi')).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })
})
