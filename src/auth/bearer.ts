import type { Outcome } from '../base/outcome.ts'
import type { Principal } from './policy/principal.ts'

/**
 * Who a request to the FHIR API comes from, by its `Authorization` alone. Fails `login-needed`, `token-invalid`, `token-expired`, `too-many-unknown-tokens`,
 * `accounts-away`. Answers without waiting where it is remembered.
 * @see auth.md 8, 15
 */
export type Authenticate = (authorization: string | undefined, address: string) => Outcome<Principal> | Promise<Outcome<Principal>>
