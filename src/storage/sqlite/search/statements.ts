import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Sql } from './sql.ts'

const statementsMax = 500

/** Prepared statements by their text, the least recently used given up first. */
export class Statements {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  all({ text, values }: Sql): readonly Readonly<Record<string, unknown>>[] {
    return this.#prepare(text).all(...values)
  }

  get({ text, values }: Sql): Readonly<Record<string, unknown>> | undefined {
    return this.#prepare(text).get(...values)
  }

  #prepare(text: string): StatementSync {
    const known = this.#prepared.get(text)
    if (known) {
      this.#prepared.delete(text)
      this.#prepared.set(text, known)
      return known
    }
    const made = this.#db.prepare(text)
    this.#prepared.set(text, made)
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size > statementsMax && oldest !== undefined) this.#prepared.delete(oldest)
    return made
  }
}
