import type { Duplex } from 'node:stream'

/** Messages on a pipe between processes: each led by its length in bytes, four of them, little-endian. */

const headBytes = 4
/** No message is larger: those who send bound what they gather (writer-link.ts). */
const frameBytesMax = 1024 ** 3

/** One after the other; what the pipe does not take yet waits in memory. */
export const writeFrame = (pipe: Duplex, bytes: Uint8Array): void => {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32LE(bytes.length)
  pipe.cork()
  pipe.write(head)
  pipe.write(bytes)
  pipe.uncork()
}

/** Calls with each whole message, in memory of its own. A message that is cut never arrives. */
export const readFrames = (pipe: Duplex, take: (bytes: Uint8Array<ArrayBuffer>) => void): void => {
  const head = new Uint8Array(headBytes)
  let target = head
  let filled = 0
  pipe.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + target.length - filled)
      target.set(part, filled)
      at += part.length
      filled += part.length
      if (filled < target.length) return
      filled = 0
      if (target !== head) {
        const whole = target
        target = head
        take(whole)
        continue
      }
      const length = new DataView(head.buffer).getUint32(0, true)
      if (length === 0 || length > frameBytesMax) return void pipe.destroy(new Error('What came through the pipe is no message'))
      target = new Uint8Array(length)
    }
  })
}
