import { type Outcome, ok } from '../../base/outcome.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { type Approval, approve, pendingApprovals, refuse } from './approvals.ts'
import { type AdminRoute, iso, nextOf, pageOf, placeOf } from './routes.ts'

/** What waits for a second person. Whoever may see one may not always decide it: that is asked when somebody does. @see auth.md 4.3 */

export const shownApproval = ({ id, permission, askedBy, askedAt, expires, what }: Approval): object => ({
  id,
  permission,
  askedBy,
  askedAt: iso(askedAt),
  expires: iso(expires),
  what,
})

const list = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const { limit, after } = pageOf(call, 'ns')
  const { approvals, next } = await pendingApprovals(parts, limit, after)
  const mine = approvals.filter(({ permission, askedBy }) => call.permissions.has(permission) || askedBy === call.principal.accountId)
  return ok({ body: { approvals: mine.map(shownApproval), ...nextOf(next) } })
}

const decide =
  (how: typeof approve) =>
  async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
    const done = await how(parts, placeOf(call, 'id'), call.principal.accountId, call.from)
    return done.ok ? ok({}) : done
  }

const some = ['roles.manage', 'clients.manage', 'clients.approve'] as const

export const approvalRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/approvals', permissions: some, run: list },
  { method: 'POST', path: '/admin/approvals/{id}/approve', permissions: some, fresh: true, run: decide(approve) },
  { method: 'POST', path: '/admin/approvals/{id}/refuse', permissions: some, run: decide(refuse) },
]
