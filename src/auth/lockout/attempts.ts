import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { RecordDefinition, RecordWrite, StoredRecord } from '../../storage/port.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, deleteOver, putOver, untilHeld } from '../record-plans.ts'
import { charge, failed, forgiven, type Tally, takenBack } from './tally.ts'

export const attemptRecords: RecordDefinition = { name: 'login_attempts', key: 'key', expires: 'expires' }

/** Whom a failure counts against. Separate buckets are why somebody who knows only a name cannot lock out a browser that is known. */
export const accountBucket = (account: string): string => `account:${account}`
/** Of a name that nobody has, by its keyed hash. */
export const nameBucket = (hash: string): string => `name:${hash}`
export const deviceBucket = (device: string): string => `device:${device}`

/** An attempt that may be checked. */
export type Attempt = {
  readonly bucket: string
  readonly id: string
  /** Failures of the bucket before. */
  readonly failures: number
  readonly kept: StoredRecord<Tally>
}
type Admitted = { readonly is: 'admitted'; readonly attempt: Attempt } | { readonly is: 'locked'; readonly until: number }

const busyRetrySeconds = 1

/** Charges an attempt before it is checked. Fails `overloaded` while as many are under way as may fail. */
export const admit = async (ground: Ground, bucket: string): Promise<Outcome<Admitted>> => {
  const records = ground.store.records<Tally>(attemptRecords)
  const id = ground.ids()
  return untilHeld<Admitted>(async () => {
    const before = await records.get(bucket)
    const charged = charge(before?.value, bucket, id, ground.clock())
    if (charged.is === 'locked') return ok(charged)
    if (charged.is === 'busy') return fail('overloaded', {}, { retryAfterSeconds: busyRetrySeconds })
    const done = await records.put(charged.tally, before?.revision ?? 'none')
    if (!done.ok) return done
    if (!done.value.held) return again
    const kept = { key: bucket, value: charged.tally, revision: done.value.revision }
    return ok({ is: 'admitted', attempt: { bucket, id, failures: charged.failures, kept } })
  })
}

/** What follows from how an attempt ended, besides the count of failures. */
export type Verdict<T> = {
  /** `proved`: failures are forgiven; `right`: not counted, but more is to be proved; `wrong`: counted. */
  readonly count: 'proved' | 'right' | 'wrong'
  readonly records: readonly RecordWrite[]
  readonly facts: readonly Fact[]
  readonly answer: T
}

/** Writes how an attempt ended together with all that follows. What does not hold is judged anew, on what is there by then: `judge` reads each time. */
export const settle = async <T>(
  ground: Ground,
  origin: Origin,
  attempt: Attempt,
  judge: (round: number) => Promise<Outcome<Verdict<T>>>,
): Promise<Outcome<T & Settled>> => {
  const records = ground.store.records<Tally>(attemptRecords)
  let kept: StoredRecord<Tally> | undefined = attempt.kept
  let round = 0
  return untilHeld(async () => {
    const judged = await judge(round++)
    if (!judged.ok) return judged
    const verdict = judged.value
    const { writes, locked } = counted(kept, attempt, verdict.count, ground.clock())
    const facts = locked === undefined ? verdict.facts : [...verdict.facts, lockedFact(verdict.facts, locked)]
    const done = await commitFacts(ground, [...verdict.records, ...writes], facts, origin)
    if (!done.ok) return done
    if (done.value.held) return ok({ ...verdict.answer, facts, locked: locked !== undefined })
    kept = await records.get(attempt.bucket)
    return again
  })
}

export type Settled = { readonly facts: readonly Fact[] /** This attempt was the last one allowed. */; readonly locked: boolean }

/** Gives a charge back that was never checked. */
export const abandon = async (ground: Ground, attempt: Attempt): Promise<Outcome<void>> => {
  const records = ground.store.records<Tally>(attemptRecords)
  return untilHeld(async () => {
    const kept = await records.get(attempt.bucket)
    if (kept === undefined) return ok(undefined)
    const after = takenBack(kept.value, attempt.bucket, attempt.id, ground.clock())
    const done = after === undefined ? await records.delete(kept.key, kept.revision) : await records.put(after, kept.revision)
    if (!done.ok) return done
    return done.value.held ? ok(undefined) : again
  })
}

/** Until when an account is locked for browsers that are not known; undefined when it is not. */
export const lockedUntil = async ({ store, clock }: Ground, account: string): Promise<number | undefined> => {
  const until = (await store.records<Tally>(attemptRecords).get(accountBucket(account)))?.value.lockedUntil
  return until !== undefined && until > clock() ? until : undefined
}

/** Forgets all that failed, and with it a lock. Attempts under way count what they find then. */
export const forgetting = (bucket: string): RecordWrite => ({ record: attemptRecords.name, delete: bucket })

const counted = (
  kept: StoredRecord<Tally> | undefined,
  { bucket, id }: Attempt,
  count: Verdict<unknown>['count'],
  now: number,
): { readonly writes: readonly RecordWrite[]; readonly locked?: number } => {
  if (count === 'wrong') {
    const { tally, locked } = failed(kept?.value, bucket, id, now)
    return { writes: [putOver(attemptRecords, kept, tally)], ...(locked ? { locked: tally.lockedUntil ?? now } : {}) }
  }
  const after = (count === 'proved' ? forgiven : takenBack)(kept?.value, bucket, id, now)
  if (after !== undefined) return { writes: [putOver(attemptRecords, kept, after)] }
  return { writes: kept === undefined ? [] : [deleteOver(attemptRecords, kept)] }
}

/** About whom the other facts are. */
const lockedFact = ([first]: readonly Fact[], until: number): Fact => ({
  what: 'locked',
  ...(first?.account === undefined ? {} : { account: first.account }),
  ...(first?.name === undefined ? {} : { name: first.name }),
  until,
})
