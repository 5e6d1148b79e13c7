import type { AnyBulkWriteOperation, ClientSession, Document, Filter } from 'mongodb'
import type { RecordValue } from '../port.ts'
import { valueAt } from '../record-rules.ts'
import type { Database } from './database.ts'
import type { RecordCollection, UniqueIndex } from './record-collections.ts'
import { longOf, type RecordDocument, within } from './record-documents.ts'

/** A write that was checked. */
export type RecordAction = {
  readonly collection: RecordCollection
  readonly key: string
  readonly expected: number | 'none' | undefined
  /** 0 for none. */
  readonly lease: number
  /** Of a put. */
  readonly value?: Pick<RecordDocument, 'size' | 'value' | 'text'>
}

/** The first record that was not as expected. */
export type RecordConflict = { readonly record: string; readonly key: string; readonly unique?: string }

/** What a turn needs to know of a record; `tokens` by the name of the unique index. */
type Row = {
  readonly seq: number
  readonly lease: number
  readonly leasedUntil?: Date | undefined
  readonly takes: number
  readonly expires: unknown
  readonly tokens: ReadonlyMap<string, string>
}

const askedAtOnce = 500

/**
 * The records of one transaction, for all of its plans: reads at once what they may touch, decides in memory, write by write, each seeing those before,
 * and writes what holds at the end. Whatever it decided by is written too, or guarded by a unique index, so that two transactions cannot both be right.
 */
export class RecordTurn {
  readonly #database: Database
  readonly #session: ClientSession
  readonly #now: number
  readonly #states = new Map<RecordCollection, CollectionState>()

  private constructor(database: Database, session: ClientSession, now: number) {
    this.#database = database
    this.#session = session
    this.#now = now
  }

