import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { RecordDefinition, Records, RecordWrite, Store, StoredRecord } from '../storage/port.ts'

/** What identity needs of a store. */
export type AuthStore = Pick<Store, 'records' | 'commit'>

export type RecordsHeld =
  | { readonly held: true; readonly revision: number }
  /** `record`: the definition whose record was not as expected; `unique`: the index in which another has its values. */
  | { readonly held: false; readonly record: string; readonly unique?: string }

/** Writes records together: all or nothing. */
export const commitRecords = async (store: AuthStore, records: readonly RecordWrite[]): Promise<Outcome<RecordsHeld>> => {
  if (records.length === 0) return ok({ held: true, revision: 0 })
  const done = await store.commit({ expects: [], guards: [], versions: [], records })
  if (!done.ok) return done
  const { value } = done
  if (value.held) return ok({ held: true, revision: value.revision ?? 0 })
  const { record = '', unique } = value.record ?? {}
  return ok({ held: false, record, ...(unique === undefined ? {} : { unique }) })
}

/** A put that holds only while the record is as it was read. */
export const putOver = <V extends object>(definition: RecordDefinition, before: StoredRecord<V> | undefined, value: V): RecordWrite => ({
  record: definition.name,
  put: value,
  expected: before?.revision ?? 'none',
})

/** A deletion that holds only while the record is as it was read: of many who use a thing once, one wins. */
export const deleteOver = (definition: RecordDefinition, before: StoredRecord<object>): RecordWrite => ({
  record: definition.name,
  delete: before.key,
  expected: before.revision,
})

/** The one record with these values in a unique index, or the first of an index. */
export const firstOf = async <V extends object>(
  records: Records<V>,
  index: string,
  values: readonly string[],
): Promise<StoredRecord<V> | undefined> => (await records.range(index, { from: values, to: values, limit: 1 })).rows[0]

/** Said by an attempt whose plan did not hold: what it had read is old. */
export const again = Symbol('again')

/** Each round somebody else succeeded; so many in a row are not to be expected. */
const attemptsMax = 30

/** Reads and writes until a plan holds. Fails `write-conflict` when others keep getting in the way. */
export const untilHeld = async <T>(attempt: () => Promise<Outcome<T> | typeof again>): Promise<Outcome<T>> => {
  for (let n = 0; n < attemptsMax; n++) {
    const done = await attempt()
    if (done !== again) return done
  }
  return fail('write-conflict', {})
}
