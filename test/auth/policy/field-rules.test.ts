/** What of a resource is seen: the views of the matrix (³ ⁵ ⁹ ¹⁸ ¹⁹), masking, and what may be asked and patched beneath them. */
import { describe, expect, test } from '@jest/globals'
import { decide } from '../../../src/auth/policy/decide.ts'
import { applyFieldRules, type FieldRules, type RowViews, rowViews } from '../../../src/auth/policy/field-rules.ts'
import { isShownWhole, type Looking, searchableWhere } from '../../../src/auth/policy/hidden-elements.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { portalUser, principalWith, type Stated, stateWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'

const table = testRoles()
const definitions = testDefinitions()
const near = { relations: ['facility rs', 'queue lab-1'] }

const fieldsOf = (principal: Principal, type: string, interaction = 'read'): FieldRules => {
  const decision = decide(table, principal, interaction, type)
  if (!decision.allow) throw new Error(decision.rule)
  return decision.fields
}

const view = (name: string): RowViews => [[table.views.get(name) ?? { name: 'none', only: [] }]]

/** The resource as seen, without the marks that say so. */
const seen = (resource: Resource, views: RowViews): unknown => {
  const { meta: _, ...rest } = applyFieldRules(resource, views, definitions).resource
  return rest
}

const patient: Resource = {
  resourceType: 'Patient',
  id: 'budi',
  meta: { versionId: '3', tag: [{ system: 'http://example.org', code: 'x' }] },
  text: { status: 'generated', div: '<div>Budi, Jalan Merdeka</div>' },
  extension: [{ url: 'http://example.org/religion', valueCode: 'x' }],
  identifier: [
    { use: 'official', system: 'https://fhir.kemkes.go.id/id/nik', value: '3174000000001234', assigner: { display: 'Dukcapil' } },
    { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }], text: 'RM' }, value: 'RM-2026-00017' },
    { value: '123' },
    { system: 'http://example.org/no-value' },
  ],
  active: true,
  name: [{ text: 'Budi Santoso' }],
  telecom: [{ system: 'phone', value: '+62811' }],
  gender: 'male',
  birthDate: '1990-01-31',
  _birthDate: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: '1990-01-31T10:00:00Z' }] },
  address: [{ text: 'Jalan Merdeka' }],
}

describe('the identity view', () => {
  test('has masked identifiers, the record number whole, name, birth date and gender', () => {
    expect(seen(patient, view('identity'))).toEqual({
      resourceType: 'Patient',
      id: 'budi',
      identifier: [
        { use: 'official', system: 'https://fhir.kemkes.go.id/id/nik', value: '************1234' },
        { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }], text: 'RM' }, value: 'RM-2026-00017' },
        { value: '**3' },
      ],
      name: [{ text: 'Budi Santoso' }],
      gender: 'male',
      birthDate: '1990-01-31',
    })
  })

  test('is tagged SUBSETTED and labelled REDACTED, so that nobody stores it', () => {
    const { meta } = applyFieldRules(patient, view('identity'), definitions).resource
    expect(meta?.tag?.map(({ code }) => code)).toEqual(['x', 'SUBSETTED'])
    expect(meta?.security?.map(({ code }) => code)).toEqual(['REDACTED'])
    expect(meta?.versionId).toBe('3')
  })

  test('keeps what a resource cannot be without', () => {
    const related: Resource = {
      resourceType: 'RelatedPerson',
      id: '1',
      patient: { reference: 'Patient/budi' },
      relationship: [{ text: 'ibu' }],
      name: [{ text: 'Ani' }],
    }
    expect(seen(related, view('identity'))).toEqual({
      resourceType: 'RelatedPerson',
      id: '1',
      patient: { reference: 'Patient/budi' },
      name: [{ text: 'Ani' }],
    })
  })

  test('does not change what it was given', () => {
    const before = JSON.stringify(patient)
    applyFieldRules(patient, view('identity'), definitions)
    expect(JSON.stringify(patient)).toBe(before)
  })
})

