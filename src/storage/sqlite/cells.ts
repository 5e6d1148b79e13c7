/** Sequence numbers that the HTTP thread and the writer thread read and write at any time. */
export type Cells = { readonly floor: Cell; readonly swept: Cell }

export type Cell = { get(): number; set(value: number): void }

export const nothing = Number.MAX_SAFE_INTEGER

export const cellsBuffer = (): SharedArrayBuffer => new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)

/** `floor`: seq of the oldest snapshot still alive (`nothing` without any). `swept`: entries that ended up to here may be gone. */
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
