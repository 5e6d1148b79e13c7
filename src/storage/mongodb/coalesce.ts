/** Questions in one batch, where nothing else is said. */
const batchSize = 64
/** Batches under way at once. While so many are, further questions gather: the busier the database, the larger the batches. */
const underWayMax = 4

type Waiting<V> = {
  readonly key: string
  readonly resolve: (value: V | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Questions of concurrent callers, asked together: what comes in during one turn of the event loop is one batch. A batch begins
 * after all its callers asked, so each sees what was acknowledged before its own question.
 */
export class Coalescing<V> {
  readonly #ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>
  readonly #batchMax: number
  #waiting: Waiting<V>[] = []
  #underWay = 0
  #scheduled = false

  /** `ask` answers each key it finds something for; keys in one batch differ. */
  constructor(ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>, batchMax: number = batchSize) {
    this.#ask = ask
    this.#batchMax = batchMax
  }

  one(key: string): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#waiting.length >= this.#batchMax) this.#flush()
      else this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#underWay < underWayMax) void this.#batch(this.#waiting.splice(0, this.#batchMax))
  }

  async #batch(batch: readonly Waiting<V>[]): Promise<void> {
    this.#underWay++
    try {
      const found = await this.#ask([...new Set(batch.map(({ key }) => key))])
      for (const { key, resolve } of batch) resolve(found.get(key))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      this.#underWay--
      // Whoever was just answered may ask again in this very turn.
      if (this.#waiting.length > 0) this.#schedule()
    }
  }
}
