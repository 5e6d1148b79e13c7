import cluster from 'node:cluster'
import { Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import type { Application } from './application.ts'
import { exitCodes } from './exit-codes.ts'
import { beatMs, type Together, type ToPrimary, type ToWorker, writerDescriptor } from './together.ts'
import { simpulVersion } from './version.ts'

const scrapeMs = 5000

/** A process that serves with others: composes the server, listens on the port they share, and ends when the primary says so. */
export const work = async (compose: (config: Config, together: Together) => Promise<Application>, config: Config): Promise<number> => {
  const line = new Line()
  // From the beginning: a store may let a worker wait long before it opens.
  const beat = setInterval(() => line.beat(), beatMs)
  try {
    const { startedAt, first } = await line.begun
    const together: Together = { startedAt, writer: writerPipe, ready: () => line.ready, scrape: () => line.scrape() }
    const application = await compose(config, together)
    line.tells(application)
    try {
      const url = await application.listen()
      line.beat()
      const invitation = first ? await application.invitation() : undefined
      void line.say({ kind: 'listening', url, version: simpulVersion(), ...(invitation === undefined ? {} : { invitation }) })
      await line.stopped
    } finally {
      await application[Symbol.asyncDispose]()
    }
    await line.say({ kind: 'farewell', figures: await application.figures() })
    return exitCodes.good
  } finally {
    clearInterval(beat)
    // Nothing more is heard: the process ends when all else has.
    process.channel?.unref()
  }
}

const writerPipe = (): Socket => new Socket({ fd: writerDescriptor, readable: true, writable: true })

/** The channel to the primary. Without it the process ends: Node sees to that. */
class Line {
  readonly begun: Promise<{ readonly startedAt: number; readonly first: boolean }>
  readonly stopped: Promise<void>
  /** Whether the server as a whole takes traffic, as far as is known. */
  ready = true
  #application: Application | undefined
  readonly #scrapes = new Map<number, (text: string) => void>()
  #nextId = 1

  constructor() {
    const begun = Promise.withResolvers<Extract<ToWorker, { kind: 'begin' }>>()
    const stopped = Promise.withResolvers<void>()
    this.begun = begun.promise
    this.stopped = stopped.promise
    // A broken channel: the primary is gone, and so is the port that it held.
    cluster.worker?.on('error', () => process.exit(exitCodes.failed))
    process.on('message', (message: ToWorker) => {
      if (message.kind === 'begin') begun.resolve(message)
      else if (message.kind === 'stop') stopped.resolve()
      else if (message.kind === 'ready') this.ready = message.ready
      else if (message.kind === 'drain') this.#application?.drain()
      else if (message.kind === 'tell') void this.#tell(message.id)
      else this.#scrapes.get(message.id)?.(message.text)
    })
  }

  tells(application: Application): void {
    this.#application = application
  }

  beat(): void {
    void this.say({ kind: 'beat', ready: this.#application?.ready() ?? false })
  }

  /** Resolves when it is on its way. That the primary is gone is no failure here. */
  say(message: ToPrimary): Promise<void> {
    return new Promise(resolve => {
      if (cluster.worker?.isConnected() === true) cluster.worker.send(message, undefined, () => resolve())
      else resolve()
    })
  }

  scrape(): Promise<string> {
    const id = this.#nextId++
    return new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('The process that adds up figures did not answer')), scrapeMs)
      this.#scrapes.set(id, text => {
        clearTimeout(late)
        resolve(text)
      })
      void this.say({ kind: 'scrape', id })
    }).finally(() => this.#scrapes.delete(id))
  }

  async #tell(id: number): Promise<void> {
    const figures = await this.#application?.figures()
    if (figures !== undefined) await this.say({ kind: 'figures', id, figures })
  }
}
