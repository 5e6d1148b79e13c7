/** The filters that `bench/access.ts` measures: single words, and what real decisions compile to. */
import { readFileSync } from 'node:fs'
import { acrossPatients } from '../src/auth/consent/across-patients.ts'
import { decide } from '../src/auth/policy/decide.ts'
import { clearanceOf } from '../src/auth/roles/clearance.ts'
import { readRoles } from '../src/auth/roles/read-roles.ts'
import type { AccessFilter } from '../src/base/access-filter.ts'
import { loadDefinitions } from '../src/compose/definitions.ts'

/** Ids that the store of the measurement has relations of. */
export const served = { practitioner: 'doctor', organization: 'hospital' } as const

const care: AccessFilter = { op: 'patients', from: 'care', of: [served.practitioner] }
const facility: AccessFilter = { op: 'patients', from: 'facility', of: [served.organization] }
const normal: AccessFilter = { op: 'labels', max: 'N', allowed: [] }
const both = (...of: AccessFilter[]): AccessFilter => ({ op: 'and', of })

/** The whole filter of a doctor who searches Observations of all patients: relation, labels and consents, as the shipped roles say them. */
const decided = (careOnly: readonly string[]): AccessFilter => {
  const shipped: unknown = JSON.parse(readFileSync(new URL('../src/auth/roles/roles.json', import.meta.url), 'utf8'))
  const roles = readRoles(shipped, loadDefinitions(), { careOnly })
  if (!roles.ok) throw new Error(roles.problems.join('; '))
  const decision = decide(
    roles.table,
    {
      kind: 'user',
      fhirUser: `Practitioner/${served.practitioner}`,
      roles: [{ role: 'doctor', organizations: [served.organization], units: [] }],
      tokenRef: 'token',
      sessionId: 'session',
      launch: {},
      purpose: ['TREAT'],
      clearance: clearanceOf(roles.table, ['doctor']),
      emergencies: [],
      acr: 2,
    },
    'search-type',
    'Observation',
  )
  if (!decision.allow) throw new Error(decision.rule)
  return withConsents(decision.filter)
}

const withConsents = (filter: AccessFilter): AccessFilter => {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { ...filter, of: filter.of.map(withConsents) }
    case 'not':
      return { ...filter, of: withConsents(filter.of) }
    case 'consent':
      return acrossPatients(filter, 'Observation', 'normal')
    default:
      return filter
  }
}

export const accessFilters: Readonly<Record<string, AccessFilter>> = {
  unlimited: { op: 'all' },
  'labels up to N': normal,
  'a patient': { op: 'patient', id: 'p7' },
  'facility of every second': facility,
  'facility, labels up to N': both(facility, normal),
  'doctor of 1 in 100': care,
  'doctor, labels up to N': both(care, normal),
  'doctor, or about nobody': { op: 'or', of: [care, { op: 'patientless' }] },
  "a doctor's decision, by facility": decided([]),
  "a doctor's decision, by care alone": decided(['doctor']),
}
