import type { Clock } from '../../base/clock.ts'
import { firstSeqOf, msOfSeq } from '../sequence.ts'

/** Of the 4,096 seqs of a millisecond each of 64 slots has 64. */
const perMs = 4096
const perSlot = 64

/**
 * Gives sequence numbers to all lanes of the process, each numbering with the slot it writes by: never one twice, never a lower one,
 * whatever the clock does. Other processes have other slots, so theirs are others.
 */
export class SequenceSource {
  readonly #clock: Clock
  #last: number

  /** `last`: nothing up to here is given. */
  constructor(clock: Clock, last = 0) {
    this.#clock = clock
    this.#last = last
  }

  get last(): number {
    return this.#last
  }

  /** `n` rising numbers of the slot, all in a later millisecond than `newest`: no instance has two versions in one. */
  take(slot: number, n: number, newest: number): number[] {
    const taken: number[] = []
    if (n === 0) return taken
    let next = this.#firstOf(slot, newest)
    while (taken.length < n) {
      taken.push(next)
      next = next % perSlot === perSlot - 1 ? next + 1 - perSlot + perMs : next + 1
    }
    this.#last = taken.at(-1) as number
    return taken
  }

  /** Steps beyond everything given: no number below the one returned will be given any more, and all given lie in earlier milliseconds. */
  close(): number {
    const next = Math.max(firstSeqOf(this.#clock()), firstSeqOf(msOfSeq(this.#last) + 1))
    this.#last = next - 1
    return next
  }

  /** On to what was loaded, or what others gave. */
  rise(last: number): void {
    this.#last = Math.max(this.#last, last)
  }

  #firstOf(slot: number, newest: number): number {
    const least = Math.max(firstSeqOf(this.#clock()), this.#last + 1, newest > 0 ? firstSeqOf(msOfSeq(newest) + 1) : 0)
    const own = least - (least % perMs) + slot * perSlot
    if (least <= own) return own
    return least < own + perSlot ? least : own + perMs
  }
}
