import { bearerToken } from '../principal/authenticate.ts'
import { findTokenFrom } from '../principal/token.ts'
import { notStored, sendJson } from '../server/json-answer.ts'
import type { AuthorizationServerParts } from '../server/server-parts.ts'
import type { WebHandler } from '../web.ts'

/** Who is signed in, for a token with the scope `openid`: `sub`, and what `fhirUser` and `profile` add. @see OpenID Connect Core 5.3 */
export const createUserinfo =
  (parts: Pick<AuthorizationServerParts, 'ground' | 'address' | 'clients'>): WebHandler =>
  async (req, res, from) => {
    const challenge = `Bearer realm="${parts.address.issuer}"`
    const refuse = (status: number, error: string): void =>
      sendJson(res, status, { error }, { ...notStored, 'WWW-Authenticate': `${challenge}, error="${error}"` })
    if (req.method !== 'GET' && req.method !== 'POST') return sendJson(res, 405, { error: 'invalid_request' }, { Allow: 'GET, POST' })
    // Who brought nothing is told the way in, and of no error. RFC 6750, 3.1
    if (req.headers.authorization === undefined)
      return sendJson(res, 401, { error: 'invalid_token' }, { ...notStored, 'WWW-Authenticate': challenge })
    const token = bearerToken(req.headers.authorization)
    const found = token === undefined ? 'unknown' : await findTokenFrom(parts, token, from.address)
    if (typeof found === 'string' || found.live === undefined) return refuse(401, 'invalid_token')
    const scopes = new Set((found.payload.scope ?? '').split(' '))
    if (!scopes.has('openid')) return refuse(403, 'insufficient_scope')
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
