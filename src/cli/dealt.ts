import type { Worker } from 'node:cluster'

/** The parts of node:cluster's own messages that say which connection goes to a worker, and that it was taken. */
type Dealing = { readonly act?: string; readonly seq?: number; readonly ack?: number }
type Connection = { close(): void }

/**
 * Connections that were dealt to a worker which died before it took them: node:cluster keeps them open for ever, so their clients would wait
 * for ever. This closes them when the worker has ended; their clients see a broken connection, as the others of that worker do.
 * It reads messages that are no public promise of Node: should they change, nothing is closed, and workers.test.ts says so.
 */
export const closeUntaken = ({ process: child }: Worker): void => {
  const dealt = new Map<number, Connection>()
  const send = child.send
  child.send = ((message: Dealing, connection?: Connection, ...rest: unknown[]): boolean => {
    if (connection !== undefined && message.act === 'newconn' && message.seq !== undefined) dealt.set(message.seq, connection)
    return Reflect.apply(send, child, [message, connection, ...rest])
  }) as typeof send
  child.on('internalMessage', ({ ack }: Dealing) => {
    if (ack !== undefined) dealt.delete(ack)
  })
  child.once('exit', () => {
    for (const connection of dealt.values()) connection.close()
  })
}
