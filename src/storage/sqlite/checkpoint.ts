import type { DatabaseSync, StatementSync } from 'node:sqlite'

const MiB = 1024 * 1024
/** In a quiet moment from here on … */
const quietBytes = 64 * MiB
/** … and between two groups, however many wait, from here on. */
const forcedBytes = 256 * MiB

/** The write-ahead log: how long it is and when it flows back into the file. Only the writer does that, so readers never pay for it. */
export class Checkpoints {
  readonly #db: DatabaseSync
  readonly #look: StatementSync
  readonly #pageBytes: number
  #bytes = 0

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#look = db.prepare('PRAGMA wal_checkpoint(NOOP)')
    this.#pageBytes = db.prepare('PRAGMA page_size').get()?.page_size as number
  }

  /** Bytes of the log, as last seen. */
  get bytes(): number {
    return this.#bytes
  }

  /** Between two groups. Readers go on; what one of them still needs is left for the next time. */
  consider(quiet: boolean): void {
    const pending = this.#pending(this.#look.get())
    if (pending < quietBytes || (!quiet && pending < forcedBytes)) return
    this.#pending(this.#db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get())
  }

  /** Before closing: the file alone holds everything. */
  finish(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  #pending(row: Record<string, unknown> | undefined): number {
    const [log, done] = [row?.log as number, row?.checkpointed as number]
    this.#bytes = Math.max(0, log) * this.#pageBytes
    return Math.max(0, log - done) * this.#pageBytes
  }
}
