/**
 * What the nodes of one installation share besides the store: counters that limit, and wake-ups.
 *
 * Everything here may be lost at any moment without harm. Nothing durable is kept, no data of patients and no URL; keys are hashed, and
 * nobody ever waits for something shared that is away: counters go on in this process alone, wake-ups reach this process alone.
 */
export type Shared = AsyncDisposable & {
  /** A counter of its own for each key. Asked for once per limit, not once per use. */
  readonly counter: (limit: Limit) => Counter
  /**
   * Tells everybody who listens, in every node, that there is news about `topic`: work to fetch, or that what a cache keeps is old. A wake-up is
   * a hint and no more: it may get lost, come late, twice or for nothing. Who waits must look by itself from time to time as well. It carries
   * no value, so a cache that is told drops all it has of that topic.
   */
  readonly wake: (topic: string) => void
  /** After an interruption in which wake-ups may have been lost, `heard` is called once. The answer stops listening. */
  readonly onWake: (topic: string, heard: () => void) => () => void
  readonly state: () => SharedState
}

export type Limit = {
  /** A word of ours; it becomes part of keys. */
  readonly name: string
  /** Uses within a window. */
  readonly most: number
  /** A window begins with the first use of a key and does not slide. */
  readonly windowSeconds: number
}

/** Counts one use, also when it is not allowed. Always answers, at once where nobody else is asked: what cannot be counted by all nodes is counted by this one. */
export type Counter = (key: string) => Use | Promise<Use>

export type Use = {
  readonly allowed: boolean
  readonly remaining: number
  /** Until the window ends. */
  readonly resetMs: number
}

export type SharedState = {
  /** `fallback`: what nodes should share is away, and each is on its own. */
  readonly name: 'not-configured' | 'ok' | 'fallback'
  /** The last round trip, where there was one. */
  readonly ms?: number
}

const topicPattern = /^[a-z][a-z0-9-]{0,63}$/

/** Topics are words of this program: anything else might carry data along. Throws, since it is a mistake of ours. */
export const checkTopic = (topic: string): string => {
  if (!topicPattern.test(topic)) throw new Error('A topic is a word of small letters, digits and hyphens')
  return topic
}