  static async begin(database: Database, actions: readonly RecordAction[], session: ClientSession): Promise<RecordTurn> {
    const turn = new RecordTurn(database, session, database.clock())
    for (const [collection, group] of Map.groupBy(actions, action => action.collection)) {
      const state = new CollectionState(collection, turn.#now)
      await state.read(database, group, session)
      turn.#states.set(collection, state)
    }
    return turn
  }

  /** The records of one plan, by the seq of that plan. Nothing of them is kept when one is refused. */
  write(actions: readonly RecordAction[], seq: number): RecordConflict | undefined {
    const takeBack = this.mark()
    for (const action of actions) {
      const conflict = this.#states.get(action.collection)?.apply(action, seq)
      if (conflict === undefined) continue
      takeBack()
      return { record: action.collection.definition.name, key: action.key, ...conflict }
    }
    return undefined
  }

  /** Returns what takes back all that is written from now on: what else a plan brings may not hold. */
  mark(): () => void {
    const marks = [...this.#states.values()].map(state => state.mark())
    return () => {
      for (const takeBack of marks) takeBack()
    }
  }

  /** Writes all that held. */
  async flush(): Promise<void> {
    for (const state of this.#states.values()) await state.flush(this.#database, this.#session)
  }
}

/** The records of one definition as a transaction sees them. */
class CollectionState {
  readonly #collection: RecordCollection
  readonly #now: number
  readonly #rows = new Map<string, Row | undefined>()
  /** Keys of those who have the values of a unique index. */
  readonly #owners = new Map<string, string>()
  readonly #writes: AnyBulkWriteOperation<RecordDocument>[] = []
  /** How to take back what was changed in memory, newest last. */
  readonly #undo: (() => void)[] = []

  constructor(collection: RecordCollection, now: number) {
    this.#collection = collection
    this.#now = now
  }

  /** All that the actions name, and all that has the values they bring to unique indexes. */
  async read(database: Database, actions: readonly RecordAction[], session: ClientSession): Promise<void> {
    const filters: Filter<RecordDocument>[] = []
    for (const keys of inBlocks([...new Set(actions.map(({ key }) => key))])) filters.push({ _id: { $in: keys } })
    for (const index of this.#collection.unique) {
      const values = actions.map(({ value }) => valuesOf(index, value?.value)).filter(one => one !== undefined)
      for (const some of inBlocks(values)) filters.push({ $or: some.map(one => equalTo(index, one)) })
    }
    for (const filter of filters) {
      const found = database.collections
        .own<RecordDocument>(this.#collection.name)
        .find(filter, { session, projection: this.#projection() })
      for await (const document of found) this.#set(document._id, this.#rowOf(document))
    }
  }

  apply(action: RecordAction, seq: number): { readonly unique?: string } | undefined {
    const found = this.#alive(action.key)
    if (!asExpected(found, action)) return {}
    if (action.value === undefined) return this.#remove(action.key, found)
    if (found !== undefined && this.#collection.definition.appendOnly === true) return {}
    return this.#put(action, action.value, found, seq)
  }

  /** Returns what takes back all that happens from now on. */
  mark(): () => void {
    const [writes, undo] = [this.#writes.length, this.#undo.length]
    return () => {
      this.#writes.length = writes
      for (const one of this.#undo.splice(undo).toReversed()) one()
    }
  }

  /** In the order they came: a value of a unique index may pass from one record to another. */
  async flush(database: Database, session: ClientSession): Promise<void> {
    const writes = this.#writes.splice(0)
    this.#undo.length = 0
    if (writes.length > 0)
      await database.collections.own<RecordDocument>(this.#collection.name).bulkWrite(writes, { session, ordered: true })
  }

  #put(
    { key, lease }: RecordAction,
    value: NonNullable<RecordAction['value']>,
    found: Row | undefined,
    seq: number,
  ): { readonly unique: string } | undefined {
    const tokens = this.#tokensOf(value.value)
    for (const [unique, token] of tokens) {
      const owner = this.#owners.get(nameOf(unique, token))
      if (owner === undefined || owner === key) continue
      if (this.#alive(owner) !== undefined) return { unique }
      this.#writes.push({ deleteOne: { filter: { _id: owner } } })
      this.#set(owner, undefined)
    }
    const held = lease === 0 ? found : undefined
    const row: Row = {
      seq,
      lease: held?.lease ?? 0,
      leasedUntil: held?.leasedUntil,
      takes: found?.takes ?? 0,
      expires: this.#expiresOf(value.value),
      tokens,
    }
    this.#set(key, row)
    this.#writes.push({
      replaceOne: { filter: { _id: key }, replacement: { seq: longOf(seq), ...value, ...leaseFields(row) }, upsert: true },
    })
    return undefined
  }

  #remove(key: string, found: Row | undefined): undefined {
    if (found === undefined) return
    this.#writes.push({ deleteOne: { filter: { _id: key } } })
    this.#set(key, undefined)
  }

  /** One whose time is over is not there. */
  #alive(key: string): Row | undefined {
    const row = this.#rows.get(key)
    return row === undefined || (typeof row.expires === 'number' && row.expires <= this.#now) ? undefined : row
  }

  #set(key: string, row: Row | undefined): void {
    const before = this.#rows.get(key)
    for (const [unique, token] of before?.tokens ?? []) {
      const name = nameOf(unique, token)
      if (this.#owners.get(name) === key) this.#own(name, undefined)
    }
    this.#undo.push(() => this.#rows.set(key, before))
    this.#rows.set(key, row)
    for (const [unique, token] of row?.tokens ?? []) this.#own(nameOf(unique, token), key)
  }

  #own(name: string, key: string | undefined): void {
    const before = this.#owners.get(name)
    this.#undo.push(() => put(this.#owners, name, before))
    put(this.#owners, name, key)
  }

  #rowOf({ seq, lease, leasedUntil, takes, value = {} }: Partial<RecordDocument>): Row {
    return {
      seq: Number(seq),
      lease: Number(lease ?? 0),
      leasedUntil,
      takes: takes ?? 0,
      expires: this.#expiresOf(value),
      tokens: this.#tokensOf(value),
    }
  }

  #expiresOf(value: object): unknown {
    const { expires } = this.#collection.definition
    return expires === undefined ? undefined : valueAt(value, expires)
  }

  #tokensOf(value: object): ReadonlyMap<string, string> {
    const tokens = new Map<string, string>()
    for (const index of this.#collection.unique) {
      const values = valuesOf(index, value)
      if (values !== undefined) tokens.set(index.name, JSON.stringify(values))
    }
    return tokens
  }

  #projection(): Document {
    const { unique, definition } = this.#collection
    const members = [...unique.flatMap(index => index.members), ...(definition.expires === undefined ? [] : [definition.expires])]
    // The server refuses a path together with one within it.
    const outermost = members.filter(member => !members.some(other => member.startsWith(`${other}.`)))
    return { seq: 1, lease: 1, leasedUntil: 1, takes: 1, ...Object.fromEntries(outermost.map(member => [within(member), 1])) }
  }
}

const asExpected = (found: Row | undefined, { expected, lease }: RecordAction): boolean => {
  if (lease !== 0 && found?.lease !== lease) return false
  if (expected === undefined) return true
  return expected === 'none' ? found === undefined : found?.seq === expected
}

const leaseFields = ({ lease, leasedUntil, takes }: Row): Pick<RecordDocument, 'lease' | 'leasedUntil' | 'takes'> => ({
  ...(lease === 0 ? {} : { lease: longOf(lease) }),
  ...(leasedUntil === undefined ? {} : { leasedUntil }),
  ...(takes === 0 ? {} : { takes }),
})

/** Values of the index; undefined where one is missing, for then the record is not in it. */
const valuesOf = ({ members }: UniqueIndex, value: object | undefined): readonly RecordValue[] | undefined => {
  const values = value === undefined ? [] : members.map(member => valueAt(value, member)).filter(isIndexed)
  return values.length === members.length ? values : undefined
}

const isIndexed = (value: unknown): value is RecordValue => typeof value === 'string' || typeof value === 'number'

/** The condition of the index with it, or the server would not use it. */
const equalTo = ({ members, filter }: UniqueIndex, values: readonly RecordValue[]): Filter<RecordDocument> => ({
  $and: [filter, Object.fromEntries(members.map((member, at) => [within(member), { $eq: values[at] }]))],
})

const nameOf = (unique: string, token: string): string => `${unique} ${token}`

const inBlocks = function* <T>(list: readonly T[]): Generator<T[]> {
  for (let at = 0; at < list.length; at += askedAtOnce) yield list.slice(at, at + askedAtOnce)
}

const put = (map: Map<string, string>, name: string, value: string | undefined): void => {
  if (value === undefined) map.delete(name)
  else map.set(name, value)
}
