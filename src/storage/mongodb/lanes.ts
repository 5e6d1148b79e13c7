const groupPlansMax = 64
const groupWeightMax = 2_000
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
  #largeAtMs = Number.NEGATIVE_INFINITY

  get isEmpty(): boolean {
    return this.#small.length === 0 && this.#large.length === 0
  }

  add(one: T): void {
    if (isLarge(one)) this.#large.push(one)
    else this.#small.push(one)
  }

  /** The next group: whatever gathered meanwhile, or one large plan when its turn has come. Empty when only large ones wait and none may be. */
  next(nowMs: number, mayBeLarge = true): readonly T[] {
    if (mayBeLarge && this.#large.length > 0 && (this.#small.length === 0 || nowMs - this.#largeAtMs >= largeEveryMs)) {
      this.#largeAtMs = nowMs
      return this.#large.splice(0, 1)
    }
    let weight = 0
    let plans = 0
    while (plans < this.#small.length && plans < groupPlansMax) {
      weight += this.#small[plans]?.weight ?? 0
      if (weight > groupWeightMax && plans > 0) break
      plans++
    }
    return this.#small.splice(0, plans)
  }
}
