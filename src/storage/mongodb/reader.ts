import type { Filter } from 'mongodb'
import type { Key, StoredVersion } from '../port.ts'
import { type VersionFields, versionProjection } from './bson-fields.ts'
import { Coalescing } from './coalesce.ts'
import { collectionsOf, hints } from './collections.ts'
import type { Database } from './database.ts'
import type { NewestDocument } from './documents.ts'
import { fieldsOf, idOf, majority, type Reading, rawVersions, readingOf, seqOf, storedVersions } from './raw-versions.ts'
import { isExpired } from './snapshot.ts'
import type { State } from './state.ts'

/** Keys in one question. */
const keysMax = 200

/** Reads of single versions. */
export class Reader {
  readonly #database: Database
  readonly #newest = new Map<string, Coalescing<StoredVersion>>()

  constructor(database: Database) {
    this.#database = database
  }

  /** The newest version, a deletion included; asked together with what else is asked for at this moment. */
  newest(type: string, id: string): Promise<StoredVersion | undefined> {
    let ofType = this.#newest.get(type)
    if (ofType === undefined) {
      ofType = new Coalescing(ids => this.#newestOf(type, ids, majority))
      this.#newest.set(type, ofType)
    }
    return ofType.one(id)
  }

  /** In the order of `keys`. Without a state each sees what was acknowledged before the call; of several types maybe not the same state. */
  async newestMany(keys: readonly Key[], state?: State): Promise<readonly (StoredVersion | undefined)[]> {
    const reading = state === undefined ? majority : readingOf(state)
    const ofType = new Map<string, Set<string>>()
    for (const { type, id } of keys) ofType.set(type, (ofType.get(type) ?? new Set()).add(id))
    const asked = [...ofType].flatMap(([type, ids]) => blocksOf([...ids], keysMax).map(block => ({ type, block })))
    const found = new Map<string, StoredVersion>()
    const read = async ({ type, block }: (typeof asked)[number]): Promise<void> => {
      const versions = await this.#newestOf(type, block, reading).catch(unlessExpired)
      for (const [id, version] of versions) found.set(`${type}/${id}`, version)
    }
    // A session does one thing at a time.
    if (reading.session) for (const one of asked) await read(one)
    else await Promise.all(asked.map(read))
    return keys.map(({ type, id }) => found.get(`${type}/${id}`))
  }

  /**
   * That very version, in one round trip. The newest is looked at first: what is superseded in between has then come to where it is looked for next.
   */
  async version(type: string, id: string, versionId: number): Promise<StoredVersion | undefined> {
    const { collections } = this.#database
    const pipeline = [
      { $match: { _id: { $eq: id }, versionId } },
      { $project: versionProjection },
      {
        $unionWith: {
          coll: collectionsOf(type).past,
          pipeline: [{ $match: { _id: { $eq: pastId(id, versionId) } } }, { $project: versionProjection }],
        },
      },
      { $limit: 1 },
    ]
    const found = fieldsOf(
      await collections
        .newest(type)
        .aggregate(pipeline, { ...majority, raw: true })
        .toArray(),
    )
    return (await storedVersions(this.#database, type, found, majority))[0]
  }

  /**
   * Versions known by their seqs, wherever they stand by now: a version never changes but for where it ends. What was erased is missing.
   * `current` leaves out what had ended by that seq.
   */
  async ofSeqs(type: string, seqs: readonly number[], current?: number): Promise<StoredVersion[]> {
    const versions: StoredVersion[] = []
    for (const block of blocksOf(seqs, keysMax)) {
      const { newest, past } = await fieldsOfSeqs(this.#database, type, block)
      const wanted = current === undefined ? past : past.filter(({ until }) => until !== undefined && until > current)
      versions.push(...(await storedVersions(this.#database, type, [...newest, ...wanted], majority)))
    }
    return versions
  }

  async #newestOf(type: string, ids: readonly string[], reading: Reading): Promise<ReadonlyMap<string, StoredVersion>> {
    const [only, ...others] = ids
    const filter: Filter<NewestDocument> = { _id: others.length === 0 ? { $eq: only as string } : { $in: [...ids] } }
    const found = await rawVersions(this.#database.collections.newest(type), filter, reading)
    const versions = found.some(({ parts }) => parts !== undefined)
      ? await this.#withParts(type, found, reading)
      : await storedVersions(this.#database, type, found, reading)
    return new Map(versions.map(version => [version.id, version]))
  }

  /**
   * A version superseded and erased between the two reads has lost its parts: then its instance has another newest version, or none.
   * Within one state nothing is ever lost.
   */
  async #withParts(type: string, found: readonly VersionFields[], reading: Reading): Promise<readonly StoredVersion[]> {
    const versions = await storedVersions(this.#database, type, found, reading)
    if (versions.length === found.length) return versions
    const whole = new Set(versions.map(({ id }) => id))
    const lost = found.map(idOf).filter(id => !whole.has(id))
    const again = await rawVersions(this.#database.collections.newest(type), { _id: { $in: lost } }, reading)
    return [...versions, ...(await storedVersions(this.#database, type, again, reading))]
  }
}

/** What the state does not have is not there: it is over, or the type came after it. */
const unlessExpired = (error: unknown): ReadonlyMap<string, StoredVersion> => {
  if (isExpired(error)) return new Map()
  throw error
}

/** Where versions with these seqs stand: first where newest ones are, then where superseded ones come to. */
export const fieldsOfSeqs = async (
  { collections }: Database,
  type: string,
  seqs: readonly number[],
): Promise<{ readonly newest: readonly VersionFields[]; readonly past: readonly VersionFields[] }> => {
  const newest = await rawVersions(collections.newest(type), { seq: { $in: seqs.map(seqOf) } }, majority, { hint: hints.seq })
  const there = new Set(newest.map(({ seq }) => seq))
  const others = seqs.filter(seq => !there.has(seq)).map(seqOf)
  if (others.length === 0) return { newest, past: [] }
  return { newest, past: await rawVersions(collections.past(type), { seq: { $in: others } }, majority, { hint: hints.pastSeq }) }
}

/** `_id` of a superseded version. */
export const pastId = (id: string, versionId: number): string => `${id}/${versionId}`

export const blocksOf = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, n) => list.slice(n * size, (n + 1) * size))
