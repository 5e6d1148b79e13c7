import type { Account, RoleAssignment } from '../accounts/account.ts'
import { accountsOf } from '../accounts/administration.ts'
import type { Ground } from '../ground.ts'
import { permissionsOf } from '../roles/permissions.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { lastLogin } from '../sessions/login-history.ts'
import { iso } from './routes.ts'

const pageRows = 100

const columns = [
  'account',
  'username',
  'fhirUser',
  'status',
  'role',
  'organization',
  'location',
  'from',
  'until',
  'givenBy',
  'approvedBy',
  'clearance',
  'permissions',
  'lastLogin',
  'dormantSince',
] as const

type Line = Partial<Record<(typeof columns)[number], string | undefined>>

/** Who may do what: one line per account and role, page after page, whatever their number. @see auth.md 4.3; RFC 4180 */
export async function* accessReview({ ground, roles }: { readonly ground: Ground; readonly roles: RoleTable }): AsyncGenerator<string> {
  yield csvLine(Object.fromEntries(columns.map(name => [name, name])))
  for (const status of ['active', 'invited', 'disabled'] as const) {
    let page = await accountsOf(ground, status, pageRows)
    for (;;) {
      for (const account of page.accounts) yield (await linesOf(ground, roles, account)).map(csvLine).join('')
      if (page.next === undefined) break
      page = await accountsOf(ground, status, pageRows, page.next)
    }
  }
}

const linesOf = async (ground: Ground, table: RoleTable, account: Account): Promise<readonly Line[]> => {
  const login = await lastLogin(ground, account.id)
  const { clearance, disabled } = account
  const about: Line = {
    account: account.id,
    username: account.username,
    fhirUser: account.fhirUser,
    status: account.status,
    clearance: clearance && [clearance.confidentiality, ...clearance.sensitivities].join(' '),
    lastLogin: login === undefined ? undefined : iso(login),
    dormantSince: disabled?.reason === 'dormant' ? iso(disabled.at) : undefined,
  }
  if (account.roles.length === 0) return [about]
  return account.roles.map(role => ({ ...about, ...assignmentOf(role, table) }))
}

const assignmentOf = ({ role, organization, location, from, until, givenBy, approvedBy }: RoleAssignment, table: RoleTable): Line => ({
  role,
  organization,
  location,
  from: from === undefined ? undefined : iso(from),
  until: until === undefined ? undefined : iso(until),
  givenBy,
  approvedBy,
  permissions: [...permissionsOf(table, [role])].sort().join(' '),
})

const csvLine = (line: Line): string => `${columns.map(name => cell(line[name] ?? '')).join(',')}\r\n`

/** What a spreadsheet would take for a formula is made a text. */
const cell = (text: string): string => {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
