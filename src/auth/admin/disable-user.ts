import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { type Account, accountRecords } from '../accounts/account.ts'
import { disabledAccount } from '../accounts/administration.ts'
import { accountById } from '../accounts/find-account.ts'
import { commitFacts, type Origin } from '../ground.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import type { ApprovalParts } from './approvals.ts'
import { stillHeld } from './holders.ts'

/** Lets somebody in no more. Fails `unknown-instance`, `wrong-status` when that is so already, `last-holder`. `by`: id of an account, or the host. */
export const disableUser = (
  { ground, roles }: ApprovalParts,
  id: string,
  reason: string,
  by: string,
  origin: Origin,
): Promise<Outcome<Account>> =>
  untilHeld<Account>(async () => {
    const kept = await accountById(ground, id)
    if (kept === undefined) return fail('unknown-instance', { what: 'user' })
    if (kept.value.status === 'disabled') return fail('wrong-status', { status: kept.value.status })
    const held = await stillHeld(ground, roles, kept.value, [])
    if (!held.ok) return held
    const { after, facts } = disabledAccount(kept.value, { at: ground.clock(), by, reason })
    const done = await commitFacts(ground, [putOver(accountRecords, kept, after), ...held.value], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok(after) : again
  })
