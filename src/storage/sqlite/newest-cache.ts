import type { StoredVersion } from '../port.ts'
import type { DataVersion } from './data-version.ts'

/** What the texts kept may hold in memory; beyond it the memory starts anew. */
const keptBytesMax = 16 * 1024 * 1024

/** Newest versions as they were read a moment ago, kept while nobody writes. */
export class NewestCache {
  readonly #data: DataVersion
  readonly #versions = new Map<string, StoredVersion>()
  #of = -1
  #bytes = 0

  constructor(data: DataVersion) {
    this.#data = data
  }

  find(key: string): StoredVersion | undefined {
    const now = this.#data.now()
    if (now !== this.#of) this.#forget()
    this.#of = now
    return this.#versions.get(key)
  }

  keep(key: string, version: StoredVersion): void {
    this.#bytes += version.text.length + key.length
    if (this.#bytes > keptBytesMax) this.#forget()
    this.#versions.set(key, version)
  }

  #forget(): void {
    this.#versions.clear()
    this.#bytes = 0
  }
}
