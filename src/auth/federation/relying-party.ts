import { createLocalJWKSet, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  Configuration,
  type CustomFetch,
  customFetch,
  discovery,
  fetchUserInfo,
  None,
  PrivateKeyJwt,
  type ServerMetadata,
} from 'openid-client'
import type { Clock } from '../../base/clock.ts'
import type { Outgoing } from '../outgoing/outgoing.ts'
import { isRecord } from '../roles/json-shape.ts'
import type { Provider } from './provider.ts'
import type { ProviderKeys } from './provider-keys.ts'

/** What we say to a provider and believe of it: discovery, the code flow with PKCE, its tokens. @see auth.md 13, OpenID Connect Core 3.1 */
export type RelyingParty = {
  /** Where a browser is sent. */
  authorizationUrl(provider: OpenProvider, asked: Asked): Promise<Said<string>>
  /** What an answer is worth: checked against what was asked, the code redeemed, the id token verified. */
  claims(provider: OpenProvider, query: URLSearchParams, asked: Asked): Promise<Said<Claims>>
  /** The claims of a token that the provider signed for us; undefined for any other. `type`: of its header. */
  verified(provider: OpenProvider, token: string, type?: string): Promise<Said<JWTPayload>>
}

/** With its secret, or its private key, in the clear. */
export type OpenProvider = { readonly provider: Provider; readonly secret: string }

export type Asked = {
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  /** A login of now. */
  readonly again?: boolean
  readonly language?: string
}

export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string }

/** `away`: it does not answer; `forged`: what it said, or what came in its name, is not right; `cancelled`: it refused. */
export type Said<T> = { readonly is: 'said'; readonly value: T } | { readonly is: 'away' | 'forged' | 'cancelled' }

export type RelyingPartyParts = {
  readonly outgoing: Outgoing
  readonly keys: ProviderKeys
  readonly clock: Clock
  /** For development: providers on this machine, without https. */
  readonly loopback: boolean
}

const discoveredMs = 3_600_000
const discoveredMax = 100
/** A login asks up to four times, and the door waits 30 seconds for all of it. */
const timeoutMs = 5_000
const bodyBytesMax = 256 * 1024
const subjectMax = 255
/** How long ago a login may have been that is asked for anew. */
const againSeconds = 300
/** None with a shared secret, and never `none`. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

export const createRelyingParty = ({ outgoing, keys, clock, loopback }: RelyingPartyParts): RelyingParty => {
  const discovered = new Map<string, { readonly metadata: ServerMetadata; readonly at: number }>()

  /** Runs what talks to a provider; what goes wrong is told apart by whether it answered at all. */
  const asking = async <T>(run: (fetch: CustomFetch) => Promise<Said<T>>): Promise<Said<T>> => {
    let away = false
    const fetch: CustomFetch = async (url, { method, headers, body }) => {
      const answer = await outgoing({
        url,
        method: method === 'POST' ? 'POST' : 'GET',
        headers,
        ...(body === undefined || body === null ? {} : { body: String(body) }),
        timeoutMs,
        bodyBytesMax,
      })
      away = !answer.ok || answer.status >= 500 || answer.status === 429
      if (!answer.ok) throw new Error(`The provider is ${answer.why}`)
      return responseOf(answer.status, answer.headers['content-type'], answer.body)
    }
    try {
      return await run(fetch)
    } catch (error) {
      if (away) return { is: 'away' }
      return { is: error instanceof AuthorizationResponseError ? 'cancelled' : 'forged' }
    }
  }

  const metadataOf = async ({ issuer }: Provider, fetch: CustomFetch): Promise<ServerMetadata> => {
    const known = discovered.get(issuer)
    if (known !== undefined && clock() - known.at < discoveredMs) return known.metadata
    const found = await discovery(new URL(issuer), 'discovery', undefined, None(), {
      algorithm: 'oidc',
      [customFetch]: fetch,
      ...(loopback ? { execute: [allowInsecureRequests] } : {}),
    })
    const metadata = found.serverMetadata()
    // The library lets some well-known clouds name another issuer; links are by the one that was registered.
    if (metadata.issuer !== issuer) throw new Error('The provider names another issuer')
    if (discovered.size >= discoveredMax) discovered.clear()
    discovered.set(issuer, { metadata, at: clock() })
    return metadata
  }

  const configured = async ({ provider, secret }: OpenProvider, fetch: CustomFetch): Promise<Configuration> => {
    const { supportsPKCE: _, ...metadata } = await metadataOf(provider, fetch)
    // The library looks at the clock of the machine; this makes it go by ours.
    const skew = { [clockSkew]: Math.round((clock() - Date.now()) / 1000) }
    const configuration = new Configuration(metadata, provider.clientId, skew, await authenticationOf(provider, metadata, secret))
    configuration[customFetch] = fetch
    if (loopback) allowInsecureRequests(configuration)
    return configuration
  }

  const checked = async (metadata: ServerMetadata, { clientId, issuer }: Provider, token: string, type?: string): Promise<JWTPayload> => {
    const { kid } = decodeProtectedHeader(token)
    const set = metadata.jwks_uri === undefined ? undefined : await keys(metadata.jwks_uri, kid)
    if (set === undefined) throw new KeysAway()
    const verified = await jwtVerify(token, createLocalJWKSet(set), {
      issuer,
      audience: clientId,
      algorithms,
      currentDate: new Date(clock()),
      clockTolerance: 30,
      ...(type === undefined ? {} : { typ: type }),
    })
    return verified.payload
  }

  const orAway = async <T>(said: () => Promise<Said<T>>): Promise<Said<T>> => {
    try {
      return await said()
    } catch (error) {
      if (error instanceof KeysAway) return { is: 'away' }
      throw error
    }
  }

  return {
    authorizationUrl: (open, { redirectUri, state, nonce, verifier, again, language }) =>
      asking(async fetch => {
        const url = buildAuthorizationUrl(await configured(open, fetch), {
          redirect_uri: redirectUri,
          scope: open.provider.scopes.join(' '),
          state,
          nonce,
          code_challenge: await calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...(again === true ? { prompt: 'login', max_age: String(againSeconds) } : {}),
          ...(language === undefined ? {} : { ui_locales: language }),
        })
        return { is: 'said', value: url.href }
      }),
    claims: (open, query, { redirectUri, state, nonce, verifier, again }) =>
      asking(fetch =>
        orAway(async () => {
          const configuration = await configured(open, fetch)
          const came = new URL(redirectUri)
          came.search = query.toString()
          const tokens = await authorizationCodeGrant(configuration, came, {
            expectedState: state,
            expectedNonce: nonce,
            pkceCodeVerifier: verifier,
            idTokenExpected: true,
            ...(again === true ? { maxAge: againSeconds } : {}),
          })
          const claims = await checked(configuration.serverMetadata(), open.provider, tokens.id_token ?? '')
          const { sub } = claims
          if (sub === undefined || sub === '' || sub.length > subjectMax) return { is: 'forged' }
          const more = needsMore(open.provider, claims) && configuration.serverMetadata().userinfo_endpoint !== undefined
          const told = more ? await fetchUserInfo(configuration, tokens.access_token, sub) : {}
          return { is: 'said', value: { ...told, ...claims, sub } }
        }),
      ),
    verified: (open, token, type) =>
      asking(fetch =>
        orAway(async () => ({ is: 'said', value: await checked(await metadataOf(open.provider, fetch), open.provider, token, type) })),
      ),
  }
}

