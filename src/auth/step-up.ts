import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Anonymous, Principal } from './policy/principal.ts'

/** How long ago the second factor may have been used. */
const freshSeconds = 300

/**
 * Whether the caller's session used a second factor in the last five minutes: for break-glass and what else auth.md 2.4 names. Fails `step-up-needed` with
 * what the client must ask for; after that the same token works. @see RFC 9470
 */
export const demandStepUp = (principal: Principal | Anonymous, now: number): Outcome<undefined> => {
  const fresh =
    principal.kind !== 'anonymous' &&
    principal.acr === 2 &&
    principal.factorAt !== undefined &&
    now - principal.factorAt <= freshSeconds * 1000
  if (fresh) return ok(undefined)
  const challenge = { error: 'insufficient_user_authentication', acr_values: 'urn:simpul:acr:2', max_age: String(freshSeconds) }
  return fail('step-up-needed', {}, { challenge })
}
