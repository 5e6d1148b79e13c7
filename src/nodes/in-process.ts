import { memoryCounter } from './memory-counter.ts'
import { checkTopic, type Shared } from './shared.ts'

/** One process shares with itself: for an installation of one node, and what is left of the others when Redis is away. */
export const shareInProcess = (): Shared => {
  const listeners = new Listeners()
  return {
    counter: memoryCounter,
    wake: topic => listeners.wake(checkTopic(topic)),
    onWake: (topic, heard) => listeners.add(checkTopic(topic), heard),
    state: () => ({ name: 'not-configured' }),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** Who listens in this process, by topic. */
export class Listeners {
  readonly #byTopic = new Map<string, Set<() => void>>()

  /** The answer takes the listener away again. */
  add(topic: string, heard: () => void): () => void {
    const listening = this.#byTopic.get(topic) ?? new Set()
    this.#byTopic.set(topic, listening)
    // The same function may listen twice.
    const own = (): void => heard()
    listening.add(own)
    return () => {
      listening.delete(own)
      if (listening.size === 0 && this.#byTopic.get(topic) === listening) this.#byTopic.delete(topic)
    }
  }

  wake(topic: string): void {
    // As they listen now: one that leaves and comes back while it is called is not called for ever.
    const listening = [...(this.#byTopic.get(topic) ?? [])]
    for (const heard of listening) heard()
  }

  wakeAll(): void {
    for (const topic of this.topics) this.wake(topic)
  }

  get topics(): readonly string[] {
    return [...this.#byTopic.keys()]
  }
}
