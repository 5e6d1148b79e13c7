const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const newline = 0x0a
const blank = 0x20
const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d
const isWhite = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * JSON with two blanks of indentation, made from its bytes: whatever stands between the white space stays, digit for digit.
 * `json` is well-formed.
 */
export const pretty = (json: Uint8Array): Uint8Array => {
  const out = new GrowingBytes(json.length * 2)
  let depth = 0
  let inString = false
  let opened = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number // at is below length
    if (inString) {
      out.push(byte)
      if (byte === backslash) out.push(json[++at] as number)
      else if (byte === quote) inString = false
      continue
    }
    if (isWhite(byte)) continue
    if (isClosing(byte)) depth -= 1
    // An empty object or array stays on its line.
    if (opened !== isClosing(byte)) out.breakLine(depth)
    opened = isOpening(byte)
    out.push(byte)
    if (byte === quote) inString = true
    else if (opened) depth += 1
    else if (byte === comma) out.breakLine(depth)
    else if (byte === colon) out.push(blank)
  }
  return out.bytes()
}

class GrowingBytes {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(Math.max(64, capacity))
  }

  push(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#length++] = byte
  }

  breakLine(depth: number): void {
    const room = 1 + depth * 2
    if (this.#length + room > this.#bytes.length) this.#grow(room)
    this.#bytes[this.#length++] = newline
    this.#bytes.fill(blank, this.#length, this.#length + depth * 2)
    this.#length += depth * 2
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #grow(room: number): void {
    const larger = new Uint8Array(this.#bytes.length * 2 + room)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
