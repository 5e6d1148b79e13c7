import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Clock } from '../../base/clock.ts'
import { ok, type Outcome } from '../../base/outcome.ts'
import type {
  RecordBounds,
  RecordDefinition,
  RecordHeld,
  RecordPage,
  RecordRange,
  RecordRow,
  Records,
  RecordValue,
  RecordWrite,
  StoredRecord,
  TakenRecord,
} from '../port.ts'
import type { Applied } from './commit.ts'
import { type Bounds, boundsOf } from './record-bounds.ts'
import { membersOf, type RecordTable, recordTable } from './record-tables.ts'
import { anything, expectedNone, type RecordAction, recordActions, rowsBytesMax } from './record-writer.ts'
import type { WriterThread } from './writer-thread.ts'

const rowsMax = 1_000
const leaseMsMax = 86_400_000
const keyBytesMax = 512
const indexedBytesMax = 1024
const recordBytesMax = 4 * 1024 * 1024

/** The records of all definitions: reads on this connection, writes by the writer thread. */
export class RecordKeeper {
  readonly #db: DatabaseSync
  readonly #writer: WriterThread
  readonly #clock: Clock
  readonly #tables: ReadonlyMap<string, RecordTable>

  constructor(db: DatabaseSync, writer: WriterThread, clock: Clock, definitions: readonly RecordDefinition[]) {
    this.#db = db
    this.#writer = writer
    this.#clock = clock
    this.#tables = new Map(definitions.map(definition => [definition.name, recordTable(definition)]))
  }

