import type { Document } from 'mongodb'
import type { Key, WritePlan } from '../port.ts'
import type { Database } from './database.ts'
import { anyReferenceEntry } from './entries.ts'

/** How many a refused deletion names. */
const referrersMax = 5

/**
 * Newest versions outside the plan that refer to what it wants nobody to refer to. MongoDB joins no collections inside of a transaction, so this
 * looks from outside, while it is under way: whoever needs the instances to exist and was before it is seen, who comes later meets it (`Batch.pin`).
 * Any other reference written in the same instant may dangle, as one written after the deletion may.
 */
export const referrersOf = async (database: Database, { unreferenced = [], versions }: WritePlan): Promise<readonly Key[]> =>
  found(database, unreferenced, referrersMax, type => versions.flatMap(version => (version.type === type ? [version.id] : [])))

/** Whether there may be any, for all plans of a transaction by one question: mostly there are none, and nothing else need be asked. */
export const referrersTold = async (database: Database, plans: readonly WritePlan[]): Promise<boolean> => {
  const unreferenced = plans.flatMap(plan => plan.unreferenced ?? [])
  return (await found(database, unreferenced, 1, () => [])).length > 0
}

const found = async (
  database: Database,
  targets: readonly Key[],
  most: number,
  inside: (type: string) => readonly string[],
): Promise<readonly Key[]> => {
  if (targets.length === 0) return []
  const entries = [...new Set(targets.map(({ type, id }) => anyReferenceEntry(type, id)))]
  const types = await database.collections.types()
  const [first, ...others] = types.map(type => ({ coll: type, pipeline: referring(type, entries, most, inside(type)) }))
  if (first === undefined) return []
  const pipeline = [...first.pipeline, ...others.map(one => ({ $unionWith: one })), { $limit: most }]
  return database.db.collection(first.coll).aggregate<Key>(pipeline).toArray()
}

const referring = (type: string, entries: readonly string[], most: number, inside: readonly string[]): Document[] => [
  { $match: { 'ix.tk': { $in: entries }, ...(inside.length === 0 ? {} : { _id: { $nin: inside } }) } },
  { $limit: most },
  { $project: { _id: 0, type: { $literal: type }, id: '$_id' } },
]
