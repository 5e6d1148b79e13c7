import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { StoredVersion } from '../port.ts'

/** What the texts kept may hold in memory; beyond it the memory starts anew. */
const keptBytesMax = 16 * 1024 * 1024

/**
 * Newest versions as they were read a moment ago, kept while nobody writes. SQLite says whether another connection (the writer's thread,
 * another process) has committed. Where this process hears of every acknowledgement before anybody else, that is asked once a turn of the
 * event loop, and again after each; else before every read (1.4 µs), so that a read sees all that was acknowledged before it.
 * @see https://sqlite.org/pragma.html#pragma_data_version
 */
export class NewestCache {
  readonly #dataVersion: StatementSync
  readonly #hearsAll: boolean
  readonly #versions = new Map<string, StoredVersion>()
  #seen = -1
  #bytes = 0
  #trusted = false
  readonly #doubt = (): void => {
    this.#trusted = false
  }

  constructor(db: DatabaseSync, hearsAll: boolean) {
    this.#hearsAll = hearsAll
    this.#dataVersion = db.prepare('PRAGMA data_version')
    this.#dataVersion.setReturnArrays(true)
  }

  find(key: string): StoredVersion | undefined {
    if (!this.#trusted) this.#look()
    return this.#versions.get(key)
  }

  keep(key: string, version: StoredVersion): void {
    this.#bytes += version.text.length + key.length
    if (this.#bytes > keptBytesMax) this.#forget()
    this.#versions.set(key, version)
  }

  /** Something was written: ask again before the next read. */
  doubt(): void {
    this.#trusted = false
  }

  #look(): void {
    const [now] = this.#dataVersion.get() as unknown as [number] // setReturnArrays makes rows arrays
    if (now !== this.#seen) this.#forget()
    this.#seen = now
    this.#trusted = this.#hearsAll
    if (this.#hearsAll) setImmediate(this.#doubt)
  }

  #forget(): void {
    this.#versions.clear()
    this.#bytes = 0
  }
}
