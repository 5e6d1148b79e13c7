import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Sql } from './sql.ts'

const statementsMax = 500

/** A row as its columns, in the order of the statement: cheaper than an object with their names. */
export type Columns = readonly unknown[]

/** Prepared statements by their text, the least recently used given up first. */
export class Statements {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** The casts: setReturnArrays makes rows arrays, which the types of node:sqlite do not know. */
  rows({ text, values }: Sql): readonly Columns[] {
    return this.#prepare(text).all(...values) as unknown as Columns[]
  }

  row({ text, values }: Sql): Columns | undefined {
    return this.#prepare(text).get(...values) as Columns | undefined
  }

  #prepare(text: string): StatementSync {
    const known = this.#prepared.get(text)
    if (known) {
      this.#prepared.delete(text)
      this.#prepared.set(text, known)
      return known
    }
    const made = this.#db.prepare(text)
    made.setReturnArrays(true)
    this.#prepared.set(text, made)
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size > statementsMax && oldest !== undefined) this.#prepared.delete(oldest)
    return made
  }
}
