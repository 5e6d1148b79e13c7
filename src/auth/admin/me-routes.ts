import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { accountById } from '../accounts/find-account.ts'
import { type Session, sessionRecords } from '../sessions/session.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { lettersByType } from './role-routes.ts'
import { type AdminRoute, iso } from './routes.ts'

/** Who is signed in, and what they may ever do: what an application of this house builds its menus from. It decides nothing. @see auth.md 9.1 */
const me = async ({ ground, roles, features }: AdminParts, { principal, permissions }: AdminCall): Promise<Outcome<AdminReply>> => {
  const account = await accountById(ground, principal.accountId)
  if (account === undefined) return fail('token-invalid', {})
  const { sessionId, factorAt } = principal
  const session = sessionId === undefined ? undefined : await ground.store.records<Session>(sessionRecords).get(sessionId)
  const names = principal.roles.map(({ role }) => role)
  const { username, locale } = account.value
  return ok({
    body: {
      account: { id: account.key, ...(username === undefined ? {} : { username }), locale },
      ...(principal.fhirUser === undefined ? {} : { fhirUser: principal.fhirUser }),
      acr: `urn:simpul:acr:${principal.acr}`,
      ...(factorAt === undefined ? {} : { factorAt: iso(factorAt) }),
      ...(session === undefined ? {} : { sessionEnds: iso(Math.min(session.value.endsAt, session.value.expires)) }),
      roles: [...new Set(names)],
      permissions: [...permissions].sort(),
      letters: lettersByType(roles, names),
      organizations: [...new Set(principal.roles.flatMap(({ organizations = [] }) => organizations))],
      features,
    },
  })
}

export const meRoutes: readonly AdminRoute[] = [{ method: 'GET', path: '/admin/me', permissions: [], own: true, run: me }]
