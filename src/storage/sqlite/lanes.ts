import type { WaitingPlan } from './commit.ts'

const groupPlansMax = 64
const groupWeightMax = 2_000
/** Larger plans wait in a lane of their own, so that small ones overtake them. */
const smallWeightMax = 500
/** But a large one gets its turn at least so often. */
const largeEveryMs = 250

/** The plans that wait, and which of them are committed next. Bounded by whoever sends them (writer-link.ts). */
export class Lanes<P extends WaitingPlan = WaitingPlan> {
  readonly #small: P[] = []
  readonly #large: P[] = []
  #largeAtMs = 0

  get isEmpty(): boolean {
    return this.#small.length === 0 && this.#large.length === 0
  }

  add(plan: P): void {
    if (plan.weight > smallWeightMax) this.#large.push(plan)
    else this.#small.push(plan)
  }

  /** The next group: whatever gathered meanwhile, or one large plan when its turn has come. */
  next(nowMs: number): readonly P[] {
    if (this.#large.length > 0 && (this.#small.length === 0 || nowMs - this.#largeAtMs >= largeEveryMs)) {
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
