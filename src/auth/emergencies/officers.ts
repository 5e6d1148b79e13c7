import type { Account } from '../accounts/account.ts'
import { accountsOf } from '../accounts/administration.ts'
import type { Ground } from '../ground.ts'
import { personRoles } from '../principal/person.ts'
import { permissionsOf } from '../roles/permissions.ts'
import type { RoleTable } from '../roles/role-table.ts'

const pageRows = 200
const officersMax = 20

/** Roles and duties that somebody holds now -> whether they are told. The first of these that anybody meets counts: somebody has to know. */
const circles: readonly ((table: RoleTable, held: readonly string[]) => boolean)[] = [
  (_, held) => held.includes('data-protection-officer'),
  (table, held) => permissionsOf(table, held).has('consent.override.review'),
  (table, held) => permissionsOf(table, held).has('users.manage'),
]

/**
 * Who is told of emergencies: the data protection officers; where this house has none, who may review; where nobody may, who manages accounts. At most 20, with an
 * e-mail address. It reads all active accounts: for work in the background.
 */
export const officersOf = async (ground: Ground, table: RoleTable): Promise<readonly Account[]> => {
  const found: Account[][] = circles.map(() => [])
  let page = await accountsOf(ground, 'active', pageRows)
  for (;;) {
    for (const account of page.accounts) {
      if (account.email === undefined) continue
      const held = personRoles(table, account, ground.clock())
      for (const [index, meets] of circles.entries()) if (meets(table, held)) found[index]?.push(account)
    }
    if (page.next === undefined) break
    page = await accountsOf(ground, 'active', pageRows, page.next)
  }
  return found.find(circle => circle.length > 0)?.slice(0, officersMax) ?? []
}
