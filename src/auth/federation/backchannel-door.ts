import { formBody } from '../server/form-body.ts'
import { notStored, sendOauthError } from '../server/json-answer.ts'
import type { WebHandler } from '../web.ts'
import type { Federation } from './federation.ts'

/** Below it, by the id of a provider: where providers say that a session is over. */
export const backchannelPath = '/login/backchannel-logout'

/** Programs of providers come here, with a token that they signed and nothing else. @see OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8 */
export const createBackchannelDoor =
  (federation: Pick<Federation, 'loggedOut'>): WebHandler =>
  async (req, res, from) => {
    const provider = pathPattern.exec(req.url ?? '')?.[1]
    if (provider === undefined) return sendOauthError(res, 404, 'invalid_request')
    if (req.method !== 'POST') return sendOauthError(res, 405, 'invalid_request', undefined, { Allow: 'POST' })
    const token = (await formBody(req))?.getAll('logout_token') ?? []
    const ended = token.length === 1 ? await federation.loggedOut(provider, token[0] ?? '', from) : undefined
    if (ended?.ok === false || (ended?.ok === true && ended.value === 'away'))
      return sendOauthError(res, 503, 'temporarily_unavailable', undefined, { 'Retry-After': '30' })
    if (ended?.value !== 'ended') return sendOauthError(res, 400, 'invalid_request', 'The logout token is not one of this provider for us.')
    res.writeHead(200, { ...notStored, 'Content-Length': 0 }).end()
  }

const pathPattern = new RegExp(`^${backchannelPath}/([a-z0-9-]{1,64})$`)
