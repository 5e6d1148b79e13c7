import { parentPort, workerData } from 'node:worker_threads'
import { openReaderConnection, readerCacheKiB } from './connection.ts'
import { Dictionary } from './dictionary.ts'
import { answerQuestion } from './question.ts'
import type { FromReader, ToReader } from './reader-messages.ts'
import { createSearch } from './search.ts'

/** A reader thread: one connection, one question at a time. */
const db = openReaderConnection(workerData as string, readerCacheKiB.thread)
const search = createSearch(db, new Dictionary(db))

const answer = ({ id, question }: ToReader): FromReader => {
  try {
    return { id, outcome: answerQuestion(search, question) }
  } catch (error) {
    return { id, broken: Error.isError(error) ? error.message : String(error) }
  }
}

parentPort?.on('message', (message: ToReader | 'close') => {
  if (message !== 'close') return parentPort?.postMessage(answer(message))
  db.close()
  parentPort?.close()
})
