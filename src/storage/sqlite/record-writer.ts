import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { rowsBytesMax } from '../record-rules.ts'
import type { TakenRow, Taking } from './errand.ts'
import { boundsOf } from './record-bounds.ts'
import type { RecordTable } from './record-tables.ts'

/** A write as it travels on the tape. `expected`: a revision, `none` or `anything`. */
export type RecordAction = {
  readonly record: string
  readonly action: (typeof recordActions)[keyof typeof recordActions]
  readonly key: string
  readonly expected: number
  /** 0 for none. */
  readonly lease: number
  /** JSON; '' for a deletion. */
  readonly text: string
}
export const recordActions = { put: 0, delete: 1, retain: 2 } as const
/** Expectations that are no revision. */
export const expectedNone = -1
export const anything = -2

/** The first record that was not as expected. */
export type RecordConflict = { readonly record: string; readonly key: string; readonly unique?: string }

/** Records of one definition removed in one turn: bounded work in the transactions of others. */
const expiredPerTurn = 200

type Statements = {
  readonly find: StatementSync
  readonly insert: StatementSync
  readonly update: StatementSync
  readonly remove: StatementSync
  readonly lease: StatementSync
  readonly extend: StatementSync
  readonly unique: readonly { readonly name: string; readonly find: StatementSync }[]
  readonly takes: Map<string, StatementSync>
}
type Found = { readonly seq: number; readonly lease: number; readonly expires: number | null }

/** Writes records inside the writer's transactions, one after the other; whoever calls it takes back what did not hold. */
export class RecordWriter {
  readonly #db: DatabaseSync
  readonly #tables: ReadonlyMap<string, RecordTable>
  readonly #statements = new Map<string, Statements>()
  readonly #permit: StatementSync
  readonly #forbid: StatementSync
  readonly #expired: readonly { readonly find: StatementSync; readonly remove: StatementSync }[]

