/** Lines of several processes on one pipe must not mix (pipe(7)): what is written at once is bounded, and lines stay whole. */
import { Writable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { gathered } from '../../src/telemetry/gathered.ts'

test('writes whole lines together, at most as much at once as was asked for, but a longer line alone', async () => {
  const written: string[] = []
  const target = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      written.push(text)
      done()
    },
  })
  const stream = gathered(target, 10)
  for (const line of ['aaa\n', 'bbb\n', 'ccc\n', 'a line that is longer\n', 'd\n']) stream.write(line)
  await new Promise(resolve => setImmediate(resolve))
  expect(written).toEqual(['aaa\nbbb\n', 'ccc\n', 'a line that is longer\n', 'd\n'])
})
