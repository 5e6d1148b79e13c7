import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordPosition } from '../../storage/port.ts'
import { factorRecords } from '../factors/factor-set.ts'
import type { Fact, FactKind } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { accountBucket, forgetting } from '../lockout/attempts.ts'
import { graceLogins } from '../login-steps.ts'
import { type Account, accountRecords, type RoleAssignment } from './account.ts'
import { type AccountChanged, changeAccount, withNewEpoch } from './change-account.ts'
import { readUsername } from './names.ts'
import { encryptedPhone } from './phone.ts'

/** What administrators do to accounts of others. Who may, and with whose consent, is decided before. `by`: id of their account, or a word for a program. */

/** Ends everything the account has, and lets nobody in, whoever else is left: `disableUser` is for people. */
export const disableAccount = (ground: Ground, id: string, reason: string, by: string, origin: Origin): Promise<Outcome<AccountChanged>> =>
  changeAccount(ground, id, origin, account => disabledAccount(account, { at: ground.clock(), by, reason }))

export const disabledAccount = (
  account: Account,
  disabled: NonNullable<Account['disabled']>,
): { readonly after: Account; readonly facts: readonly Fact[] } => ({
  after: { ...withNewEpoch(account), status: 'disabled', disabled },
  facts: [fact('account-disabled', account.id, disabled.by, disabled.reason)],
})

/** Back to where it was: in use, or still invited. */
export const enableAccount = (ground: Ground, id: string, by: string, origin: Origin): Promise<Outcome<AccountChanged<'not-disabled'>>> =>
  changeAccount<'not-disabled'>(ground, id, origin, account => {
    if (account.status !== 'disabled') return { refused: 'not-disabled' }
    const { disabled: _, ...kept } = account
    return {
      after: {
        ...kept,
        status: account.password === undefined && account.federated !== true ? 'invited' : 'active',
        enabledAt: ground.clock(),
      },
      facts: [fact('account-enabled', id, by)],
    }
  })

/** Other roles: sessions and tokens that were given for the old ones end. */
export const setRoles = (
  ground: Ground,
  id: string,
  roles: readonly RoleAssignment[],
  by: string,
  origin: Origin,
): Promise<Outcome<AccountChanged>> =>
  changeAccount(ground, id, origin, account => ({ after: { ...withNewEpoch(account), roles }, facts: [fact('roles-changed', id, by)] }))

export type AccountDetails = {
  readonly username?: string
  readonly locale?: Account['locale']
  readonly phone?: string
  readonly fhirUser?: string
  readonly clearance?: Account['clearance']
  readonly actsForOthers?: boolean
}

/** Changes what is given. Who one is and what one may see end what was given before; a telephone number does not. `taken`: the user name is another's. */
export const changeDetails = async (
  ground: Ground,
  id: string,
  details: AccountDetails,
  by: string,
  origin: Origin,
): Promise<Outcome<AccountChanged<'malformed' | 'taken'>>> => {
  const { username: typed, phone, actsForOthers, clearance, fhirUser, locale } = details
  const username = typed === undefined ? undefined : readUsername(typed)
  if (typed !== undefined && username === undefined) return ok({ is: 'malformed' })
  const records = ground.store.records<Account>(accountRecords)
  if (username !== undefined) {
    const owner = (await records.range('username', { from: [username], to: [username], limit: 1 })).rows[0]
    if (owner !== undefined && owner.key !== id) return ok({ is: 'taken' })
  }
  return changeAccount<'malformed' | 'taken'>(ground, id, origin, ({ actsForOthers: acting, ...account }) => {
    const acts = actsForOthers ?? acting === true
    const after: Account = {
      ...account,
      ...(acts ? { actsForOthers: true } : {}),
      ...(username === undefined ? {} : { username }),
      ...(locale === undefined ? {} : { locale }),
      ...(phone === undefined ? {} : { phone: encryptedPhone(ground, id, phone) }),
      ...(fhirUser === undefined ? {} : { fhirUser }),
      ...(clearance === undefined ? {} : { clearance }),
    }
    const weighty = actsForOthers !== undefined || fhirUser !== undefined || clearance !== undefined
    return { after: weighty ? withNewEpoch(after) : after, facts: [fact('account-changed', id, by)] }
  })
}

/** Lifts a lock before its time. */
export const unlockAccount = async (ground: Ground, id: string, by: string, origin: Origin): Promise<Outcome<readonly Fact[]>> => {
  const facts = [fact('unlocked', id, by, 'administrator')]
  const done = await commitFacts(ground, [forgetting(accountBucket(id))], facts, origin)
  return done.ok ? ok(facts) : done
}

/** The phone is lost: the next login sets up a new factor before anything else. Everything that was given ends. */
export const resetFactors = (ground: Ground, id: string, by: string, origin: Origin): Promise<Outcome<AccountChanged>> =>
  changeAccount(ground, id, origin, account => ({
    after: { ...withNewEpoch(account), graceUsed: graceLogins },
    facts: [fact('factor-reset', id, by)],
    records: [{ record: factorRecords.name, delete: id }],
  }))

/** Ends all sessions, grants, tokens and device cookies of an account. `by` is the account itself where its owner asked. */
export const logOutEverywhere = (ground: Ground, id: string, by: string, origin: Origin): Promise<Outcome<AccountChanged>> =>
  changeAccount(ground, id, origin, account => ({ after: withNewEpoch(account), facts: [fact('logged-out-everywhere', id, by)] }))

/** Accounts of a status, the oldest first. */
export const accountsOf = async ({ store }: Ground, status: Account['status'], limit: number, after?: RecordPosition) => {
  const range = { from: [status], to: [status], limit, ...(after === undefined ? {} : { after }) }
  const { rows, more } = await store.records<Account>(accountRecords).range('status', range)
  const last = rows.at(-1)
  return { accounts: rows.map(({ value }) => value), ...(more && last !== undefined ? { next: last.position } : {}) }
}

const fact = (what: FactKind, account: string, by: string, reason?: string): Fact => ({
  what,
  account,
  by,
  ...(reason === undefined ? {} : { reason }),
})
