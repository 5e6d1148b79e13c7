import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LoadedBeside } from '../port.ts'
import type { BlobWriter } from './blob-writer.ts'
import type { Dictionary } from './dictionary.ts'
import type { Instances } from './instances.ts'
import type { Interning } from './interning.ts'
import type { RecordTable } from './record-tables.ts'

/** Makes rows beside the versions what another store says they are, inside the writer's transactions. */
export class BesideLoader {
  readonly #db: DatabaseSync
  readonly #dictionary: Dictionary & Pick<Interning, 'typeNumber'>
  readonly #instances: Instances
  readonly #blobs: BlobWriter
  readonly #tables: ReadonlyMap<string, RecordTable>
  readonly #statements = new Map<string, StatementSync>()

  constructor(
    db: DatabaseSync,
    dictionary: Dictionary & Pick<Interning, 'typeNumber'>,
    instances: Instances,
    blobs: BlobWriter,
    records: readonly RecordTable[],
  ) {
    this.#db = db
    this.#dictionary = dictionary
    this.#instances = instances
    this.#blobs = blobs
    this.#tables = new Map(records.map(table => [table.definition.name, table]))
  }

  /** Returns the greatest revision among them: numbers given from now on must lie beyond it. */
  load(rows: readonly LoadedBeside[], now: number): number {
    let revision = 0
    for (const row of rows) {
      if ('gone' in row) this.#remove(row)
      else this.#put(row, now)
      if (row.kind === 'record' && !('gone' in row)) revision = Math.max(revision, row.revision, row.lease)
    }
    return revision
  }

  #put(row: Exclude<LoadedBeside, { readonly gone: true }>, now: number): void {
    switch (row.kind) {
      case 'once':
        this.#run('INSERT OR IGNORE INTO once(key) VALUES (?)', row.key)
        break
      case 'counter':
        this.#run('INSERT OR REPLACE INTO counter(key, value) VALUES (?, ?)', row.key, row.value)
        break
      case 'unique':
        this.#run('INSERT OR REPLACE INTO uniq(key, iid) VALUES (?, ?)', row.key, this.#owner(row.owner))
        break
      case 'record':
        this.#record(row)
        break
      case 'part':
        this.#blobs.loadPart(row.key, row.n, row.bytes, now)
        break
      case 'blob':
        this.#blobs.loadWhole(row.key, row.size, row.owner, now)
    }
  }

  #remove({ kind, key, record = '' }: Extract<LoadedBeside, { readonly gone: true }>): void {
    if (kind === 'blob') this.#blobs.dropNamed(key)
    else if (kind === 'record') this.#removeRecord(this.#table(record), key)
    else this.#run(`DELETE FROM ${plainTables[kind]} WHERE key = ?`, key)
  }

  /** What has the values of a unique index makes room: it has others in the store that this comes from, or is gone there. */
  #record({ record, key, text, revision, times, lease, leasedUntil }: Extract<LoadedBeside, { readonly text: string }>): void {
    const table = this.#table(record)
    this.#removeRecord(table, key)
    for (const { columns, members, index } of table.unique) {
      const equal = columns.map((column, at) => `${column} = json_extract(?1, '$.${members[at]}')`).join(' AND ')
      const holder = this.#prepared(`SELECT key FROM ${table.table} INDEXED BY ${index} WHERE ${equal}`).get(text)
      if (holder !== undefined) this.#removeRecord(table, holder.key as string)
    }
    this.#run(
      `INSERT INTO ${table.table}(key, seq, value, takes, lease, leased_until) VALUES (?, ?, ?, ?, ?, ?)`,
      key,
      revision,
      text,
      times,
      lease,
      leasedUntil,
    )
  }

  /** Also where they are append-only: what is not there is not kept. */
  #removeRecord({ definition, table }: RecordTable, key: string): void {
    if (definition.appendOnly) this.#run('INSERT OR IGNORE INTO record_control(name) VALUES (?)', definition.name)
    this.#run(`DELETE FROM ${table} WHERE key = ?`, key)
    if (definition.appendOnly) this.#run('DELETE FROM record_control')
  }

  #owner(owner: string): number {
    const [type = '', id = ''] = owner.split('/')
    return this.#instances.refer(this.#dictionary.typeNumber(type), id).iid
  }

  #table(record: string): RecordTable {
    const table = this.#tables.get(record)
    if (table === undefined) throw new Error(`The store was opened without the records ${record}`)
    return table
  }

  #run(sql: string, ...values: readonly (string | number)[]): void {
    this.#prepared(sql).run(...values)
  }

  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

const plainTables = { counter: 'counter', once: 'once', unique: 'uniq' } as const
