import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'

/**
 * One password tried on many names: no account locks, so it is seen by the service as a whole. More than 50 failures a minute with more than 20 names
 * are told once, and slow down every login of a browser that is not known. Each process counts for itself; nothing of it is kept.
 * @see auth.md 2.3
 */
export type Spraying = {
  /** Notes a failure. True: this is where spraying began. */
  failed(subject: string): boolean
  /** Waits as long as it has become: nothing in quiet times. */
  slowDown(): Promise<void>
}

export const failuresAMinute = 50
export const namesAMinute = 20
const windowMs = 60_000
const delayPerFailureMs = 50
const delayMsMax = 5_000
/** Failures that are remembered; what lies beyond would change no answer. */
const keptMax = 1_000

export const createSpraying = (clock: Clock, wait: (ms: number) => Promise<unknown> = sleep): Spraying => {
  const failures: { readonly at: number; readonly subject: string }[] = []
  let sprayed = false
  const look = (): boolean => {
    const since = clock() - windowMs
    while (failures[0] !== undefined && (failures[0].at <= since || failures.length > keptMax)) failures.shift()
    return failures.length > failuresAMinute && new Set(failures.map(({ subject }) => subject)).size > namesAMinute
  }
  return {
    failed(subject) {
      failures.push({ at: clock(), subject })
      const before = sprayed
      sprayed = look()
      return sprayed && !before
    },
    async slowDown() {
      sprayed = look()
      if (sprayed) await wait(Math.min(delayMsMax, (failures.length - failuresAMinute) * delayPerFailureMs))
    },
  }
}
