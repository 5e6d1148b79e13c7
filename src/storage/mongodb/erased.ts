import type { ClientSession, Collection, Long } from 'mongodb'
import type { Database } from './database.ts'
import { majority, seqOf } from './raw-versions.ts'

/**
 * `simpul.erased`: seqs of versions that were erased, for as long as a snapshot of before may be read from. The database would still show them there.
 */
type ErasedDocument = { readonly _id: Long | number; readonly at: Date }

export const noteErased = async (database: Database, seqs: readonly number[], session: ClientSession): Promise<void> => {
  if (seqs.length > 0)
    await erasedOf(database).bulkWrite(
      // By the clock of mongod, which also tells when the note goes.
      seqs.map(seq => ({ updateOne: { filter: { _id: seqOf(seq) }, update: { $currentDate: { at: true } }, upsert: true } })),
      { session },
    )
}

/** Which of them are erased. */
export const erasedAmong = async (database: Database, seqs: readonly number[]): Promise<ReadonlySet<number>> => {
  if (seqs.length === 0) return new Set()
  const found = await erasedOf(database)
    .find({ _id: { $in: seqs.map(seqOf) } }, { ...majority, projection: { _id: 1 } })
    .toArray()
  return new Set(found.map(({ _id }) => Number(_id)))
}

const erasedOf = (database: Database): Collection<ErasedDocument> => database.collections.own<ErasedDocument>('erased')
