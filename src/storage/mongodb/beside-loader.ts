import { type AnyBulkWriteOperation, Binary, type ClientSession, type Document } from 'mongodb'
import { type Outcome, ok } from '../../base/outcome.ts'
import { besideRowsMax } from '../beside-order.ts'
import type { LoadedBeside, RecordDefinition } from '../port.ts'
import { valueAt } from '../record-rules.ts'
import { type BlobDocument, type BlobPartDocument, partKey, partsOf } from './blob-documents.ts'
import { dropping } from './blobs.ts'
import type { Database } from './database.ts'
import { type RecordCollection, recordCollection } from './record-collections.ts'
import { documentOf, longOf, type RecordDocument, storedValue, within } from './record-documents.ts'
import type { Writer } from './writer.ts'

type Gone = Extract<LoadedBeside, { readonly gone: true }>
type Put<K extends LoadedBeside['kind']> = Extract<Exclude<LoadedBeside, Gone>, { readonly kind: K }>

/** Makes rows beside the versions what another store says they are, each block in one transaction. */
export class BesideLoader {
  readonly #database: Database
  readonly #writer: Pick<Writer, 'alone' | 'rise'>
  readonly #records: ReadonlyMap<string, RecordCollection>

  constructor(database: Database, writer: Pick<Writer, 'alone' | 'rise'>, definitions: readonly RecordDefinition[]) {
    this.#database = database
    this.#writer = writer
    this.#records = new Map(definitions.map(definition => [definition.name, recordCollection(definition)]))
  }

  async load(rows: readonly LoadedBeside[]): Promise<Outcome<void>> {
    if (rows.length > besideRowsMax) throw new RangeError(`At most ${besideRowsMax} rows are loaded at once`)
    if (rows.length === 0) return ok(undefined)
    const done = await this.#writer.alone(new Map(), async turn => {
      await this.#write(rows, turn.session)
      // Numbers given from now on lie beyond all that came with records.
      for (const row of rows) if (row.kind === 'record' && !('gone' in row)) this.#writer.rise(Math.max(row.revision, row.lease))
      turn.changed = true
    })
    return done.ok ? ok(undefined) : done
  }

  async #write(rows: readonly LoadedBeside[], session: ClientSession): Promise<void> {
    for (const [kind, of] of Map.groupBy(rows, row => row.kind)) {
      if (kind === 'record') await this.#writeRecords(of as readonly (Put<'record'> | Gone)[], session)
      else if (kind === 'blob' || kind === 'part') continue
      else await this.#writeKeys(of as readonly (Put<keyof typeof keyCollections> | Gone)[], session) // the kinds that are left
    }
    // In their order: a blob comes after its parts.
    for (const row of rows) {
      if (row.kind === 'part') await this.#writePart(row, session)
      else if (row.kind === 'blob') await ('gone' in row ? this.#dropBlob(row.key, session) : this.#writeBlob(row, session))
    }
  }

  async #writeKeys(rows: readonly (Put<keyof typeof keyCollections> | Gone)[], session: ClientSession): Promise<void> {
    const [first] = rows
    if (first === undefined) return
    const collection = this.#database.collections.own<{ _id: string }>(keyCollections[first.kind as keyof typeof keyCollections])
    await collection.bulkWrite(rows.map(keyWrite), { session })
  }

  async #writeRecords(rows: readonly (Put<'record'> | Gone)[], session: ClientSession): Promise<void> {
    for (const [name = '', of] of Map.groupBy(rows, ({ record }) => record)) {
      const records = this.#records.get(name)
      if (records === undefined) throw new Error(`The store was opened without the records ${name}`)
      const collection = this.#database.collections.own<RecordDocument>(records.name)
      const documents = of.flatMap(row => ('gone' in row ? [] : [recordDocument(row)]))
      await collection.deleteMany({ _id: { $in: of.map(({ key }) => key) } }, { session })
      // What has the values of a unique index makes room: it has others in the store that this comes from, or is gone there.
      const holders = documents.flatMap(document => uniqueValues(records, document))
      for (const holder of holders) await collection.deleteMany(holder, { session })
      if (documents.length > 0) await collection.insertMany(documents, { session })
    }
  }

  /** The first part begins the blob anew. One that never becomes whole goes as any that nobody adopted. */
  async #writePart({ key, n, bytes }: Put<'part'>, session: ClientSession): Promise<void> {
    if (n === 0) {
      const begun = {
        $set: { state: 'open' as const, size: 0, at: new Date(this.#database.clock()) },
        $unset: { seq: 1 as const, whole: 1 as const },
      }
      await this.#parts().deleteMany(partsOf(key), { session })
      await this.#blobs().updateOne({ _id: key }, begun, { session, upsert: true })
    }
    await this.#parts().insertOne({ _id: partKey(key, n), bytes: new Binary(bytes) }, { session })
  }

  async #writeBlob({ key, size, owner }: Put<'blob'>, session: ClientSession): Promise<void> {
    const [sum] = await this.#parts()
      .aggregate<{ size: number }>([{ $match: partsOf(key) }, { $group: { _id: null, size: { $sum: { $binarySize: '$bytes' } } } }], {
        session,
      })
      .toArray()
    if (Number(sum?.size ?? 0) !== size) throw new Error('The blob to be loaded lacks parts')
    const whole = {
      state: 'adopted' as const,
      size,
      whole: new Date(this.#database.clock()),
      ...(owner === 0 ? {} : { seq: longOf(owner) }),
    }
    const unset = { at: 1 as const, ...(owner === 0 ? { seq: 1 as const } : {}) }
    await this.#blobs().updateOne({ _id: key }, { $set: whole, $unset: unset }, { session, upsert: true })
  }

  /** Nobody can read it from now on; a sweep removes its bytes. */
  async #dropBlob(key: string, session: ClientSession): Promise<void> {
    await this.#blobs().updateOne({ _id: key }, dropping, { session })
  }

  #blobs() {
    return this.#database.collections.own<BlobDocument>('blobs')
  }

  #parts() {
    return this.#database.collections.own<BlobPartDocument>('blobparts')
  }
}

/** Kinds of which a key and a value are all. */
const keyCollections = { counter: 'counters', once: 'once', unique: 'unique' } as const

const keyWrite = (row: Put<keyof typeof keyCollections> | Gone): AnyBulkWriteOperation<{ _id: string }> => {
  const filter = { _id: row.key }
  if ('gone' in row) return { deleteOne: { filter } }
  if (row.kind === 'once') return { replaceOne: { filter, replacement: {}, upsert: true } }
  const update: Document = { $set: row.kind === 'counter' ? { value: row.value } : { owner: row.owner } }
  return { updateOne: { filter, update, upsert: true } }
}

const recordDocument = ({ key, text, revision, times, lease, leasedUntil }: Put<'record'>): RecordDocument => ({
  _id: key,
  seq: longOf(revision),
  ...storedValue(text),
  ...(lease === 0 ? {} : { lease: longOf(lease) }),
  ...(leasedUntil === 0 ? {} : { leasedUntil: new Date(leasedUntil) }),
  ...(times === 0 ? {} : { takes: times }),
})

/** Filters for whoever has the values of the document in a unique index. */
const uniqueValues = ({ unique }: RecordCollection, document: RecordDocument): readonly Document[] => {
  const value = documentOf(document)
  return unique.flatMap(({ members }) => {
    const values = members.map(member => [within(member), valueAt(value, member)] as const)
    if (values.some(([, one]) => typeof one !== 'string' && typeof one !== 'number')) return []
    return [Object.fromEntries(values.map(([field, one]) => [field, { $eq: one }]))]
  })
}
