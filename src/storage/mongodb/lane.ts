import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientSession } from 'mongodb'
import type { Database } from './database.ts'
import { Away, isConflict, isKnownCommit, isTransient } from './failures.ts'
import type { SequenceSource } from './sequence-source.ts'
import { Fenced, type Slot, type SlotDocument, type Slots } from './slots.ts'

/** One try of a transaction: what its work may use. */
export type Turn = {
  readonly session: ClientSession
  /** Number of the slot it writes by. */
  readonly slot: number
  /** `n` rising seqs, in a later millisecond than `newest`. */
  take(n: number, newest: number): number[]
  /** Live instances of the shape, more or fewer. */
  count(shape: number, by: 1 | -1): void
  /** Something was written: without it there is nothing to commit. */
  changed: boolean
}

/** Others wrote the same at the same time, again and again: fewer plans at once would have better chances. */
export class Crowded extends Error {
  constructor() {
    super('Too many others write the same')
    this.name = 'Crowded'
  }
}

/** How long it is tried to learn what became of a commit, beyond the time for trying. */
const resolveMs = 20_000
const pauseMsMax = 250

/** Spread out, so that those who met once do not meet again. */
const pause = (attempt: number): Promise<void> => sleep(Math.random() * Math.min(pauseMsMax, 4 * 2 ** attempt))

/**
 * One row of transactions, by a writer slot of its own. A transaction is tried until it is committed, until its work fails for a reason of its own, or
 * until the time is over: elections and conflicts are waited out, and what became of a commit is found out before anything is said of it.
 * @see https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md
 */
export class Lane {
  readonly #database: Database
  readonly #slots: Slots
  readonly #slot: Slot
  readonly #source: SequenceSource
  readonly #session: ClientSession
  /** Another node took the slot away. */
  #fenced = false

  constructor(database: Database, slots: Slots, slot: Slot, source: SequenceSource) {
    this.#database = database
    this.#slots = slots
    this.#slot = slot
    this.#source = source
    this.#session = slot.session
  }

  /**
   * What `work` returned in the try that was committed. `prepare` runs before each try, outside of the transaction. Throws `Away` when `endsAtMs`
   * (of performance.now) passes, `Crowded` after so many conflicts.
   */
  async run<T>(
    work: (turn: Turn) => Promise<T>,
    {
      endsAtMs,
      conflictsMax,
      prepare,
    }: { readonly endsAtMs: number; readonly conflictsMax?: number; readonly prepare?: () => Promise<void> },
  ): Promise<T> {
    let conflicts = 0
    await this.#slots.begin(this.#slot)
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          if (this.#fenced) await this.#renew()
          await prepare?.()
          return await this.#try(work, endsAtMs)
        } catch (error) {
          if (!isTransient(error)) throw error
          if (performance.now() >= endsAtMs) throw new Away(error)
          if (isConflict(error) && ++conflicts === conflictsMax) throw new Crowded()
          this.#fenced ||= error instanceof Fenced
          await pause(attempt)
        }
      }
    } finally {
      this.#slots.end(this.#slot)
    }
  }

  async #try<T>(work: (turn: Turn) => Promise<T>, endsAtMs: number): Promise<T> {
    const shapes = new Map<number, number>()
    const before = this.#source.last
    const turn: Turn = {
      session: this.#session,
      slot: this.#slot.number,
      take: (n, newest) => this.#source.take(this.#slot.number, n, newest),
      count: (shape, by) => void shapes.set(shape, (shapes.get(shape) ?? 0) + by),
      changed: false,
    }
    this.#session.startTransaction({ readConcern: { level: 'snapshot' } })
    let value: T
    let bound: number
    try {
      value = await work(turn)
      if (!turn.changed) {
        await this.#session.abortTransaction()
        return value
      }
      // Every group's promise is another one, by which it is known again.
      if (this.#source.last === before) turn.take(1, 0)
      bound = this.#source.last + 1
      await this.#slots.touch(this.#slot, { bound, shapes }, this.#session)
    } catch (error) {
      await this.#abort()
      throw error
    }
    await this.#commit(bound, endsAtMs)
    return value
  }

  /** Throws a transient error when nothing was written, `Away` when that cannot be learnt. */
  async #commit(bound: number, endsAtMs: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#session.commitTransaction()
      } catch (error) {
        if (isKnownCommit(error)) throw error
        if (performance.now() >= endsAtMs) return this.#resolve(bound, error)
        await pause(attempt)
      }
    }
  }

  /**
   * The group's promise stands in its slot if and only if the group was committed. A new transaction of the same session ends one that was not, so
   * what is read in it is final, and once it is committed a majority has all that it saw.
   */
  async #resolve(bound: number, unknown: unknown): Promise<void> {
    const { number, epoch } = this.#slot
    const slots = this.#database.collections.own<SlotDocument>('slots')
    for (let attempt = 0, endsAtMs = performance.now() + resolveMs; performance.now() < endsAtMs; attempt++) {
      try {
        this.#session.startTransaction({ readConcern: { level: 'snapshot' } })
        const found = await slots.findOneAndUpdate(
          { _id: number, epoch },
          { $currentDate: { at: true } },
          { session: this.#session, returnDocument: 'after' },
        )
        await this.#session.commitTransaction()
        if (found !== null && Number(found.bound) === bound) return
        break
      } catch {
        await this.#abort()
        await pause(attempt + 4)
      }
    }
    throw new Away(unknown)
  }

  async #abort(): Promise<void> {
    if (this.#session.inTransaction()) await this.#session.abortTransaction().catch(() => undefined)
  }

  async #renew(): Promise<void> {
    await this.#slots.renew(this.#slot)
    this.#source.rise(this.#slots.floor)
    this.#fenced = false
  }
}
