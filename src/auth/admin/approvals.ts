import { isDeepStrictEqual } from 'node:util'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, RecordPosition, StoredRecord } from '../../storage/port.ts'
import { type Account, accountRecords } from '../accounts/account.ts'
import { withNewEpoch } from '../accounts/change-account.ts'
import { accountById } from '../accounts/find-account.ts'
import { activateClient, changeClient, clientById, registrationOf } from '../clients/administration.ts'
import type { Registration } from '../clients/registration.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, deleteOver, putOver, untilHeld } from '../record-plans.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { host } from '../second-person.ts'
import { holdersNeeded, holdersOf, holds, stillHeld } from './holders.ts'

/**
 * What waits for a second person. It says what was there when it was asked for: once that has changed it is not approved any more. Whoever approves holds the
 * permission, and is neither who asked nor whom it is about; while fewer than two accounts hold it, the host is the second person, and of what it asked for itself
 * while nobody holds it. @see auth.md 4.3
 */
export type Approval = {
  readonly id: string
  /** Of whoever approves. */
  readonly permission: string
  readonly askedBy: string
  readonly askedAt: number
  readonly expires: number
  readonly what: Awaited
}

export type Awaited =
  | { readonly kind: 'roles'; readonly account: string; readonly before: Standing; readonly after: Standing }
  | { readonly kind: 'client-change'; readonly client: string; readonly before: Registration; readonly after: Registration }
  | { readonly kind: 'client-activation'; readonly client: string; readonly before: Registration }

/** What of an account says whose data it reaches. */
export type Standing = Pick<Account, 'roles' | 'fhirUser' | 'clearance' | 'actsForOthers'>

export const approvalRecords: RecordDefinition = {
  name: 'approval',
  key: 'id',
  indexes: { asked: ['askedAt'] },
  expires: 'expires',
}

const waitsMs = 7 * 86_400_000
const pendingMax = 1_000

export type ApprovalParts = {
  readonly ground: Ground
  readonly roles: RoleTable
}

export const standingOf = ({ roles, fhirUser, clearance, actsForOthers }: Standing): Standing => ({
  roles,
  ...(fhirUser === undefined ? {} : { fhirUser }),
  ...(clearance === undefined ? {} : { clearance }),
  ...(actsForOthers === undefined ? {} : { actsForOthers }),
})

/** Writes down what waits. Fails `overloaded` while very much waits already. */
export const askApproval = async (
  { ground, roles }: ApprovalParts,
  what: Awaited,
  by: string,
  origin: Origin,
): Promise<Outcome<{ readonly approval: Approval; readonly facts: readonly Fact[] }>> => {
  const now = ground.clock()
  const records = ground.store.records<Approval>(approvalRecords)
  if ((await records.range('key', { limit: pendingMax })).rows.length >= pendingMax) return fail('overloaded', {})
  const approval: Approval = {
    id: ground.ids(),
    permission: permissionFor(roles, what),
    askedBy: by,
    askedAt: now,
    expires: now + waitsMs,
    what,
  }
  const facts: readonly Fact[] = [{ what: 'approval-asked', by, approval: approval.id, reason: what.kind, ...about(what) }]
  const done = await commitFacts(ground, [putOver(approvalRecords, undefined, approval)], facts, origin)
  return done.ok ? ok({ approval, facts }) : done
}

/** The oldest first. */
export const pendingApprovals = async (
  { ground }: Pick<ApprovalParts, 'ground'>,
  limit: number,
  after?: RecordPosition,
): Promise<{ readonly approvals: readonly Approval[]; readonly next?: RecordPosition }> => {
  const page = await ground.store.records<Approval>(approvalRecords).range('asked', { limit, ...(after === undefined ? {} : { after }) })
  const last = page.rows.at(-1)
  return { approvals: page.rows.map(({ value }) => value), ...(page.more && last !== undefined ? { next: last.position } : {}) }
}

/** Does what waited, once. `by`: id of an account that is signed in, or the host. */
export const approve = (parts: ApprovalParts, id: string, by: string, origin: Origin): Promise<Outcome<readonly Fact[]>> =>
  untilHeld<readonly Fact[]>(async () => {
    const kept = await approvalById(parts.ground, id)
    if (kept === undefined) return fail('unknown-instance', { what: 'approval' })
    const may = await mayApprove(parts, kept.value, by)
    if (!may.ok) return may
    return kept.value.what.kind === 'roles'
      ? approveRoles(parts, kept, kept.value.what, by, origin)
      : approveClient(parts, kept, kept.value.what, by, origin)
  })

