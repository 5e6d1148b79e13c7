import type { Clock } from '../base/clock.ts'
import { type Outcome, ok } from '../base/outcome.ts'
import type { RecordDefinition } from '../storage/port.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import { type AuthStore, again, commitRecords, putOver, untilHeld } from './record-plans.ts'

/** What this installation is known as, from its first start on. */
type Installation = { readonly id: typeof only; readonly issuer: string; readonly since: number }

const only = 'installation'

export const installationRecords: RecordDefinition = { name: 'installation', key: 'id' }

/**
 * Keeps the issuer at the first start and compares it at every other: applications and their tokens name it, so it never changes. Throws `StoreUnusable`
 * where it did. The answer is the instant (ms) since when it is known by it. On a machine for trials, which is its own public address, it may: nobody elsewhere knows it.
 * @see auth.md 1
 */
export const checkIssuer = (
  store: AuthStore,
  issuer: string,
  clock: Clock,
  isOnLoopback: (url: string) => boolean,
): Promise<Outcome<number>> =>
  untilHeld<number>(async () => {
    const before = await store.records<Installation>(installationRecords).get(only)
    if (before?.value.issuer === issuer) return ok(before.value.since)
    if (before !== undefined && !(isOnLoopback(before.value.issuer) && isOnLoopback(issuer)))
      throw new StoreUnusable(
        'configuration',
        `This store was set up as ${before.value.issuer}, and applications know it by that: SIMPUL_BASE_URL must be ${before.value.issuer.slice(0, -'/oauth'.length)}.`,
      )
    const since = clock()
    const done = await commitRecords(store, [putOver(installationRecords, before, { id: only, issuer, since })])
    if (!done.ok) return done
    return done.value.held ? ok(since) : again
  })
