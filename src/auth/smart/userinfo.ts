import { challengeFor, findBrought } from '../principal/brought.ts'
import { errorUri } from '../oauth-errors.ts'
import { notStored, sendJson, sendOauthError, sendTooMany } from '../server/json-answer.ts'
import type { AuthorizationServerParts } from '../server/server-parts.ts'
import type { WebHandler } from '../web.ts'

/** Who is signed in, for a token with the scope `openid`: `sub`, and what `fhirUser` and `profile` add. @see OpenID Connect Core 5.3 */
export const createUserinfo =
  (parts: Pick<AuthorizationServerParts, 'ground' | 'address' | 'clients' | 'unknownToken'>): WebHandler =>
  async (req, res, from) => {
    const { authorization } = req.headers
    const realm = parts.address.issuer
    const refuse = (status: number, error: string, challenge: string): void =>
      sendJson(res, status, { error, ...errorUri(error) }, { ...notStored, 'WWW-Authenticate': challenge })
    if (req.method !== 'GET' && req.method !== 'POST')
      return sendOauthError(res, 405, 'invalid_request', 'GET or POST is needed', { Allow: 'GET, POST' })
    // Who brought nothing is told the way in, and of no error. RFC 6750, 3.1
    if (authorization === undefined) return refuse(401, 'invalid_token', `Bearer realm="${realm}"`)
    const found = await findBrought(parts, authorization, req, from.address)
    if (typeof found === 'string') return refuse(401, 'invalid_token', challengeFor(authorization, found, realm))
    if ('tooManyForMs' in found) return sendTooMany(res, found)
    if (found.live === undefined) return refuse(401, 'invalid_token', challengeFor(authorization, 'over', realm))
    const scopes = new Set((found.payload.scope ?? '').split(' '))
    if (!scopes.has('openid')) return refuse(403, 'insufficient_scope', `Bearer realm="${realm}", error="insufficient_scope"`)
    const { username } = found.live.account.value
    const { fhirUser } = found.live.grant.value
    sendJson(
      res,
      200,
      {
        sub: found.live.account.key,
        ...(scopes.has('fhirUser') && fhirUser !== undefined && { fhirUser: `${parts.address.fhir}/${fhirUser}` }),
        ...(scopes.has('profile') && username !== undefined && { name: username }),
      },
      notStored,
    )
  }
