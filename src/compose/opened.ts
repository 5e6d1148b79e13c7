import { sentence } from '../base/failure-kinds.ts'
import type { Outcome } from '../base/outcome.ts'
import { StoreUnusable } from '../storage/unusable.ts'

/** What is needed before a server can start; where it cannot be had, starting ends with a sentence. */
export const opened = <T>(outcome: Outcome<T>): T => {
  if (outcome.ok) return outcome.value
  const { kind, values } = outcome.failure
  throw new StoreUnusable('unreachable', `Sign-in cannot start: ${sentence(kind, values, 'en')}`)
}
