import type { DatabaseSync, StatementSync } from 'node:sqlite'

/**
 * Whether anything was committed since: SQLite tells whether another connection (the writer's thread, another process) has written. Where this
 * process hears of every acknowledgement before anybody else, that is asked once a turn of the event loop, and again after each; else before every
 * read (1.4 µs), so that a read sees all that was acknowledged before it.
 * @see https://sqlite.org/pragma.html#pragma_data_version
 */
export class DataVersion {
  readonly #select: StatementSync
  readonly #hearsAll: boolean
  #seen = -1
  #trusted = false
  readonly #doubt = (): void => {
    this.#trusted = false
  }

  constructor(db: DatabaseSync, hearsAll: boolean) {
    this.#hearsAll = hearsAll
    this.#select = db.prepare('PRAGMA data_version')
    this.#select.setReturnArrays(true)
  }

  /** The same number as long as nobody wrote. */
  now(): number {
    return this.#trusted ? this.#seen : this.#look()
  }

  /** Something was written: ask again before the next read. */
  doubt(): void {
    this.#trusted = false
  }

  #look(): number {
    const [now] = this.#select.get() as unknown as [number] // setReturnArrays makes rows arrays
    this.#seen = now
    this.#trusted = this.#hearsAll
    if (this.#hearsAll) setImmediate(this.#doubt)
    return now
  }
}
