import { type Outcome, ok } from '../../base/outcome.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import { type GrantContext, type GrantEnd, grantRecords, type KeptGrant } from './grant-context.ts'

export const grantById = ({ store }: Ground, id: string): Promise<KeptGrant | undefined> =>
  store.records<GrantContext>(grantRecords).get(id)

/** Whether the row itself says that it lives; account, session and client are asked by whoever looks up a token. */
export const grantStands = ({ value }: KeptGrant, now: number): boolean => value.revoked === undefined && value.expires > now

/**
 * Ends a grant, and with it every token of it, also those that somebody stores a moment later: one put on the row that each look-up reads. One that is
 * over counts as ended.
 */
export const endGrant = (
  ground: Ground,
  id: string,
  { by, reason }: { readonly by: string; readonly reason: GrantEnd },
  origin: Origin,
): Promise<Outcome<readonly Fact[]>> =>
  untilHeld<readonly Fact[]>(async () => {
    const before = await grantById(ground, id)
    if (before === undefined || before.value.revoked !== undefined) return ok([])
    const { account, session, client, mirror } = before.value
    const facts: readonly Fact[] = [
      { what: reason === 'reuse' ? 'grant-reused' : 'grant-ended', account, session, client, reason, ...(by === account ? {} : { by }) },
    ]
    const now = ground.clock()
    const after: GrantContext = {
      ...before.value,
      ...(mirror?.state === 'shown' ? { mirror: { ...mirror, state: 'ending', next: now, tries: 0 } } : {}),
      revoked: { at: now, by, reason },
    }
    const done = await commitFacts(ground, [putOver(grantRecords, before, after)], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok(facts) : again
  })

/** Notes that tokens were made of it again. What changed it meanwhile stands: this is only for people to look at. */
export const noteUse = async ({ store, clock }: Ground, id: string): Promise<void> => {
  const records = store.records<GrantContext>(grantRecords)
  const kept = await records.get(id)
  if (kept !== undefined && kept.value.revoked === undefined) await records.put({ ...kept.value, usedAt: clock() }, kept.revision)
}

/** At most so many are looked at; older ones than these are over. */
const listedMax = 1_000

/** Grants of an account that stand, the newest first: what *Apps* shows. `epoch` is that of the account now. */
export const grantsOf = async ({ store, clock }: Ground, account: string, epoch: number): Promise<readonly GrantContext[]> => {
  const range = { from: [account], to: [account], descending: true, limit: listedMax }
  const { rows } = await store.records<GrantContext>(grantRecords).range('account', range)
  return rows.filter(row => grantStands(row, clock()) && row.value.epoch === epoch).map(({ value }) => value)
}

/** Ends the grants that one account gave one application. */
export const endGrantsOfClient = async (
  ground: Ground,
  about: { readonly account: string; readonly epoch: number; readonly client: string; readonly by: string },
  origin: Origin,
): Promise<Outcome<readonly Fact[]>> => {
  const facts: Fact[] = []
  for (const { id, client } of await grantsOf(ground, about.account, about.epoch)) {
    if (client !== about.client) continue
    const ended = await endGrant(ground, id, { by: about.by, reason: about.by === about.account ? 'user' : 'administrator' }, origin)
    if (!ended.ok) return ended
    facts.push(...ended.value)
  }
  return ok(facts)
}
