import { importJWK, SignJWT } from 'jose'
import type { Ground } from '../ground.ts'
import type { SigningKeys } from '../keys/signing-keys.ts'

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

const lifeSeconds = 120

export type LogoutTokenParts = {
  readonly ground: Pick<Ground, 'clock' | 'ids'>
  readonly issuer: string
  readonly signingKeys: Pick<SigningKeys, 'currentJwks'>
}

/** What says to one application that a session is over; `sid` is that of its id tokens. @see OpenID Connect Back-Channel Logout 1.0, 2.4 */
export const logoutToken = async (
  { ground, issuer, signingKeys }: LogoutTokenParts,
  { account, session, client }: { readonly account: string; readonly session: string; readonly client: string },
): Promise<string> => {
  const [jwk] = signingKeys.currentJwks().keys
  if (jwk === undefined) throw new Error('There is no key to sign with')
  const now = Math.floor(ground.clock() / 1000)
  return new SignJWT({ sid: session, events: { [logoutEvent]: {} } })
    .setProtectedHeader({ alg: 'RS256', typ: 'logout+jwt', ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
    .setIssuer(issuer)
    .setSubject(account)
    .setAudience(client)
    .setIssuedAt(now)
    .setExpirationTime(now + lifeSeconds)
    .setJti(ground.ids())
    .sign(await importJWK(jwk, 'RS256'))
}
