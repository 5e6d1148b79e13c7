import type { Db } from 'mongodb'
import { served } from '../../../migrations/mongodb/0003-served.ts'

/**
 * Words of relations that `simpul.served` lacks, which nothing but a hand or half a restore can bring about. It is no small loss: whom a word names is taken for
 * nobody, so a consent that closes would close nothing.
 */
export async function* servedFindings(db: Db): AsyncGenerator<string> {
  // A store of before has none yet, and nobody asks it for any.
  if ((await db.collection<{ _id: number }>('simpul.migrations').findOne({ _id: served.number })) === null) return
  // Words come before what they serve, and are read after it: writers change nothing here.
  const [lost] = await db
    .collection('simpul.relations')
    .aggregate(
      [
        ...wordsOfRelations,
        { $lookup: { from: 'simpul.served', localField: '_id', foreignField: '_id', as: 'there' } },
        { $match: { there: [] } },
        { $count: 'words' },
      ],
      { allowDiskUse: true },
    )
    .toArray()
  if (lost !== undefined) yield `${lostWords}: ${lost.words}`
}

export const lostWords = 'whom relations serve and simpul.served does not know'

/** Brings back what relations say and `simpul.served` lacks, beside servers that go on. Answers how many words that were. */
export const restoreServed = async (db: Db): Promise<number> => {
  const words = (): Promise<number> => db.collection('simpul.served').countDocuments()
  const before = await words()
  await db
    .collection('simpul.relations')
    .aggregate([...served.fills.relations], { allowDiskUse: true, writeConcern: { w: 'majority' } })
    .toArray()
  return (await words()) - before
}

const wordsOfRelations = served.fills.relations.slice(0, 2)
