import type { IncomingMessage, ServerResponse } from 'node:http'
import { sentence } from '../../base/failure-kinds.ts'
import { type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { Ground } from '../ground.ts'
import { badMembers, type Fault } from '../members.ts'
import { again, untilHeld } from '../record-plans.ts'
import { isRecord, isTexts } from '../roles/json-shape.ts'
import { intersectScopes } from '../scopes/narrow.ts'
import { parseScopes, renderScope } from '../scopes/scope.ts'
import { wholeBody } from '../server/form-body.ts'
import { notStored, sendJson, sendOauthError } from '../server/json-answer.ts'
import type { PublicAddress, WebHandler, WebOrigin } from '../web.ts'
import { addSecret, changeClient, clientById, registerClient, takesSecrets } from './administration.ts'
import { type Client, deviceGrant } from './client.ts'
import { type Registration, type RegistrationRules, readRegistration } from './registration.ts'
import { findRegistrationToken, newOwnToken, spendInitialToken } from './registration-tokens.ts'

/**
 * `POST /oauth/register`: an application registers itself, with a token that an administrator made; `GET` and `PUT /oauth/register/{id}` look after it with a
 * token of its own. What comes of it is a draft: it gets nothing until somebody of the house lets it in, and does not change itself afterwards.
 * @see auth.md 10.2; RFC 7591, RFC 7592
 */
export type RegistrationParts = {
  readonly ground: Ground
  readonly address: PublicAddress
  readonly rules: RegistrationRules
  /** Counts a use of a token: 10 an hour. */
  readonly mayRegister?: (tokenHash: string) => Promise<{ readonly allowed: boolean; readonly resetMs: number }>
}

export const createDynamicRegistration = (parts: RegistrationParts): WebHandler => {
  const base = `${new URL(parts.address.issuer).pathname}/register`
  return async (req, res, from) => {
    const path = new URL(req.url ?? '/', 'http://register').pathname
    const id = path.startsWith(`${base}/`) ? path.slice(base.length + 1) : undefined
    const secret = /^bearer +([^ ]+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? ''
    if (id === undefined && path === base && req.method === 'POST') return register(parts, req, res, from, secret)
    if (id !== undefined && (req.method === 'GET' || req.method === 'PUT')) return lookAfter(parts, req, res, from, { id, secret })
    sendOauthError(res, 405, 'invalid_request', undefined, { Allow: id === undefined ? 'POST' : 'GET, PUT' })
  }
}

const register = async (
  parts: RegistrationParts,
  req: IncomingMessage,
  res: ServerResponse,
  from: WebOrigin,
  secret: string,
): Promise<void> => {
  const token = await findRegistrationToken(parts.ground, 'initial', secret)
  if (token === undefined) return unauthorized(res)
  const counted = await parts.mayRegister?.(token.key)
  if (counted?.allowed === false) return tooOften(res, counted.resetMs)
  const read = registrationFrom(await jsonOf(req), token.value.scopes ?? [], parts.rules)
  if (!read.ok) return refused(res, read)
  const made = await registered(parts, read.value, secret, from)
  if (made === undefined) return unauthorized(res)
  if (!made.ok) return sendOauthError(res, 503, 'temporarily_unavailable')
  const { client, own } = made.value
  const credential = takesSecrets(client) ? await addSecret(parts.ground, client.id, client.createdBy, from) : undefined
  if (credential?.ok === false) return sendOauthError(res, 503, 'temporarily_unavailable')
  const shown = credential?.value.client ?? client
  sendJson(res, 201, metadataOf(parts, shown, own, credential?.value.secret), notStored)
}

type Registered = { readonly client: Client; readonly own: string }

/** Undefined when the last use of the token was somebody else's. */
const registered = (
  parts: RegistrationParts,
  registration: Registration,
  secret: string,
  from: WebOrigin,
): Promise<Outcome<Registered> | undefined> =>
  untilHeld<Registered | 'spent'>(async () => {
    const token = await findRegistrationToken(parts.ground, 'initial', secret)
    if (token === undefined) return ok('spent')
    const hands = { by: `registration:${token.key.slice(0, 8)}` }
    const made = await registerClient(parts.ground, registration, hands, from, [spendInitialToken(token)])
    if (!made.ok) return made.failure.kind === 'write-conflict' ? again : made
    const { client } = made.value
    const own = newOwnToken(parts.ground, client.id)
    const kept = await parts.ground.store.commit({ expects: [], guards: [], versions: [], records: own.writes })
    return kept.ok ? ok({ client, own: own.secret }) : kept
  }).then(done => (!done.ok ? done : done.value === 'spent' ? undefined : ok(done.value)))

const lookAfter = async (
  parts: RegistrationParts,
  req: IncomingMessage,
  res: ServerResponse,
  from: WebOrigin,
  { id, secret }: { readonly id: string; readonly secret: string },
): Promise<void> => {
  const token = await findRegistrationToken(parts.ground, 'own', secret)
  const client = token?.value.client === id ? await clientById(parts.ground, id) : undefined
  if (token === undefined || client === undefined) return unauthorized(res)
  if (req.method === 'GET') return sendJson(res, 200, metadataOf(parts, client.value), notStored)
  const counted = await parts.mayRegister?.(token.key)
  if (counted?.allowed === false) return tooOften(res, counted.resetMs)
  if (client.value.status !== 'draft')
    return sendOauthError(res, 403, 'access_denied', 'An administrator let this client in, and changes it from now on.')
  const read = registrationFrom(await jsonOf(req), client.value.scopesAllowed, parts.rules)
  if (!read.ok) return refused(res, read)
  const own = newOwnToken(parts.ground, id, token)
  const beside = { over: client, records: own.writes, facts: [] }
  const done = await changeClient(parts.ground, id, read.value, { by: client.value.createdBy }, from, beside)
  if (!done.ok) return unauthorized(res)
  sendJson(res, 200, metadataOf(parts, done.value.client, own.secret), notStored)
}

const methods = {
  none: 'public',
  client_secret_basic: 'symmetric',
  client_secret_post: 'symmetric',
  private_key_jwt: 'asymmetric',
} as const

/** What RFC 7591 and SMART call it, in our words. Metadata that mean nothing here are left aside, as the RFC says. */
const registrationFrom = (json: unknown, scopesMost: readonly string[], rules: RegistrationRules): Outcome<Registration> => {
  if (!isRecord(json)) return readRegistration(json, rules)
  const method = json.token_endpoint_auth_method ?? 'client_secret_basic'
  const grants = isTexts(json.grant_types) ? json.grant_types : ['authorization_code']
  const off = notOffered(json, grants)
  if (off.length > 0) return badMembers(off)
  const known = typeof method === 'string' && Object.hasOwn(methods, method) ? methods[method as keyof typeof methods] : undefined
  const backend = known === 'asymmetric' && !grants.includes('authorization_code') && grants.includes('client_credentials')
  const type = backend ? 'backend' : known
  const scopesAllowed = scopesWithin(json.scope, scopesMost, rules)
  return readRegistration(
    {
      type,
      name: json.client_name,
      trust: 'self-registered',
      applicationType: json.application_type,
      scopesAllowed,
      offline: scopesAllowed.includes('offline_access'),
      jwks: json.jwks,
      jwksUri: json.jwks_uri,
      requireDpop: json.dpop_bound_access_tokens,
      ...(grants.includes(deviceGrant) ? { deviceFlow: true } : {}),
      allowedOrigins: json.allowed_origins,
      contacts: json.contacts,
      termsUri: json.tos_uri,
      policyUri: json.policy_uri,
      ...(backend
        ? {}
        : {
            redirectUris: json.redirect_uris,
            launchUris: json.launch_uris,
            postLogoutRedirectUris: json.post_logout_redirect_uris,
            backchannelLogoutUri: json.backchannel_logout_uri,
          }),
    },
    rules,
  )
}

const grantsOffered: ReadonlySet<string> = new Set(['authorization_code', 'refresh_token', 'client_credentials', deviceGrant])
const flagsOff = [
  'require_pushed_authorization_requests',
  'require_signed_request_object',
  'tls_client_certificate_bound_access_tokens',
] as const

/** Who demands what is not there is told so by its name, and not left to find out. */
const notOffered = (json: Readonly<Record<string, unknown>>, grants: readonly string[]): readonly Fault[] => [
  ...(grants.every(grant => grantsOffered.has(grant)) ? [] : [{ member: 'grant_types', rule: rule('member-unknown') }]),
  ...(isTexts(json.response_types) && json.response_types.some(type => type !== 'code')
    ? [{ member: 'response_types', rule: rule('member-unknown') }]
    : []),
  ...flagsOff.flatMap(member => (json[member] === undefined || json[member] === false ? [] : [{ member, rule: rule('member-unknown') }])),
]

/** What is asked for, as far as the token goes; without a wish all that it allows. */
const scopesWithin = (asked: unknown, most: readonly string[], { definitions }: RegistrationRules): readonly string[] => {
  const allowed = parseScopes(most.join(' '), { definitions }).scopes
  if (typeof asked !== 'string') return most
  return intersectScopes(parseScopes(asked, { definitions }).scopes, allowed).map(renderScope)
}

const authMethods: Readonly<Record<Client['type'], string>> = {
  public: 'none',
  symmetric: 'client_secret_basic',
  asymmetric: 'private_key_jwt',
  backend: 'private_key_jwt',
  'resource-server': 'client_secret_basic',
}

/** @see RFC 7591 3.2.1 */
const metadataOf = ({ address }: RegistrationParts, client: Client, own?: string, secret?: string): object => ({
  client_id: client.id,
  client_id_issued_at: Math.floor(client.createdAt / 1000),
  ...(secret === undefined
    ? {}
    : { client_secret: secret, client_secret_expires_at: Math.floor((client.secrets.at(-1)?.expiresAt ?? 0) / 1000) }),
  ...(own === undefined ? {} : { registration_access_token: own, registration_client_uri: `${address.issuer}/register/${client.id}` }),
  client_name: client.name,
  application_type: client.applicationType,
  token_endpoint_auth_method: authMethods[client.type],
  grant_types: grantsOf(client),
  ...(client.type === 'backend' ? {} : { response_types: ['code'] }),
  redirect_uris: client.redirectUris,
  launch_uris: client.launchUris,
  allowed_origins: client.allowedOrigins,
  ...(client.postLogoutRedirectUris === undefined ? {} : { post_logout_redirect_uris: client.postLogoutRedirectUris }),
  ...(client.backchannelLogoutUri === undefined ? {} : { backchannel_logout_uri: client.backchannelLogoutUri }),
  scope: client.scopesAllowed.join(' '),
  contacts: client.contacts,
  ...(client.requireDpop === true ? { dpop_bound_access_tokens: true } : {}),
  ...(client.jwks === undefined ? {} : { jwks: client.jwks }),
  ...(client.jwksUri === undefined ? {} : { jwks_uri: client.jwksUri }),
})

const grantsOf = ({ type, redirectUris, offline, deviceFlow }: Client): readonly string[] =>
  type === 'backend'
    ? ['client_credentials']
    : [
        ...(redirectUris.length > 0 ? ['authorization_code'] : []),
        ...(offline ? ['refresh_token'] : []),
        ...(deviceFlow === true ? [deviceGrant] : []),
      ]

const jsonOf = async (req: IncomingMessage): Promise<unknown> => {
  const bytes = await wholeBody(req)
  try {
    return bytes === undefined ? undefined : JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

const unauthorized = (res: ServerResponse): void => {
  sendOauthError(res, 401, 'invalid_token', undefined, { 'WWW-Authenticate': 'Bearer error="invalid_token"' })
}

const tooOften = (res: ServerResponse, resetMs: number): void => {
  const seconds = String(Math.max(1, Math.ceil(resetMs / 1000)))
  sendOauthError(res, 429, 'temporarily_unavailable', undefined, { 'Retry-After': seconds })
}

/** The first thing that is wrong, by the name of our own member; a redirect URI has an error of its own. @see RFC 7591 3.2.2 */
const refused = (res: ServerResponse, read: Extract<Outcome<never>, { ok: false }>): void => {
  const member = String(read.failure.values.member ?? '')
  const error = member.startsWith('redirectUris') ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  sendOauthError(res, 400, error, sentence(read.failure.kind, read.failure.values, 'en'))
}
