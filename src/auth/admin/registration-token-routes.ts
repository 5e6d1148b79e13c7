import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { initialDays, initialTokens, makeInitialToken, type RegistrationToken, removeInitialToken } from '../clients/registration-tokens.ts'
import { badMembers, Members } from '../members.ts'
import { parseScope } from '../scopes/scope.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { type AdminRoute, iso, placeOf } from './routes.ts'

/** Tokens with which applications register themselves. Each says the most that may be asked for with it. @see auth.md 10.2 */

const shownMost = 200

const list = async ({ ground }: AdminParts): Promise<Outcome<AdminReply>> =>
  ok({ body: { tokens: (await initialTokens(ground, shownMost)).map(shown) } })

const make = async ({ ground, definitions }: AdminParts, { body, principal, from }: AdminCall): Promise<Outcome<AdminReply>> => {
  const members = new Members(body)
  const scope = {
    rule: rule('scope-form'),
    holds: (text: string) => parseScope(text, { definitions }) !== undefined && !text.startsWith('__'),
  }
  const asked = {
    name: members.neededText('name', 200),
    scopes: members.texts('scopes', 200, 2_000, scope),
    uses: members.whole('uses', 1, 1_000) ?? 1,
    days: members.whole('days', 1, 30) ?? initialDays,
  }
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  const made = await makeInitialToken(ground, asked, principal.accountId, from)
  return made.ok ? ok({ status: 201, body: { secret: made.value.secret, token: shown(made.value.token) } }) : made
}

const remove = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const done = await removeInitialToken(ground, placeOf(call, 'id'), call.principal.accountId, call.from)
  if (!done.ok) return done
  return done.value ? ok({}) : fail('unknown-instance', { what: 'token' })
}

/** Its hash names it, and opens nothing. */
const shown = ({ hash, name, scopes, usesLeft, createdBy, createdAt, expires }: RegistrationToken): object => ({
  id: hash,
  name,
  scopes,
  usesLeft,
  createdBy,
  createdAt: iso(createdAt),
  expires: iso(expires),
})

const manage = ['clients.manage'] as const

export const registrationTokenRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/registration-tokens', permissions: manage, run: list },
  { method: 'POST', path: '/admin/registration-tokens', permissions: manage, fresh: true, run: make },
  { method: 'DELETE', path: '/admin/registration-tokens/{id}', permissions: manage, run: remove },
]
