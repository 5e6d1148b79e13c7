import type { Redis } from 'ioredis'
import type { Listeners } from './in-process.ts'
import { openConnection } from './redis-link.ts'

/** Between signs of life of a connection that has nothing to say; what could not be subscribed is tried again then. */
const everyMs = 5000

export const channelOf = (topic: string): string => `simpul:wake:${topic}`
const topicOf = (channel: string): string => channel.slice(channelOf('').length)

/** The connection that listens: in older servers such a one can do nothing else. */
export class RedisSubscriber {
  readonly #client: Redis
  readonly #listeners: Listeners
  readonly #living: NodeJS.Timeout
  /** False after an interruption, until everything is subscribed again. */
  #hearsAll = false

  /** Wakes `listeners` for messages of all nodes but `node`, which is this one. */
  constructor(url: string, node: string, listeners: Listeners) {
    this.#listeners = listeners
    this.#client = openConnection(url)
    this.#client.on('message', (channel: string, sender: string) => {
      if (sender !== node) listeners.wake(topicOf(channel))
    })
    this.#client.on('ready', () => {
      this.#hearsAll = false
      void this.#subscribeAll()
    })
    this.#living = setInterval(() => void this.#live(), everyMs)
    this.#living.unref()
  }

  /** A topic that somebody listens to for the first time. It stays subscribed when the last one leaves: topics are few. */
  add(): void {
    this.#hearsAll = false
    void this.#subscribeAll()
  }

  close(): void {
    clearInterval(this.#living)
    this.#client.disconnect()
  }

  /** What was sent until now is lost to us, so everybody looks for themselves once. */
  async #subscribeAll(): Promise<void> {
    const { topics } = this.#listeners
    if (this.#client.status !== 'ready' || topics.length === 0) return
    try {
      await this.#client.subscribe(...topics.map(channelOf))
      this.#hearsAll = true
      this.#listeners.wakeAll()
    } catch {
      // Without the right to subscribe, or without a connection again: the next sign of life tries anew.
    }
  }

  /** A connection that does not answer is closed by its own bound of silence, and opened anew. */
  async #live(): Promise<void> {
    if (this.#client.status !== 'ready') return
    if (!this.#hearsAll) return this.#subscribeAll()
    await this.#client.ping().catch(() => undefined)
  }
}
