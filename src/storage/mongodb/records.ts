import type { ClientSession, Collection } from 'mongodb'
import { type Outcome, ok } from '../../base/outcome.ts'
import type {
  Committed,
  RecordBounds,
  RecordDefinition,
  RecordHeld,
  RecordPage,
  RecordPosition,
  RecordRange,
  RecordRow,
  Records,
  RecordValue,
  RecordWrite,
  StoredRecord,
  TakenRecord,
  WritePlan,
} from '../port.ts'
import { bounded, checkedWrite, checkTakable, leaseMsMax, rowsBytesMax, rowsMax, valueAt } from '../record-rules.ts'
import { answered } from './answered.ts'
import { askedAgain } from './asked-again.ts'
import type { Database } from './database.ts'
import { type Bounds, stretchOf } from './record-bounds.ts'
import { makeRecordCollections, type RecordCollection, recordCollection } from './record-collections.ts'
import { documentOf, type RecordDocument, storedValue } from './record-documents.ts'
import { readIn } from './record-reading.ts'
import { RecordTaking } from './record-taking.ts'
import { type RecordAction, type RecordConflict, RecordTurn } from './record-turn.ts'

/** What records need of the store around them. */
export type RecordsWriter = {
  commit(plan: WritePlan): Promise<Outcome<Committed>>
  /** A number that no node ever gave before: a lease. */
  nextLease(): number
}

/** Documents removed at once. */
const sweptMax = 1_000
/** How long a record outlives its time: the clocks of nodes differ, and none may remove what another still sees. */
const graceMs = 60_000

/** The records of all definitions. */
export class RecordKeeper {
  readonly #database: Database
  readonly #writer: RecordsWriter
  readonly #collections: ReadonlyMap<string, RecordCollection>
  readonly #opened = new Map<string, Records<object>>()

  private constructor(database: Database, writer: RecordsWriter, collections: readonly RecordCollection[]) {
    this.#database = database
    this.#writer = writer
    this.#collections = new Map(collections.map(collection => [collection.definition.name, collection]))
  }

  /** Makes collections and indexes that are missing. Throws when records and definitions cannot agree. */
  static async open(database: Database, definitions: readonly RecordDefinition[], writer: RecordsWriter): Promise<RecordKeeper> {
    const collections = definitions.map(recordCollection)
    await makeRecordCollections(database, collections)
    return new RecordKeeper(database, writer, collections)
  }

