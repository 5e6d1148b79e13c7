import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Outcome } from '../base/outcome.ts'
import type { RecordWrite } from '../storage/port.ts'
import type { Fact } from './facts.ts'
import type { FieldEncryption } from './keys/field-encryption.ts'
import type { KeyedHash } from './keys/keyed-hash.ts'
import { type AuthStore, commitRecords, type RecordsHeld } from './record-plans.ts'
import type { RandomBytes } from './secrets.ts'

/** What everything about accounts is built on. */
export type Ground = {
  readonly store: AuthStore
  readonly clock: Clock
  readonly ids: Ids
  readonly random: RandomBytes
  readonly fields: FieldEncryption
  readonly hash: KeyedHash
  /** Records that are written together with a change: those of the audit trail, of mails to send. Called again when a plan is prepared again. */
  readonly beside?: (facts: readonly Fact[], origin: Origin) => readonly RecordWrite[]
  /** Hears of facts once they are written: what ended is told to whoever remembers tokens. */
  readonly told?: (facts: readonly Fact[]) => void
}

/** Where a request came from, as far as identity keeps it. */
export type Origin = {
  readonly address: string
  readonly userAgent?: string
  /** Id of the application on whose behalf a browser came. */
  readonly client?: string
  readonly country?: string
  readonly requestId?: string
}

/** Writes a change, and beside it what is made of its facts. */
export const commitFacts = async (
  { store, beside, told }: Ground,
  records: readonly RecordWrite[],
  facts: readonly Fact[],
  origin: Origin,
): Promise<Outcome<RecordsHeld>> => {
  const done = await commitRecords(store, [...records, ...(beside?.(facts, origin) ?? [])])
  if (done.ok && done.value.held && facts.length > 0) told?.(facts)
  return done
}