describe('the view without reasons', () => {
  test('leaves the reasons out, and whatever repeats them', () => {
    const encounter: Resource = {
      resourceType: 'Encounter',
      id: '1',
      text: { status: 'generated', div: '<div>HIV</div>' },
      contained: [{ resourceType: 'Condition' }],
      status: 'finished',
      class: { code: 'AMB' },
      reasonCode: [{ text: 'HIV' }],
      reasonReference: [{ reference: 'Condition/1' }],
      diagnosis: [{ condition: { reference: 'Condition/1' } }],
      modifierExtension: [{ url: 'http://example.org/modifier', valueBoolean: true }],
    }
    expect(seen(encounter, view('without-reasons'))).toEqual({
      resourceType: 'Encounter',
      id: '1',
      status: 'finished',
      class: { code: 'AMB' },
      modifierExtension: [{ url: 'http://example.org/modifier', valueBoolean: true }],
    })
  })

  test('hands back the very resource when there was nothing to hide', () => {
    const encounter: Resource = { resourceType: 'Encounter', id: '1', status: 'finished', class: { code: 'AMB' } }
    expect(applyFieldRules(encounter, view('without-reasons'), definitions).resource).toBe(encounter)
  })
})

describe('the coded view', () => {
  test('has codes, dates and references, no words', () => {
    const request: Resource = {
      resourceType: 'MedicationRequest',
      id: '1',
      text: { status: 'generated', div: '<div/>' },
      identifier: [{ value: 'R-1' }],
      status: 'active',
      _status: { extension: [{ url: 'http://example.org', valueString: 'words' }] },
      intent: 'order',
      doNotPerform: true,
      reportedBoolean: true,
      medicationCodeableConcept: {
        coding: [{ system: 'http://sys-ids.kemkes.go.id/kfa', code: '93', display: 'Amoksisilin' }],
        text: 'obat',
      },
      subject: { reference: 'Patient/budi', display: 'Budi' },
      requester: { display: 'dr. Ani' },
      authoredOn: '2026-11-21',
      note: [{ text: 'words' }],
      dosageInstruction: [
        {
          text: 'words',
          route: { coding: [{ code: 'PO' }], text: 'lewat mulut' },
          doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablet' } }],
        },
      ],
      dispenseRequest: { validityPeriod: { start: '2026-11-21' }, quantity: { value: 10, code: 'TAB' } },
      extension: [
        { url: 'http://example.org/words', valueString: 'words' },
        { url: 'http://example.org/code', valueCode: 'c' },
      ],
    }
    expect(seen(request, view('coded'))).toEqual({
      resourceType: 'MedicationRequest',
      id: '1',
      status: 'active',
      intent: 'order',
      doNotPerform: true,
      medicationCodeableConcept: { coding: [{ system: 'http://sys-ids.kemkes.go.id/kfa', code: '93', display: 'Amoksisilin' }] },
      subject: { reference: 'Patient/budi' },
      authoredOn: '2026-11-21',
      dosageInstruction: [{ route: { coding: [{ code: 'PO' }] } }],
      dispenseRequest: { validityPeriod: { start: '2026-11-21' } },
      extension: [{ url: 'http://example.org/words' }, { url: 'http://example.org/code', valueCode: 'c' }],
    })
  })

  test('has no element of words in any resource that billing reads in it', () => {
    for (const type of [
      'Condition',
      'Procedure',
      'ServiceRequest',
      'MedicationRequest',
      'MedicationDispense',
      'MedicationAdministration',
    ]) {
      const members = [...definitions.members(type).values()].filter(member =>
        ['string', 'markdown', 'Annotation', 'Narrative', 'Attachment'].includes(member.type?.code ?? ''),
      )
      for (const { element, type: of } of members) {
        const name = element.choice ? `${element.name}${(of?.code[0] ?? '').toUpperCase()}${of?.code.slice(1)}` : element.name
        expect(seen({ resourceType: type, [name]: 'words' }, view('coded'))).toEqual({ resourceType: type })
      }
    }
  })
})

describe('the directory view', () => {
  const practitioner: Resource = {
    resourceType: 'Practitioner',
    id: '1',
    name: [{ text: 'dr. Ani' }],
    telecom: [{ value: '+62811', use: 'home' }, { value: '021-1', use: 'work' }, { value: '+62812' }],
    address: [{ text: 'rumah', use: 'home' }],
    birthDate: '1980-01-01',
    gender: 'female',
  }

  test('has no home address, birth date or private telecom', () => {
    expect(seen(practitioner, view('directory'))).toEqual({
      resourceType: 'Practitioner',
      id: '1',
      name: [{ text: 'dr. Ani' }],
      telecom: [{ value: '021-1', use: 'work' }],
      gender: 'female',
    })
  })

  test('leaves organizations as they are', () => {
    const hospital: Resource = {
      resourceType: 'Organization',
      id: 'rs',
      telecom: [{ value: '021-1' }],
      text: { status: 'generated', div: '<div/>' },
    }
    expect(applyFieldRules(hospital, view('directory'), definitions).resource).toBe(hospital)
  })
})

