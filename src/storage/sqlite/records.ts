import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Clock } from '../../base/clock.ts'
import { type Outcome, ok } from '../../base/outcome.ts'
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
import { bounded, checkedWrite, checkTakable, leaseMsMax, rowsBytesMax, rowsMax } from '../record-rules.ts'
import type { Applied } from './commit.ts'
import { type Bounds, boundsOf } from './record-bounds.ts'
import { type RecordTable, recordTable } from './record-tables.ts'
import { anything, expectedNone, type RecordAction, recordActions } from './record-writer.ts'
import type { WriterLink } from './writer-link.ts'

/** The records of all definitions: reads on this connection, writes by the writer thread. */
export class RecordKeeper {
  readonly #db: DatabaseSync
  readonly #writer: WriterLink
  readonly #clock: Clock
  readonly #tables: ReadonlyMap<string, RecordTable>

  constructor(db: DatabaseSync, writer: WriterLink, clock: Clock, definitions: readonly RecordDefinition[]) {
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
  readonly #writer: WriterLink
  readonly #clock: Clock
  readonly #table: RecordTable
  readonly #name: string
  readonly #get: StatementSync
  readonly #ranges = new Map<string, StatementSync>()

  constructor(db: DatabaseSync, writer: WriterLink, clock: Clock, table: RecordTable) {
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
    checkTakable(this.#table.definition)
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

const actionOf = ({ definition }: RecordTable, write: RecordWrite): RecordAction => {
  const { record, expected, lease = 0 } = write
  const action = !('delete' in write) ? recordActions.put : write.retention === true ? recordActions.retain : recordActions.delete
  return {
    record,
    action,
    ...checkedWrite(definition, write),
    expected: expected === undefined ? anything : expected === 'none' ? expectedNone : expected,
    lease,
  }
}

const documentOf = (text: unknown): object => JSON.parse(text as string) as object // as it was written

const isHeld = (applied: Applied): boolean => applied.held && applied.result?.kind === 'held' && applied.result.held
const unexpected = (): Error => new Error('The writer answered something else than it was asked')
