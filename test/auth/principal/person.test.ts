/** Who somebody is to decisions, whatever they came with. @see auth.md 4, 5.1, 12.4 */
import { describe, expect, test } from '@jest/globals'
import type { Account, RoleAssignment } from '../../../src/auth/accounts/account.ts'
import { personOf, personRoles } from '../../../src/auth/principal/person.ts'
import type { PrincipalParts } from '../../../src/auth/principal/principal-parts.ts'
import { clearanceOf } from '../../../src/auth/roles/clearance.ts'
import { testRoles } from '../../support/roles.ts'

const now = Date.UTC(2026, 10, 21)

const account = (given: Partial<Account> = {}): Account => ({
  id: 'account-1',
  locale: 'id',
  status: 'active',
  passwordHistory: [],
  roles: [],
  graceUsed: 0,
  epoch: 1,
  createdAt: 0,
  createdBy: 'cli',
  ...given,
})

const role = (name: string, given: Partial<RoleAssignment> = {}): RoleAssignment => ({ role: name, givenBy: 'cli', ...given })

const parts = {
  roles: testRoles(),
  reach: {
    assignments: async roles => roles.map(held => ({ role: held.role, organizations: ['1'] })),
    represents: async user => (user === 'Patient/1' ? ['7'] : []),
    alsoKnownAs: async user => (user === 'Practitioner/1' ? ['PractitionerRole/3'] : []),
  },
} as Pick<PrincipalParts, 'roles' | 'reach'> as PrincipalParts

describe('a person', () => {
  test('of staff has roles, other names and the clearance of the roles', async () => {
    expect(await personOf(parts, account({ roles: [role('doctor')], fhirUser: 'Practitioner/1' }))).toEqual({
      kind: 'user',
      accountId: 'account-1',
      fhirUser: 'Practitioner/1',
      roles: [{ role: 'doctor', organizations: ['1'] }],
      alsoKnownAs: ['PractitionerRole/3'],
      clearance: clearanceOf(testRoles(), ['doctor']),
    })
  })

  test('who is a patient alone is one, with those he acts for', async () => {
    expect(await personOf(parts, account({ roles: [role('patient')], fhirUser: 'Patient/1' }))).toMatchObject({
      kind: 'patient',
      represents: ['7'],
    })
  })

  test('without any role sees nothing', async () => {
    expect(await personOf(parts, account())).toMatchObject({
      kind: 'user',
      roles: [],
      clearance: { anywhere: [], inCare: [], self: [], emergency: [] },
    })
  })

  test('whose account names a clearance has that one, lower or higher than the roles bring', async () => {
    for (const confidentiality of ['N', 'V'] as const) {
      const level = [{ max: confidentiality, allowed: ['PSY'] }]
      const { clearance } = await personOf(
        parts,
        account({ roles: [role('doctor')], clearance: { confidentiality, sensitivities: ['PSY'] } }),
      )
      expect(clearance).toMatchObject({ anywhere: level, inCare: level })
    }
  })
})

describe('roles that count', () => {
  const rows: readonly (readonly [string, readonly RoleAssignment[], readonly string[]])[] = [
    [
      'those that hold now',
      [role('doctor', { from: now, until: now + 1 }), role('nurse', { from: now + 1 }), role('lab', { until: now })],
      ['doctor'],
    ],
    ['all of staff', [role('doctor'), role('patient')], ['doctor', 'patient']],
    ['patients’ alone of a patient', [role('patient')], ['patient']],
  ]
  for (const [name, roles, counted] of rows) test(name, () => expect(personRoles(testRoles(), account({ roles }), now)).toEqual(counted))
})
