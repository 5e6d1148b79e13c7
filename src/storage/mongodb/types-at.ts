import type { Timestamp } from 'mongodb'
import type { Database } from './database.ts'
import type { State } from './state.ts'

/** More than FHIR has. */
const typesMax = 1_000

/**
 * Types that may have had a version at a state. The server refuses to look into a collection that is younger than the snapshot, though there was
 * simply nothing: a type is named in `simpul.types` when its collections are complete, and only then written to. A type never goes, so whatever
 * state one is known to have been there at, it is there at all later ones.
 */
export class TypesAt {
  readonly #database: Database
  readonly #known = new Map<string, Timestamp>()

  constructor(database: Database) {
    this.#database = database
  }

  async all({ at }: State): Promise<readonly string[]> {
    if (at === undefined) return this.#database.collections.types()
    const found = await this.#typesAt(at)
    for (const type of found) if (!this.#isKnown(type, at)) this.#known.set(type, at)
    return found
  }

  /** Those of them that were there. */
  async among(types: readonly string[], state: State): Promise<readonly string[]> {
    const { at } = state
    if (at === undefined) {
      const there = await Promise.all(types.map(type => this.#database.collections.has(type)))
      return types.filter((_, n) => there[n])
    }
    if (types.every(type => this.#isKnown(type, at))) return types
    const before = new Set(await this.all(state))
    return types.filter(type => before.has(type))
  }

  #isKnown(type: string, at: Timestamp): boolean {
    return this.#known.get(type)?.lessThanOrEqual(at) === true
  }

  async #typesAt(at: Timestamp): Promise<readonly string[]> {
    const { db, collections } = this.#database
    const answer = await db.command({
      find: collections.own('types').collectionName,
      filter: {},
      projection: { _id: 1 },
      sort: { _id: 1 },
      batchSize: typesMax,
      singleBatch: true,
      readConcern: { level: 'snapshot', atClusterTime: at },
    })
    return (answer.cursor.firstBatch as readonly { readonly _id: string }[]).map(({ _id }) => _id)
  }
}
