import type { AnyBulkWriteOperation, ClientSession, Collection } from 'mongodb'
import type { Key } from '../port.ts'
import type { Database } from './database.ts'
import { isSameRelation, type RelationDocument, relationIds } from './relation-documents.ts'

type Related = { readonly source: Key; readonly rows: readonly RelationDocument[]; readonly before: number }

export const relationsIn = ({ collections }: Database): Collection<RelationDocument> => collections.own<RelationDocument>('relations')

/** What the versions of a transaction say of relations, in place of what the versions before them said. */
export class Relating {
  readonly #inserted: RelationDocument[] = []
  readonly #changed: Related[] = []

  /** `before`: rows of the version before. */
  add(source: Key, rows: readonly RelationDocument[], before: number): void {
    if (before > 0) this.#changed.push({ source, rows, before })
    else this.#inserted.push(...rows)
  }

  async write(database: Database, session: ClientSession): Promise<void> {
    if (this.#inserted.length > 0) await relationsIn(database).insertMany(this.#inserted, { session })
    if (this.#changed.length > 0) await this.#change(database, session)
  }

  /** A group of thousands changes by one member at a time: what reads the same is left as it is. */
  async #change(database: Database, session: ClientSession): Promise<void> {
    const ids = this.#changed.flatMap(({ source, before }) => relationIds(source, before))
    const found = await relationsIn(database)
      .find({ _id: { $in: ids } }, { session })
      .toArray()
    const known = new Map(found.map(one => [one._id, one]))
    const changes: AnyBulkWriteOperation<RelationDocument>[] = []
    for (const row of this.#changed.flatMap(({ rows }) => rows)) {
      const there = known.get(row._id)
      if (there === undefined) changes.push({ insertOne: { document: row } })
      else if (!isSameRelation(there, row)) changes.push({ replaceOne: { filter: { _id: row._id }, replacement: row } })
    }
    const gone = this.#changed.flatMap(({ source, rows, before }) => relationIds(source, before, rows.length))
    if (gone.length > 0) changes.push({ deleteMany: { filter: { _id: { $in: [...gone] } } } })
    if (changes.length > 0) await relationsIn(database).bulkWrite(changes, { session, ordered: false })
  }
}

/** For instances that are erased. */
export const eraseRelations = async (
  database: Database,
  sources: readonly (Key & { readonly relations?: number })[],
  session: ClientSession,
): Promise<void> => {
  const ids = sources.flatMap(({ relations = 0, ...source }) => relationIds(source, relations))
  if (ids.length > 0) await relationsIn(database).deleteMany({ _id: { $in: ids } }, { session })
}
