import type { MongoBlobs } from './blobs.ts'
import type { RecordKeeper } from './records.ts'

const everyMs = 30_000
/** Rounds in a row, so that a node that closes is not kept waiting. */
const roundsMax = 50

/** Removes records and blobs whose time is over, some at a time and beside the transactions. Each node does; what one finds gone was another's. */
export class Expiry {
  readonly #records: RecordKeeper
  readonly #blobs: MongoBlobs
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #closed = false

  constructor(records: RecordKeeper, blobs: MongoBlobs) {
    this.#records = records
    this.#blobs = blobs
    // What a cut connection hindered is done the next time.
    this.#timer = setInterval(() => void this.sweep().catch(() => undefined), everyMs).unref()
  }

  /** All that there is to remove now. */
  sweep(): Promise<void> {
    this.#running ??= this.#sweep().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#running?.catch(() => undefined)
  }

  async #sweep(): Promise<void> {
    for (let round = 0; round < roundsMax && !this.#closed; round++) {
      const more = await Promise.all([this.#records.sweep(), this.#blobs.sweep()])
      if (!more.includes(true)) return
    }
  }
}
