/**
 * How a key is needed: `own`, alone; `asks` and `writes`, together with those who do the same but never with the other.
 * So plans that ask for what others write come after these or before, and two that only ask, or only write, do not wait for each other.
 */
export type Mode = 'own' | 'asks' | 'writes'
export type Keys = ReadonlyMap<string, Mode>

type Passing<T> = { readonly item: T; readonly keys: Keys; left: number }
/** Who holds a key, and who waits for it, in the order they came. */
type Gate<T> = { mode: Mode; holders: number; readonly waiting: { readonly one: Passing<T>; readonly mode: Mode }[]; at: number }

/** How many that have passed may stand in the list of a key: taking each out by itself would move all the others. */
const passedMax = 1_000

/** Lets items through whose keys are free; those that share one pass in the order they came. The work for one is as long as its keys are many. */
export class Turnstile<T extends object> {
  readonly #gates = new Map<string, Gate<T>>()
  readonly #passing = new Map<T, Passing<T>>()
  readonly #ready: (item: T) => void

  /** `ready` is told of each item once, when it has all its keys. */
  constructor(ready: (item: T) => void) {
    this.#ready = ready
  }

  add(item: T, keys: Keys): void {
    const one = { item, keys, left: 0 }
    this.#passing.set(item, one)
    for (const [key, mode] of keys) if (!this.#enter(key, mode, one)) one.left++
    if (one.left === 0) this.#ready(item)
  }

  /** The item is done: its keys go to those who wait for them. */
  done(item: T): void {
    const keys = this.#passing.get(item)?.keys ?? []
    this.#passing.delete(item)
    for (const [key] of keys) this.#leave(key)
  }

  #enter(key: string, mode: Mode, one: Passing<T>): boolean {
    const gate = this.#gates.get(key)
    if (gate === undefined) {
      this.#gates.set(key, { mode, holders: 1, waiting: [], at: 0 })
      return true
    }
    if (gate.waiting.length === 0 && gate.mode === mode && mode !== 'own') {
      gate.holders++
      return true
    }
    gate.waiting.push({ one, mode })
    return false
  }

  #leave(key: string): void {
    const gate = this.#gates.get(key)
    if (gate === undefined || --gate.holders > 0) return
    const next = gate.waiting[gate.at]
    if (next === undefined) {
      this.#gates.delete(key)
      return
    }
    gate.mode = next.mode
    for (let first = true; first || (gate.mode !== 'own' && gate.waiting[gate.at]?.mode === gate.mode); first = false) this.#admit(gate)
    // Where somebody always waits the list would grow for ever.
    if (gate.at < passedMax && gate.at < gate.waiting.length) return
    gate.waiting.splice(0, gate.at)
    gate.at = 0
  }

  #admit(gate: Gate<T>): void {
    const { one } = gate.waiting[gate.at++] as Gate<T>['waiting'][number] // asked for only where somebody waits
    gate.holders++
    if (--one.left === 0) this.#ready(one.item)
  }
}
