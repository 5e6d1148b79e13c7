import { type Outcome, ok } from '../../base/outcome.ts'
import type { RecordWrite } from '../../storage/port.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import { type Account, accountRecords } from './account.ts'
import { accountById } from './find-account.ts'

type Change<R extends string> =
  | { readonly after: Account; readonly facts: readonly Fact[]; readonly records?: readonly RecordWrite[] }
  | { readonly refused: R }

export type AccountChanged<R extends string = never> =
  | { readonly is: 'changed'; readonly account: Account; readonly facts: readonly Fact[] }
  | { readonly is: 'unknown' | R }

/** Changes an account as it is at that moment, together with what belongs to the change. */
export const changeAccount = <R extends string = never>(
  ground: Ground,
  id: string,
  origin: Origin,
  change: (account: Account) => Change<R>,
): Promise<Outcome<AccountChanged<R>>> =>
  untilHeld<AccountChanged<R>>(async () => {
    const before = await accountById(ground, id)
    if (before === undefined) return ok({ is: 'unknown' })
    const made = change(before.value)
    if ('refused' in made) return ok({ is: made.refused })
    const { after, facts, records = [] } = made
    const done = await commitFacts(ground, [putOver(accountRecords, before, after), ...records], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok({ is: 'changed', account: after, facts }) : again
  })

/** Sessions, grants, tokens and device cookies of before are dead: one put, whatever there is of them. */
export const withNewEpoch = (account: Account): Account => ({ ...account, epoch: account.epoch + 1 })
