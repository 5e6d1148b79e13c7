import type { WriterLine } from './writer-link.ts'
import type { FromWriter, ToWriter } from './writer-messages.ts'

/**
 * In place of a writer where a store is only read: whoever would write hears that there is none. The process that serves the file may go on writing
 * to it. `newestMs`: the millisecond of the newest version; one writer gives all seqs in their order, so nothing can appear before it.
 */
export const lineToNobody = (newestMs: () => number): WriterLine => {
  let hear: (message: FromWriter) => void = () => undefined
  return {
    post: message => void setImmediate(() => hear(answerTo(message, newestMs))),
    listen: given => {
      hear = given
    },
    close: async () => undefined,
  }
}

const state = { commits: 0, plans: 0, versions: 0, dead: 0, walBytes: 0 }
const broken = { why: 'no-store', message: 'The store is only read' } as const

const answerTo = (message: ToWriter, newestMs: () => number): FromWriter => {
  if (message.kind === 'plans') return { kind: 'answers', answers: message.packed.plans.map(({ id }) => ({ id, broken })), state }
  if (message.kind === 'sweep') return { kind: 'state', state }
  return { kind: 'number', id: message.id, value: message.kind === 'ping' ? 0 : newestMs() }
}
