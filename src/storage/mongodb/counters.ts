import type { ClientSession, Collection } from 'mongodb'
import type { WritePlan } from '../port.ts'
import type { Database } from './database.ts'

/** `simpul.counters`: the last number that was given. */
type CounterDocument = { readonly _id: string; readonly value: number }

/** Numbers of a plan, in the order of its counters; `values`: what the counters come to; `full`: the first that is at its limit. */
export type NextNumbers = {
  readonly values: ReadonlyMap<string, number>
  readonly numbers: readonly number[]
  readonly full?: string
}

export const nextNumbers = (counters: NonNullable<WritePlan['counters']>, last: ReadonlyMap<string, number>): NextNumbers => {
  const values = new Map<string, number>()
  const numbers: number[] = []
  let full: string | undefined
  for (const { key, limit } of counters) {
    const next = (values.get(key) ?? last.get(key) ?? 0) + 1
    if (limit !== undefined && next > limit) full ??= key
    values.set(key, next)
    numbers.push(next)
  }
  return { values, numbers, ...(full === undefined ? {} : { full }) }
}

export const readCounters = async (
  database: Database,
  keys: readonly string[],
  session: ClientSession,
): Promise<ReadonlyMap<string, number>> => {
  if (keys.length === 0) return new Map()
  const found = await collectionOf(database)
    .find({ _id: { $in: [...keys] } }, { session })
    .toArray()
  return new Map(found.map(({ _id, value }) => [_id, value]))
}

/** Two transactions that read the same write the same: the later one runs again. */
export const writeCounters = async (database: Database, values: ReadonlyMap<string, number>, session: ClientSession): Promise<void> => {
  if (values.size === 0) return
  await collectionOf(database).bulkWrite(
    [...values].map(([_id, value]) => ({ updateOne: { filter: { _id }, update: { $set: { value } }, upsert: true } })),
    { session },
  )
}

/** Outside of plans: one change of one document, repeated by the driver at most in place of one that was not done. */
export const nextNumber = async (database: Database, key: string): Promise<number> => {
  const found = await collectionOf(database).findOneAndUpdate(
    { _id: key },
    { $inc: { value: 1 } },
    { upsert: true, returnDocument: 'after' },
  )
  if (found === null) throw new Error('The counter could not be advanced')
  return found.value
}

const collectionOf = (database: Database): Collection<CounterDocument> => database.collections.own<CounterDocument>('counters')
