/** Answers kept for a while, so many at most; what fails is not kept. Whoever asks meanwhile shares the question. */
export type Remembered<T> = {
  of(key: string, find: () => Promise<T>): Promise<T>
  /** The answer where it is at hand, without waiting. */
  known(key: string): T | undefined
  forget(key?: string): void
}

type Kept<T> = { readonly until: number; readonly answer: Promise<T>; known?: T }

/** The clock and the time are in ms. A clock that ran back forgets. */
export const createRemembered = <T>(clock: () => number, forMs: number, most: number): Remembered<T> => {
  const kept = new Map<string, Kept<T>>()
  const freshOf = (key: string, now: number): Kept<T> | undefined => {
    const known = kept.get(key)
    return known !== undefined && now < known.until && known.until - now <= forMs ? known : undefined
  }
  return {
    of: (key, find) => {
      const now = clock()
      const known = freshOf(key, now)
      if (known !== undefined) return known.answer
      const fresh: Kept<T> = { until: now + forMs, answer: find() }
      kept.delete(key)
      const [oldest] = kept.keys()
      if (kept.size >= most && oldest !== undefined) kept.delete(oldest)
      kept.set(key, fresh)
      fresh.answer.then(
        answer => Object.assign(fresh, { known: answer }),
        () => kept.get(key) === fresh && kept.delete(key),
      )
      return fresh.answer
    },
    known: key => freshOf(key, clock())?.known,
    forget: key => {
      if (key === undefined) kept.clear()
      else kept.delete(key)
    },
  }
}
