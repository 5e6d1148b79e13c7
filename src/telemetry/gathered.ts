import { Writable } from 'node:stream'

const gatheredBytesMax = 64 * 1024

/**
 * A stream that writes what gathered in one turn of the event loop at once: a write to a pipe blocks for some ten microseconds, which is
 * dearer than the line. What still waits when the process ends is written then.
 */
export const gathered = (target: NodeJS.WritableStream): Writable => {
  let waiting = ''
  const flush = (): void => {
    if (waiting === '') return
    const text = waiting
    waiting = ''
    target.write(text)
  }
  process.once('exit', flush)
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      if (waiting === '') setImmediate(flush)
      waiting += line
      if (waiting.length > gatheredBytesMax) flush()
      done()
    },
  })
}
