import { bearerToken } from '../principal/authenticate.ts'
import { findTokenFrom } from '../principal/token.ts'
import { notStored, sendJson } from '../server/json-answer.ts'
import type { AuthorizationServerParts } from '../server/server-parts.ts'
import type { WebHandler } from '../web.ts'

/** Who is signed in, for a token with the scope `openid`: `sub`, and what `fhirUser` and `profile` add. @see OpenID Connect Core 5.3 */
export const createUserinfo =
  (parts: Pick<AuthorizationServerParts, 'ground' | 'address' | 'clients'>): WebHandler =>
  async (req, res, from) => {
    const refuse = (status: number, error: string): void =>
      sendJson(res, status, { error }, { ...notStored, 'WWW-Authenticate': `Bearer realm="${parts.address.issuer}", error="${error}"` })
    if (req.method !== 'GET' && req.method !== 'POST') return sendJson(res, 405, { error: 'invalid_request' }, { Allow: 'GET, POST' })
    const token = bearerToken(req.headers.authorization ?? '')
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
