import { permissionsOf } from '../roles/permissions.ts'
import type { RoleTable } from '../roles/role-table.ts'
import type { Principal } from './principal.ts'

/** Named permissions of the principal: a user's by roles and duties, a client's by its registration as far as they exist. Patients have none. */
export const heldPermissions = (table: RoleTable, { kind, roles, permissions = [] }: Principal): ReadonlySet<string> => {
  if (kind === 'user')
    return permissionsOf(
      table,
      roles.map(({ role }) => role),
    )
  return new Set(kind === 'patient' ? [] : permissions.filter(name => table.permissions.has(name)))
}
