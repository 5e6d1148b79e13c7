import { isDeepStrictEqual } from 'node:util'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { type Account, accountRecords } from '../accounts/account.ts'
import { accountsOf, changeDetails, enableAccount, logOutEverywhere, resetFactors, unlockAccount } from '../accounts/administration.ts'
import type { AccountChanged } from '../accounts/change-account.ts'
import { accountById, accountByName } from '../accounts/find-account.ts'
import { invite, inviteAgain } from '../accounts/invitation.ts'
import { foldName } from '../accounts/names.ts'
import { factorsOf, hasFactor } from '../factors/factor-set.ts'
import type { Ground } from '../ground.ts'
import { lockedUntil } from '../lockout/attempts.ts'
import { badMembers, Members, present } from '../members.ts'
import { lastLogin } from '../sessions/login-history.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { shownApproval } from './approval-routes.ts'
import { askApproval, type Standing, standingOf } from './approvals.ts'
import { disableUser } from './disable-user.ts'
import { stillHeld } from './holders.ts'
import { type AdminRoute, iso, nextOf, pageOf, placeOf } from './routes.ts'
import { readStanding } from './standing.ts'

/** People who may sign in. Making, stopping and helping them is one permission, giving them roles another with two persons. @see auth.md 4.3 */

const statuses = ['invited', 'active', 'disabled'] as const

const list = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const name = call.query.get('name')
  if (name !== null) {
    const found = await accountByName(ground, name)
    return ok({ body: { users: found === undefined ? [] : [shown(found.value)] } })
  }
  const asked = call.query.get('status') ?? 'active'
  const status = statuses.find(one => one === asked)
  if (status === undefined) return fail('bad-member', { member: 'status', rule: rule('one-of', { words: statuses.join(', ') }) })
  const { limit, after } = pageOf(call, 'sns')
  const { accounts, next } = await accountsOf(ground, status, limit, after)
  return ok({ body: { users: accounts.map(shown), ...nextOf(next) } })
}

const show = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await accountById(ground, placeOf(call, 'id'))
  return kept === undefined ? unknownUser : ok({ body: await shownWhole(ground, kept.value) })
}

/** The account begins without roles; those that are named wait for a second person. */
const inviteOne = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const { ground } = parts
  const by = call.principal.accountId
  const members = new Members(call.body)
  const email = members.neededText('email', 254)
  const details = {
    username: members.text('username', 64),
    phone: members.text('phone', 40),
    locale: members.oneOf('locale', ['id', 'en']) ?? 'id',
  }
  const wanted = readStanding(members, nothingYet, parts.roles, by)
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  if (!wanted.ok) return wanted
  const waits = !isDeepStrictEqual(wanted.value, nothingYet)
  if (waits && !call.permissions.has('roles.manage')) return fail('permission-needed', { permission: 'roles.manage' })
  const folded = foldName(email)
  const taken = await ground.store.records<Account>(accountRecords).range('email', { from: [folded], to: [folded], limit: 1 })
  if (taken.rows.length > 0) return fail('bad-member', { member: 'email', rule: rule('of-another-account') })
  const made = await invite(ground, { email, roles: [], ...present(details) }, by, call.from)
  if (!made.ok) return made
  if (made.value.is === 'malformed') {
    const { member } = made.value
    return fail('bad-member', { member, rule: rule(member === 'email' ? 'email-form' : 'username-form') })
  }
  if (made.value.is === 'taken') return fail('bad-member', { member: 'username', rule: rule('of-another-account') })
  const { account, secret } = made.value
  const sent = await handedOver(parts, account, secret)
  if (!sent.ok) return sent
  const approval = waits ? await ask(parts, call, account, wanted.value) : undefined
  if (approval?.ok === false) return approval
  return ok({ status: 201, body: { user: shown(account), ...sent.value, ...(approval === undefined ? {} : { approval: approval.value }) } })
}

/** What an account has before anybody gave it anything. */
const nothingYet: Standing = { roles: [] }

const inviteOnceMore = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const done = await inviteAgain(parts.ground, placeOf(call, 'id'), call.principal.accountId, call.from)
  const changed = changedAccount(done, 'active')
  if (!done.ok || !changed.ok) return changed.ok ? unknownUser : changed
  const sent = await handedOver(parts, changed.value, done.value.secret ?? '')
  return sent.ok ? ok({ body: { user: shown(changed.value), ...sent.value } }) : sent
}

/** By mail to the one who is invited; without mails the link is shown to whoever invites, this once. */
const handedOver = async (
  { address, sendLink }: AdminParts,
  { id, email = '', locale }: Account,
  secret: string,
): Promise<Outcome<{ readonly link?: string }>> => {
  if (sendLink === undefined) return ok({ link: invitationLink(address.base, secret) })
  const sent = await sendLink({ to: email, locale, secret, account: id })
  return sent.ok ? ok({}) : sent
}

export const invitationLink = (base: string, secret: string): string => `${base}/login/invitation/${secret}`

const change = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const members = new Members(call.body)
  const details = {
    username: members.text('username', 64),
    locale: members.oneOf('locale', ['id', 'en']),
    phone: members.text('phone', 40),
  }
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  const done = await changeDetails(parts.ground, placeOf(call, 'id'), present(details), call.principal.accountId, call.from)
  if (done.ok && (done.value.is === 'malformed' || done.value.is === 'taken'))
    return fail('bad-member', { member: 'username', rule: rule(done.value.is === 'taken' ? 'of-another-account' : 'username-form') })
  return replied(parts, done)
}

