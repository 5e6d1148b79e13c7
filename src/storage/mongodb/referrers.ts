import type { Document } from 'mongodb'
import type { Key, WritePlan } from '../port.ts'
import type { Database } from './database.ts'
import { anyReferenceEntry } from './entries.ts'

/** How many a refused deletion names. */
const referrersMax = 5

/**
 * Newest versions outside the plan that refer to what it wants nobody to refer to. MongoDB joins no collections inside of a transaction, so this
 * looks from outside, while it is under way: whoever needs the instances to exist and was before it is seen, who comes later meets it
 * (`releaseTargets`). Any other reference written in the same instant may dangle, as one written after the deletion may.
 */
export const referrersOf = async (database: Database, { unreferenced = [], versions }: WritePlan): Promise<readonly Key[]> => {
  if (unreferenced.length === 0) return []
  const types = await database.collections.types()
  const entries = [...new Set(unreferenced.map(({ type, id }) => anyReferenceEntry(type, id)))]
  const [first, ...others] = types.map(type => ({
    coll: type,
    pipeline: referring(
      type,
      entries,
      versions.flatMap(version => (version.type === type ? [version.id] : [])),
    ),
  }))
  if (first === undefined) return []
  const pipeline = [...first.pipeline, ...others.map(one => ({ $unionWith: one })), { $limit: referrersMax }]
  return database.db.collection(first.coll).aggregate<Key>(pipeline).toArray()
}

const referring = (type: string, entries: readonly string[], inside: readonly string[]): Document[] => [
  { $match: { 'ix.tk': { $in: entries }, ...(inside.length === 0 ? {} : { _id: { $nin: inside } }) } },
  { $limit: referrersMax },
  { $project: { _id: 0, type: { $literal: type }, id: '$_id' } },
]
