import type { DataVersion } from './data-version.ts'

/** Answers kept; beyond it the memory starts anew. */
const keptMax = 50_000

/** An answer and when it holds, ms: from the moment that it was found, and before the nearest moment at which a row begins or ends. */
export type Standing = { readonly stands: boolean; readonly from: number; readonly until: number }

/** Answers to questions about relations as they were found a moment ago, kept while nobody writes and no relation begins or ends. */
export class RelationCache {
  readonly #data: DataVersion
  readonly #standings = new Map<string, Standing>()
  #of = -1

  constructor(data: DataVersion) {
    this.#data = data
  }

  find(key: string, now: number): boolean | undefined {
    this.#compare()
    const kept = this.#standings.get(key)
    return kept !== undefined && kept.from <= now && now < kept.until ? kept.stands : undefined
  }

  /** Called first within a transaction that reads: all that is kept together is of one state. */
  beginReading(): void {
    this.#data.doubt()
    this.#compare()
  }

  keep(key: string, standing: Standing): void {
    if (this.#standings.size >= keptMax) this.#standings.clear()
    this.#standings.set(key, standing)
  }

  #compare(): void {
    const version = this.#data.now()
    if (version !== this.#of) this.#standings.clear()
    this.#of = version
  }
}