/** It shall not be. Whoever asked may take it back. */
export const refuse = (parts: ApprovalParts, id: string, by: string, origin: Origin): Promise<Outcome<readonly Fact[]>> =>
  untilHeld<readonly Fact[]>(async () => {
    const kept = await approvalById(parts.ground, id)
    if (kept === undefined) return fail('unknown-instance', { what: 'approval' })
    if (kept.value.askedBy !== by && by !== host && !(await holdsNow(parts, by, kept.value.permission)))
      return fail('permission-needed', { permission: kept.value.permission })
    const facts = [told('approval-refused', kept.value, by)]
    const done = await commitFacts(parts.ground, [deleteOver(approvalRecords, kept)], facts, origin)
    return !done.ok ? done : done.value.held ? ok(facts) : again
  })

const approvalById = ({ store }: Ground, id: string): Promise<StoredRecord<Approval> | undefined> =>
  store.records<Approval>(approvalRecords).get(id)

const mayApprove = async (parts: ApprovalParts, approval: Approval, by: string): Promise<Outcome<undefined>> => {
  const { permission, askedBy, what } = approval
  if (by === host) {
    const holders = await holdersOf(parts.ground, parts.roles, permission, { most: holdersNeeded })
    if (holders.length >= holdersNeeded) return fail('enough-holders', { permission })
    return askedBy === host && holders.length > 0 ? fail('another-person', {}) : ok(undefined)
  }
  if (by === askedBy || (what.kind === 'roles' && by === what.account)) return fail('another-person', {})
  return (await holdsNow(parts, by, permission)) ? ok(undefined) : fail('permission-needed', { permission })
}

const holdsNow = async ({ ground, roles }: ApprovalParts, account: string, permission: string): Promise<boolean> => {
  const kept = await accountById(ground, account)
  return kept !== undefined && holds(roles, kept.value, permission, ground.clock())
}

const approveRoles = async (
  { ground, roles: table }: ApprovalParts,
  kept: StoredRecord<Approval>,
  { account: id, before, after }: Extract<Awaited, { kind: 'roles' }>,
  by: string,
  origin: Origin,
): Promise<Outcome<readonly Fact[]> | typeof again> => {
  const account = await accountById(ground, id)
  if (account === undefined || !isDeepStrictEqual(standingOf(account.value), before)) return outdated(ground, kept)
  const roles = after.roles.map(role => (before.roles.some(held => isDeepStrictEqual(held, role)) ? role : { ...role, approvedBy: by }))
  const held = await stillHeld(ground, table, account.value, roles)
  if (!held.ok) return held
  const { roles: _r, fhirUser: _f, clearance: _c, actsForOthers: _a, ...rest } = account.value
  const changed: Account = withNewEpoch({ ...rest, ...standingOf(after), roles })
  const facts: readonly Fact[] = [
    told('approval-given', kept.value, by),
    { what: 'roles-changed', account: id, by: kept.value.askedBy, approval: kept.key },
  ]
  const writes = [putOver(accountRecords, account, changed), deleteOver(approvalRecords, kept), ...held.value]
  const done = await commitFacts(ground, writes, facts, origin)
  if (!done.ok) return done
  if (!done.value.held) return again
  return ok(facts)
}

/** It changed since it was asked for; or just now, by somebody who approved the same. */
const outdated = async (ground: Ground, { key, revision }: StoredRecord<Approval>): Promise<Outcome<never> | typeof again> =>
  (await approvalById(ground, key))?.revision === revision ? fail('approval-outdated', {}) : again

const approveClient = async (
  { ground }: ApprovalParts,
  kept: StoredRecord<Approval>,
  what: Exclude<Awaited, { kind: 'roles' }>,
  by: string,
  origin: Origin,
): Promise<Outcome<readonly Fact[]> | typeof again> => {
  const client = await clientById(ground, what.client)
  if (client === undefined || !isDeepStrictEqual(registrationOf(client.value), what.before)) return outdated(ground, kept)
  const hands = { by: kept.value.askedBy, approvedBy: by }
  const beside = { over: client, records: [deleteOver(approvalRecords, kept)], facts: [told('approval-given', kept.value, by)] }
  const done =
    what.kind === 'client-change'
      ? await changeClient(ground, what.client, what.after, hands, origin, beside)
      : await activateClient(ground, what.client, hands, origin, beside)
  if (done.ok) return ok(done.value.facts)
  return done.failure.kind === 'write-conflict' ? again : done
}

const permissionFor = (table: RoleTable, what: Awaited): string => {
  if (what.kind !== 'roles') return 'clients.approve'
  const second = table.permissions.get('roles.manage')?.second
  return second === undefined || second === 'same' ? 'roles.manage' : second
}

const about = (what: Awaited): Pick<Fact, 'account' | 'client'> =>
  what.kind === 'roles' ? { account: what.account } : { client: what.client }

const told = (what: 'approval-given' | 'approval-refused', { id, what: awaited }: Approval, by: string): Fact => ({
  what,
  by,
  approval: id,
  reason: awaited.kind,
  ...about(awaited),
})
