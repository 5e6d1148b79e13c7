import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { isFull, isTransient } from './failures.ts'

/**
 * What became of a write beside the transactions. The driver has tried it again already, and waited for a new primary: fails `no-store` where that was
 * not enough, `disk-full` where there is no space. Anything else throws.
 */
export const answered = async <T>(write: Promise<T>): Promise<Outcome<T>> => {
  try {
    return ok(await write)
  } catch (error) {
    if (isFull(error)) return fail('disk-full', {})
    if (isTransient(error)) return fail('no-store', {}, { retryAfterSeconds: 5 })
    throw error
  }
}
