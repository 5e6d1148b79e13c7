/** Reading the roles at boot: whatever is not wholly understood is refused, all problems together. */
import { describe, expect, test } from '@jest/globals'
import { clearanceOf } from '../../../src/auth/roles/clearance.ts'
import type { RoleOverrides } from '../../../src/auth/roles/overrides.ts'
import { clashOf, permissionsOf } from '../../../src/auth/roles/permissions.ts'
import { readRoles } from '../../../src/auth/roles/read-roles.ts'
import { anyonesLetters, roleLetters } from '../../../src/auth/roles/role-letters.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { shippedRoles, testRoles } from '../../support/roles.ts'

const definitions = testDefinitions()
const problemsOf = (json: unknown, overrides?: RoleOverrides): readonly string[] => {
  const read = readRoles(json, definitions, overrides)
  return read.ok ? [] : read.problems
}

/** The shipped document with one place changed: `roles.doctor.cells.G5`. */
const changed = (path: string, value: unknown): unknown => {
  const json = shippedRoles() as Record<string, unknown>
  const steps = path.split('.')
  const last = steps.pop() as string
  let place = json
  for (const step of steps) place = place[step] as Record<string, unknown>
  if (value === undefined) delete place[last]
  else place[last] = value
  return json
}

test('what ships has no problem', () => {
  expect(problemsOf(shippedRoles())).toEqual([])
})

describe('what is refused', () => {
  const rows: readonly (readonly [path: string, value: unknown, problem: string])[] = [
    ['version', undefined, 'version is missing'],
    ['groups.G6', [], 'groups: AllergyIntolerance stands in none, but each type has exactly one'],
    ['groups.G6', ['AllergyIntolerance', 'Patient'], 'groups: Patient stands in G1 and G6, but each type has exactly one'],
    ['groups.G6', ['AllergyIntolerance', 'Alergi'], 'groups.G6: Alergi is no resource type'],
    ['groups', 'all', 'groups is not an object'],
    ['unbound', ['Meja'], 'unbound: Meja is no resource type'],
    ['lists.nursing', [], 'lists.nursing is a list of texts, not empty'],
    ['roles.doctor.cells.G5', ['crusd@F'], 'roles.doctor.cells.G5: "crusd@F": it is no clause'],
    ['roles.doctor.cells.G5', ['cruds@F'], 'roles.doctor.cells.G5: "cruds@F": clinical resources are not deleted'],
    ['roles.doctor.cells.G22', ['cr@A'], 'roles.doctor.cells.G22: "cr@A": an AuditEvent is not written'],
    ['roles.doctor.cells.G5', ['crus@X'], 'roles.doctor.cells.G5: "crus@X": it is no clause'],
    ['roles.doctor.cells.G5', ['Observation r@F'], 'roles.doctor.cells.G5: "Observation r@F": Observation is not in this group'],
    ['roles.doctor.cells.G5', ['r@F if raining'], 'roles.doctor.cells.G5: "r@F if raining": it names a condition that is not there'],
    ['roles.doctor.cells.G6', ['r@F if laboratory'], 'roles.doctor.cells.G6: "r@F if laboratory": its conditions leave nothing of it'],
    ['roles.doctor.cells.G6', ['r@F if coded,identity'], 'roles.doctor.cells.G6: "r@F if coded,identity": it has two views'],
    ['roles.doctor.cells.G99', ['r@F'], 'roles.doctor.cells: there is no group G99'],
    ['roles.doctor.cells.G6', 'r@F', 'roles.doctor.cells.G6 is a list of clauses'],
    ['roles.doctor.home', 'X', 'roles.doctor.home is one of A, F, C, Q, S'],
    ['roles.doctor.homes', 'F', 'roles.doctor.homes is not known'],
    [
      'roles.doctor.clearance.inCare',
      { max: 'V', allowed: [] },
      'roles.doctor.clearance.inCare has max, U to R, and allowed, a list of sensitivities',
    ],
    ['roles.doctor.clearance.inCare', { max: 'R' }, 'roles.doctor.clearance.inCare has max, U to R, and allowed, a list of sensitivities'],
    ['roles.doctor.clearance.here', { max: 'R', allowed: [] }, 'roles.doctor.clearance.here is not known'],
    ['roles.doctor.clearance', undefined, 'roles.doctor.clearance is not an object'],
    ['roles.admin.cells.G1', ['rs@A'], 'roles.admin: a technical role has no access to Patient'],
    ['roles.engineer.cells.G7', ['rs@A'], 'roles.engineer: a technical role has no access to Observation'],
    ['roles.Dokter', { clearance: {}, cells: {} }, 'roles: a name is small letters, digits and hyphens'],
    [
      'conditions.nursing.match.Procedure',
      { category: 'no-list' },
      'conditions.nursing.match.Procedure.category is the name of a list, or a list of values',
    ],
    [
      'conditions.nursing.match.Procedure',
      { kategori: 'nursing' },
      'conditions.nursing.match.Procedure.kategori is no parameter that a condition can ask',
    ],
    [
      'conditions.nursing.match.Procedure',
      { date: [] },
      'conditions.nursing.match.Procedure.date is the name of a list, or a list of values',
    ],
    ['conditions.nursing.matches', {}, 'conditions.nursing.matches is not known'],
    ['conditions.identity.view', 'whole', 'conditions.identity.view is not one of the views'],
    ['conditions.nothing', {}, 'conditions.nothing says nothing'],
    ['conditions.signing.obligation', 'applause', 'conditions.signing.obligation is not known'],
    ['views.identity.onli', ['name'], 'views.identity.onli is not known'],
    ['views.identity.only', 'name', 'views.identity.only is a list of texts'],
    ['permissions.audit', { of: ['nobody'] }, 'permissions.audit.of is a list of roles and duties'],
    ['permissions.audit', { of: [], second: 'friend' }, 'permissions.audit.second is "same", a role or a duty'],
    ['duties.data-protection-officer', {}, 'duties.data-protection-officer: excludes is a list of roles'],
  ]
  for (const [path, value, problem] of rows) {
    test(problem, () => {
      expect(problemsOf(changed(path, value))).toContain(problem)
    })
  }

  test('a document that is none', () => {
    expect(problemsOf(undefined)).toContain('roles is not an object')
    expect(problemsOf([]).length).toBeGreaterThan(0)
  })
})