  /** The cast: documents are what their owner wrote. */
  of<V extends object>({ name }: RecordDefinition): Records<V> {
    return new SqliteRecords(this.#db, this.#writer, this.#clock, this.#table(name)) as Records<object> as Records<V>
  }

  /** Writes as they travel. Throws for what its owner should never have asked: an unknown definition, a document that cannot be kept. */
  actions(writes: readonly RecordWrite[]): readonly RecordAction[] {
    return writes.map(write => actionOf(this.#table(write.record), write))
  }

  #table(name: string): RecordTable {
    const table = this.#tables.get(name)
    if (table === undefined) throw new Error(`The store was opened without the records ${name}`)
    return table
  }
}

class SqliteRecords implements Records<object> {
  readonly #db: DatabaseSync
  readonly #writer: WriterThread
  readonly #clock: Clock
  readonly #table: RecordTable
  readonly #name: string
  readonly #get: StatementSync
  readonly #ranges = new Map<string, StatementSync>()

  constructor(db: DatabaseSync, writer: WriterThread, clock: Clock, table: RecordTable) {
    this.#db = db
    this.#writer = writer
    this.#clock = clock
    this.#table = table
    this.#name = table.definition.name
    this.#get = db.prepare(`SELECT seq, value FROM ${table.table} WHERE key = ? AND ${alive(table)}`)
  }

  async get(key: string): Promise<StoredRecord<object> | undefined> {
    const row = this.#get.get(key, this.#clock())
    return row === undefined ? undefined : { key, value: documentOf(row.value), revision: row.seq as number }
  }

  put(value: object, expected?: number | 'none'): Promise<Outcome<RecordHeld>> {
    return this.#write({ record: this.#name, put: value, ...(expected === undefined ? {} : { expected }) })
  }

  delete(key: string, expected?: number): Promise<Outcome<RecordHeld>> {
    return this.#write({ record: this.#name, delete: key, ...(expected === undefined ? {} : { expected }) })
  }

  async range(index: string, { limit, ...bounds }: RecordRange): Promise<RecordPage<object>> {
    const most = bounded(limit, rowsMax, 'limit')
    const { sql, values, columns } = boundsOf(this.#table, index, bounds as Bounds)
    const statement = this.#statement(
      `SELECT key, seq, value, ${columns.map((column, at) => `${column} AS p${at}`).join(', ')} FROM ${sql.from}
       WHERE ${sql.where} AND ${alive(this.#table)} ORDER BY ${sql.order} LIMIT ?`,
    )
    const rows: RecordRow<object>[] = []
    let bytes = 0
    for (const row of statement.iterate(...values, this.#clock(), most + 1)) {
      if (rows.length === most || bytes > rowsBytesMax) return { rows, more: true }
      bytes += (row.value as string).length
      rows.push({
        key: row.key as string,
        value: documentOf(row.value),
        revision: row.seq as number,
        position: columns.map((_, at) => row[`p${at}`] as RecordValue),
      })
    }
    return { rows, more: false }
  }

  async take(index: string, n: number, leaseMs: number, bounds: RecordBounds = {}): Promise<Outcome<readonly TakenRecord<object>[]>> {
    if (this.#table.definition.appendOnly === true) throw new Error(`The records ${this.#name} are append-only and cannot be held`)
    // An index that is not there is told here, where it was asked for.
    boundsOf(this.#table, index, bounds)
    const limits = { n: bounded(n, rowsMax, 'n'), leaseMs: bounded(leaseMs, leaseMsMax, 'leaseMs') }
    const done = await this.#writer.run({ kind: 'take', record: this.#name, index, ...limits, bounds })
    if (!done.ok) return done
    const applied = done.value
    if (!applied.held || applied.result?.kind !== 'taken') throw unexpected()
    return ok(
      applied.result.rows.map(({ key, revision, text, times }) => ({
        key,
        revision,
        value: documentOf(text),
        lease: applied.first,
        times,
      })),
    )
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
    const done = await this.#writer.run({ kind: 'extend', record: this.#name, key, lease, leaseMs })
    return done.ok ? ok(isHeld(done.value) ? { held: true, revision } : { held: false }) : done
  }

  async #write(write: RecordWrite): Promise<Outcome<RecordHeld>> {
    const done = await this.#writer.commit({ expects: [], guards: [], versions: [], records: [actionOf(this.#table, write)] })
    if (!done.ok) return done
    if (done.value.held) return ok({ held: true, revision: done.value.revision ?? 0 })
    const unique = done.value.record?.unique
    return ok({ held: false, ...(unique === undefined ? {} : { unique }) })
  }

  /** Texts are few: one for each index and way to read it. */
  #statement(sql: string): StatementSync {
    const known = this.#ranges.get(sql)
    if (known !== undefined) return known
    const made = this.#db.prepare(sql)
    this.#ranges.set(sql, made)
    return made
  }
}

/** A record whose time is over is as if it were not there; the clock is bound. */
const alive = ({ expires }: RecordTable): string => `coalesce(${expires ?? 'NULL'} > ?, 1)`

const actionOf = (table: RecordTable, write: RecordWrite): RecordAction => {
  const { name, key: member, appendOnly = false } = table.definition
  const { record, expected, lease = 0 } = write
  const common = { record, expected: expected === undefined ? anything : expected === 'none' ? expectedNone : expected, lease }
  if ('delete' in write) {
    const retention = write.retention === true
    if (appendOnly && !retention) throw new Error(`The records ${name} are append-only: only retention deletes them`)
    return { ...common, action: retention ? recordActions.retain : recordActions.delete, key: write.delete, text: '' }
  }
  const key = valueAt(write.put, member)
  if (typeof key !== 'string' || key === '' || !isPlain(key, keyBytesMax))
    throw new Error(`The key ${member} of a record of ${name} is no text of 1 to ${keyBytesMax} bytes`)
  for (const indexed of membersOf(table.definition)) {
    if (!isIndexable(valueAt(write.put, indexed)))
      throw new Error(
        `The member ${indexed} of a record of ${name} is indexed and neither a number nor a text of at most ${indexedBytesMax} bytes`,
      )
  }
  const text = JSON.stringify(write.put)
  if (Buffer.byteLength(text) > recordBytesMax)
    throw new Error(`A record of ${name} is larger than ${recordBytesMax} bytes; what is so large belongs in a blob`)
  return { ...common, action: recordActions.put, key, text }
}

/** Whole numbers beyond 2^53 are not the same to every engine, nor are texts that are no Unicode or hold U+0000. */
const isIndexable = (value: unknown): boolean => {
  if (value === undefined || value === null) return true
  if (typeof value === 'number') return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  return typeof value === 'string' && isPlain(value, indexedBytesMax)
}

const isPlain = (text: string, bytesMax: number): boolean =>
  text.isWellFormed() && !text.includes('\0') && Buffer.byteLength(text) <= bytesMax

const valueAt = (document: object, member: string): unknown =>
  member.split('.').reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | null | undefined)?.[name], document)

const documentOf = (text: unknown): object => JSON.parse(text as string) as object // as it was written

const bounded = (n: number, max: number, what: string): number => {
  if (!Number.isInteger(n) || n < 1 || n > max) throw new RangeError(`${what} is 1 to ${max}`)
  return n
}

const isHeld = (applied: Applied): boolean => applied.held && applied.result?.kind === 'held' && applied.result.held
const unexpected = (): Error => new Error('The writer answered something else than it was asked')
