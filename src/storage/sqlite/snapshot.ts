import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Clock } from '../../base/clock.ts'
import type { Snapshot } from '../port.ts'
import { type Cells, nothing } from './cells.ts'
import { inOneState } from './connection.ts'

/**
 * The snapshots that pages may still be read from. A snapshot is the seq of the last commit; its token is that number.
 * Searches register one each, thousands a second, so only the oldest of every second is kept: that is all the sweeper must know.
 */
export class Snapshots {
  readonly #clock: Clock
  readonly #lifetimeMs: number
  readonly #cells: Cells
  readonly #db: DatabaseSync
  readonly #newest: StatementSync
  /** In order of time and seq, one per second, at most as many as the lifetime has seconds. */
  readonly #oldest: { readonly second: number; readonly seq: number }[] = []

  /** Cursors given out before a restart live on: nothing that ended after what was swept then goes before their time is over. */
  constructor(db: DatabaseSync, cells: Cells, clock: Clock, lifetimeMs: number) {
    this.#db = db
    this.#clock = clock
    this.#lifetimeMs = lifetimeMs
    this.#cells = cells
    // What was erased may have been the newest; the sequence noted then lies beyond it.
    this.#newest = db.prepare(
      "SELECT max(coalesce((SELECT max(seq) FROM version), 0), coalesce((SELECT value FROM setting WHERE name = 'sequence'), 0)) AS seq",
    )
    if (this.#lastCommit() > 0) this.#keep(Math.floor(clock() / 1000), cells.swept.get())
    this.#publish()
  }

  /** The state of the last commit, held still until the lifetime is over, and what is read from it in the transaction that found it. */
  register<T>(read: (snapshot: Snapshot) => T): T {
    for (;;) {
      const registered = inOneState(this.#db, () => {
        const now = this.#clock()
        this.expire(now)
        const seq = this.#lastCommit()
        this.#keep(Math.floor(now / 1000), seq)
        // The sweeper may have passed this state before it saw the registration; the one after it is safe (sweep.ts).
        return this.#cells.swept.get() > seq ? undefined : { value: read({ token: String(seq), at: now }) }
      })
      if (registered) return registered.value
    }
  }

  /** Lets go of snapshots whose time is over. Returns whether the sweeper got more room. */
  expire(now: number): boolean {
    let expired = 0
    while (this.#isOver(this.#oldest[expired], now)) expired++
    if (expired === 0) return false
    this.#oldest.splice(0, expired)
    this.#publish()
    return true
  }

  #isOver(bucket: { readonly second: number } | undefined, now: number): boolean {
    return bucket !== undefined && (bucket.second + 1) * 1000 + this.#lifetimeMs <= now
  }

  #keep(second: number, seq: number): void {
    const last = this.#oldest.at(-1)
    if (last !== undefined && last.second >= second) return
    this.#oldest.push({ second, seq })
    if (this.#oldest.length === 1) this.#publish()
  }

  #publish(): void {
    this.#cells.floor.set(this.#oldest[0]?.seq ?? nothing)
  }

  #lastCommit(): number {
    return (this.#newest.get()?.seq as number | null) ?? 0
  }
}

/** The seq of a snapshot, or undefined when the token is none of ours. */
export const seqOf = (snapshot: Snapshot): number | undefined => {
  const seq = Number(snapshot.token)
  return Number.isSafeInteger(seq) && seq >= 0 ? seq : undefined
}
