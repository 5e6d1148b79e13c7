import type { AccessFilter, ConsentFilter } from '../../base/access-filter.ts'
import type { Letter } from '../letters.ts'
import type { ClearanceLevel, RoleTable } from '../roles/role-table.ts'
import { heldPermissions } from './held-permissions.ts'
import { ownId, type Principal, representedBy } from './principal.ts'
import { allOf, anyOf, everything } from './simplify.ts'

/** Labels that the principal may see: anyone's up to one clearance, those of patients in care, oneself and emergencies up to others. */
export const labelRule = (table: RoleTable, principal: Principal, type: string, letter: Letter): AccessFilter => {
  const { anywhere, inCare, self, emergency } = principal.clearance
  const open = anyOf(anywhere.map(levelFilter))
  if (!table.aboutPatients.has(type)) return open
  const practitioner = ownId(principal, 'Practitioner')
  const care: readonly AccessFilter[] =
    practitioner === undefined ? [] : [{ op: 'patients', from: 'care', of: [practitioner], confirmed: true }]
  return anyOf([
    open,
    within(care, inCare),
    within(
      representedBy(principal).map(id => ({ op: 'patient', id, only: true })),
      self,
    ),
    within(emergenciesOf(principal, letter), [...emergency, ...veryRestricted(table, principal)]),
  ])
}

const within = (patients: readonly AccessFilter[], levels: readonly ClearanceLevel[]): AccessFilter =>
  allOf([anyOf(patients), anyOf(levels.map(levelFilter))])

/** What an emergency opens beside what the role brings, to who holds the permission for it: everything. */
const veryRestricted = (table: RoleTable, principal: Principal): readonly ClearanceLevel[] =>
  principal.emergencies.length > 0 && heldPermissions(table, principal).has('break-glass.very-restricted')
    ? [{ max: 'V', allowed: ['*'] }]
    : []

/** `*` with V is the clearance of what must write everything (intake of messages); nothing less than V opens all codes. */
const levelFilter = ({ max, allowed }: ClearanceLevel): AccessFilter =>
  max === 'V' && allowed.includes('*') ? everything : { op: 'labels', max, allowed }

const emergenciesOf = ({ kind, emergencies }: Principal, letter: Letter): readonly AccessFilter[] =>
  kind === 'user' && (letter === 'r' || letter === 's') ? emergencies.map(id => ({ op: 'patient', id })) : []

/** No applicable deny in the consents of the patients; an emergency goes before them. */
export const consentRule = (
  table: RoleTable,
  principal: Principal,
  type: string,
  letter: Letter,
  mode: ConsentFilter['mode'],
): AccessFilter => {
  if (!table.aboutPatients.has(type) || (principal.kind === 'internal' && principal.ownSource === true)) return everything
  const consent: AccessFilter = {
    op: 'consent',
    recipients: recipientsOf(principal),
    purposes: principal.purpose,
    mode,
    ...(principal.outside && { outside: true }),
  }
  return anyOf([consent, ...emergenciesOf(principal, letter)])
}

/** The person, the organizations he acts for, and the client, as consents name them; a client is named by `client/` and its id. */
const recipientsOf = ({ fhirUser, roles, clientId, alsoKnownAs = [] }: Principal): readonly string[] => {
  const organizations = roles.flatMap(role => role.organizations ?? []).map(id => `Organization/${id}`)
  return [
    ...new Set([
      ...(fhirUser === undefined ? [] : [fhirUser]),
      ...alsoKnownAs,
      ...organizations,
      ...(clientId === undefined ? [] : [`client/${clientId}`]),
    ]),
  ]
}
