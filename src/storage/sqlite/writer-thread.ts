import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import type { WriterLine } from './writer-link.ts'
import type { FromWriter, ToWriterThread, WriterStart } from './writer-messages.ts'

/** Opens the file, brings it to the newest schema and is ready to write. Rejects with what went wrong. */
export const startWriter = async (options: Omit<WriterStart, 'now'>, clock: Clock): Promise<Worker> => {
  const workerData: WriterStart = { ...options, now: clock() }
  const worker = new Worker(new URL('./writer.ts', import.meta.url), { name: 'simpul-writer', workerData })
  await once(worker, 'message')
  return worker
}

/** Plans in its lanes are written before it closes; then the file is whole. */
export const endWriter = async (worker: Worker): Promise<void> => {
  const gone = once(worker, 'exit')
  worker.postMessage({ kind: 'close' } satisfies ToWriterThread)
  await gone
}

/** To a writer in this process. */
export const lineToThread = (worker: Worker): WriterLine => ({
  post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
  listen: (hear, gone) => {
    worker.on('message', (message: FromWriter) => hear(message))
    worker.on('error', gone)
    worker.on('exit', gone)
  },
  close: () => endWriter(worker),
})
