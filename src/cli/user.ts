import { isDeepStrictEqual } from 'node:util'
import { type Account, accountRecords, type RoleAssignment } from '../auth/accounts/account.ts'
import { accountsOf, enableAccount, resetFactors, unlockAccount } from '../auth/accounts/administration.ts'
import { accountById, accountByName, type KeptAccount } from '../auth/accounts/find-account.ts'
import { invite, inviteAgain } from '../auth/accounts/invitation.ts'
import { foldName } from '../auth/accounts/names.ts'
import { askApproval, standingOf } from '../auth/admin/approvals.ts'
import { disableUser } from '../auth/admin/disable-user.ts'
import { holdersNeeded, holdersOf, stillHeld } from '../auth/admin/holders.ts'
import { readStanding } from '../auth/admin/standing.ts'
import { badMembers, Members } from '../auth/members.ts'
import { host } from '../auth/second-person.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import { type Administering, atHost, failed, type Open } from './administering.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/** `simpul admin invite`, `simpul user …`: people who may sign in, from the host. @see auth.md 2.1, 4.3 */

/**
 * A link by which somebody makes an administrator's account, once and within 30 minutes. While two administrators are in use already, the role waits for one of
 * them, as everywhere.
 */
export const inviteAdministrator = async (open: Open, email: string, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const made = await invited(parts, email)
  if (!made.ok) return failed(terminal, made.failure)
  const { link, account, approval } = made.value
  report(terminal, { account, link, ...(approval === undefined ? {} : { approval }) }, link)
  terminal.err('The link works for 30 minutes and only once.')
  if (approval !== undefined) terminal.err(`The role admin waits for an administrator to approve ${approval}.`)
  return exitCodes.good
}

type Invitation = { readonly account: string; readonly link: string; readonly approval?: string }

const invited = async (parts: Administering, email: string): Promise<Outcome<Invitation>> => {
  const { ground, roles } = parts
  const folded = foldName(email)
  const known = (await ground.store.records<Account>(accountRecords).range('email', { from: [folded], to: [folded], limit: 1 })).rows[0]
  if (known !== undefined) return invitedAgain(parts, known)
  const holders = await holdersOf(ground, roles, 'roles.manage', { most: holdersNeeded })
  const alone = holders.length < holdersNeeded
  const role: RoleAssignment = { role: 'admin', givenBy: host }
  const made = await invite(ground, { email, locale: 'id', roles: alone ? [role] : [] }, host, atHost)
  if (!made.ok) return made
  if (made.value.is !== 'invited') return fail('bad-member', { member: 'e-mail', rule: rule('email-form') })
  const { account, secret } = made.value
  const link = linkOf(parts, secret)
  if (alone) return ok({ account: account.id, link })
  const what = { kind: 'roles' as const, account: account.id, before: { roles: [] }, after: { roles: [role] } }
  const asked = await askApproval(parts, what, host, atHost)
  return asked.ok ? ok({ account: account.id, link, approval: asked.value.approval.id }) : asked
}

const invitedAgain = async (parts: Administering, { key, value }: KeptAccount): Promise<Outcome<Invitation>> => {
  const again = await inviteAgain(parts.ground, key, host, atHost)
  if (!again.ok) return again
  if (again.value.is !== 'changed') return fail('wrong-status', { status: value.status })
  return ok({ account: key, link: linkOf(parts, again.value.secret ?? '') })
}

const linkOf = ({ address }: Administering, secret: string): string => `${address.base}/login/invitation/${secret}`

export const userStatuses = ['invited', 'active', 'disabled'] as const

export const listUsers = async (open: Open, status: (typeof userStatuses)[number] | undefined, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  for (const one of status === undefined ? userStatuses : [status])
    for await (const account of accountsIn(parts, one)) report(terminal, recordOf(account), lineOf(account))
  return exitCodes.good
}

const pageRows = 200

async function* accountsIn({ ground }: Administering, status: Account['status']): AsyncGenerator<Account> {
  let page = await accountsOf(ground, status, pageRows)
  for (;;) {
    yield* page.accounts
    if (page.next === undefined) return
    page = await accountsOf(ground, status, pageRows, page.next)
  }
}

