/** What holds of decisions whoever asks: more roles never see less, less scope never sees more, and what is hidden does not come back. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Decision, decide } from '../../../src/auth/policy/decide.ts'
import { applyFieldRules, rowViews } from '../../../src/auth/policy/field-rules.ts'
import { checkWrite } from '../../../src/auth/policy/write-check.ts'
import { clearanceOf } from '../../../src/auth/roles/clearance.ts'
import { intersectScopes } from '../../../src/auth/scopes/narrow.ts'
import { parseScopes } from '../../../src/auth/scopes/scope.ts'
import { type AccessSubject, admitsState } from '../../../src/base/access-filter.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { principalWith, stateWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'

const table = testRoles()
const definitions = testDefinitions()
const roleNames = [...table.roles.keys(), 'data-protection-officer', 'unknown']
const interactions = ['create', 'read', 'vread', 'history-instance', 'update', 'patch', 'delete', 'search-type', 'history-type'] as const

const asked = fc.record({ interaction: fc.constantFrom(...interactions), type: fc.constantFrom(...definitions.resourceTypes) })
const stated: fc.Arbitrary<AccessSubject> = fc
  .record({
    id: fc.constantFrom('me', 'other'),
    patients: fc.constantFrom([], ['budi'], ['me'], ['budi', 'siti'], ['me', 'siti']),
    organizations: fc.subarray(['rs', 'other', 'lab-1']),
    authors: fc.subarray(['Practitioner/me', 'Patient/me']),
    confidentiality: fc.constantFrom(3, 3, 4, 5),
    sensitivities: fc.subarray(['PSY', 'ETH'], { maxLength: 1 }),
    relations: fc.subarray(['facility rs', 'facility rs:budi', 'queue lab-1', 'care me', 'confirmed me']),
    params: fc.subarray([
      'category=laboratory',
      'category=vital-signs',
      'category=363679005',
      'status=proposed',
      'type=11502-2',
      'agent=Practitioner/me',
      '_tag=patient-generated',
    ]),
    consent: fc.boolean(),
  })
  .map(stateWith)
const scopes = fc
  .array(
    fc.constantFrom(
      'patient/*.rs',
      'patient/*.cruds',
      'user/*.rs',
      'user/*.cruds',
      'patient/Observation.rs?category=laboratory',
      'user/Observation.cruds?category=vital-signs',
      'user/AuditEvent.rs',
      'fhirUser',
      'user/Patient.r',
    ),
    { maxLength: 4 },
  )
  .map(list => list.join(' '))
const fhirUsers = fc.constantFrom('Practitioner/me', 'Patient/me')

const admits = (decision: Decision, subject: AccessSubject): boolean => decision.allow && admitsState(decision.filter, subject)

const example = (type: string): Resource => ({
  resourceType: type,
  id: 'x',
  text: { status: 'generated', div: '<div/>' },
  identifier: [{ system: 'https://fhir.kemkes.go.id/id/nik', value: '3174000000000001' }],
  name: [{ text: 'Budi' }],
  birthDate: '1990-01-01',
  telecom: [{ system: 'phone', value: '+62811', use: 'home' }],
  status: 'final',
  code: { text: 'x', coding: [{ system: 'http://loinc.org', code: '1' }] },
  note: [{ text: 'n' }],
  reasonCode: [{ text: 'r' }],
})

describe('whoever asks', () => {
  test('another role never hides a row, or an element of it', () => {
    fc.assert(
      fc.property(
        fc.subarray(roleNames),
        fc.constantFrom(...roleNames),
        fhirUsers,
        asked,
        stated,
        (roles, another, fhirUser, { interaction, type }, subject) => {
          const fewer = decide(table, principalWith({ roles, fhirUser }), interaction, type)
          const more = decide(table, principalWith({ roles: [...roles, another], fhirUser }), interaction, type)
          if (!admits(fewer, subject)) return
          expect(admits(more, subject)).toBe(true)
          if (!fewer.allow || !more.allow) return
          const [had, has] = [fewer, more].map(
            ({ fields }) => applyFieldRules(example(type), rowViews(fields, subject), definitions).hidden,
          )
          for (const place of has?.keys() ?? [])
            expect([...(had?.keys() ?? [])].some(hidden => place === hidden || place.startsWith(hidden))).toBe(true)
        },
      ),
      { numRuns: 4000 },
    )
  })

  test('fewer scopes never see more, and scopes never more than none would need', () => {
    fc.assert(
      fc.property(
        fc.subarray(roleNames, { maxLength: 3 }),
        scopes,
        scopes,
        asked,
        stated,
        (roles, wide, other, { interaction, type }, subject) => {
          const launch = { patient: 'budi' }
          const read = (text: string) => parseScopes(text, { definitions }).scopes
          const app = principalWith({ roles, scope: wide, launch, appStateSystems: ['https://app.example'] })
          const narrowed = { ...app, scopes: intersectScopes(read(wide), read(other)) }
          const inWide = admits(decide(table, app, interaction, type), subject)
          if (admits(decide(table, narrowed, interaction, type), subject)) expect(inWide).toBe(true)
          if (inWide) expect(admits(decide(table, principalWith({ roles, launch }), interaction, type), subject)).toBe(true)
        },
      ),
      { numRuns: 4000 },
    )
  })

  test('without roles, or with unknown ones, nothing is seen', () => {
    fc.assert(
      fc.property(asked, stated, fc.subarray(['unknown', '', '__proto__']), ({ interaction, type }, subject, roles) => {
        const principal = { ...principalWith({ roles }), clearance: clearanceOf(table, ['doctor']) }
        expect(admits(decide(table, principal, interaction, type), subject)).toBe(false)
      }),
    )
  })

  test('no patient of another is seen by a patient', () => {
    fc.assert(
      fc.property(asked, stated, ({ interaction, type }, subject) => {
        const decision = decide(table, principalWith({ kind: 'patient', roles: ['patient'], fhirUser: 'Patient/me' }), interaction, type)
        if (!admits(decision, subject) || subject.authors?.includes('Patient/me') === true) return
        // Copies of AuditEvents are cut; schedules and slots belong to nobody.
        const foreign = subject.patients?.some(patient => patient !== 'me') === true
        expect(!foreign || type === 'AuditEvent' || !table.aboutPatients.has(type)).toBe(true)
      }),
      { numRuns: 4000 },
    )
  })

  test('technical roles see nothing about a patient', () => {
    fc.assert(
      fc.property(fc.constantFrom('admin', 'engineer'), asked, stated, (role, { interaction, type }, subject) => {
        if (!table.aboutPatients.has(type) || subject.patients?.length === 0) return
        const decision = decide(table, principalWith({ roles: [role], fhirUser: 'Practitioner/admin' }), interaction, type)
        // Subscriptions are not about patients, whatever an index might say of them.
        if (type !== 'Subscription') expect(admits(decision, subject)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('what may be created or changed passes the filter, scope, labels and consent included', () => {
    fc.assert(
      fc.property(
        fc.subarray(roleNames, { maxLength: 3 }),
        fc.constantFrom('create', 'update'),
        fc.constantFrom(...definitions.resourceTypes),
        stated,
        stated,
        (roles, interaction, type, before, after) => {
          const decision = decide(table, principalWith({ roles }), interaction, type)
          if (!decision.allow || !decision.check) return
          const states = {
            ...(interaction === 'update' && { before: { resource: example(type), subject: before } }),
            after: { resource: example(type), subject: after },
          }
          const verdict = checkWrite(decision.check, states, decision.fields, definitions)
          if (verdict.ok) expect(admitsState(decision.filter, after)).toBe(true)
          if (verdict.ok && interaction === 'update')
            expect(decision.check.alternatives.some(({ before: where }) => admitsState(where, before))).toBe(true)
        },
      ),
      { numRuns: 4000 },
    )
  })

  test('the same question has the same answer', () => {
    fc.assert(
      fc.property(fc.subarray(roleNames), asked, (roles, { interaction, type }) => {
        const principal = principalWith({ roles })
        expect(decide(table, principal, interaction, type)).toEqual(decide(table, principal, interaction, type))
      }),
    )
  })
})
