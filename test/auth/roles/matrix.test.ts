/**
 * The shipped roles against the matrix of the access design, read from its own words (matrix.md) by a reader that shares nothing with the
 * product: every role, type and letter with its relation.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { testDefinitions } from '../../support/definitions.ts'
import { testRoles } from '../../support/roles.ts'

const types = testDefinitions().resourceTypes
const text = readFileSync(join(import.meta.dirname, 'matrix.md'), 'utf8')
const [header = [], , ...rows] = text
  .split('\n')
  .filter(line => line.startsWith('|'))
  .map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
const columns = header.slice(1)

const matches = (pattern: string): readonly string[] => {
  const form = new RegExp(`^${pattern.replace('*', '[A-Za-z]*')}$`)
  return types.filter(type => form.test(type))
}

/** `G17 Practitioner, …, Substance*, and every type that no other row names`. */
const namedTypes = (cell: string): readonly string[] =>
  cell
    .replace(/^G\d+ (definitional: )?/, '')
    .replace('and every type that no other row names', '')
    .replace('every `*Definition`', '*Definition')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
    .flatMap(matches)

const groups = new Map(rows.map(row => [(row[0] ?? '').split(' ')[0] ?? '', namedTypes(row[0] ?? '')]))
// A name and a pattern may both name a type (ResearchDefinition is definitional): the row that spells it out, else the first.
const groupOf = new Map<string, string>()
for (const [group, named] of groups) for (const type of named) if (!groupOf.has(type)) groupOf.set(type, group)
for (const type of types) if (!groupOf.has(type)) groupOf.set(type, 'G17')

/** role -> type -> letters with relations, as `c@F`. */
const expected = new Map<string, Map<string, Set<string>>>()

const add = (role: string, type: string, letters: string, relation: string): void => {
  const byType = expected.get(role) ?? new Map<string, Set<string>>()
  const cell = byType.get(type) ?? new Set<string>()
  for (const letter of letters) cell.add(relation === '' ? letter : `${letter}@${relation}`)
  byType.set(type, cell)
  expected.set(role, byType)
}

/** A cell in the design's own shorthand; what it does not say of a relation, the clause before has said. */
const readCell = (role: string, group: string, cell: string): void => {
  const plain = cell
    .replace(/[¹²³⁴⁵⁶⁷⁸⁹⁰]+/g, '')
    .replace(/ own| \(contrast\)/g, '')
    .trim()
  if (plain === '·') return
  const all = types.filter(type => groupOf.get(type) === group)
  const named = new Set<string>()
  let relation = ''
  // `rs@F; cru: CarePlan, Goal` puts the letters first; elsewhere types come before them.
  const [first = '', list] = plain.split(/; (?=[a-z]+: )/)
  const parts = first.split(/[;,] ?/).map(part => part.trim())
  let waiting: string[] = []
  for (const part of parts) {
    const [, who, letters, at] = /^(?:(\w+) )?([cruds]+)(?:@(\w))?$/.exec(part) ?? []
    if (letters === undefined) {
      waiting.push(part)
      continue
    }
    relation = at ?? relation
    const which = who === 'others' ? all.filter(type => !named.has(type)) : who === undefined ? all : [...waiting, who]
    waiting = []
    for (const type of which) {
      named.add(type)
      add(role, type, letters, relation)
    }
  }
  const [, letters = '', more = ''] = /^([a-z]+): (.*)$/.exec(list ?? '') ?? []
  for (const type of more.split(',').map(name => name.trim())) if (type !== '') add(role, type, letters, relation)
  // `Condition, Procedure rs@F` and `Task crus@F` name types, so nothing is said of the others.
}

for (const [group = '', ...cells] of rows) {
  for (const [index, cell] of cells.entries()) readCell(columns[index] ?? '', group.split(' ')[0] ?? '', cell)
}

/** Where the shipped table is not what the cell says, each with its reason. */
const differs = (role: string, type: string, cell: Set<string>): Set<string> => {
  const without = (...gone: string[]): void => gone.forEach(one => cell.delete(one))
  const none = (): void => cell.clear()
  // ² is two clauses: whole at F, masked at A.
  if (role === 'receptionist' && groupOf.get(type) === 'G1') ['r@F', 's@F'].forEach(one => cell.add(one))
  // First links of a patient to a facility (4.1).
  if (role === 'receptionist' && ['Appointment', 'Encounter', 'EpisodeOfCare', 'Coverage'].includes(type)) cell.add('c@A')
  if ((role === 'doctor' || role === 'nurse') && type === 'Encounter') cell.add('c@A')
  // ⁴ Schedule and Slot read only; a response is given, not changed.
  if (role === 'patient' && (type === 'Schedule' || type === 'Slot')) without('c@S', 'u@S')
  if (role === 'patient' && type === 'AppointmentResponse') without('u@S')
  // ⁷ ¹¹ ¹² ¹³ ¹⁶ ask for a category or document type: what has none is not granted.
  if (role === 'lab' && ['QuestionnaireResponse', 'RequestGroup', 'DeviceRequest', 'BodyStructure'].includes(type)) none()
  if (role === 'radiology' && ['QuestionnaireResponse', 'RequestGroup', 'DeviceRequest'].includes(type)) none()
  if (role === 'pharmacist' && type === 'QuestionnaireResponse') none()
  if (['pharmacist', 'receptionist', 'lab', 'radiology', 'billing'].includes(role) && (type === 'Bundle' || type === 'Binary')) none()
  // ¹⁹ of others: see and stop; own: all.
  if (role === 'admin' && type === 'Subscription') for (const letter of 'cruds') cell.add(`${letter}@O`)
  if (role === 'admin' && type === 'Subscription') without('c', 'd')
  return cell
}

