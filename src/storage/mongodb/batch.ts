import { type AnyBulkWriteOperation, type ClientSession, Long } from 'mongodb'
import type { Key } from '../port.ts'
import type { Database } from './database.ts'
import type { NewestDocument, PastDocument } from './documents.ts'
import { type Instance, shapeOfInstance } from './instances.ts'
import type { Turn } from './lane.ts'
import { Relating } from './relating.ts'
import type { TextPart } from './text-parts.ts'
import { type Documents, supersededDocument } from './version-documents.ts'

type OfType = {
  readonly inserted: NewestDocument[]
  readonly changed: AnyBulkWriteOperation<NewestDocument>[]
  readonly past: PastDocument[]
}

/** What the plans of a transaction write of versions, gathered so that each collection is asked once. */
export class Batch {
  readonly #types = new Map<string, OfType>()
  readonly #parts: TextPart[] = []
  readonly #relating = new Relating()

  /** A new newest version in place of the known one. */
  add(type: string, { newest, parts, relations, shape }: Documents, seq: number, known: Instance | undefined, turn: Turn): void {
    const ofType = this.#ofType(type)
    if (known === undefined) ofType.inserted.push(newest)
    else {
      ofType.changed.push({ replaceOne: { filter: { _id: newest._id }, replacement: newest } })
      ofType.past.push(supersededDocument(known, seq))
      if (known.deleted !== true) turn.count(shapeOfInstance(known), -1)
    }
    if (shape !== 0) turn.count(shape, 1)
    this.#parts.push(...parts)
    this.#relating.add({ type, id: newest._id }, relations, known?.relations ?? 0)
    turn.changed = true
  }

  /** A version that was never the newest here. */
  addPast(type: string, past: PastDocument, parts: readonly TextPart[]): void {
    this.#ofType(type).past.push(past)
    this.#parts.push(...parts)
  }

  /**
   * What a plan expects of an instance that it does not write must stay true until it is committed: the document is changed where nobody looks, or
   * comes and goes where there is none, so that whoever writes it meanwhile meets the plan.
   */
  pin({ type, id }: Key, known: Instance | undefined, seq: number): void {
    const { changed } = this.#ofType(type)
    if (known !== undefined) changed.push({ updateOne: { filter: { _id: id }, update: { $set: { pin: Long.fromNumber(seq) } } } })
    else changed.push({ insertOne: { document: neverThere(id, seq) } }, { deleteOne: { filter: { _id: id } } })
  }

  async write(database: Database, session: ClientSession): Promise<void> {
    for (const [type, { inserted, changed, past }] of this.#types) {
      if (inserted.length > 0) await database.collections.newest(type).insertMany(inserted, { session })
      if (changed.length > 0) await database.collections.newest(type).bulkWrite(changed, { session })
      if (past.length > 0) await database.collections.past(type).insertMany(past, { session })
    }
    if (this.#parts.length > 0) await database.collections.own<TextPart>('texts').insertMany(this.#parts, { session })
    await this.#relating.write(database, session)
  }

  #ofType(type: string): OfType {
    const known = this.#types.get(type)
    if (known !== undefined) return known
    const ofType: OfType = { inserted: [], changed: [], past: [] }
    this.#types.set(type, ofType)
    return ofType
  }
}

const neverThere = (id: string, seq: number): NewestDocument => ({
  _id: id,
  seq: Long.fromNumber(seq),
  versionId: 1,
  lastUpdated: new Date(0),
  method: 'DELETE',
  deleted: true,
  patients: [],
  organizations: [],
  authors: [],
  conf: 0,
})