test('subscriptions of others show neither criteria nor headers', () => {
  const subscription: Resource = {
    resourceType: 'Subscription',
    id: '1',
    status: 'active',
    reason: 'x',
    criteria: 'Patient?name=budi',
    channel: { type: 'rest-hook', endpoint: 'https://example.org', payload: 'application/fhir+json', header: ['Authorization: Bearer x'] },
  }
  expect(seen(subscription, view('subscription-of-others'))).toEqual({
    resourceType: 'Subscription',
    id: '1',
    status: 'active',
    reason: 'x',
    channel: { type: 'rest-hook', endpoint: 'https://example.org' },
  })
})

describe('which view holds for a row', () => {
  const names = (principal: Principal, type: string, stated: Stated = near): readonly string[] =>
    rowViews(fieldsOf(principal, type), stateWith(stated)).map(layer => layer.map(({ name }) => name).join('|'))
  const as = (...roles: readonly string[]): Principal => principalWith({ roles })

  const rows: readonly (readonly [what: string, principal: Principal, type: string, stated: Stated, views: readonly string[]])[] = [
    ['a doctor sees patients whole', as('doctor'), 'Patient', near, []],
    ['the laboratory sees identities', as('lab'), 'Patient', near, ['identity']],
    ["reception sees strangers' identities", as('receptionist'), 'Patient', {}, ['identity']],
    ['reception sees patients of the house whole', as('receptionist'), 'Patient', near, []],
    ['a receptionist in the laboratory, a patient of the house', as('receptionist', 'lab'), 'Patient', near, []],
    [
      'a receptionist in the laboratory, a patient of the queue alone',
      as('receptionist', 'lab'),
      'Patient',
      { relations: ['queue lab-1'] },
      ['identity|identity'],
    ],
    ['billing sees codes', as('billing'), 'Condition', near, ['coded']],
    ['billing and nurse', as('billing', 'nurse'), 'Condition', near, []],
    ['reception sees visits without reasons', as('receptionist'), 'Encounter', near, ['without-reasons']],
    ['a patient sees the directory', portalUser(), 'Practitioner', { patients: [] }, ['directory']],
    [
      "a doctor in a patient's app",
      principalWith({ roles: ['doctor'], scope: 'patient/*.rs', launch: { patient: 'budi' } }),
      'Practitioner',
      { patients: [] },
      ['directory'],
    ],
    [
      'a doctor with a wider scope beside',
      principalWith({ roles: ['doctor'], scope: 'patient/*.rs user/Practitioner.rs', launch: { patient: 'budi' } }),
      'Practitioner',
      { patients: [] },
      [],
    ],
    ['the laboratory in an app', principalWith({ roles: ['lab'], scope: 'user/*.rs' }), 'Patient', near, ['identity']],
    ["the administrator, another's subscription", as('admin'), 'Subscription', { patients: [] }, ['subscription-of-others']],
    ['the administrator, his own', as('admin'), 'Subscription', { patients: [], authors: ['Practitioner/me'] }, []],
  ]
  for (const [what, principal, type, stated, views] of rows) {
    test(`${what}: ${views.join(' and ') || 'whole'}`, () => {
      expect(names(principal, type, stated)).toEqual(views)
    })
  }

  test('two views of one row show what either shows', () => {
    const both: RowViews = [[table.views.get('identity') ?? { name: '' }, table.views.get('without-reasons') ?? { name: '' }]]
    expect(applyFieldRules({ resourceType: 'Patient', address: [{ text: 'x' }] }, both, definitions).hidden.size).toBe(0)
  })

  test('two layers show what both show', () => {
    const both: RowViews = [...view('identity'), ...view('without-reasons')]
    expect([
      ...applyFieldRules({ resourceType: 'Patient', address: [{ text: 'x' }], name: [{ text: 'y' }] }, both, definitions).hidden.keys(),
    ]).toEqual(['Patient.address'])
  })

  test('a layer of which no rule fits shows nothing', () => {
    expect(applyFieldRules(patient, rowViews([[{ where: { op: 'none' } }]], stateWith()), definitions).resource).toEqual({
      resourceType: 'Patient',
      meta: { tag: [expect.objectContaining({ code: 'SUBSETTED' })], security: [expect.objectContaining({ code: 'REDACTED' })] },
    })
  })

  test('who writes without reading is shown nothing of it', () => {
    const fields = fieldsOf(principalWith({ roles: ['receptionist'] }), 'DocumentReference', 'create')
    expect(rowViews(fields, stateWith(near))).toEqual([[]])
  })
})

