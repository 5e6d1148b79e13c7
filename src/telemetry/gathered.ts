import { Writable } from 'node:stream'

const gatheredCharactersMax = 64 * 1024
/** What a pipe takes in one piece, so that lines of several processes do not mix. @see pipe(7), PIPE_BUF */
export const pipeBytes = 4096

/**
 * A stream that writes what gathered in one turn of the event loop at once: a write to a pipe blocks for some ten microseconds, which is
 * dearer than the line. What still waits when the process ends is written then. At most `most` characters are written at once, but for a
 * line that is longer.
 */
export const gathered = (target: NodeJS.WritableStream, most = gatheredCharactersMax): Writable => {
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
      if (waiting.length + line.length > most) flush()
      if (waiting === '') setImmediate(flush)
      waiting += line
      done()
    },
  })
}
