import { hash, randomUUID } from 'node:crypto'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { Listeners } from './in-process.ts'
import { memoryCounter } from './memory-counter.ts'
import { type LinkTurn, openConnection, RedisLink } from './redis-link.ts'
import { channelOf, RedisSubscriber } from './redis-subscriber.ts'
import { type Counter, checkTopic, type Limit, type Shared, type SharedState, type Use } from './shared.ts'

/** The library answers a use beyond the limit by rejecting with the count; anything else that it throws is thrown. */
const useOf = async (consumed: Promise<RateLimiterRes>): Promise<Use> => {
  try {
    return counted(await consumed, true)
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return counted(refused, false)
    throw refused
  }
}

const counted = ({ remainingPoints, msBeforeNext }: RateLimiterRes, allowed: boolean): Use => ({
  allowed,
  remaining: remainingPoints,
  resetMs: Math.max(0, msBeforeNext),
})

/**
 * What nodes share, through Redis.
 *
 * | key or channel | holds |
 * |---|---|
 * | `simpul:rate:{limit}:{hash of the key}` | a count, for one window |
 * | `simpul:probe:{node}` | a count, for 5 s: whether Redis does what it is needed for |
 * | channel `simpul:wake:{topic}` | a message that is the name of the node that sent it, so that it does not wake itself twice |
 */
export const shareOverRedis = (options: RedisSharedOptions): Shared => new RedisShared(options)

export type RedisSharedOptions = {
  /** `redis://` or `rediss://`, with user, password and database as needed. A secret. */
  readonly url: string
  /** How long a command may take before Redis counts as away: a quarter of a second, since somebody waits. Tests on a crowded machine are patient. */
  readonly commandMs?: number
  /** Hears each change of state, once. */
  readonly turned?: (turn: LinkTurn) => void
}

const probeSeconds = 5

class RedisShared implements Shared {
  readonly #url: string
  readonly #node = randomUUID()
  readonly #link: RedisLink
  readonly #listeners = new Listeners()
  /** Topics of wake-ups that did not get away. */
  readonly #unsent = new Set<string>()
  /** Opened when somebody listens. */
  #subscriber: RedisSubscriber | undefined = undefined

  constructor({ url, commandMs, turned = () => undefined }: RedisSharedOptions) {
    this.#url = url
    const client = openConnection(url, commandMs)
    // What counters do, done by a counter.
    const probe = new RateLimiterRedis({
      storeClient: client,
      keyPrefix: 'simpul:probe',
      points: probeSeconds * 10,
      duration: probeSeconds,
    })
    const heard = (turn: LinkTurn): void => {
      turned(turn)
      if (turn.state === 'ok') this.#sendUnsent()
    }
    this.#link = new RedisLink({ probe: () => useOf(probe.consume(this.#node)), turned: heard }, client)
  }

  counter(limit: Limit): Counter {
    const alone = memoryCounter(limit)
    const together = new RateLimiterRedis({
      storeClient: this.#link.client,
      keyPrefix: `simpul:rate:${limit.name}`,
      points: limit.most,
      duration: limit.windowSeconds,
      // Who is over the limit stays so until the window ends: that need not be asked again.
      inMemoryBlockOnConsumed: limit.most + 1,
    })
    return async key => {
      if (!this.#link.usable) return alone(key)
      try {
        return await useOf(together.consume(hashed(key)))
      } catch (error) {
        this.#link.doubt(error)
        return alone(key)
      }
    }
  }

  wake(topic: string): void {
    this.#listeners.wake(checkTopic(topic))
    if (this.#link.usable) this.#send(topic)
    else this.#unsent.add(topic)
  }

  onWake(topic: string, heard: () => void): () => void {
    const remove = this.#listeners.add(checkTopic(topic), heard)
    this.#subscriber ??= new RedisSubscriber(this.#url, this.#node, this.#listeners)
    this.#subscriber.add()
    return remove
  }

  state(): SharedState {
    return this.#link.state
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.close()
    this.#subscriber?.close()
  }

  #send(topic: string): void {
    this.#link.client.publish(channelOf(topic), this.#node).catch((error: unknown) => {
      this.#unsent.add(topic)
      // One that answers that it may not is not away.
      if (!isReply(error)) this.#link.doubt(error)
    })
  }

  /** Listeners whose own connection held have no other sign that they missed something. */
  #sendUnsent(): void {
    const topics = [...this.#unsent]
    this.#unsent.clear()
    for (const topic of topics) this.#send(topic)
  }
}

const isReply = (error: unknown): boolean => Error.isError(error) && error.name === 'ReplyError'

/** Of one length whatever the key is, and no address to read in it. */
const hashed = (key: string): string => hash('sha256', key, 'base64url').slice(0, 22)