  constructor(db: DatabaseSync, tables: readonly RecordTable[]) {
    this.#db = db
    this.#tables = new Map(tables.map(table => [table.definition.name, table]))
    this.#permit = db.prepare('INSERT OR IGNORE INTO record_control(name) VALUES (?)')
    this.#forbid = db.prepare('DELETE FROM record_control')
    this.#expired = tables.flatMap(({ table, expires }) =>
      expires === undefined
        ? []
        : [
            {
              find: db.prepare(`SELECT 1 FROM ${table} WHERE ${expires} <= ? LIMIT 1`),
              remove: db.prepare(
                `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${expires} <= ? ORDER BY ${expires} LIMIT ?)`,
              ),
            },
          ],
    )
  }

  /** Writes one after the other. Stops at the first that does not hold. */
  write(actions: readonly RecordAction[], seq: number, now: number): RecordConflict | undefined {
    for (const one of actions) {
      const conflict = one.action === recordActions.put ? this.#put(one, seq, now) : this.#remove(one, now)
      if (conflict !== undefined) return conflict
    }
    return undefined
  }

  /** Hands out rows in the order of the index that nobody holds; fewer where they are large. */
  take({ record, index, n, leaseMs, bounds }: Taking, seq: number, now: number): readonly TakenRow[] {
    const statements = this.#of(record)
    const { sql, values } = boundsOf(this.#table(record), index, bounds)
    const rows: TakenRow[] = []
    let bytes = 0
    for (const row of this.#taking(record, sql).iterate(...values, now, now, n)) {
      const text = row.value as string
      rows.push({ key: row.key as string, revision: row.seq as number, text, times: (row.takes as number) + 1 })
      bytes += text.length
      if (bytes > rowsBytesMax) break
    }
    for (const { key } of rows) statements.lease.run(seq, now + leaseMs, key)
    return rows
  }

  /** Holds a row longer, or lets go of it when `leaseMs` is 0. False when somebody else took it, or it is gone. */
  extend(record: string, key: string, lease: number, leaseMs: number, now: number): boolean {
    return Number(this.#of(record).extend.run(leaseMs === 0 ? 0 : lease, leaseMs === 0 ? 0 : now + leaseMs, key, lease).changes) > 0
  }

  /** Whether a record's time is over. */
  hasExpired(now: number): boolean {
    return this.#expired.some(({ find }) => find.get(now) !== undefined)
  }

  /** Removes some of those whose time is over. */
  sweep(now: number): void {
    for (const { remove } of this.#expired) remove.run(now, expiredPerTurn)
  }

  #put({ record, key, expected, lease, text }: RecordAction, seq: number, now: number): RecordConflict | undefined {
    const statements = this.#of(record)
    const found = this.#find(statements, key, now)
    const kept = found !== undefined && this.#table(record).definition.appendOnly === true
    if (kept || !asExpected(found, expected, lease)) return { record, key }
    for (const { name, find } of statements.unique) {
      const other = find.get({ text, key }) as { key: string; expires: number | null } | undefined
      if (other === undefined) continue
      if (!isOver(other.expires, now)) return { record, key, unique: name }
      statements.remove.run(other.key)
    }
    if (found === undefined) statements.insert.run(key, seq, text)
    else statements.update.run({ text, seq, key, freed: lease === 0 ? 0 : 1 })
    return undefined
  }

  #remove({ record, action, key, expected, lease }: RecordAction, now: number): RecordConflict | undefined {
    const statements = this.#of(record)
    const found = this.#find(statements, key, now)
    if (!asExpected(found, expected, lease)) return { record, key }
    if (found === undefined) return undefined
    if (action === recordActions.retain) this.#permit.run(record)
    statements.remove.run(key)
    if (action === recordActions.retain) this.#forbid.run()
    return undefined
  }

  /** What is there; one whose time is over is removed on sight. */
  #find(statements: Statements, key: string, now: number): Found | undefined {
    const found = statements.find.get(key) as Found | undefined
    if (found === undefined || !isOver(found.expires, now)) return found
    statements.remove.run(key)
    return undefined
  }

  #table(record: string): RecordTable {
    const table = this.#tables.get(record)
    if (table === undefined) throw new Error(`The store was opened without the records ${record}`)
    return table
  }

  #of(record: string): Statements {
    const known = this.#statements.get(record)
    if (known !== undefined) return known
    const made = this.#prepare(this.#table(record))
    this.#statements.set(record, made)
    return made
  }

  #prepare({ table, expires, unique }: RecordTable): Statements {
    const end = expires ?? 'NULL'
    return {
      find: this.#db.prepare(`SELECT seq, lease, ${end} AS expires FROM ${table} WHERE key = ?`),
      insert: this.#db.prepare(`INSERT INTO ${table}(key, seq, value) VALUES (?, ?, ?)`),
      update: this.#db.prepare(
        `UPDATE ${table} SET value = $text, seq = $seq, lease = iif($freed, 0, lease), leased_until = iif($freed, 0, leased_until) WHERE key = $key`,
      ),
      remove: this.#db.prepare(`DELETE FROM ${table} WHERE key = ?`),
      lease: this.#db.prepare(`UPDATE ${table} SET lease = ?, leased_until = ?, takes = takes + 1 WHERE key = ?`),
      extend: this.#db.prepare(`UPDATE ${table} SET lease = ?, leased_until = ? WHERE key = ? AND lease = ?`),
      unique: unique.map(({ name, columns, members, index }) => {
        const equal = columns.map((column, at) => `${column} = json_extract($text, '$.${members[at]}')`).join(' AND ')
        return {
          name,
          find: this.#db.prepare(`SELECT key, ${end} AS expires FROM ${table} INDEXED BY ${index} WHERE ${equal} AND key <> $key`),
        }
      }),
      takes: new Map(),
    }
  }

  /** `sql` is one of few: it has no values in it. */
  #taking(
    record: string,
    { from, where, order }: { readonly from: string; readonly where: string; readonly order: string },
  ): StatementSync {
    const { takes } = this.#of(record)
    const end = this.#table(record).expires ?? 'NULL'
    const sql = `SELECT key, seq, value, takes FROM ${from} WHERE ${where} AND leased_until <= ? AND coalesce(${end} > ?, 1) ORDER BY ${order} LIMIT ?`
    const known = takes.get(sql)
    if (known !== undefined) return known
    const made = this.#db.prepare(sql)
    takes.set(sql, made)
    return made
  }
}

const asExpected = (found: Found | undefined, expected: number, lease: number): boolean => {
  if (lease !== 0 && found?.lease !== lease) return false
  if (expected === anything) return true
  return expected === expectedNone ? found === undefined : found?.seq === expected
}

const isOver = (expires: number | null, now: number): boolean => expires !== null && expires <= now
