import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import { readFrames, writeFrame } from './frames.ts'
import type { WriterLine } from './writer-link.ts'
import type { FromWriter } from './writer-messages.ts'

/** To a writer in another process (writer-host.ts). */
export const lineThroughPipe = (pipe: Duplex): WriterLine => ({
  post: message => writeFrame(pipe, serialize(message)),
  listen: (hear, gone) => {
    readFrames(pipe, bytes => hear(deserialize(bytes) as FromWriter)) // what the writer said
    pipe.on('end', () => pipe.end())
    pipe.on('error', gone)
    pipe.on('close', gone)
  },
  close: async () => {
    const closed = once(pipe, 'close')
    pipe.end()
    await closed
  },
})
