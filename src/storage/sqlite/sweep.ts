import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Cells } from './cells.ts'
import type { Values } from './values.ts'

/** Superseded versions whose entries may stay for snapshots; beyond it the oldest snapshots expire. */
const deadMax = 1_000_000
/** Versions swept in one turn of the writer: at least so many, and twice as many as the turn superseded, so that sweeping keeps up. */
const sweptPerTurn = 64

/**
 * Removes the entries of versions that ended at or before the oldest snapshot. Runs inside the writer's transactions.
 *
 * Race: a reader registers a snapshot while this sweeps. Both publish first and look second (`swept` here, `floor` in snapshot.ts),
 * so that at least one of them sees the other: the sweeper then stops short, or the reader takes a newer state.
 */
export class Sweeper {
  readonly #values: Values
  readonly #cells: Cells
  readonly #select: StatementSync
  readonly #remove: StatementSync
  readonly #note: StatementSync
  #dead = 0
  #removed = 0

  constructor(db: DatabaseSync, values: Values, cells: Cells) {
    this.#values = values
    this.#cells = cells
    this.#select = db.prepare('SELECT seq, until FROM dead WHERE until <= ? ORDER BY until LIMIT ?')
    this.#remove = db.prepare('DELETE FROM dead WHERE seq = ?')
    this.#note = db.prepare("INSERT INTO setting(name, value) VALUES ('swept', ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value")
    this.recount(db)
  }

  get dead(): number {
    return this.#dead
  }

  /** The transaction that superseded so many versions, and swept, was committed. */
  committed(superseded: number): void {
    this.#dead += superseded - this.#removed
    this.#removed = 0
  }

  /** Nothing was swept. That `swept` was published too far harms no living snapshot: it never passes the floor. */
  rolledBack(): void {
    this.#removed = 0
  }

  /** At the start, and when another process wrote to the file. */
  recount(db: DatabaseSync): void {
    this.#dead = db.prepare('SELECT count(*) AS n FROM dead').get()?.n as number
    this.#cells.swept.set(Math.max(this.#cells.swept.get(), sweptOf(db)))
  }

  /** Snapshots from before `seq` have expired: versions appeared among what they see. Inside the transaction; after it `recount` tells the readers. */
  expire(seq: number): void {
    this.#note.run(Math.max(seq, this.#cells.swept.get()))
  }

  /** Whether anything may be swept up to the last commit. */
  hasWork(lastCommitted: number): boolean {
    return this.#dead > 0 && this.#select.get(this.#bound(lastCommitted), 1) !== undefined
  }

  /** Sweeps some versions that ended up to `lastCommitted`, the last seq committed before this transaction. */
  sweep(lastCommitted: number, superseded = 0): void {
    if (this.#dead === 0) return
    const rows = this.#select.all(this.#bound(lastCommitted), Math.max(sweptPerTurn, 2 * superseded))
    const reached = rows.at(-1)?.until as number | undefined
    if (reached === undefined) return
    const before = this.#cells.swept.get()
    this.#cells.swept.set(Math.max(reached, before))
    if (this.#bound(lastCommitted) < reached) {
      this.#cells.swept.set(before)
      return
    }
    for (const row of rows) {
      this.#values.remove(row.seq as number)
      this.#remove.run(row.seq as number)
    }
    this.#removed = rows.length
    this.#note.run(Math.max(reached, before))
  }

  #bound(lastCommitted: number): number {
    return this.#dead > deadMax ? lastCommitted : Math.min(lastCommitted, this.#cells.floor.get())
  }
}

/** Entries that ended up to this seq may be gone: snapshots below it have expired. */
export const sweptOf = (db: DatabaseSync): number =>
  (db.prepare("SELECT value FROM setting WHERE name = 'swept'").get()?.value as number | undefined) ?? 0
