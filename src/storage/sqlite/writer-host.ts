import type { Duplex } from 'node:stream'
import { MessageChannel, type Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { readFrames, writeFrame } from './frames.ts'
import type { ToWriterThread, WriterStart } from './writer-messages.ts'
import { endWriter, startWriter } from './writer-thread.ts'

/**
 * The writer thread in a process that serves nobody, for processes that only read. What they say goes to the thread as it comes: this
 * process neither reads nor copies it, and is free for its own work while the thread writes.
 */
export class WriterHost {
  readonly #worker: Worker
  #alive = true
  /** Resolves when the writer has ended, asked to or not. */
  readonly ended: Promise<void>

  private constructor(worker: Worker) {
    this.#worker = worker
    this.ended = new Promise(resolve => {
      const end = (): void => {
        this.#alive = false
        resolve()
      }
      worker.once('error', end)
      worker.once('exit', end)
    })
  }

  /** Rejects when the file cannot be used. */
  static async start(options: Omit<WriterStart, 'now'>, clock: Clock): Promise<WriterHost> {
    return new WriterHost(await startWriter(options, clock))
  }

  /** Takes the plans of the process at the other end, until it lets go. What it had sent whole is written. */
  join(pipe: Duplex): void {
    const { port1: here, port2: there } = new MessageChannel()
    this.#worker.postMessage({ kind: 'reader', port: there } satisfies ToWriterThread, [there])
    readFrames(pipe, bytes => here.postMessage(bytes, [bytes.buffer]))
    here.on('message', (bytes: Uint8Array) => writeFrame(pipe, bytes))
    // Neither a reader that ends nor one that is killed is a failure of the writer.
    pipe.on('error', () => pipe.destroy())
    pipe.on('end', () => pipe.end())
    pipe.on('close', () => here.close())
    here.on('close', () => pipe.end())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#alive) await endWriter(this.#worker)
  }
}
