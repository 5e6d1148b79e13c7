import type { Limits } from '../base/limits.ts'

/**
 * How many requests are worked on at once; the others wait in line, as many and as long as bounds allow. A server that takes on everything
 * answers nothing.
 */
export type Admission = {
  /** True when there is room now. */
  readonly enterNow: () => boolean
  /** False when the line is full or the wait too long. */
  readonly enter: () => Promise<boolean>
  readonly leave: () => void
  readonly inFlight: () => number
}

export const createAdmission = (limits: Pick<Limits, 'inFlightMax' | 'waitingMax' | 'waitMs'>): Admission => {
  let inFlight = 0
  const line = new Set<() => void>()
  const enterNow = (): boolean => {
    if (inFlight >= limits.inFlightMax) return false
    inFlight += 1
    return true
  }
  const enter = (): Promise<boolean> => {
    if (line.size >= limits.waitingMax) return Promise.resolve(false)
    return new Promise(resolve => {
      const turn = (): void => {
        clearTimeout(patience)
        resolve(true)
      }
      const patience = setTimeout(() => {
        line.delete(turn)
        resolve(false)
      }, limits.waitMs)
      line.add(turn)
    })
  }
  /** The place goes to the first in line without becoming free in between. */
  const leave = (): void => {
    const [first] = line
    if (first === undefined) inFlight -= 1
    else {
      line.delete(first)
      first()
    }
  }
  return { enterNow, enter, leave, inFlight: () => inFlight }
}
