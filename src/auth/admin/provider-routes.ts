import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { redirectUri } from '../federation/federated-login.ts'
import { backchannelPath } from '../federation/backchannel-door.ts'
import type { Provider } from '../federation/provider.ts'
import {
  activateProvider,
  addProvider,
  approveLink,
  askLink,
  changeProvider,
  listProviders,
  providerById,
  registrationIn,
  suspendProvider,
  unlink,
} from '../federation/provider-administration.ts'
import { isLive, linksOf, type ProviderLink } from '../federation/provider-link.ts'
import { type ReadProvider, readProvider } from '../federation/read-provider.ts'
import { badMembers, Members } from '../members.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { type AdminRoute, iso, placeOf } from './routes.ts'
import { mayBeSecond } from './second.ts'

/**
 * Outside identity providers, and whom they mean. Whoever decides that decides who comes in, so a second holder of the permission looks at each provider, at each
 * change of one and at each link. @see auth.md 13
 */

const permission = 'idp.manage'
const subjectMax = 255

const list = async ({ ground, address }: AdminParts): Promise<Outcome<AdminReply>> =>
  ok({ body: { providers: (await listProviders(ground)).map(one => shownProvider(one, address.base)) } })

const show = async ({ ground, address }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await providerById(ground, placeOf(call, 'id'))
  return kept === undefined ? unknownProvider : ok({ body: shownProvider(kept.value, address.base) })
}

const add = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const read = readFrom(parts, call)
  if (!read.ok) return read
  return replied(parts, await addProvider(parts.ground, read.value, call.principal.accountId, call.from), 201)
}

const change = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await providerById(parts.ground, placeOf(call, 'id'))
  if (kept === undefined) return unknownProvider
  const read = readFrom(parts, call, kept.value)
  if (!read.ok) return read
  const done = await changeProvider(parts.ground, read.value, call.principal.accountId, call.from)
  return replied(parts, done, done.ok && done.value.proposed !== undefined ? 202 : 200)
}

const activate = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const by = call.principal.accountId
  return replied(
    parts,
    await activateProvider(parts.ground, placeOf(call, 'id'), by, call.from, asked => mayBeSecond(parts, permission, asked, by)),
  )
}

const suspend = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> =>
  replied(parts, await suspendProvider(parts.ground, placeOf(call, 'id'), call.principal.accountId, call.from))

const readFrom = ({ roles, registration }: AdminParts, { body }: AdminCall, before?: Provider): Outcome<ReadProvider> =>
  readProvider(body, { roles, loopback: !registration.production }, before)

const replied = ({ address }: AdminParts, done: Outcome<Provider>, status: 200 | 201 | 202 = 200): Outcome<AdminReply> =>
  done.ok ? ok({ status, body: { provider: shownProvider(done.value, address.base) } }) : done

const unknownProvider = fail('unknown-instance', { what: 'provider' })

/** Without its secret; with what has to be registered there. */
export const shownProvider = (provider: Provider, base: string): Readonly<Record<string, unknown>> => {
  const { id, status, createdAt, createdBy, approvedBy, proposed } = provider
  return {
    id,
    status,
    ...registrationIn(provider),
    redirectUri: redirectUri(base, id),
    ...(provider.logout ? { backchannelLogoutUri: `${base}${backchannelPath}/${id}` } : {}),
    createdAt: iso(createdAt),
    createdBy,
    ...(approvedBy === undefined ? {} : { approvedBy }),
    ...(proposed === undefined ? {} : { proposed: { ...proposed.registration, by: proposed.by, at: iso(proposed.at) } }),
  }
}

const listLinks = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> =>
  ok({ body: { links: (await linksOf(ground, placeOf(call, 'id'))).map(({ value }) => shownLink(value)) } })

const link = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const members = new Members(call.body)
  const asked = {
    account: placeOf(call, 'id'),
    provider: members.neededText('provider', 32),
    subject: members.neededText('subject', subjectMax),
  }
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  const done = await askLink(ground, asked, call.principal.accountId, call.from)
  return done.ok ? ok({ status: 202, body: { link: shownLink(done.value) } }) : done
}

const confirmLink = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const by = call.principal.accountId
  const second = (asked: string): Promise<Outcome<undefined>> => mayBeSecond(parts, permission, asked, by)
  const done = await approveLink(parts.ground, placeOf(call, 'id'), placeOf(call, 'link'), by, call.from, second)
  return done.ok ? ok({ body: { link: shownLink(done.value) } }) : done
}

const endLink = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const done = await unlink(ground, placeOf(call, 'id'), placeOf(call, 'link'), call.principal.accountId, call.from)
  return done.ok ? ok({ status: 204 }) : done
}

const shownLink = (link: ProviderLink): object => {
  const { id, issuer, subject, provider, how, createdAt, createdBy, approvedBy } = link
  return {
    id,
    provider,
    issuer,
    subject,
    how,
    status: isLive(link) ? 'active' : 'draft',
    createdAt: iso(createdAt),
    createdBy,
    ...(approvedBy === undefined ? {} : { approvedBy }),
  }
}

const manage = [permission] as const

export const providerRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/providers', permissions: manage, run: list },
  { method: 'POST', path: '/admin/providers', permissions: manage, fresh: true, run: add },
  { method: 'GET', path: '/admin/providers/{id}', permissions: manage, run: show },
  { method: 'PUT', path: '/admin/providers/{id}', permissions: manage, fresh: true, run: change },
  { method: 'POST', path: '/admin/providers/{id}/activate', permissions: manage, fresh: true, run: activate },
  { method: 'POST', path: '/admin/providers/{id}/suspend', permissions: manage, run: suspend },
  { method: 'GET', path: '/admin/users/{id}/links', permissions: manage, run: listLinks },
  { method: 'POST', path: '/admin/users/{id}/links', permissions: manage, fresh: true, run: link },
  { method: 'POST', path: '/admin/users/{id}/links/{link}/approve', permissions: manage, fresh: true, run: confirmLink },
  { method: 'DELETE', path: '/admin/users/{id}/links/{link}', permissions: manage, run: endLink },
]
