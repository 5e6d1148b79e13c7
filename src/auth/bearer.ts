import type { Outcome } from '../base/outcome.ts'
import type { Principal } from './policy/principal.ts'
import type { Sent } from './principal/dpop-proof.ts'

/**
 * Who a request to the FHIR API comes from, by its `Authorization` alone; of a token that is bound to a key, by the proof of the request `sent` besides.
 * Fails `login-needed`, `token-invalid`, `token-expired`, `too-many-unknown-tokens`, `accounts-away`. Answers without waiting where it is remembered.
 * @see auth.md 8, 15
 */
export type Authenticate = (
  authorization: string | undefined,
  address: string,
  sent?: Sent,
) => Outcome<Principal> | Promise<Outcome<Principal>>
