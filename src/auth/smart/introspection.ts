import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type BasicCredentials, basicCredentials } from '../clients/basic-credentials.ts'
import { isUsable } from '../clients/registry.ts'
import { comesWithProof, findBrought, type TooMany } from '../principal/brought.ts'
import { allowing, findToken, type LiveToken, liveGrant } from '../principal/token.ts'
import { isSecret, secretHash } from '../secrets.ts'
import { formBody } from '../server/form-body.ts'
import { notStored, sendJson, sendOauthError, sendTooMany } from '../server/json-answer.ts'
import { libraryRow } from '../server/library-rows.ts'
import type { AuthorizationServerParts } from '../server/server-parts.ts'
import type { PublicAddress, WebHandler } from '../web.ts'
import { launchParameters } from './launch-parameters.ts'

type Parts = Pick<AuthorizationServerParts, 'ground' | 'address' | 'clients' | 'unknownToken'>

/** Whoever asks: a resource server may ask for every token, others for their own. */
type Asker = { readonly client: string; readonly all: boolean }

/**
 * RFC 7662, with a bearer token in place of client authentication as well, as SMART wants it. What is not an active token of the asker's concern is
 * `{"active":false}` and nothing else. @see auth.md 9.3
 */
export const createIntrospection =
  (parts: Parts): WebHandler =>
  async (req, res, from) => {
    if (req.method !== 'POST') return sendOauthError(res, 405, 'invalid_request', 'POST is needed', { Allow: 'POST' })
    const form = await formBody(req)
    const asker = form === undefined ? undefined : await askerOf(parts, req, form, from.address)
    if (form === undefined) return sendOauthError(res, 400, 'invalid_request', 'a form is needed')
    if (asker === undefined)
      return sendOauthError(res, 401, 'invalid_client', 'client authentication failed', challenge(req, parts.address))
    if ('tooManyForMs' in asker) return sendTooMany(res, asker)
    const token = form.get('token')
    if (token === null) return sendOauthError(res, 400, 'invalid_request', 'token is missing')
    sendJson(res, 200, (await answerFor(parts, token, asker)) ?? { active: false }, notStored)
  }

const challenge = ({ headers: { authorization = '' } }: IncomingMessage, { issuer }: PublicAddress): Readonly<Record<string, string>> => {
  const scheme = comesWithProof(authorization) ? 'DPoP' : bringsToken(authorization) ? 'Bearer' : 'Basic'
  return { 'WWW-Authenticate': `${scheme} realm="${issuer}"` }
}

const bringsToken = (authorization: string): boolean => /^bearer /i.test(authorization) || comesWithProof(authorization)

const askerOf = async (parts: Parts, req: IncomingMessage, form: URLSearchParams, from: string): Promise<Asker | TooMany | undefined> => {
  const { authorization } = req.headers
  if (authorization !== undefined && bringsToken(authorization)) {
    const found = await findBrought(parts, authorization, req, from)
    if (typeof found === 'string') return undefined
    if ('tooManyForMs' in found) return found
    return hasScope(found, '__introspect') ? { client: found.client.id, all: true } : undefined
  }
  const said = authorization === undefined ? formCredentials(form) : basicCredentials(authorization)
  if (said === undefined) return undefined
  const client = await parts.clients.find(said.id)
  if (client === undefined || !isUsable(client) || !allowing(client.ipAllow)(from)) return undefined
  const asked = Buffer.from(secretHash(said.secret))
  const secrets = await parts.clients.secretsOf(client)
  if (!secrets.some(one => timingSafeEqual(Buffer.from(secretHash(one)), asked))) return undefined
  return { client: client.id, all: client.type === 'resource-server' }
}

const formCredentials = (form: URLSearchParams): BasicCredentials | undefined => {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')]
  return id === null || secret === null ? undefined : { id, secret }
}

const hasScope = ({ payload }: LiveToken, name: string): boolean => (payload.scope ?? '').split(' ').includes(name)

const answerFor = async (parts: Parts, token: string, asker: Asker): Promise<object | undefined> => {
  const found = await findToken(parts, token)
  if (typeof found === 'string') return refreshAnswer(parts, token, asker)
  if (!asker.all && found.client.id !== asker.client) return undefined
  const { payload, client, live } = found
  const openId = live !== undefined && hasScope(found, 'openid')
  const fhirUser = live?.grant.value.fhirUser
  return {
    active: true,
    scope: payload.scope ?? '',
    client_id: client.id,
    exp: payload.exp,
    iat: payload.iat,
    token_type: payload.jkt === undefined ? 'Bearer' : 'DPoP',
    ...confirmed(payload),
    aud: payload.aud,
    ...(live !== undefined && launchParameters(live.grant.value)),
    ...(openId && { iss: parts.address.issuer, sub: live.account.key }),
    ...(openId && hasScope(found, 'fhirUser') && fhirUser !== undefined && { fhirUser: `${parts.address.fhir}/${fhirUser}` }),
  }
}

/** The key that a token is bound to. @see RFC 9449 6.2 */
const confirmed = ({ jkt }: { readonly jkt?: string | undefined }): object => (jkt === undefined ? {} : { cnf: { jkt } })

/** Only whose it is learns anything of a refresh token. */
const refreshAnswer = async ({ ground }: Parts, token: string, asker: Asker): Promise<object | undefined> => {
  const row = isSecret(token) ? (await libraryRow(ground.store, token))?.value : undefined
  const { clientId, grantId, scope, exp, iat, jkt } = row?.payload ?? {}
  if (row?.model !== 'RefreshToken' || row.consumed !== undefined || clientId !== asker.client || grantId === undefined) return undefined
  if ((exp ?? 0) * 1000 <= ground.clock() || (await liveGrant(ground, grantId)) === undefined) return undefined
  return { active: true, scope, client_id: clientId, exp, iat, token_type: 'refresh_token', ...confirmed({ jkt }) }
}
