import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Ids of blobs: their numbers, but for those that came from another store and go by the id they had there. */
export class BlobNames {
  readonly #named: StatementSync
  readonly #isNamed: StatementSync

  constructor(db: DatabaseSync) {
    this.#named = db.prepare('SELECT b FROM blob_name WHERE name = ?')
    this.#isNamed = db.prepare('SELECT 1 FROM blob_name WHERE b = ?')
  }

  /** Undefined for what is no id of ours. There may be no such blob any more. */
  numberOf(id: string): number | undefined {
    const named = this.named(id)
    if (named !== undefined) return named
    const b = Number(id)
    return isNumber(id) && this.#isNamed.get(b) === undefined ? b : undefined
  }

  /** Number of a blob that came from another store. */
  named(id: string): number | undefined {
    return this.#named.get(id)?.b as number | undefined
  }
}

/** Whether a blob of this store could have it as its id. */
export const isNumber = (id: string): boolean => /^[1-9]\d*$/.test(id) && Number.isSafeInteger(Number(id))