  get definitions(): readonly RecordDefinition[] {
    return [...this.#collections.values()].map(({ definition }) => definition)
  }

  /** The cast: documents are what their owner wrote. */
  of<V extends object>({ name }: RecordDefinition): Records<V> {
    const opened = this.#opened.get(name) ?? new MongoRecords(this.#database, this.#writer, this.#collection(name))
    this.#opened.set(name, opened)
    return opened as Records<object> as Records<V>
  }

  /** Writes as a turn takes them. Throws for what its owner should never have asked: an unknown definition, a document that cannot be kept. */
  actions(writes: readonly RecordWrite[]): readonly RecordAction[] {
    return writes.map(write => actionOf(this.#collection(write.record), write))
  }

  /** The records of all plans of a transaction, with as few questions as for one plan. */
  begin(actions: readonly RecordAction[], session: ClientSession): Promise<RecordTurn> {
    return RecordTurn.begin(this.#database, actions, session)
  }

  /** The records of one plan, in the transaction of the session. Writes nothing when it answers the first that is not as expected. */
  async apply(writes: readonly RecordWrite[], seq: number, session: ClientSession): Promise<RecordConflict | undefined> {
    const actions = this.actions(writes)
    const turn = await this.begin(actions, session)
    const conflict = turn.write(actions, seq)
    if (conflict === undefined) await turn.flush()
    return conflict
  }

  /**
   * Removes some of those whose time is over; answers whether more are left. By the clock of the store: an index of the server that does it (TTL)
   * would go by the server's clock, and remove what this one still shows.
   */
  async sweep(): Promise<boolean> {
    let more = false
    for (const { name, definition, expires } of this.#collections.values()) {
      if (expires === undefined) continue
      const collection = this.#database.collections.own<RecordDocument>(name)
      const over = { [expires]: { $type: 'number', $lte: this.#database.clock() - graceMs } } as const
      const found = await collection
        .find(over, { hint: `expires:${definition.expires}`, projection: { _id: 1 }, limit: sweptMax })
        .toArray()
      if (found.length > 0) await collection.deleteMany({ $and: [{ _id: { $in: found.map(({ _id }) => _id) } }, over] })
      more ||= found.length === sweptMax
    }
    return more
  }

  #collection(name: string): RecordCollection {
    const collection = this.#collections.get(name)
    if (collection === undefined) throw new Error(`The store was opened without the records ${name}`)
    return collection
  }
}

class MongoRecords implements Records<object> {
  readonly #database: Database
  readonly #writer: RecordsWriter
  readonly #records: RecordCollection
  readonly #taking: RecordTaking
  readonly #name: string

  constructor(database: Database, writer: RecordsWriter, records: RecordCollection) {
    this.#database = database
    this.#writer = writer
    this.#records = records
    this.#taking = new RecordTaking(database, records, () => writer.nextLease())
    this.#name = records.definition.name
  }

  async get(key: string): Promise<StoredRecord<object> | undefined> {
    const found = await askedAgain(() => this.#collection().findOne({ _id: key }))
    if (found === null || this.#isOver(found)) return undefined
    return { key, value: documentOf(found), revision: Number(found.seq) }
  }

  put(value: object, expected?: number | 'none'): Promise<Outcome<RecordHeld>> {
    return this.#write({ record: this.#name, put: value, ...(expected === undefined ? {} : { expected }) })
  }

  delete(key: string, expected?: number): Promise<Outcome<RecordHeld>> {
    return this.#write({ record: this.#name, delete: key, ...(expected === undefined ? {} : { expected }) })
  }

  range(index: string, range: RecordRange): Promise<RecordPage<object>> {
    return askedAgain(() => this.#range(index, range))
  }

  async #range(index: string, { limit, ...bounds }: RecordRange): Promise<RecordPage<object>> {
    const most = bounded(limit, rowsMax, 'limit')
    const stretch = stretchOf(this.#records, index, bounds as Bounds)
    const rows: RecordRow<object>[] = []
    if (stretch === undefined) return { rows, more: false }
    let bytes = 0
    for await (const document of readIn(this.#database, this.#records, stretch, {}, { limit: most + 1 })) {
      if (rows.length === most || bytes > rowsBytesMax) return { rows, more: true }
      bytes += document.size
      rows.push({
        key: document._id,
        value: documentOf(document),
        revision: Number(document.seq),
        position: positionOf(document, stretch.index.fields),
      })
    }
    return { rows, more: false }
  }

  async take(index: string, n: number, leaseMs: number, bounds: RecordBounds = {}): Promise<Outcome<readonly TakenRecord<object>[]>> {
    checkTakable(this.#records.definition)
    // An index that is not there is told here, where it was asked for.
    stretchOf(this.#records, index, bounds)
    const limits = { n: bounded(n, rowsMax, 'n'), leaseMs: bounded(leaseMs, leaseMsMax, 'leaseMs') }
    return answered(this.#taking.take({ index, ...limits, bounds }))
  }

  renew(taken: TakenRecord<object>, leaseMs: number): Promise<Outcome<RecordHeld>> {
    return this.#extend(taken, bounded(leaseMs, leaseMsMax, 'leaseMs'))
  }

  release(taken: TakenRecord<object>, value?: object): Promise<Outcome<RecordHeld>> {
    return value === undefined ? this.#extend(taken, 0) : this.#write({ record: this.#name, put: value, lease: taken.lease })
  }

  finish({ key, lease }: TakenRecord<object>): Promise<Outcome<RecordHeld>> {
    return this.#write({ record: this.#name, delete: key, lease })
  }

  async #extend({ key, lease, revision }: TakenRecord<object>, leaseMs: number): Promise<Outcome<RecordHeld>> {
    const extended = await answered(this.#taking.extend(key, lease, leaseMs))
    return extended.ok ? ok(extended.value ? { held: true, revision } : { held: false }) : extended
  }

  async #write(write: RecordWrite): Promise<Outcome<RecordHeld>> {
    const done = await this.#writer.commit({ expects: [], guards: [], versions: [], records: [write] })
    if (!done.ok) return done
    if (done.value.held) return ok({ held: true, revision: done.value.revision ?? 0 })
    const unique = done.value.record?.unique
    return ok({ held: false, ...(unique === undefined ? {} : { unique }) })
  }

  #isOver({ value }: RecordDocument): boolean {
    const { expires } = this.#records.definition
    const end = expires === undefined ? undefined : valueAt(value, expires)
    return typeof end === 'number' && end <= this.#database.clock()
  }

  #collection(): Collection<RecordDocument> {
    return this.#database.collections.own<RecordDocument>(this.#records.name)
  }
}

const actionOf = (collection: RecordCollection, write: RecordWrite): RecordAction => {
  const { key, text } = checkedWrite(collection.definition, write)
  const common = { collection, key, expected: write.expected, lease: write.lease ?? 0 }
  return 'delete' in write ? common : { ...common, value: storedValue(text) }
}

/** The cast: what is not a text or a number is in no index. */
const positionOf = (document: RecordDocument, fields: readonly string[]): RecordPosition =>
  fields.map(field => (field === 'seq' ? Number(document.seq) : (valueAt(document, field) as RecordValue)))