describe('what a deployment changes', () => {
  const withFile = (file: unknown): RoleOverrides => ({ file })
  const lettersWith = (overrides: RoleOverrides, role: string, type: string): string => {
    const read = readRoles(shippedRoles(), definitions, overrides)
    if (!read.ok) throw new Error(read.problems.join('\n'))
    return (read.table.roles.get(role)?.grants.get(type) ?? []).map(({ letters, relation }) => `${letters}@${relation}`).join(' ')
  }

  test('a cell is replaced whole, others stay, and the version says so', () => {
    const overrides = withFile({ version: '3', roles: { nurse: { cells: { G8: ['crus@F'] } } } })
    expect(lettersWith(overrides, 'nurse', 'ServiceRequest')).toBe('crus@F')
    expect(lettersWith(overrides, 'nurse', 'Observation')).toBe('rs@F cu@F')
    const read = readRoles(shippedRoles(), definitions, overrides)
    expect(read.ok && read.table.version).toBe('2026-11-21+3')
  })

  test('an empty cell takes everything', () => {
    expect(lettersWith(withFile({ version: '3', roles: { nurse: { cells: { G8: [] } } } }), 'nurse', 'ServiceRequest')).toBe('')
  })

  test('a role is added', () => {
    const midwife = { home: 'F', clearance: { anywhere: { max: 'N', allowed: [] } }, cells: { G7: ['crus@C'] } }
    expect(lettersWith(withFile({ version: '3', roles: { midwife } }), 'midwife', 'Observation')).toBe('crus@C')
  })

  test('a list is replaced', () => {
    const read = readRoles(
      shippedRoles(),
      definitions,
      withFile({ version: '3', lists: { contrast: ['http://sys-ids.kemkes.go.id/kfa|93000000'] } }),
    )
    expect(read.ok && read.table.roles.get('radiology')?.grants.get('MedicationAdministration')?.[0]?.match).toEqual([
      { code: 'code', values: ['http://sys-ids.kemkes.go.id/kfa|93000000'] },
    ])
  })

  test('F may be tightened to C, and a registry node reaches all', () => {
    expect(lettersWith({ careOnly: ['doctor'] }, 'doctor', 'Observation')).toBe('crus@C')
    expect(lettersWith({ careOnly: ['doctor'] }, 'nurse', 'Observation')).toBe('rs@F cu@F')
    expect(lettersWith({ registry: true }, 'registrar', 'Condition')).toBe('rs@A crus@A')
  })

  const refused: readonly (readonly [what: string, overrides: RoleOverrides, problem: string])[] = [
    ['no version', withFile({ roles: {} }), 'overrides.version is missing'],
    ['no object', withFile('all'), 'overrides are not an object'],
    ['other groups', withFile({ version: '1', groups: {} }), 'overrides.groups is not known'],
    ['permissions', withFile({ version: '1', permissions: {} }), 'overrides.permissions is not known'],
    [
      'a shipped role taken away',
      withFile({ version: '1', roles: { doctor: null } }),
      'overrides.roles.doctor: of a shipped role only cells change',
    ],
    [
      'a shipped role that is no longer technical',
      withFile({ version: '1', roles: { admin: { technical: false, cells: {} } } }),
      'overrides.roles.admin.technical is not known',
    ],
    [
      'patients for the administrator',
      withFile({ version: '1', roles: { admin: { cells: { G1: ['rs@A'] } } } }),
      'roles.admin: a technical role has no access to Patient',
    ],
    [
      'deletion',
      withFile({ version: '1', roles: { doctor: { cells: { G6: ['cruds@F'] } } } }),
      'roles.doctor.cells.G6: "cruds@F": clinical resources are not deleted',
    ],
    ['a role that is not there', { careOnly: ['dokter'] }, 'there is no role dokter whose relation could change'],
  ]
  for (const [what, overrides, problem] of refused) {
    test(`refused: ${what}`, () => {
      expect(problemsOf(shippedRoles(), overrides)).toContain(problem)
    })
  }
})

