import { fail, type Outcome } from '../../base/outcome.ts'

/** Work of which only so much is done at once; some more waits, in the order it came. */
export type Turns = {
  /** Fails `overloaded` when too many wait already. */
  take<T>(work: () => Promise<T>): Promise<Outcome<T>>
  readonly waiting: number
}

const retryAfterSeconds = 2

export const createTurns = (atOnce: number, waitingMax: number): Turns => {
  let busy = 0
  const waiting: (() => void)[] = []
  const free = (): void => {
    const next = waiting.shift()
    if (next === undefined) busy--
    else next()
  }
  return {
    async take(work) {
      if (busy < atOnce) busy++
      else {
        if (waiting.length >= waitingMax) return fail('overloaded', {}, { retryAfterSeconds })
        await new Promise<void>(resolve => waiting.push(resolve))
      }
      try {
        return { ok: true, value: await work() }
      } finally {
        free()
      }
    },
    get waiting() {
      return waiting.length
    },
  }
}
