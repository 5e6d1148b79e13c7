import { sentence } from '../base/failure-kinds.ts'
import type { Outcome } from '../base/outcome.ts'

/** The value, or an error that says what the failure says: a copy that cannot go on ends, and is begun again where it was. */
export const orThrow = <T>(outcome: Outcome<T>): T => {
  if (outcome.ok) return outcome.value
  throw new Error(sentence(outcome.failure.kind, outcome.failure.values, 'en').replace(/\.$/, ''))
}