describe('named permissions', () => {
  const table = testRoles()
  const rows: readonly (readonly [held: readonly string[], permissions: string])[] = [
    [['doctor'], 'break-glass device.assign'],
    [['nurse'], 'break-glass device.assign'],
    [['receptionist'], 'mrn.assign'],
    [['auditor'], 'audit.export audit.read audit.retention consent.override.review'],
    [['data-protection-officer'], 'audit.export audit.read audit.retention consent.override.review privacy.requests'],
    [['registrar'], 'registry.abstract registry.read registry.verify'],
    [['engineer'], 'messages.content messages.operate'],
    [
      ['admin'],
      'clients.approve clients.manage idp.manage keys.rotate ops.figures ops.health ops.jobs policy.manage roles.manage terminology.manage users.manage',
    ],
    [['patient', 'lab', 'radiology', 'billing', 'pharmacist', 'unknown'], ''],
  ]
  for (const [held, permissions] of rows) {
    test(`${held.join(', ')}: ${permissions || 'none'}`, () => {
      expect([...permissionsOf(table, held)].sort().join(' ')).toBe(permissions)
    })
  }

  test('that need a second person are named', () => {
    const two = [...table.permissions.values()].filter(({ second }) => second !== undefined).map(({ name, second }) => `${name} ${second}`)
    expect(two).toEqual([
      'roles.manage same',
      'policy.manage same',
      'audit.retention same',
      'privacy.purge same',
      'patient.merge same',
      'registry.export data-protection-officer',
    ])
  })

  test('a data protection officer is no administrator', () => {
    expect(clashOf(table, ['admin', 'data-protection-officer'])).toEqual(['data-protection-officer', 'admin'])
    expect(clashOf(table, ['auditor', 'data-protection-officer'])).toBeUndefined()
  })
})

describe('letters that may ever be used', () => {
  const rows: readonly (readonly [roles: readonly string[], type: string, letters: string])[] = [
    [['doctor'], 'Patient', 'rus'],
    [['doctor', 'receptionist'], 'Patient', 'crus'],
    [['receptionist'], 'Condition', ''],
    [['receptionist'], '*', 'cruds'],
    [['auditor'], '*', 'crus'],
    [['data-protection-officer'], 'AuditEvent', 'rs'],
    [['unknown'], '*', ''],
    [[], 'Patient', ''],
  ]
  for (const [roles, type, letters] of rows) {
    test(`${roles.join(', ') || 'nobody'} of ${type}: ${letters || 'none'}`, () => {
      expect(roleLetters(testRoles(), roles, type)).toBe(letters)
    })
  }

  test('by anybody', () => {
    expect(anyonesLetters(testRoles(), 'Patient')).toBe('crus')
    expect(anyonesLetters(testRoles(), 'AuditEvent')).toBe('rs')
  })
})

test('clearances of several roles stand side by side and are not mixed', () => {
  const clearance = clearanceOf(testRoles(), ['doctor', 'patient', 'unknown'])
  expect(clearance.anywhere).toEqual([
    { max: 'N', allowed: [] },
    { max: 'N', allowed: [] },
  ])
  expect(clearance.inCare).toEqual([{ max: 'R', allowed: ['PSY', 'SDV', 'HIV', 'SEX'] }])
  expect(clearance.self).toEqual([{ max: 'R', allowed: [] }])
})
