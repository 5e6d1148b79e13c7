import type { Clock } from '../base/clock.ts'
import { type Outcome, ok } from '../base/outcome.ts'
import type { RecordDefinition } from '../storage/port.ts'
import type { AuthStore } from './record-plans.ts'

/** Work that comes again and again, and that one node of all does. */
export type Lease = {
  /** A word of ours. */
  readonly name: string
  /** Of the node that does it, or did it last. */
  readonly holder: string
  /** ms: after it another node may think that the holder is gone. */
  readonly until: number
  /** ms: when it was last finished. */
  readonly doneAt?: number
}

export const leaseRecords: RecordDefinition = { name: 'lease', key: 'name' }

export type LeaseParts = { readonly store: AuthStore; readonly clock: Clock /** Id of this process. */; readonly holder: string }

/**
 * Does `work` when it was last done `everyMs` ago, and nobody else is at it. True: it was done now. A node that dies over it leaves it to the others
 * after `leaseMs`; then it may be done twice, so it has to bear that. What fails is tried again when it is asked for again.
 */
export const whenDue = async (
  { store, clock, holder }: LeaseParts,
  { name, everyMs, leaseMs }: { readonly name: string; readonly everyMs: number; readonly leaseMs: number },
  work: () => Promise<Outcome<unknown>>,
): Promise<Outcome<boolean>> => {
  const records = store.records<Lease>(leaseRecords)
  const before = await records.get(name)
  const now = clock()
  if (before !== undefined && (before.value.until > now || (before.value.doneAt ?? Number.NEGATIVE_INFINITY) + everyMs > now))
    return ok(false)
  const kept = before?.value.doneAt === undefined ? {} : { doneAt: before.value.doneAt }
  const taken = await records.put({ name, holder, until: now + leaseMs, ...kept }, before?.revision ?? 'none')
  if (!taken.ok) return taken
  if (!taken.value.held) return ok(false)
  const done = await work()
  const after: Lease = { name, holder, until: clock(), ...(done.ok ? { doneAt: now } : kept) }
  const given = await records.put(after, taken.value.revision)
  if (!done.ok) return done
  return given.ok ? ok(true) : given
}