class KeysAway extends Error {}

const responseOf = (status: number, type: string | undefined, body: Buffer): Response => {
  const text = status === 204 || status === 304 ? null : body.toString('utf8')
  return new Response(text, { status: status < 200 ? 502 : status, ...(type === undefined ? {} : { headers: { 'content-type': type } }) })
}

const authenticationOf = async (
  { authentication }: Provider,
  { token_endpoint_auth_methods_supported: methods }: ServerMetadata,
  secret: string,
) => {
  // What a provider does not say it takes by HTTP Basic. @see OpenID Connect Discovery 3
  if (authentication === 'secret')
    return methods === undefined || methods.includes('client_secret_basic') ? ClientSecretBasic(secret) : ClientSecretPost(secret)
  const jwk: unknown = JSON.parse(secret)
  if (!isRecord(jwk)) throw new Error('The private key is no JWK')
  const key = await importJWK(jwk)
  if (key instanceof Uint8Array) throw new Error('The private key is a shared secret')
  return PrivateKeyJwt({ key, ...(typeof jwk.kid === 'string' ? { kid: jwk.kid } : {}) })
}

/** Many providers say at their userinfo endpoint alone what is asked for here. */
const needsMore = ({ claims, roleMap, emailDomains, directoryDomains, unknown }: Provider, there: JWTPayload): boolean =>
  (roleMap.length > 0 && claims.roles !== undefined && claimAt(there, claims.roles) === undefined) ||
  ((emailDomains.length > 0 || directoryDomains.length > 0 || unknown === 'create') && claimAt(there, claims.email) === undefined)

/** A claim by its name; a name with dots that is no claim itself leads into objects. */
export const claimAt = (claims: Readonly<Record<string, unknown>>, name: string): unknown => {
  if (Object.hasOwn(claims, name)) return claims[name]
  let found: unknown = claims
  for (const part of name.split('.')) found = isRecord(found) && Object.hasOwn(found, part) ? found[part] : undefined
  return found
}
