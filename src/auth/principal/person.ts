import { type Account, isStaff, type RoleAssignment as StoredAssignment } from '../accounts/account.ts'
import type { Principal, RoleAssignment } from '../policy/principal.ts'
import { clearanceOf } from '../roles/clearance.ts'
import type { Clearance, RoleTable } from '../roles/role-table.ts'
import { acrOf, factorAt } from '../sessions/session.ts'
import type { LiveSession } from '../sessions/sessions.ts'
import type { PrincipalParts } from './principal-parts.ts'

/** What is true of a person whatever they came with: roles, whom they represent, how else consents may name them, up to which labels they see. */
export type Person = Pick<Principal, 'kind' | 'accountId' | 'fhirUser' | 'roles' | 'represents' | 'alsoKnownAs' | 'clearance'>

export const personOf = async ({ reach, roles: table }: PrincipalParts, account: Account): Promise<Person> => {
  const { fhirUser } = account
  const [roles, represents, alsoKnownAs] = await Promise.all([
    reach.assignments(account.roles),
    reach.represents(fhirUser),
    reach.alsoKnownAs(fhirUser, account.roles),
  ])
  return {
    kind: isStaff(account) ? 'user' : 'patient',
    accountId: account.id,
    ...(fhirUser !== undefined && { fhirUser }),
    roles,
    ...(represents.length > 0 && { represents }),
    ...(alsoKnownAs.length > 0 && { alsoKnownAs }),
    clearance: clearanceFor(table, account, roles),
  }
}

/** Names of the roles that count now: a portal user has patients' roles only, whatever else is written there. */
export const personRoles = (table: RoleTable, account: Account, now: number): readonly string[] => {
  const held = account.roles.filter(role => holdsNow(role, now)).map(({ role }) => role)
  return isStaff(account) ? held : held.filter(name => table.roles.get(name)?.home === 'S')
}

const holdsNow = ({ from, until }: StoredAssignment, now: number): boolean => (from ?? 0) <= now && now < (until ?? Infinity)

/** What an account says of itself, by name and with two persons, stands in place of what its roles bring. */
const clearanceFor = (table: RoleTable, { clearance }: Account, held: readonly RoleAssignment[]): Clearance => {
  const byRoles = clearanceOf(
    table,
    held.map(({ role }) => role),
  )
  if (clearance === undefined) return byRoles
  const level = [{ max: clearance.confidentiality, allowed: clearance.sensitivities }]
  return { ...byRoles, anywhere: level, inCare: level }
}

/** Treatment for staff, their own request for patients. */
export const usualPurpose = (kind: Principal['kind']): readonly string[] => [kind === 'patient' ? 'PATRQT' : 'TREAT']

/** Somebody on our own pages: no application stands between, so no scope bounds them. */
export const sessionPrincipal = async (parts: PrincipalParts, { session, account }: LiveSession): Promise<Principal> => {
  const [person, emergencies] = await Promise.all([
    personOf(parts, account.value),
    parts.emergenciesOf({ account: account.key, session: session.key }),
  ])
  const at = factorAt(session.value.amr)
  return {
    ...person,
    tokenRef: `session-${session.key}`,
    launch: {},
    purpose: usualPurpose(person.kind),
    sessionId: session.key,
    emergencies,
    acr: acrOf(session.value.amr),
    ...(at !== undefined && { factorAt: at }),
  }
}
