import type { ClientSession, Collection } from 'mongodb'
import type { Key, WritePlan } from '../port.ts'
import type { Database } from './database.ts'

/** `simpul.unique`: a key and who has it, `Type/id`. It stays when the owner is deleted, and is then anybody's. */
type UniqueDocument = { readonly _id: string; readonly owner: string }
/** `simpul.once`: keys that are taken for ever. */
type OnceDocument = { readonly _id: string }

export type Owners = ReadonlyMap<string, string>

export const readOwners = async (database: Database, keys: readonly string[], session: ClientSession): Promise<Owners> => {
  if (keys.length === 0) return new Map()
  const found = await ownersOf(database)
    .find({ _id: { $in: [...keys] } }, { session })
    .toArray()
  return new Map(found.map(({ _id, owner }) => [_id, owner]))
}

/**
 * The first key of the plan that is another's: free when nobody has it, when its owner asks again, or when its owner is no longer live or deleted
 * by this very plan.
 */
export const takenKey = ({ unique = [], versions }: WritePlan, owners: Owners, isLive: (owner: Key) => boolean): string | undefined => {
  const deleted = new Set(versions.flatMap(({ type, id, method }) => (method === 'DELETE' ? [`${type}/${id}`] : [])))
  const asked = new Map<string, string>()
  for (const { key, owner } of unique) {
    const holder = owners.get(key)
    const isOthers = holder !== undefined && holder !== owner && !deleted.has(holder) && isLive(ownerKey(holder))
    if (isOthers || (asked.get(key) ?? owner) !== owner) return key
    asked.set(key, owner)
  }
  return undefined
}

export const writeOwners = async (database: Database, owners: Owners, session: ClientSession): Promise<void> => {
  if (owners.size === 0) return
  await ownersOf(database).bulkWrite(
    // Counted, so that two who take the same key meet even if nothing else changes.
    [...owners].map(([_id, owner]) => ({ updateOne: { filter: { _id }, update: { $set: { owner }, $inc: { n: 1 } }, upsert: true } })),
    { session },
  )
}

/** Instances that are gone for good own nothing. */
export const freeKeysOf = async (database: Database, owners: readonly Key[], session: ClientSession): Promise<void> => {
  if (owners.length === 0) return
  await ownersOf(database).deleteMany({ owner: { $in: owners.map(({ type, id }) => `${type}/${id}`) } }, { session })
}

export const ownerKey = (owner: string): Key => {
  const slash = owner.indexOf('/')
  return { type: owner.slice(0, slash), id: owner.slice(slash + 1) }
}

export const readOnce = async (database: Database, keys: readonly string[], session: ClientSession): Promise<ReadonlySet<string>> => {
  if (keys.length === 0) return new Set()
  const found = await onceOf(database)
    .find({ _id: { $in: [...keys] } }, { session })
    .toArray()
  return new Set(found.map(({ _id }) => _id))
}

export const writeOnce = async (database: Database, keys: readonly string[], session: ClientSession): Promise<void> => {
  if (keys.length > 0)
    await onceOf(database).insertMany(
      keys.map(_id => ({ _id })),
      { session },
    )
}

const ownersOf = (database: Database): Collection<UniqueDocument & { readonly n?: number }> => database.collections.own('unique')
const onceOf = (database: Database): Collection<OnceDocument> => database.collections.own<OnceDocument>('once')
