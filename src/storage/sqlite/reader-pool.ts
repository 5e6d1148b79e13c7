import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { fail, type Outcome } from '../../base/outcome.ts'
import type { Count, SearchPage } from '../port.ts'
import type { FromReader, Question, ToReader } from './reader-messages.ts'

const threadsMax = 2
/** Expensive searches that may wait for a thread; more are told to come again. */
const waitingMax = 100

type Asked = {
  readonly question: Question
  readonly endsAtMs: number
  readonly resolve: (outcome: Outcome<SearchPage | Count>) => void
  readonly reject: (error: Error) => void
}
type Thread = { readonly worker: Worker; asked: Asked | undefined }

/** Two threads for searches that would hold up the HTTP thread. They start with the first such search. */
export class ReaderPool {
  readonly #path: string
  readonly #threads: Thread[] = []
  readonly #waiting: Asked[] = []
  #closed = false

  constructor(path: string) {
    this.#path = path
  }

  ask(question: Question): Promise<Outcome<SearchPage | Count>> {
    if (this.#closed) return Promise.resolve(fail('no-store', {}))
    if (this.#waiting.length >= waitingMax) return Promise.resolve(fail('overloaded', {}, { retryAfterSeconds: 1 }))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, endsAtMs: question.ms === undefined ? Infinity : performance.now() + question.ms, resolve, reject })
      this.#dispatch()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { resolve } of this.#waiting.splice(0)) resolve(fail('no-store', {}))
    await Promise.all(this.#threads.map(({ worker }) => ended(worker)))
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle()
      if (thread === undefined) return
      this.#give(thread, this.#waiting.shift() as Asked)
    }
  }

  #idle(): Thread | undefined {
    const idle = this.#threads.find(thread => thread.asked === undefined)
    if (idle !== undefined || this.#threads.length >= threadsMax) return idle
    return this.#start()
  }

  #start(): Thread {
    const worker = new Worker(new URL('./reader-thread.ts', import.meta.url), { name: 'simpul-reader', workerData: this.#path })
    const thread: Thread = { worker, asked: undefined }
    worker.on('message', (message: FromReader) => this.#hear(thread, message))
    worker.on('error', () => this.#lose(thread))
    worker.on('exit', () => this.#lose(thread))
    this.#threads.push(thread)
    return thread
  }

  /** What is left of the time shrinks while a question waits. */
  #give(thread: Thread, asked: Asked): void {
    const ms = asked.endsAtMs - performance.now()
    if (ms <= 0) {
      asked.resolve(fail('waited-too-long', {}))
      return
    }
    thread.asked = asked
    const question = asked.question.ms === undefined ? asked.question : { ...asked.question, ms }
    thread.worker.postMessage({ id: 0, question } satisfies ToReader)
  }

  #hear(thread: Thread, message: FromReader): void {
    const asked = thread.asked
    thread.asked = undefined
    if ('broken' in message) asked?.reject(new Error(message.broken))
    else asked?.resolve(message.outcome)
    this.#dispatch()
  }

  /** A thread that ended takes its question with it; the next question starts another. */
  #lose(thread: Thread): void {
    const at = this.#threads.indexOf(thread)
    if (at >= 0) this.#threads.splice(at, 1)
    thread.asked?.resolve(fail('no-store', {}))
    thread.asked = undefined
    if (!this.#closed) this.#dispatch()
  }
}

/** After its present question. */
const ended = async (worker: Worker): Promise<void> => {
  const exit = once(worker, 'exit')
  worker.postMessage('close')
  await exit
}