const table = testRoles()
const shipped = (role: string, type: string): readonly string[] =>
  [
    ...new Set(
      (table.roles.get(role)?.grants.get(type) ?? []).flatMap(({ letters, relation }) =>
        [...letters].map(letter => (relation === 'home' ? letter : `${letter}@${relation}`)),
      ),
    ),
  ].sort()

describe('the matrix', () => {
  test('is read whole: 22 groups, 10 roles', () => {
    expect(groups.size).toBe(22)
    expect(columns).toEqual(['admin', 'doctor', 'nurse', 'pharmacist', 'receptionist', 'lab', 'radiology', 'billing', 'auditor', 'patient'])
  })

  test('puts each of the 146 types into one group, as the product does', () => {
    expect(types).toHaveLength(146)
    expect(Object.fromEntries([...table.groupOf].sort())).toEqual(Object.fromEntries([...groupOf].sort()))
  })

  for (const role of columns) {
    test(`says of ${role} what is shipped, for every type and letter`, () => {
      const cells = types.map(type => [type, [...differs(role, type, new Set(expected.get(role)?.get(type)))].sort()])
      expect(types.map(type => [type, shipped(role, type)])).toEqual(cells)
    })
  }
})

describe('roles outside the columns', () => {
  const rows: readonly (readonly [role: string, type: string, cell: string])[] = [
    ['registrar', 'Patient', 'r@F s@F'],
    ['registrar', 'Encounter', 'r@F s@F'],
    ['registrar', 'EpisodeOfCare', 'c@F r@F s@F u@F'],
    ['registrar', 'Task', 'c@F r@F s@F u@F'],
    ['registrar', 'Flag', ''],
    ['registrar', 'Condition', 'c@F r@F s@F u@F'],
    ['registrar', 'Procedure', 'r@F s@F'],
    ['registrar', 'AllergyIntolerance', ''],
    ['registrar', 'Observation', 'c@F r@F s@F u@F'],
    ['registrar', 'ServiceRequest', ''],
    ['registrar', 'Specimen', 'r@F s@F'],
    ['registrar', 'MedicationRequest', 'r@F s@F'],
    ['registrar', 'MedicationDispense', ''],
    ['registrar', 'Practitioner', 'r s'],
    ['registrar', 'ValueSet', 'r s'],
    ['registrar', 'MeasureReport', 'r s'],
    ['registrar', 'Measure', ''],
    ['registrar', 'Linkage', 'c@F r@F s@F u@F'],
    ['registrar', 'Basic', ''],
    ['registrar', 'Consent', ''],
    ['engineer', 'Practitioner', 'r s'],
    ['engineer', 'ValueSet', 'r s'],
    ['engineer', 'Patient', ''],
    ['engineer', 'Observation', ''],
    ['engineer', 'AuditEvent', ''],
  ]
  for (const [role, type, cell] of rows) {
    test(`${role} of ${type}: ${cell || 'nothing'}`, () => {
      expect(shipped(role, type).join(' ')).toBe(cell)
    })
  }

  test('are two, and nobody else ships', () => {
    expect([...table.roles.keys()].filter(role => !columns.includes(role))).toEqual(['registrar', 'engineer'])
  })
})

test('nobody deletes clinical resources, and nobody writes AuditEvents', () => {
  const deleted = [...table.roles.values()].flatMap(({ name, grants }) =>
    [...grants].flatMap(([type, all]) => (all.some(({ letters }) => letters.includes('d')) ? `${name} ${table.groupOf.get(type)}` : [])),
  )
  expect([...new Set(deleted)].sort()).toEqual([
    'admin G17',
    'admin G18',
    'admin G20',
    'admin G21',
    'billing G16',
    'doctor G21',
    'receptionist G2',
  ])
  expect([...table.roles.values()].flatMap(({ grants }) => (grants.get('AuditEvent') ?? []).map(({ letters }) => letters))).toEqual([
    'rs',
    'rs',
  ])
})
