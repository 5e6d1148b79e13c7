import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { RecordWrite } from '../../storage/port.ts'
import { type Account, accountRecords } from '../accounts/account.ts'
import { accountsOf } from '../accounts/administration.ts'
import { accountById, type KeptAccount } from '../accounts/find-account.ts'
import type { Ground } from '../ground.ts'
import { personRoles } from '../principal/person.ts'
import { putOver } from '../record-plans.ts'
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

/**
 * Whether everybody could still be helped once `account` holds only `roles` (or nothing): fails `last-holder` where no other active account would hold such a
 * permission. The answer has to be written with the change: it puts those who go on holding them, as they are, so of two who take it from each other at the
 * same instant the second has to look again.
 */
export const stillHeld = async (
  ground: Ground,
  table: RoleTable,
  account: Account,
  roles: Account['roles'],
): Promise<Outcome<readonly RecordWrite[]>> => {
  const now = ground.clock()
  const witnesses = new Map<string, RecordWrite>()
  for (const permission of lastPermissions) {
    if (!holds(table, account, permission, now) || holds(table, { ...account, roles }, permission, now)) continue
    const other = await anotherHolder(ground, table, permission, account.id)
    if (other === undefined) return fail('last-holder', { permission })
    witnesses.set(other.key, putOver(accountRecords, other, other.value))
  }
  return ok([...witnesses.values()])
}

/** One may have lost it since they were listed: then the next one counts. */
const lookedAtMax = 5

const anotherHolder = async (ground: Ground, table: RoleTable, permission: string, except: string): Promise<KeptAccount | undefined> => {
  for (const { id } of await holdersOf(ground, table, permission, { most: lookedAtMax, except })) {
    const kept = await accountById(ground, id)
    if (kept !== undefined && holds(table, kept.value, permission, ground.clock())) return kept
  }
  return undefined
}
