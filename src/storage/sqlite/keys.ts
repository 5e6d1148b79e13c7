/**
 * The record of a version's index entries (`live.keys`): what is needed to find each row again without extracting from the resource.
 * Tables with an index by seq (dat, num, ref, pat) are recorded as a count of rows; the others by their keys.
 * Unsigned LEB128 numbers, texts led by their length in bytes, little-endian doubles.
 */
export type Keys = {
  readonly own: readonly string[]
  readonly aut: readonly string[]
  readonly tok: readonly (readonly [p: number, code: string])[]
  readonly str: readonly (readonly [p: number, v: string])[]
  readonly cmp: readonly (readonly [p: number, k: string, lo: number, hi: number])[]
  readonly cms: readonly (readonly [p: number, k: string, v: string])[]
  readonly counts: { readonly pat: number; readonly dat: number; readonly num: number; readonly ref: number }
}

/** Writes one record after another into a buffer it owns; the bytes it gives are valid until the next record. */
export class KeysWriter {
  #bytes = Buffer.alloc(16 * 1024)
  #at = 0

  start(): void {
    this.#at = 0
  }

  number(n: number): void {
    this.#room(8)
    let rest = n
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text)
    this.number(bytes)
    this.#room(bytes)
    this.#at += this.#bytes.write(text, this.#at)
  }

  double(n: number): void {
    this.#room(8)
    this.#at = this.#bytes.writeDoubleLE(n, this.#at)
  }

  end(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#at + bytes))
    this.#bytes.copy(larger)
    this.#bytes = larger
  }
}

export const readKeys = (bytes: Uint8Array): Keys => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const number = (): number => {
    let n = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = buffer.readUInt8(at++)
      n += (byte & 127) * scale
      if (byte < 128) return n
    }
  }
  const text = (): string => {
    const length = number()
    at += length
    return buffer.toString('utf8', at - length, at)
  }
  const double = (): number => {
    at += 8
    return buffer.readDoubleLE(at - 8)
  }
  const list = <T>(read: () => T): T[] => Array.from({ length: number() }, read)
  return {
    own: list(text),
    aut: list(text),
    tok: list(() => [number(), text()] as const),
    str: list(() => [number(), text()] as const),
    cmp: list(() => [number(), text(), double(), double()] as const),
    cms: list(() => [number(), text(), text()] as const),
    counts: { pat: number(), dat: number(), num: number(), ref: number() },
  }
}