const recordOf = ({ id, username, email, status, roles, fhirUser }: Account) => ({ id, username, email, status, fhirUser, roles })

const lineOf = ({ id, username = '-', status, roles }: Account): string =>
  [id, username.padEnd(24), status.padEnd(8), roles.map(placed).join(' ')].join('  ').trimEnd()

const placed = ({ role, organization }: RoleAssignment): string => (organization === undefined ? role : `${role}@${organization}`)

/** What is done to one account; `who` is its id, user name or e-mail address. */
export type UserAction = 'disable' | 'enable' | 'unlock' | 'reset-factor'

export const changeUser = async (
  open: Open,
  action: UserAction,
  who: string,
  { reason = 'host' }: { readonly reason?: string },
  terminal: Terminal,
): Promise<number> => {
  await using parts = await open()
  const account = await findUser(parts, who)
  if (account === undefined) return failed(terminal, unknownUser.failure)
  const done = await actions[action](parts, account, reason)
  if (!done.ok) return failed(terminal, done.failure)
  const after = await accountById(parts.ground, account.key)
  if (after !== undefined) report(terminal, recordOf(after.value), lineOf(after.value))
  return exitCodes.good
}

const unknownUser = fail('unknown-instance', { what: 'user' })

const findUser = async ({ ground }: Administering, who: string): Promise<KeptAccount | undefined> =>
  (await accountById(ground, who)) ?? accountByName(ground, who)

type Action = (parts: Administering, account: KeptAccount, reason: string) => Promise<Outcome<unknown>>

const actions: Readonly<Record<UserAction, Action>> = {
  disable: (parts, { key }, reason) => disableUser(parts, key, reason, host, atHost),
  enable: async ({ ground }, { key, value }) => {
    const done = await enableAccount(ground, key, host, atHost)
    return done.ok && done.value.is === 'not-disabled' ? fail('wrong-status', { status: value.status }) : done
  },
  unlock: ({ ground }, { key }) => unlockAccount(ground, key, host, atHost),
  'reset-factor': ({ ground }, { key }) => resetFactors(ground, key, host, atHost),
}

/** Other roles, each `role` or `role@Organization/1`, in place of those there are. They wait for a second person; without any, shows what there is. */
export const changeRoles = async (open: Open, who: string, given: readonly string[], terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const account = await findUser(parts, who)
  if (account === undefined) return failed(terminal, unknownUser.failure)
  if (given.length === 0) {
    report(terminal, recordOf(account.value), lineOf(account.value))
    return exitCodes.good
  }
  const asked = await rolesAsked(parts, account, given)
  if (!asked.ok) return failed(terminal, asked.failure)
  const { value: approval } = asked
  if (approval === undefined) report(terminal, recordOf(account.value), 'Nothing changes.')
  else report(terminal, { approval }, `Waits for somebody who may give roles; while there is nobody: "simpul approve ${approval}".`)
  return exitCodes.good
}

const rolesAsked = async (
  parts: Administering,
  { key, value }: KeptAccount,
  given: readonly string[],
): Promise<Outcome<string | undefined>> => {
  const members = new Members({ roles: given.map(roleOf) })
  const before = standingOf(value)
  const after = readStanding(members, before, parts.roles, host)
  if (members.faults.length > 0) return badMembers(members.faults)
  if (!after.ok) return after
  if (isDeepStrictEqual(after.value, before)) return ok(undefined)
  const held = await stillHeld(parts.ground, parts.roles, value, after.value.roles)
  if (!held.ok) return held
  const asked = await askApproval(parts, { kind: 'roles', account: key, before, after: after.value }, host, atHost)
  return asked.ok ? ok(asked.value.approval.id) : asked
}

const roleOf = (text: string): object => {
  const at = text.indexOf('@')
  return at < 0 ? { role: text } : { role: text.slice(0, at), organization: text.slice(at + 1) }
}
