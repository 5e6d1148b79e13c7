import { type Outcome, ok } from '../../base/outcome.ts'
import { roleLetters } from '../roles/role-letters.ts'
import type { RoleTable } from '../roles/role-table.ts'
import type { AdminParts, AdminReply } from './admin-parts.ts'
import type { AdminRoute } from './routes.ts'

/** The matrix of roles as it holds here: what may be done to which type, and which patients it reaches. @see auth.md 4.2 */

const matrices = new WeakMap<RoleTable, object>()

const matrix = async ({ roles }: AdminParts): Promise<Outcome<AdminReply>> => {
  const known = matrices.get(roles) ?? matrixOf(roles)
  matrices.set(roles, known)
  return ok({ body: known })
}

const matrixOf = (table: RoleTable): object => ({
  version: table.version,
  roles: [...table.roles.values()].map(({ name, home, grants }) => ({
    name,
    ...(home === undefined ? {} : { home }),
    types: Object.fromEntries(
      [...grants].map(([type, clauses]) => [
        type,
        clauses.map(({ letters, relation, name: clause, view }) => ({
          letters,
          relation: relation === 'home' ? (home ?? 'home') : relation,
          clause,
          ...(view === undefined ? {} : { view: view.name }),
        })),
      ]),
    ),
  })),
  duties: [...table.duties].map(([name, { excludes }]) => ({ name, excludes })),
  permissions: [...table.permissions.values()].map(({ name, of, second, except }) => ({
    name,
    of,
    ...(second === undefined ? {} : { second }),
    ...(except === undefined ? {} : { except }),
  })),
  groups: Object.fromEntries(table.groupOf),
})

/** Letters that these roles may ever use, by type; types without any are left out. */
export const lettersByType = (table: RoleTable, roles: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...table.groupOf.keys()].flatMap(type => {
      const letters = roleLetters(table, roles, type)
      return letters === '' ? [] : [[type, letters]]
    }),
  )

export const roleRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/roles',
    permissions: ['roles.manage', 'users.manage', 'policy.manage', 'clients.manage', 'audit.read'],
    run: matrix,
  },
]