const disable = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const members = new Members(call.body ?? {})
  const reason = members.text('reason', 200) ?? 'administrator'
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  const done = await disableUser(parts, placeOf(call, 'id'), reason, call.principal.accountId, call.from)
  return done.ok ? ok({ body: { user: await shownWhole(parts.ground, done.value) } }) : done
}

const enable = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> =>
  replied(parts, await enableAccount(parts.ground, placeOf(call, 'id'), call.principal.accountId, call.from))

const unlock = async ({ ground }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await accountById(ground, placeOf(call, 'id'))
  if (kept === undefined) return unknownUser
  const done = await unlockAccount(ground, kept.key, call.principal.accountId, call.from)
  return done.ok ? ok({ body: await shownWhole(ground, kept.value) }) : done
}

const resetFactor = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> =>
  replied(parts, await resetFactors(parts.ground, placeOf(call, 'id'), call.principal.accountId, call.from))

const logOut = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> =>
  replied(parts, await logOutEverywhere(parts.ground, placeOf(call, 'id'), call.principal.accountId, call.from))

const giveRoles = async (parts: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const kept = await accountById(parts.ground, placeOf(call, 'id'))
  if (kept === undefined) return unknownUser
  const members = new Members(call.body)
  const wanted = readStanding(members, standingOf(kept.value), parts.roles, call.principal.accountId)
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  if (!wanted.ok) return wanted
  if (isDeepStrictEqual(wanted.value, standingOf(kept.value))) return ok({ body: { user: shown(kept.value) } })
  const held = await stillHeld(parts.ground, parts.roles, kept.value, wanted.value.roles)
  if (!held.ok) return held
  const approval = await ask(parts, call, kept.value, wanted.value)
  return approval.ok ? ok({ status: 202, body: { approval: approval.value } }) : approval
}

const ask = async (parts: AdminParts, { principal, from }: AdminCall, account: Account, after: Standing): Promise<Outcome<object>> => {
  const what = { kind: 'roles' as const, account: account.id, before: standingOf(account), after }
  const asked = await askApproval(parts, what, principal.accountId, from)
  return asked.ok ? ok(shownApproval(asked.value.approval)) : asked
}

const unknownUser = fail('unknown-instance', { what: 'user' })

const changedAccount = (
  done: Outcome<AccountChanged<'not-disabled' | 'not-invited' | 'malformed' | 'taken'>>,
  status: Account['status'],
): Outcome<Account> => {
  if (!done.ok) return done
  if (done.value.is === 'unknown') return unknownUser
  if (done.value.is !== 'changed') return fail('wrong-status', { status })
  return ok(done.value.account)
}

const replied = async (
  parts: AdminParts,
  done: Outcome<AccountChanged<'not-disabled' | 'malformed' | 'taken'>>,
): Promise<Outcome<AdminReply>> => {
  const changed = changedAccount(done, 'active')
  return changed.ok ? ok({ body: { user: await shownWhole(parts.ground, changed.value) } }) : changed
}

/** Without password, secrets and telephone number. */
const shown = (account: Account): object => ({
  id: account.id,
  ...present({
    username: account.username,
    email: account.email,
    fhirUser: account.fhirUser,
    clearance: account.clearance,
    actsForOthers: account.actsForOthers,
    mustChangePassword: account.mustChangePassword,
  }),
  locale: account.locale,
  status: account.status,
  roles: account.roles.map(({ from, until, ...role }) => ({
    ...role,
    ...(from === undefined ? {} : { from: iso(from) }),
    ...(until === undefined ? {} : { until: iso(until) }),
  })),
  createdAt: iso(account.createdAt),
  createdBy: account.createdBy,
  ...(account.disabled === undefined ? {} : { disabled: { ...account.disabled, at: iso(account.disabled.at) } }),
})

const shownWhole = async (ground: Ground, account: Account): Promise<object> => {
  const [factors, locked, login] = await Promise.all([
    factorsOf(ground, account.id),
    lockedUntil(ground, account.id),
    lastLogin(ground, account.id),
  ])
  return {
    ...shown(account),
    secondFactor: hasFactor(factors),
    ...(locked === undefined ? {} : { lockedUntil: iso(locked) }),
    ...(login === undefined ? {} : { lastLogin: iso(login) }),
  }
}

const manage = ['users.manage'] as const

export const userRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/users', permissions: ['users.manage', 'roles.manage'], run: list },
  { method: 'POST', path: '/admin/users', permissions: manage, run: inviteOne },
  { method: 'GET', path: '/admin/users/{id}', permissions: ['users.manage', 'roles.manage'], run: show },
  { method: 'PUT', path: '/admin/users/{id}', permissions: manage, run: change },
  { method: 'POST', path: '/admin/users/{id}/invite', permissions: manage, run: inviteOnceMore },
  { method: 'POST', path: '/admin/users/{id}/disable', permissions: manage, run: disable },
  { method: 'POST', path: '/admin/users/{id}/enable', permissions: manage, run: enable },
  { method: 'POST', path: '/admin/users/{id}/unlock', permissions: manage, run: unlock },
  { method: 'POST', path: '/admin/users/{id}/reset-factor', permissions: manage, fresh: true, run: resetFactor },
  { method: 'POST', path: '/admin/users/{id}/log-out', permissions: manage, run: logOut },
  { method: 'PUT', path: '/admin/users/{id}/roles', permissions: ['roles.manage'], run: giveRoles },
]
