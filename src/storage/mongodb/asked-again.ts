import { setTimeout as sleep } from 'node:timers/promises'
import { MongoServerSelectionError } from 'mongodb'
import { StoreUnusable } from '../unusable.ts'
import { isTransient } from './failures.ts'

/** Each try waits for a primary by itself: these are for what breaks while it is asked. */
const attemptsMax = 5
const againMs = 15

/**
 * A question that changes nothing, asked again when the primary goes while it is asked: the driver does so once, and never for a bare command. Throws
 * `StoreUnusable` when none is found for so long that waiting ends.
 */
export const askedAgain = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!isTransient(error)) throw error
      if (attempt === attemptsMax || error instanceof MongoServerSelectionError)
        throw new StoreUnusable('unreachable', 'MongoDB has no primary that answers.')
      await sleep(againMs * attempt)
    }
  }
}
