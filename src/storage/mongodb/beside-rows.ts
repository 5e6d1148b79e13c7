import type { Collection, Document, Filter } from 'mongodb'
import { besideRowsMax, besideTextMax } from '../beside-order.ts'
import type { Beside, RecordDefinition } from '../port.ts'
import type { BlobDocument } from './blob-documents.ts'
import type { Database } from './database.ts'
import { majority } from './raw-versions.ts'
import { recordCollection } from './record-collections.ts'
import { documentOf, type RecordDocument } from './record-documents.ts'
import { alive } from './record-reading.ts'

/** One kind of rows, in the order of their keys. */
type Listing<D extends Document = Document> = {
  readonly collection: Collection<D>
  readonly filter: Filter<D>
  readonly row: (found: D & { readonly _id: string }) => Beside
}

/** Documents under way at once: records may be large. */
const batchSize = 50

/** All that is kept beside the versions, block by block: each is a read of its own. */
export class BesideRows {
  readonly #database: Database
  readonly #definitions: ReadonlyMap<string, RecordDefinition>

  constructor(database: Database, definitions: readonly RecordDefinition[]) {
    this.#database = database
    this.#definitions = new Map(definitions.map(definition => [definition.name, definition]))
  }

  /** Throws when there are records of a definition that the store was opened without. */
  async *blocks(): AsyncIterable<readonly Beside[]> {
    for await (const listing of this.#listings()) {
      for (let after: string | undefined = ''; after !== undefined; ) {
        const block = await blockOf(listing, after)
        if (block.length > 0) yield block
        after = block.at(-1)?.key
      }
    }
  }

  /** In the order of `besideOrder`. */
  async *#listings(): AsyncGenerator<Listing> {
    yield this.#listing<BlobDocument>('blobs', ({ _id, size, seq }) => ({ kind: 'blob', key: _id, size, owner: Number(seq ?? 0) }), {
      state: 'adopted',
    })
    yield this.#listing<{ value: number }>('counters', ({ _id, value }) => ({ kind: 'counter', key: _id, value: Number(value) }))
    yield this.#listing('once', ({ _id }) => ({ kind: 'once', key: _id }))
    for (const { _id } of await this.#database.collections
      .own<{ _id: string }>('definitions')
      .find({}, { ...majority, sort: { _id: 1 }, projection: { _id: 1 } })
      .toArray())
      yield* this.#records(_id)
    yield this.#listing<{ owner: string }>('unique', ({ _id, owner }) => ({ kind: 'unique', key: _id, owner }))
  }

  async *#records(name: string): AsyncGenerator<Listing> {
    const definition = this.#definitions.get(name)
    if (definition !== undefined) {
      const records = recordCollection(definition)
      yield this.#listing<RecordDocument>(records.name, found => recordRow(name, found), alive(records, this.#database.clock()))
    } else if ((await this.#database.collections.own(`records.${name}`).findOne({}, { ...majority, projection: { _id: 1 } })) !== null)
      throw new Error(`The store was opened without the records ${name}`)
  }

  /** The cast: of which kind its documents are, only its `row` needs to know. */
  #listing<D extends Document>(name: string, row: Listing<D>['row'], filter: Filter<D> = {}): Listing {
    return { collection: this.#database.collections.own<D>(name), filter, row } as unknown as Listing
  }
}

const recordRow = (record: string, found: RecordDocument): Beside => ({
  kind: 'record',
  record,
  key: found._id,
  text: found.text ?? JSON.stringify(documentOf(found)),
  revision: Number(found.seq),
  times: found.takes ?? 0,
  lease: Number(found.lease ?? 0),
  leasedUntil: found.leasedUntil?.getTime() ?? 0,
})

const blockOf = async ({ collection, filter, row }: Listing, after: string): Promise<readonly Beside[]> => {
  const block: Beside[] = []
  let size = 0
  const found = collection.find({ $and: [{ _id: { $gt: after } }, filter] } as Filter<Document>, {
    ...majority,
    hint: '_id_',
    sort: { _id: 1 },
    limit: besideRowsMax,
    batchSize,
  })
  for await (const document of found) {
    const one = row(document as unknown as Document & { readonly _id: string }) // keys are texts
    block.push(one)
    size += one.kind === 'record' ? one.text.length : 0
    if (size >= besideTextMax) break
  }
  return block
}
