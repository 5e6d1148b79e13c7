/** Answers kept for a while, so many at most; what fails is not kept. Whoever asks meanwhile shares the question. */
export type Remembered<T> = { of(key: string, find: () => Promise<T>): Promise<T>; forget(key?: string): void }

/** The clock and the time are in ms. A clock that ran back forgets. */
export const createRemembered = <T>(clock: () => number, forMs: number, most: number): Remembered<T> => {
  const kept = new Map<string, { readonly until: number; readonly answer: Promise<T> }>()
  return {
    of: (key, find) => {
      const now = clock()
      const known = kept.get(key)
      if (known !== undefined && now < known.until && known.until - now <= forMs) return known.answer
      const fresh = { until: now + forMs, answer: find() }
      kept.delete(key)
      const [oldest] = kept.keys()
      if (kept.size >= most && oldest !== undefined) kept.delete(oldest)
      kept.set(key, fresh)
      fresh.answer.catch(() => kept.get(key) === fresh && kept.delete(key))
      return fresh.answer
    },
    forget: key => {
      if (key === undefined) kept.clear()
      else kept.delete(key)
    },
  }
}
