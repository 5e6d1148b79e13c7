import type { FailureKind } from '../base/failure-kinds.ts'
import { type Failure, statusOf } from '../base/outcome.ts'

/** What a 401 says of the token that would do, and a 403 of the scope. @see RFC 6750 3, RFC 9470 3, auth.md 15 */
type Challenge = NonNullable<Failure['challenge']>

const ofKind: Partial<Record<FailureKind, Challenge>> = {
  'token-invalid': { error: 'invalid_token' },
  'token-expired': { error: 'invalid_token' },
  'insufficient-scope': { error: 'insufficient_scope' },
  'step-up-needed': { error: 'insufficient_user_authentication', acr_values: 'urn:simpul:acr:2', max_age: '300' },
}

/** `WWW-Authenticate`, and on a 401 where to learn how to get a token. Nothing for other failures. */
export const challengeHeaders = (failure: Failure, base: string): readonly string[] => {
  const status = statusOf(failure)
  const said = { ...ofKind[failure.kind], ...failure.challenge }
  if (status !== 401 && said.error === undefined) return []
  const challenge = [
    'WWW-Authenticate',
    `${failure.challengeScheme ?? 'Bearer'} ${Object.entries({ realm: base, ...said })
      .map(parameter)
      .join(', ')}`,
  ]
  return status === 401 ? [...challenge, 'Link', `<${discoveryUrl(base)}>; rel="service-meta"; type="application/json"`] : challenge
}

/** Of the SMART discovery document. */
export const discoveryUrl = (base: string): string => `${base}${discoveryPath}`

/** Below [base]. */
export const discoveryPath = '/.well-known/smart-configuration'

/** Numbers stand as they are; of texts only the signs that a quoted string may hold are left. */
const parameter = ([name, value]: readonly [string, string]): string =>
  /^\d+$/.test(value) ? `${name}=${value}` : `${name}="${value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')}"`
