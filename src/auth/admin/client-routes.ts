import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import {
  activateClient,
  addSecret,
  type ClientChanged,
  changeClient,
  changeNeedsApproval,
  clientById,
  listClients,
  registerClient,
  registrationOf,
  removeSecret,
  suspendClient,
} from '../clients/administration.ts'
import type { Client } from '../clients/client.ts'
import { type ClientTrouble, type Health, troubles } from '../clients/client-health.ts'
import { needsApproval, type Registration, readRegistration } from '../clients/registration.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { shownApproval } from './approval-routes.ts'
import { type Awaited, askApproval } from './approvals.ts'
import { type AdminRoute, iso, nextOf, pageOf, placeOf } from './routes.ts'

/** Applications. Those that reach data without a user, or are not asked about, wait for somebody with `clients.approve`. @see auth.md 10.1 */

const statuses = ['draft', 'active', 'suspended'] as const

const list = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const asked = call.query.get('status')
  const status = statuses.find(one => one === asked)
  if (asked !== null && status === undefined)
    return fail('bad-member', { member: 'status', rule: rule('one-of', { words: statuses.join(', ') }) })
  const { clients, next } = await listClients(ground, { ...pageOf(call, 'sss'), ...(status === undefined ? {} : { status }) })
  return ok({ body: { clients: clients.map(shownClient), ...nextOf(next) } })
}

const show = async ({ ground, clients }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await clientById(ground, placeOf(call, 'id'))
  if (kept === undefined) return unknownClient
  return ok({ body: { ...shownClient(kept.value), health: shownHealth(kept.value, await clients.health.of(kept.key)) } })
}

const create = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const read = registrationFrom(parts, call)
  if (!read.ok) return read
  const made = await registerClient(parts.ground, read.value, { by: call.principal.accountId }, call.from)
  if (!made.ok) return made
  const { client } = made.value
  if (!needsApproval(client)) return ok({ status: 201, body: { client: shownClient(client) } })
  const asked = await ask(parts, call, { kind: 'client-activation', client: client.id, before: registrationOf(client) })
  return asked.ok ? ok({ status: 201, body: { client: shownClient(client), approval: asked.value } }) : asked
}

const change = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await clientById(parts.ground, placeOf(call, 'id'))
  if (kept === undefined) return unknownClient
  const read = registrationFrom(parts, call)
  if (!read.ok) return read
  if (changeNeedsApproval(kept.value, read.value)) {
    const what = { kind: 'client-change' as const, client: kept.key, before: registrationOf(kept.value), after: read.value }
    const asked = await ask(parts, call, what)
    return asked.ok ? ok({ status: 202, body: { approval: asked.value } }) : asked
  }
  const hands = { by: call.principal.accountId }
  return replied(await changeClient(parts.ground, kept.key, read.value, hands, call.from))
}

const activate = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await clientById(parts.ground, placeOf(call, 'id'))
  if (kept === undefined) return unknownClient
  if (kept.value.status === 'active') return fail('wrong-status', { status: 'active' })
  if (!needsApproval(kept.value)) return replied(await activateClient(parts.ground, kept.key, { by: call.principal.accountId }, call.from))
  const asked = await ask(parts, call, { kind: 'client-activation', client: kept.key, before: registrationOf(kept.value) })
  return asked.ok ? ok({ status: 202, body: { approval: asked.value } }) : asked
}

const suspend = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> =>
  replied(await suspendClient(parts.ground, placeOf(call, 'id'), call.principal.accountId, call.from))

const makeSecret = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const made = await addSecret(parts.ground, placeOf(call, 'id'), call.principal.accountId, call.from)
  return made.ok ? ok({ status: 201, body: { secret: made.value.secret, client: shownClient(made.value.client) } }) : made
}

const endSecret = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> =>
  replied(await removeSecret(parts.ground, placeOf(call, 'id'), placeOf(call, 'secret'), call.principal.accountId, call.from))

const unknownClient = fail('unknown-instance', { what: 'client' })

const registrationFrom = ({ definitions, roles, registration }: AdminParts, { body }: AdminCall): Outcome<Registration> =>
  readRegistration(body, { definitions, roles, ...registration })

const ask = async (parts: AdminParts, { principal, from }: AdminCall, what: Awaited): Promise<Outcome<object>> => {
  const asked = await askApproval(parts, what, principal.accountId, from)
  return asked.ok ? ok(shownApproval(asked.value.approval)) : asked
}

const replied = (done: Outcome<ClientChanged>): Outcome<AdminReply> =>
  done.ok ? ok({ body: { client: shownClient(done.value.client) } }) : done

/** Secrets by their names and times alone. */
export const shownClient = (client: Client): object => ({
  id: client.id,
  status: client.status,
  ...registrationOf(client),
  secrets: client.secrets.map(({ id, createdAt, expiresAt }) => ({ id, createdAt: iso(createdAt), expiresAt: iso(expiresAt) })),
  createdAt: iso(client.createdAt),
  createdBy: client.createdBy,
  approvals: client.approvals.map(({ by, at }) => ({ by, at: iso(at) })),
})

/** The health page: the last errors in words, keys that were seen, scopes that nobody used. */
export const shownHealth = ({ scopesAllowed }: Client, health: Health): object => ({
  ...(health.lastUsed === undefined ? {} : { lastUsed: iso(health.lastUsed) }),
  troubles: Object.entries(health.troubles)
    .sort(([, a], [, b]) => b.last - a.last)
    .map(([what, { count, first, last }]) => ({ what, ...wordsOf(what), count, first: iso(first), last: iso(last) })),
  keys: Object.entries(health.keys).map(([kid, at]) => ({ kid, lastSeen: iso(at) })),
  unusedScopes: scopesAllowed.filter(scope => !Object.hasOwn(health.scopes, scope)),
})

const wordsOf = (what: string): { readonly en: string; readonly id: string } | object =>
  Object.hasOwn(troubles, what) ? troubles[what as ClientTrouble] : {}

const manage = ['clients.manage'] as const

export const clientRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/clients', permissions: ['clients.manage', 'clients.approve'], run: list },
  { method: 'POST', path: '/admin/clients', permissions: manage, run: create },
  { method: 'GET', path: '/admin/clients/{id}', permissions: ['clients.manage', 'clients.approve'], run: show },
  { method: 'PUT', path: '/admin/clients/{id}', permissions: manage, run: change },
  { method: 'POST', path: '/admin/clients/{id}/activate', permissions: manage, run: activate },
  { method: 'POST', path: '/admin/clients/{id}/suspend', permissions: manage, run: suspend },
  { method: 'POST', path: '/admin/clients/{id}/secrets', permissions: manage, fresh: true, run: makeSecret },
  { method: 'DELETE', path: '/admin/clients/{id}/secrets/{secret}', permissions: manage, run: endSecret },
]
