/** Decisions: role AND scope AND labels AND consent, as one filter. The rows say who may see which state of a type, or that nothing is to be seen. */
import { describe, expect, test } from '@jest/globals'
import { readClientGrants } from '../../../src/auth/policy/client-grants.ts'
import { type Decision, decide } from '../../../src/auth/policy/decide.ts'
import { explain } from '../../../src/auth/policy/explain.ts'
import { heldPermissions } from '../../../src/auth/policy/held-permissions.ts'
import type { ClientGrant, Principal } from '../../../src/auth/policy/principal.ts'
import { noClearance } from '../../../src/auth/roles/clearance.ts'
import { admitsState } from '../../../src/base/access-filter.ts'
import { type Asking, portalUser, principalWith, type Stated, stateWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'

const table = testRoles()
const near: readonly string[] = ['facility rs', 'queue lab-1']

/** `seen`, `unseen`, or why it was refused before anything was looked at. */
const outcome = (principal: Principal, interaction: string, type: string, stated: Stated): string => {
  const decision = decide(table, principal, interaction, type)
  if (!decision.allow) return `${decision.kind}: ${decision.rule}`
  return admitsState(decision.filter, stateWith(stated)) ? 'seen' : 'unseen'
}

const allowed = (decision: Decision): Extract<Decision, { allow: true }> => {
  if (!decision.allow) throw new Error(decision.rule)
  return decision
}

type Row = readonly [what: string, principal: Principal, interaction: string, type: string, stated: Stated, outcome: string]
const check = (rows: readonly Row[]): void => {
  for (const [what, principal, interaction, type, stated, wanted] of rows) {
    test(`${what}: ${wanted}`, () => {
      expect(outcome(principal, interaction, type, stated)).toBe(wanted)
    })
  }
}

const as = (role: string, rest: Asking = {}): Principal => principalWith({ roles: [role], ...rest })

describe('relations', () => {
  check([
    ['a doctor and a patient of the house', as('doctor'), 'read', 'Observation', { relations: ['facility rs'] }, 'seen'],
    ['a doctor and a patient of another house', as('doctor'), 'read', 'Observation', { relations: ['facility other'] }, 'unseen'],
    [
      'a doctor without organization',
      { ...as('doctor'), roles: [{ role: 'doctor' }] },
      'read',
      'Observation',
      { relations: near },
      'unseen',
    ],
    ['a pharmacist and work for the unit', as('pharmacist'), 'read', 'MedicationRequest', { relations: ['queue lab-1'] }, 'seen'],
    [
      'a pharmacist and a patient of the house alone',
      as('pharmacist'),
      'read',
      'MedicationRequest',
      { relations: ['facility rs'] },
      'unseen',
    ],
    ['a receptionist and any patient', as('receptionist'), 'read', 'Patient', { relations: [] }, 'seen'],
    ['a receptionist and a Condition', as('receptionist'), 'read', 'Condition', { relations: near }, 'forbidden: role'],
    ['a patient and what is about him', portalUser(), 'read', 'Observation', { patients: ['me'] }, 'seen'],
    ['a patient and what is about him and another', portalUser(), 'read', 'Observation', { patients: ['me', 'budi'] }, 'unseen'],
    ['a patient and another', portalUser(), 'read', 'Observation', { patients: ['budi'] }, 'unseen'],
    [
      'a guardian and the child',
      portalUser({ fhirUser: 'RelatedPerson/ibu', represents: ['anak'] }),
      'read',
      'Observation',
      { patients: ['anak'] },
      'seen',
    ],
    [
      'a guardian with no verified link',
      portalUser({ fhirUser: 'RelatedPerson/ibu' }),
      'read',
      'Observation',
      { patients: ['anak'] },
      'unseen',
    ],
    [
      'a portal user and a staff role on the account',
      { ...portalUser(), roles: [{ role: 'doctor', organizations: ['rs'] }] },
      'read',
      'Observation',
      { relations: near },
      'forbidden: role',
    ],
    [
      'a doctor and a patientless resource of the house',
      as('doctor'),
      'read',
      'Observation',
      { patients: [], organizations: ['rs'] },
      'seen',
    ],
    ['a doctor and a patientless resource of nobody', as('doctor'), 'read', 'Observation', { patients: [] }, 'unseen'],
    [
      'a doctor and a patient of another house in a document of this one',
      as('doctor'),
      'read',
      'DocumentReference',
      { patients: ['siti'], organizations: ['rs'] },
      'unseen',
    ],
    ['schedules belong to all', as('receptionist'), 'search-type', 'Schedule', { patients: [] }, 'seen'],
    ['a study of another house', as('doctor'), 'read', 'ResearchStudy', { patients: [], organizations: ['other'] }, 'unseen'],
    ['what one wrote oneself', as('nurse'), 'read', 'Basic', { patients: [], authors: ['Practitioner/me'] }, 'seen'],
    ['what another wrote', as('nurse'), 'read', 'Basic', { patients: [], authors: ['Practitioner/other'] }, 'unseen'],
    ['a device of nobody', as('doctor'), 'read', 'Device', { patients: [] }, 'seen'],
    ['an implant of a patient of the house', as('doctor'), 'read', 'Device', { relations: near }, 'seen'],
    ['an implant of a stranger', as('doctor'), 'read', 'Device', {}, 'unseen'],
    ['an implant, by the administrator', as('admin'), 'read', 'Device', { relations: near }, 'unseen'],
    ['an implant of another, by a patient', portalUser(), 'read', 'Device', { patients: ['budi'] }, 'unseen'],
    ['a report of no one patient, by billing', as('billing'), 'read', 'MeasureReport', { patients: [] }, 'seen'],
    ['a report of a stranger, by billing', as('billing'), 'read', 'MeasureReport', { patients: ['siti'] }, 'unseen'],
    ['a charge for a stranger', as('nurse'), 'create', 'ChargeItem', { patients: ['siti'] }, 'unseen'],
  ])
})

describe('conditions of the matrix', () => {
  check([
    ['⁶ a safety flag, by reception', as('receptionist'), 'read', 'Flag', { relations: near, params: ['category=safety'] }, 'seen'],
    ['⁶ a clinical flag, by reception', as('receptionist'), 'read', 'Flag', { relations: near, params: ['category=clinical'] }, 'unseen'],
    ['⁶ flags are read one by one', as('receptionist'), 'search-type', 'Flag', { relations: near }, 'forbidden: role'],
    [
      '⁷ a nursing procedure, changed by a nurse',
      as('nurse'),
      'update',
      'Procedure',
      { relations: near, params: ['category=nursing'] },
      'seen',
    ],
    [
      '⁷ a surgical procedure, changed by a nurse',
      as('nurse'),
      'update',
      'Procedure',
      { relations: near, params: ['category=387713003'] },
      'unseen',
    ],
    [
      '⁷ a surgical procedure, read by a nurse',
      as('nurse'),
      'read',
      'Procedure',
      { relations: near, params: ['category=387713003'] },
      'seen',
    ],
    [
      '⁸ an imaging procedure, by radiology',
      as('radiology'),
      'update',
      'Procedure',
      { relations: near, params: ['category=363679005'] },
      'seen',
    ],
    ['⁸ another procedure, by radiology', as('radiology'), 'read', 'Procedure', { relations: near }, 'unseen'],
    [
      '¹⁰ vital signs, changed by a nurse',
      as('nurse'),
      'update',
      'Observation',
      { relations: near, params: ['category=vital-signs'] },
      'seen',
    ],
    [
      '¹⁰ a laboratory result, changed by a nurse',
      as('nurse'),
      'update',
      'Observation',
      { relations: near, params: ['category=laboratory'] },
      'unseen',
    ],
    [
      '¹⁰ a laboratory result, read by a nurse',
      as('nurse'),
      'read',
      'Observation',
      { relations: near, params: ['category=laboratory'] },
      'seen',
    ],
    [
      '¹¹ a laboratory result, by a pharmacist',
      as('pharmacist'),
      'search-type',
      'Observation',
      { relations: near, params: ['category=laboratory'] },
      'seen',
    ],
    [
      '¹¹ social history, by a pharmacist',
      as('pharmacist'),
      'search-type',
      'Observation',
      { relations: near, params: ['category=social-history'] },
      'unseen',
    ],
    [
      '¹² a laboratory order, by the laboratory',
      as('lab'),
      'read',
      'ServiceRequest',
      { relations: near, params: ['category=108252007'] },
      'seen',
    ],
    [
      '¹² an imaging order, by the laboratory',
      as('lab'),
      'read',
      'ServiceRequest',
      { relations: near, params: ['category=363679005'] },
      'unseen',
    ],
    [
      '¹² a code of another system that looks the same',
      as('lab'),
      'read',
      'ServiceRequest',
      { relations: near, params: ['category=http://example.org|108252007'] },
      'unseen',
    ],
    ['¹² a specimen, by the laboratory', as('lab'), 'update', 'Specimen', { relations: near }, 'seen'],
    [
      '¹³ an imaging finding, read by radiology',
      as('radiology'),
      'read',
      'Observation',
      { relations: near, params: ['category=imaging'] },
      'seen',
    ],
    [
      '¹³ imaging findings, searched by radiology',
      as('radiology'),
      'search-type',
      'Observation',
      { relations: near, params: ['category=imaging'] },
      'unseen',
    ],
    ['contrast, by radiology', as('radiology'), 'read', 'MedicationAdministration', { relations: near, params: ['code=contrast'] }, 'seen'],
    [
      'another medication, by radiology',
      as('radiology'),
      'read',
      'MedicationAdministration',
      { relations: near, params: ['code=x'] },
      'unseen',
    ],
    ['¹⁶ a document of the unit', as('pharmacist'), 'read', 'DocumentReference', { relations: near, params: ['type=57833-6'] }, 'seen'],
    [
      '¹⁶ a document of another unit',
      as('pharmacist'),
      'read',
      'DocumentReference',
      { relations: near, params: ['type=11502-2'] },
      'unseen',
    ],
    [
      '¹⁶ no document type at all',
      { ...as('pharmacist'), roles: [{ role: 'pharmacist', units: ['lab-1'], documents: [] }] },
      'read',
      'DocumentReference',
      { relations: near, params: ['type=57833-6'] },
      'unseen',
    ],
    ["¹⁷ one's own consent, revoked", portalUser(), 'update', 'Consent', { patients: ['me'], params: ['consentor=Patient/me'] }, 'seen'],
    [
      '¹⁷ a consent that someone else gave',
      portalUser(),
      'update',
      'Consent',
      { patients: ['me'], params: ['consentor=RelatedPerson/ibu'] },
      'unseen',
    ],
    ['cancer episodes, by the registrar', as('registrar'), 'update', 'EpisodeOfCare', { relations: near, params: ['type=cancer'] }, 'seen'],
    ['other episodes, by the registrar', as('registrar'), 'update', 'EpisodeOfCare', { relations: near }, 'unseen'],
  ])
})

describe('labels', () => {
  const restricted = (rest: Stated): Stated => ({ relations: ['facility rs'], confidentiality: 4, ...rest })
  check([
    ['R, by a doctor outside care', as('doctor'), 'read', 'Condition', restricted({}), 'unseen'],
    ['R, by a doctor in care', as('doctor'), 'read', 'Condition', restricted({ relations: ['facility rs', 'confirmed me'] }), 'seen'],
    [
      'R, by a doctor who put himself in care',
      as('doctor'),
      'read',
      'Condition',
      restricted({ relations: ['facility rs', 'care me'] }),
      'unseen',
    ],
    [
      'HIV, by a doctor in care',
      as('doctor'),
      'read',
      'Condition',
      restricted({ relations: ['facility rs', 'confirmed me'], sensitivities: ['HIV'] }),
      'seen',
    ],
    [
      'HIV and substance use, by a doctor in care',
      as('doctor'),
      'read',
      'Condition',
      restricted({ relations: ['facility rs', 'confirmed me'], sensitivities: ['HIV', 'ETHUD'] }),
      'unseen',
    ],
    [
      'HIV without R, by a doctor outside care',
      as('doctor'),
      'read',
      'Condition',
      { relations: ['facility rs'], sensitivities: ['HIV'] },
      'unseen',
    ],
    [
      'V, by a doctor in care',
      as('doctor'),
      'read',
      'Condition',
      restricted({ relations: ['facility rs', 'confirmed me'], confidentiality: 5 }),
      'unseen',
    ],
    [
      'HIV, by a nurse in care',
      as('nurse'),
      'read',
      'Condition',
      restricted({ relations: ['facility rs', 'confirmed me'], sensitivities: ['HIV'] }),
      'unseen',
    ],
    ['R, by a pharmacist', as('pharmacist'), 'read', 'MedicationRequest', { relations: near, confidentiality: 4 }, 'unseen'],
    ['R, by the patient', portalUser(), 'read', 'Condition', { patients: ['me'], confidentiality: 4 }, 'seen'],
    ['anything, without clearance', { ...as('doctor'), clearance: noClearance }, 'read', 'Condition', { relations: near }, 'unseen'],
    [
      'V, by name',
      { ...as('doctor'), clearance: { ...noClearance, anywhere: [{ max: 'V', allowed: [] }] } },
      'read',
      'Condition',
      restricted({ confidentiality: 5 }),
      'seen',
    ],
    ['a restricted place', as('doctor'), 'read', 'Location', { patients: [], confidentiality: 4 }, 'unseen'],
  ])
})

describe('consent and break-glass', () => {
  const emergency = (role: string): Principal => as(role, { emergencies: ['budi'] })
  check([
    ['a consent that closes', as('doctor'), 'read', 'Condition', { relations: near, consent: false }, 'unseen'],
    ['the same in an emergency', emergency('doctor'), 'read', 'Condition', { relations: near, consent: false }, 'seen'],
    ['a stranger in an emergency', emergency('doctor'), 'read', 'Condition', {}, 'seen'],
    ['another stranger', emergency('doctor'), 'read', 'Condition', { patients: ['siti'] }, 'unseen'],
    ['R in an emergency', emergency('doctor'), 'search-type', 'Condition', { confidentiality: 4, sensitivities: ['PSY'] }, 'seen'],
    ['V in an emergency', emergency('doctor'), 'read', 'Condition', { confidentiality: 5 }, 'unseen'],
    ['a change in an emergency', emergency('doctor'), 'update', 'Condition', {}, 'unseen'],
    ['a type that the role has not', emergency('nurse'), 'read', 'Account', {}, 'forbidden: role'],
    [
      'a scope that does not cover',
      as('doctor', { emergencies: ['budi'], scope: 'user/Patient.rs' }),
      'read',
      'Condition',
      {},
      'insufficientScope: scope',
    ],
    ['conditions in an emergency', emergency('radiology'), 'read', 'Procedure', {}, 'unseen'],
    ['no consent is asked for a place', as('doctor'), 'read', 'Location', { patients: [], consent: false }, 'seen'],
  ])

  test('consents are evaluated to the letter for one patient, cautiously across patients', () => {
    const modeOf = (interaction: string, patientBound = false): unknown =>
      JSON.stringify(allowed(decide(table, as('doctor'), interaction, 'Condition', { patientBound })).filter)
    expect(modeOf('search-type')).toContain('"conservative"')
    expect(modeOf('search-type', true)).toContain('"exact"')
    expect(modeOf('read')).toContain('"exact"')
  })

  test('the record is told of the emergency', () => {
    expect(allowed(decide(table, emergency('doctor'), 'read', 'Condition')).obligations).toEqual([
      { kind: 'break-glass', patients: ['budi'] },
    ])
    expect(allowed(decide(table, as('doctor'), 'read', 'Condition')).obligations).toEqual([])
  })
})

describe('scopes', () => {
  const inApp = (scope: string, rest: Asking = {}): Principal => as('doctor', { scope, ...rest })
  const launched = (scope: string): Principal => inApp(scope, { launch: { patient: 'budi' } })
  const lab = 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory'
  check([
    ['user/ is what the user may', inApp('user/Observation.rs'), 'read', 'Observation', { relations: near }, 'seen'],
    ['user/ is no more than that', inApp('user/*.cruds'), 'read', 'Observation', {}, 'unseen'],
    [
      "a receptionist's user/*.cruds reads no Condition",
      as('receptionist', { scope: 'user/*.cruds' }),
      'read',
      'Condition',
      { relations: near },
      'forbidden: role',
    ],
    ['another letter', inApp('user/Observation.r'), 'search-type', 'Observation', { relations: near }, 'insufficientScope: scope'],
    ['another type', inApp('user/Observation.rs'), 'read', 'Condition', { relations: near }, 'insufficientScope: scope'],
    ['update-as-create needs u', inApp('user/Observation.c'), 'update', 'Observation', { relations: near }, 'insufficientScope: scope'],
    ['no scope', inApp(''), 'read', 'Observation', { relations: near }, 'insufficientScope: scope'],
    ['openid alone', inApp('openid'), 'read', 'Observation', { relations: near }, 'insufficientScope: scope'],
    ['the patient of the launch', launched('patient/*.rs'), 'read', 'Observation', { relations: near }, 'seen'],
    ['another patient', launched('patient/*.rs'), 'read', 'Observation', { relations: near, patients: ['siti'] }, 'unseen'],
    ['both patients', launched('patient/*.rs'), 'read', 'Observation', { relations: near, patients: ['budi', 'siti'] }, 'unseen'],
    ['no patient in the launch', inApp('patient/*.rs'), 'read', 'Observation', { relations: near }, 'insufficientScope: scope'],
    ['patient/ beyond the relation', launched('patient/*.rs'), 'read', 'Observation', {}, 'unseen'],
    ['system/ for a person', inApp('system/*.rs'), 'read', 'Observation', { relations: near }, 'insufficientScope: scope'],
    [
      'a granular scope that fits',
      launched(`patient/Observation.rs?category=${lab}`),
      'search-type',
      'Observation',
      { relations: near, params: ['category=laboratory'] },
      'seen',
    ],
    [
      'a granular scope that does not',
      launched(`patient/Observation.rs?category=${lab}`),
      'search-type',
      'Observation',
      { relations: near, params: ['category=vital-signs'] },
      'unseen',
    ],
    [
      'two conditions, both needed',
      inApp('user/Observation.rs?category=a&status=final'),
      'read',
      'Observation',
      { relations: near, params: ['category=a'] },
      'unseen',
    ],
    ['alternatives', inApp('user/Observation.rs?category=a,b'), 'read', 'Observation', { relations: near, params: ['category=b'] }, 'seen'],
    ['the wider of two', inApp('user/Observation.rs?category=a user/Observation.rs'), 'read', 'Observation', { relations: near }, 'seen'],
    [
      'the patient himself under patient/',
      portalUser({ scope: 'patient/*.rs', launch: { patient: 'me' } }),
      'read',
      'Patient',
      { id: 'me', patients: ['me'] },
      'seen',
    ],
    ['oneself by fhirUser', inApp('openid fhirUser'), 'read', 'Practitioner', { id: 'me', patients: [] }, 'seen'],
    ['a colleague by fhirUser', inApp('openid fhirUser'), 'read', 'Practitioner', { id: 'other', patients: [] }, 'unseen'],
    [
      'searching oneself by fhirUser',
      inApp('openid fhirUser'),
      'search-type',
      'Practitioner',
      { id: 'me', patients: [] },
      'insufficientScope: scope',
    ],
    ['shared types under patient/', launched('patient/Practitioner.rs'), 'read', 'Practitioner', { patients: [] }, 'seen'],
    ['shared types by the wildcard', launched('patient/*.rs'), 'read', 'Organization', { patients: [] }, 'seen'],
    [
      'nothing shared to write',
      as('admin', { scope: 'patient/*.cruds', launch: { patient: 'budi' } }),
      'update',
      'Organization',
      { patients: [] },
      'insufficientScope: scope',
    ],
    [
      'implants of others under patient/',
      launched('patient/Device.rs'),
      'read',
      'Device',
      { relations: near, patients: ['siti'] },
      'unseen',
    ],
    ['AuditEvent by the wildcard', as('auditor', { scope: 'user/*.rs' }), 'read', 'AuditEvent', {}, 'insufficientScope: scope'],
    ['AuditEvent by name', as('auditor', { scope: 'user/AuditEvent.rs' }), 'read', 'AuditEvent', {}, 'seen'],
    [
      'state of another app',
      as('nurse', { scope: 'user/Basic.rs', appStateSystems: ['https://app.example'] }),
      'read',
      'Basic',
      { patients: [], authors: ['Practitioner/me'], params: ['code=https://other.example|'] },
      'unseen',
    ],
    [
      'state of this app',
      as('nurse', { scope: 'user/Basic.rs', appStateSystems: ['https://app.example'] }),
      'read',
      'Basic',
      { patients: [], authors: ['Practitioner/me'], params: ['code=https://app.example|'] },
      'seen',
    ],
    [
      'state, by an app without any',
      as('nurse', { scope: 'user/Basic.rs' }),
      'read',
      'Basic',
      { patients: [], authors: ['Practitioner/me'] },
      'unseen',
    ],
  ])
})

describe('in doubt, nothing', () => {
  const doctor = as('doctor')
  const { sessionId: _, ...sessionless } = doctor
  check([
    ['an unknown role', as('dokter'), 'read', 'Observation', { relations: near }, 'forbidden: role'],
    ['a name that objects have by nature', as('constructor'), 'read', 'Observation', { relations: near }, 'forbidden: role'],
    ['no role', as(''), 'read', 'Observation', { relations: near }, 'forbidden: role'],
    ['an unknown type', doctor, 'read', 'Pasien', { relations: near }, 'forbidden: type'],
    ['an abstract type', doctor, 'read', 'Resource', { relations: near }, 'forbidden: type'],
    ['an unknown interaction', doctor, 'peek', 'Observation', { relations: near }, 'forbidden: interaction'],
    [
      'a name that objects have by nature, as interaction',
      doctor,
      'toString',
      'Observation',
      { relations: near },
      'forbidden: interaction',
    ],
    ['what has no letter', doctor, 'batch', 'Observation', { relations: near }, 'forbidden: interaction'],
    ['neither scopes nor session', sessionless, 'read', 'Observation', { relations: near }, 'insufficientScope: scope'],
    [
      'a client without scopes',
      { ...doctor, clientId: 'app-0001' },
      'read',
      'Observation',
      { relations: near },
      'insufficientScope: scope',
    ],
    ['a duty alone', as('data-protection-officer'), 'read', 'Patient', { relations: near }, 'forbidden: role'],
  ])

  test('what is not known of a state hides it', () => {
    const { filter } = allowed(decide(table, doctor, 'read', 'Observation'))
    const { id, patients = [], relates = () => true, consents = () => true } = stateWith({ relations: near })
    const whole = { id, patients, confidentiality: 3, sensitivities: [], relates, consents }
    expect(admitsState(filter, whole)).toBe(true)
    for (const gone of ['patients', 'confidentiality', 'sensitivities', 'relates', 'consents'] as const) {
      const { [gone]: _gone, ...part } = whole
      expect([gone, admitsState(filter, part)]).toEqual([gone, false])
    }
  })
})

describe('duties, clients and internal principals', () => {
  const grantsOf = (...given: readonly unknown[]): readonly ClientGrant[] => {
    const read = readClientGrants(given, table)
    if (!read.ok) throw new Error(read.problems.join('\n'))
    return read.grants
  }
  const client = (grants: readonly ClientGrant[], rest: Asking = {}): Principal =>
    principalWith({
      kind: 'client',
      roles: [],
      grants,
      clearance: { ...noClearance, anywhere: [{ max: 'N', allowed: [] }] },
      scope: 'system/*.cruds',
      ...rest,
    })
  const labs = grantsOf({ clause: 'Observation cu if laboratory', reach: 'any' })
  check([
    ['the data protection officer reads the trail', as('data-protection-officer'), 'read', 'AuditEvent', {}, 'seen'],
    ['an analyser writes results', client(labs), 'create', 'Observation', { params: ['category=laboratory'] }, 'seen'],
    ['an analyser writes vital signs', client(labs), 'create', 'Observation', { params: ['category=vital-signs'] }, 'unseen'],
    ['an analyser reads', client(labs), 'read', 'Observation', {}, 'forbidden: role'],
    ['a grant without a scope', client(labs, { scope: 'system/Condition.cruds' }), 'create', 'Observation', {}, 'insufficientScope: scope'],
    ['a client with user/ scopes', client(labs, { scope: 'user/*.cruds' }), 'create', 'Observation', {}, 'insufficientScope: scope'],
    ['groups of types', client(grantsOf({ clause: 'G5,G7 rs', reach: 'any' })), 'search-type', 'Condition', {}, 'seen'],
    [
      'organizations',
      client(grantsOf({ clause: 'G5 rs', reach: { organizations: ['rs'] } })),
      'search-type',
      'Condition',
      { relations: ['facility rs'] },
      'seen',
    ],
    [
      'organizations, another one',
      client(grantsOf({ clause: 'G5 rs', reach: { organizations: ['rs'] } })),
      'search-type',
      'Condition',
      { relations: ['facility other'] },
      'unseen',
    ],
    [
      'members of a Group',
      client(grantsOf({ clause: 'G5 rs', reach: { groups: ['g1'] } })),
      'search-type',
      'Condition',
      { relations: ['group g1'] },
      'seen',
    ],
    ['others than its members', client(grantsOf({ clause: 'G5 rs', reach: { groups: ['g1'] } })), 'search-type', 'Condition', {}, 'unseen'],
    [
      'another purpose',
      client(grantsOf({ clause: 'G5 rs', reach: 'any', purposes: ['HRESCH'] })),
      'search-type',
      'Condition',
      {},
      'forbidden: role',
    ],
    ['its purpose', client(grantsOf({ clause: 'G5 rs', reach: 'any', purposes: ['TREAT'] })), 'search-type', 'Condition', {}, 'seen'],
    ['roles do not count for clients', client([], { roles: ['doctor'] }), 'read', 'Observation', { relations: near }, 'forbidden: role'],
    [
      'intake of messages needs no scope',
      {
        ...principalWith({
          kind: 'internal',
          grants: grantsOf({ clause: 'G1,G7 crus', reach: 'any' }),
          clearance: { ...noClearance, anywhere: [{ max: 'V', allowed: ['*'] }] },
        }),
      },
      'create',
      'Observation',
      { confidentiality: 5, sensitivities: ['PSY'] },
      'seen',
    ],
  ])

  const refused: readonly (readonly [json: unknown, problem: string])[] = [
    ['all', 'grants are a list'],
    [[{ reach: 'any' }], 'grants[0].clause is missing'],
    [[{ clause: 'Observation cruds', reach: 'any' }], 'grants[0].clause: clinical resources are not deleted'],
    [[{ clause: 'Observation r@F', reach: 'any' }], 'grants[0].clause has no relation: reach says whom it reaches'],
    [[{ clause: 'rs', reach: 'any' }], 'grants[0].clause: it names no type'],
    [[{ clause: 'Pasien rs', reach: 'any' }], 'grants[0].clause: Pasien is not in this group'],
    [[{ clause: 'Patient rs', reach: 'all' }], 'grants[0].reach is "any", organizations or groups'],
    [[{ clause: 'Patient rs', reach: { organizations: ['a'], groups: ['b'] } }], 'grants[0].reach is "any", organizations or groups'],
    [[{ clause: 'Patient rs', reach: 'any', purposes: 'TREAT' }], 'grants[0].purposes is a list of codes'],
    [[{ clause: 'Patient rs', reach: 'any', fields: [] }], 'grants[0].fields is not known'],
  ]
  for (const [json, problem] of refused) {
    test(`refused: ${problem}`, () => {
      const read = readClientGrants(json, table)
      expect(read.ok ? [] : read.problems).toContain(problem)
    })
  }
})

describe('what is owed with an answer', () => {
  test('a patient gets a copy of AuditEvents, an auditor the whole', () => {
    const [copy] = allowed(decide(table, portalUser(), 'read', 'AuditEvent')).obligations
    expect(copy).toEqual({ kind: 'patient-copy', unless: { op: 'none' } })
    expect(allowed(decide(table, as('auditor'), 'read', 'AuditEvent')).obligations).toEqual([])
    const [narrowed] = allowed(
      decide(table, as('auditor', { scope: 'patient/AuditEvent.rs', launch: { patient: 'budi' } }), 'read', 'AuditEvent'),
    ).obligations
    expect(narrowed).toEqual({ kind: 'patient-copy', unless: { op: 'none' } })
  })

  test('an AuditEvent of several patients is visible to each', () => {
    expect(outcome(portalUser(), 'read', 'AuditEvent', { patients: ['me', 'budi'] })).toBe('seen')
  })

  test("a Binary is decided as what it belongs to; alone it is its author's", () => {
    const decision = allowed(decide(table, as('pharmacist'), 'read', 'Binary'))
    expect(decision.obligations).toEqual([{ kind: 'security-context' }])
    expect(admitsState(decision.filter, stateWith({ patients: [], authors: ['Practitioner/me'] }))).toBe(true)
    expect(admitsState(decision.filter, stateWith({ patients: [], authors: ['Practitioner/other'] }))).toBe(false)
  })

  test('only who reaches all may create under an id of his own, and of patients’ records only services: labels and consents hide some from everybody', () => {
    const byId = (principal: Principal, type: string): boolean | undefined =>
      allowed(decide(table, principal, 'update', type)).check?.createsById
    expect(byId(as('receptionist'), 'Patient')).toBe(false)
    expect(byId(as('doctor'), 'Patient')).toBe(false)
    expect(byId(as('admin'), 'Location')).toBe(true)
    expect(byId(as('lab'), 'Device')).toBe(false)
  })
})

describe('named permissions of a principal', () => {
  const rows: readonly (readonly [what: string, principal: Principal, held: readonly string[]])[] = [
    ['a user has those of his roles', as('nurse'), ['break-glass', 'device.assign']],
    ['a user has no others', as('lab', { permissions: ['audit.read'] }), []],
    [
      'a client has those of its registration',
      principalWith({ kind: 'client', permissions: ['queue.display', 'nonsense'] }),
      ['queue.display'],
    ],
    ['a patient has none', portalUser({ roles: ['patient', 'doctor'], permissions: ['audit.read'] }), []],
  ]
  for (const [what, principal, held] of rows) {
    test(what, () => {
      expect([...heldPermissions(table, principal)]).toEqual(held)
    })
  }
})

describe('explain', () => {
  test('answers every rule with pass or fail, and never the state', () => {
    const principal = principalWith({ roles: ['nurse', 'lab'], scope: 'user/Observation.rs?category=a user/Observation.rs' })
    const rules = explain(table, principal, 'read', 'Observation', stateWith({ relations: ['facility rs'], confidentiality: 4 }))
    expect(rules.map(({ part, rule, result }) => `${part} ${rule} ${result}`)).toEqual([
      'role nurse/G7/1 pass',
      'role lab/G7/1 fail',
      'scope user/Observation.rs?category=a fail',
      'scope user/Observation.rs pass',
      'labels labels fail',
      'consent consent pass',
    ])
  })

  test('says which part refused, and what could not be told', () => {
    expect(explain(table, as('receptionist'), 'read', 'Condition', stateWith())).toEqual([
      { part: 'request', rule: 'role', result: 'fail' },
    ])
    const [role] = explain(table, as('doctor'), 'read', 'Condition', { id: '1' })
    expect(role?.result).toBe('unknown')
  })
})
