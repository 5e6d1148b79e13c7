import type { Account } from '../accounts/account.ts'
import { accountsOf } from '../accounts/administration.ts'
import type { Ground } from '../ground.ts'
import { personRoles } from '../principal/person.ts'
import { permissionsOf } from '../roles/permissions.ts'
import type { RoleTable } from '../roles/role-table.ts'

const pageRows = 200

/** Whether the account holds it now, by a role or a duty; a disabled one holds nothing. */
export const holds = (table: RoleTable, account: Account, permission: string, now: number): boolean =>
  account.status === 'active' && permissionsOf(table, personRoles(table, account, now)).has(permission)

/** Up to `most` active accounts that hold a permission, all but `except`. */
export const holdersOf = async (
  ground: Ground,
  table: RoleTable,
  permission: string,
  { most, except }: { readonly most: number; readonly except?: string },
): Promise<readonly Account[]> => {
  const found: Account[] = []
  const now = ground.clock()
  let page = await accountsOf(ground, 'active', pageRows)
  for (;;) {
    for (const account of page.accounts) {
      if (account.id !== except && holds(table, account, permission, now)) found.push(account)
      if (found.length >= most) return found
    }
    if (page.next === undefined) return found
    page = await accountsOf(ground, 'active', pageRows, page.next)
  }
}

/** Without two who hold it, nobody could be another's second person: the host is. */
export const holdersNeeded = 2

/** Permissions without which nobody could help anybody any more. */
const lastPermissions = ['users.manage', 'roles.manage'] as const

/** A permission that no active account would hold any more once `account` holds only `roles` (or nothing); undefined when there is none. */
export const lastHeld = async (
  ground: Ground,
  table: RoleTable,
  account: Account,
  roles: Account['roles'],
): Promise<string | undefined> => {
  const now = ground.clock()
  for (const permission of lastPermissions) {
    if (!holds(table, account, permission, now) || holds(table, { ...account, roles }, permission, now)) continue
    const others = await holdersOf(ground, table, permission, { most: 1, except: account.id })
    if (others.length === 0) return permission
  }
  return undefined
}
