import type { Account, RoleAssignment } from '../accounts/account.ts'
import { clashOf, permissionsOf } from '../roles/permissions.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { type MappedRole, type Provider, providerAs } from './provider.ts'

/** Roles that no provider gives, nor any that may what these may alone. */
const neverMapped: readonly string[] = ['admin', 'auditor']

/** Whether a provider may give it: a role of this installation that neither administers nor audits. */
export const mayMap = (table: RoleTable, role: string): boolean => {
  if (!table.roles.has(role) || neverMapped.includes(role)) return false
  const weighty = permissionsOf(table, neverMapped)
  return [...permissionsOf(table, [role])].every(name => !weighty.has(name))
}

/**
 * The roles of an account after a login: what the provider gave before and does not say any more is gone, what was given here stays. One that is held already, or
 * that does not go together with what was given here, is not given. `said`: the values in its claim of roles.
 */
export const rolesAfter = (table: RoleTable, provider: Provider, roles: Account['roles'], said: readonly string[]): Account['roles'] => {
  const givenBy = providerAs(provider.id)
  const ours = roles.filter(role => role.givenBy !== givenBy)
  const wanted = provider.roleMap.filter(({ value, role }) => said.includes(value) && mayMap(table, role))
  const after: RoleAssignment[] = [...ours]
  for (const mapped of wanted) {
    if (after.some(held => isThere(held, mapped)) || after.length >= rolesMax) continue
    if (clashOf(table, [...after.map(({ role }) => role), mapped.role]) !== undefined) continue
    const { role, organization } = mapped
    after.push({ role, ...(organization === undefined ? {} : { organization }), givenBy })
  }
  return after
}

const rolesMax = 20

/** For good: one that ends, or is for one place more, is another. */
const isThere = (held: RoleAssignment, { role, organization }: MappedRole): boolean =>
  held.role === role &&
  held.organization === organization &&
  held.location === undefined &&
  held.from === undefined &&
  held.until === undefined
