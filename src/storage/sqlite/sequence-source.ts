import { firstSeqOf, msOfSeq } from '../sequence.ts'

/** Gives sequence numbers to the one writer: never one twice, never a lower one, whatever the clock does. */
export class SequenceSource {
  #last: number
  #nowMs = 0

  /** `last`: the greatest number ever given. */
  constructor(last: number) {
    this.#last = last
  }

  get last(): number {
    return this.#last
  }

  /** ms, as the clock of the thread that owns it last said. */
  get now(): number {
    return this.#nowMs
  }

  /** What the clock says, as told by the thread that owns it. */
  tell(nowMs: number): void {
    this.#nowMs = nowMs
  }

  /** The first of `n` consecutive numbers, all in a later millisecond than `newest`: no instance has two versions in one. */
  take(n: number, newest: number): number {
    const first = Math.max(firstSeqOf(this.#nowMs), this.#last + 1, newest > 0 ? firstSeqOf(msOfSeq(newest) + 1) : 0)
    this.#last = first + n - 1
    return first
  }

  /** Steps beyond everything given and returns the millisecond up to which no number will be given any more. */
  close(): number {
    const next = Math.max(firstSeqOf(this.#nowMs), firstSeqOf(msOfSeq(this.#last) + 1))
    this.#last = next - 1
    return msOfSeq(next) - 1
  }

  /** On to what was loaded, or what another process gave. */
  reset(last: number): void {
    this.#last = last
  }
}