describe('what a search may look at', () => {
  const where = (principal: Principal, type: string, code: string, looking?: Looking): string => {
    const parameter = definitions.searchParameters(type).get(code)
    if (!parameter) throw new Error(code)
    return JSON.stringify(searchableWhere(fieldsOf(principal, type, 'search-type'), type, parameter, definitions, looking))
  }
  const all = '{"op":"all"}'
  const none = '{"op":"none"}'
  const rows: readonly (readonly [role: string, type: string, code: string, where: string])[] = [
    ['doctor', 'Patient', 'address', all],
    ['receptionist', 'Patient', 'name', all],
    ['receptionist', 'Patient', 'identifier', all],
    ['receptionist', 'Patient', '_id', all],
    ['receptionist', 'Patient', '_tag', all],
    [
      'receptionist',
      'Patient',
      'phone',
      '{"op":"or","of":[{"op":"patients","from":"facility","of":["rs"]},{"op":"and","of":[{"op":"patientless"},{"op":"owner","organizations":["rs"]}]}]}',
    ],
    ['lab', 'Patient', 'family', all],
    ['lab', 'Patient', 'address-city', none],
    ['lab', 'Patient', 'deceased', none],
    ['lab', 'Patient', 'general-practitioner', none],
    ['receptionist', 'Encounter', 'reason-code', none],
    ['receptionist', 'Encounter', 'diagnosis', none],
    ['billing', 'Condition', 'code', all],
    ['billing', 'Condition', 'patient', all],
    ['billing', 'Condition', 'evidence-detail', all],
    ['billing', 'Condition', 'identifier', none],
    ['billing', 'Condition', 'recorded-date', all],
  ]
  for (const [role, type, code, wanted] of rows) {
    test(`${role}: ${type}?${code} among ${wanted === all ? 'all' : wanted === none ? 'none' : 'some'}`, () => {
      const found = where(principalWith({ roles: [role] }), type, code)
      expect(found).toBe(wanted)
    })
  }

  test('masked values are found by whoever knows them, and stand in no order that would tell them', () => {
    const receptionist = principalWith({ roles: ['receptionist'] })
    const lab = principalWith({ roles: ['lab'] })
    expect(where(receptionist, 'Patient', 'identifier')).toBe(all)
    // Those known to the house are seen whole.
    for (const looking of ['order', 'companion'] as const) {
      expect([looking, where(receptionist, 'Patient', 'identifier', looking)]).toEqual([looking, where(receptionist, 'Patient', 'phone')])
      expect([looking, where(lab, 'Patient', 'identifier', looking)]).toEqual([looking, none])
    }
  })
})

describe('what a patch may name', () => {
  const rows: readonly (readonly [view: string, type: string, steps: readonly string[], shown: boolean])[] = [
    ['identity', 'Patient', ['name'], true],
    ['identity', 'Patient', ['name', 'family'], true],
    ['identity', 'Patient', ['telecom'], false],
    ['identity', 'Patient', ['telecom', 'value'], false],
    ['identity', 'Patient', ['identifier'], false],
    ['identity', 'Patient', ['identifier', 'value'], false],
    ['identity', 'Patient', [], false],
    ['identity', 'Patient', ['nama'], false],
    ['subscription-of-others', 'Subscription', ['status'], true],
    ['subscription-of-others', 'Subscription', ['channel'], false],
    ['subscription-of-others', 'Subscription', ['channel', 'header'], false],
    ['subscription-of-others', 'Subscription', ['channel', 'endpoint'], true],
    ['coded', 'Condition', ['code'], false],
    ['coded', 'Condition', ['code', 'coding'], true],
    ['coded', 'Condition', ['code', 'text'], false],
    ['coded', 'Condition', ['onsetDateTime'], true],
    ['coded', 'Condition', ['onsetString'], false],
    ['directory', 'Practitioner', ['telecom'], false],
    ['directory', 'Organization', ['telecom'], true],
  ]
  for (const [name, type, steps, shown] of rows) {
    test(`${[type, ...steps].join('.')} in the ${name} view: ${shown ? 'yes' : 'no'}`, () => {
      expect(isShownWhole(view(name), type, steps, definitions)).toBe(shown)
    })
  }

  test('without views, anything', () => {
    expect(isShownWhole([], 'Patient', [], definitions)).toBe(true)
  })
})
