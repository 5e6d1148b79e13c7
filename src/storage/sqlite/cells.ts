import { firstSeqOf } from '../sequence.ts'

/**
 * What the sweeper must know of the snapshots, and they of it. `floor`: seq of the oldest snapshot still alive (`nothing` without any).
 * `swept`: entries that ended up to here may be gone.
 */
export type Cells = { readonly floor: Cell; readonly swept: Cell }

export type Cell = { get(): number; set(value: number): void }

export const nothing = Number.MAX_SAFE_INTEGER

export const cellsBuffer = (): SharedArrayBuffer => new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)

/** One process: sequence numbers that the HTTP thread and the writer thread read and write at any time. */
export const cellsOf = (buffer: SharedArrayBuffer): Cells => {
  const numbers = new BigInt64Array(buffer)
  const cell = (at: number): Cell => ({
    get: () => Number(Atomics.load(numbers, at)),
    set: value => {
      Atomics.store(numbers, at, BigInt(value))
    },
  })
  return { floor: cell(0), swept: cell(1) }
}

/** A snapshot is used some time after it is taken, by another process than the one that took it for example. */
const marginMs = 5_000

/**
 * Several processes: the writer asks nobody. Whoever took a snapshot may use it for its lifetime, and needs what ended after it was taken;
 * so what ended longer ago than a snapshot lives, nobody needs.
 */
export const cellsByAge = (now: () => number, lifetimeMs: number): Cells => ({
  floor: { get: () => Math.max(0, firstSeqOf(now() - lifetimeMs - marginMs)), set: () => undefined },
  swept: ownCell(0),
})

/** The other side of it: nobody reads what a process that only reads tells; up to where was swept stands in the file. */
export const cellsOfReader = (): Cells => ({ floor: ownCell(nothing), swept: ownCell(0) })

const ownCell = (start: number): Cell => {
  let value = start
  return {
    get: () => value,
    set: given => {
      value = given
    },
  }
}
