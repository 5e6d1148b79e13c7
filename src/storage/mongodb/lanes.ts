const groupPlansMax = 64
const groupWeightMax = 2_000
/** Where several lanes are free what waits is shared among them, for MongoDB does several things at once; but less than this is not worth a transaction. */
const shareWeightMin = 16
/** Larger plans wait in a lane of their own, so that small ones overtake them. */
const smallWeightMax = 500
/** But a large one gets its turn at least so often. */
const largeEveryMs = 250

/** What waits; `weight` in versions, roughly. `alone`: it is a group of its own. */
export type Waits = { readonly weight: number; readonly alone?: boolean }

export const isLarge = ({ weight, alone }: Waits): boolean => alone === true || weight > smallWeightMax

/** The plans that may be written at once, for none shares anything with another, and which of them come next. */
export class Lanes<T extends Waits> {
  readonly #small: T[] = []
  readonly #large: T[] = []
  #smallWeight = 0
  #largeAtMs = Number.NEGATIVE_INFINITY

  get isEmpty(): boolean {
    return this.#small.length === 0 && this.#large.length === 0
  }

  add(one: T): void {
    if (isLarge(one)) {
      this.#large.push(one)
      return
    }
    this.#small.push(one)
    this.#smallWeight += one.weight
  }

  /**
   * The next group: what gathered meanwhile, or one large plan when its turn has come. Empty when only large ones wait and none may be. `lanesFree`:
   * among so many it is shared.
   */
  next(nowMs: number, mayBeLarge = true, lanesFree = 1): readonly T[] {
    if (mayBeLarge && this.#large.length > 0 && (this.#small.length === 0 || nowMs - this.#largeAtMs >= largeEveryMs)) {
      this.#largeAtMs = nowMs
      return this.#large.splice(0, 1)
    }
    const weightMax = Math.min(groupWeightMax, Math.max(shareWeightMin, Math.ceil(this.#smallWeight / lanesFree)))
    let weight = 0
    let plans = 0
    for (; plans < this.#small.length && plans < groupPlansMax; plans++) {
      const more = this.#small[plans]?.weight ?? 0
      if (plans > 0 && weight + more > weightMax) break
      weight += more
    }
    this.#smallWeight -= weight
    return this.#small.splice(0, plans)
  }
}
