import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordPosition } from '../../storage/port.ts'
import type { Fact } from '../facts.ts'
import type { Ground, Origin } from '../ground.ts'
import { lastLogin } from '../sessions/login-history.ts'
import { type Account, isStaff } from './account.ts'
import { accountsOf } from './administration.ts'
import { changeAccount, withNewEpoch } from './change-account.ts'

const dayMs = 86_400_000
const warnedDays = 14
const pageRows = 200

export type Dormant = {
  /** Disabled now. */
  readonly disabled: readonly Account[]
  /** To be told, once, that they will be in 14 days. */
  readonly warned: readonly Account[]
  readonly facts: readonly Fact[]
}

/**
 * Disables staff who have not logged in for so many days; run once a day. `spare` says who stays whatever happens: the last who may manage users, the
 * administrators kept for emergencies. @see auth.md 2.1
 */
export const disableDormant = async (
  ground: Ground,
  days: number,
  spare: (account: Account) => boolean,
  origin: Origin,
): Promise<Outcome<Dormant>> => {
  const disabled: Account[] = []
  const warned: Account[] = []
  const facts: Fact[] = []
  for await (const account of activeAccounts(ground)) {
    if (!isStaff(account) || spare(account)) continue
    const daysLeft = days - (await daysAway(ground, account))
    if (daysLeft === warnedDays) warned.push(account)
    if (daysLeft > 0) continue
    const done = await changeAccount<'moved'>(ground, account.id, origin, now =>
      now.epoch === account.epoch && now.status === 'active'
        ? {
            after: { ...withNewEpoch(now), status: 'disabled', disabled: { at: ground.clock(), by: 'dormancy', reason: 'dormant' } },
            facts: [{ what: 'account-disabled', account: now.id, by: 'dormancy', reason: 'dormant' }],
          }
        : { refused: 'moved' },
    )
    if (!done.ok) return done
    if (done.value.is !== 'changed') continue
    disabled.push(done.value.account)
    facts.push(...done.value.facts)
  }
  return ok({ disabled, warned, facts })
}

/** Whole days since the account was last used, made or enabled. */
const daysAway = async (ground: Ground, { id, createdAt, enabledAt = 0 }: Account): Promise<number> => {
  const since = Math.max(createdAt, enabledAt, (await lastLogin(ground, id)) ?? 0)
  return Math.floor((ground.clock() - since) / dayMs)
}

async function* activeAccounts(ground: Ground): AsyncGenerator<Account> {
  let after: RecordPosition | undefined
  do {
    const page = await accountsOf(ground, 'active', pageRows, after)
    yield* page.accounts
    after = page.next
  } while (after !== undefined)
}
