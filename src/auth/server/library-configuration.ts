import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { Account } from '../accounts/account.ts'
import { accountById } from '../accounts/find-account.ts'
import { grantById } from '../grants/grants.ts'
import { proofAlgs } from '../principal/dpop-proof.ts'
import { heldGrant } from '../principal/token.ts'
import { renderScopes } from '../scopes/scope.ts'
import { assertionAlgs } from '../smart/discovery.ts'
import { launchParameters } from '../smart/launch-parameters.ts'
import { findLaunch } from '../smart/launch-record.ts'
import { createAdapter } from './adapter.ts'
import { scopesForPerson, scopesForService } from './asked-scopes.ts'
import { checkAssertion, clockToleranceSeconds } from './assertion-rules.ts'
import { clientMetadata } from './client-metadata.ts'
import { libraryCookies } from './library-cookies.ts'
import { deviceFlow } from './device-flow.ts'
import { mayName } from './make-grant.ts'
import { promptPolicy, secondFactorAcr } from './prompts.ts'
import { originOf } from './request-origin.ts'
import type { AuthorizationProblem, AuthorizationServerParts } from './server-parts.ts'
import { liveOf, stepsOf, textOf } from './standing.ts'

const minute = 60
const day = 86_400

/** How the library is set: the code flow with PKCE, devices and services, nothing else. @see auth.md annex B */
export const libraryConfiguration = (parts: AuthorizationServerParts): Configuration => {
  const { address, clients, ground } = parts
  return {
    adapter: createAdapter({
      ground,
      refreshGraceSeconds: parts.refreshGraceSeconds,
      clientMetadata: id => clientMetadata(parts, id),
      mayPoll: code => parts.mayPoll(code),
    }),
    // The library's type of keys is jose's, restated.
    jwks: { keys: [...parts.signingKeys.currentJwks().keys] } as NonNullable<Configuration['jwks']>,
    routes: {
      authorization: '/auth',
      token: '/token',
      revocation: '/revoke',
      jwks: '/jwks',
      device_authorization: '/device',
      code_verification: '/device/verify',
    },
    responseTypes: ['code'],
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access', 'online_access'],
    claims: { openid: ['sub', 'auth_time', 'acr', 'amr', 'sid'], fhirUser: ['fhirUser'], profile: ['name'] },
    acrValues: ['urn:simpul:acr:1', secondFactorAcr],
    conformIdTokenClaims: false,
    allowOmittingSingleRegisteredRedirectUri: false,
    clockTolerance: clockToleranceSeconds,
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: [...assertionAlgs],
      idTokenSigningAlgValues: ['RS256'],
      dPoPSigningAlgValues: [...proofAlgs],
    },
    assertJwtClientAuthClaimsAndHeader: (ctx, claims, header) => checkAssertion(address, id => clients.find(id), ctx, claims, header),
    cookies: {
      keys: [...parts.cookieKeys()],
      names: libraryCookies(address),
      long: { httpOnly: true, sameSite: 'lax', path: '/' },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    interactions: { policy: promptPolicy(parts), url: (_ctx, { uid }) => `${address.base}/login/${uid}` },
    extraParams: {
      async aud(ctx: KoaContextWithOIDC, value: string | undefined) {
        // A device has no browser of its own that could be sent elsewhere.
        if (ctx.oidc.route === 'device_authorization' && value === undefined) return
        // The library can do without.
        if (ctx.oidc.route !== 'device_authorization' && ctx.oidc.params?.state === undefined)
          throw new errors.InvalidRequest('state is missing')
        if (value === undefined) throw new errors.InvalidRequest('aud is missing')
        if (value !== address.fhir) throw new errors.InvalidTarget('aud is another server')
      },
      async launch(ctx: KoaContextWithOIDC, value: string | undefined) {
        if (value === undefined) return
        if (ctx.oidc.route === 'device_authorization') throw new errors.InvalidRequest('a device is not launched')
        if ((await findLaunch(ground, value, ctx.oidc.client?.clientId ?? '')) === undefined)
          throw new errors.InvalidRequest('the launch is not known, or was used')
        if (!textOf(ctx.oidc.params?.scope).split(' ').includes('launch'))
          throw new errors.InvalidScope('the scope launch is missing', 'launch')
      },
      async purpose_of_use(ctx: KoaContextWithOIDC, value: string | undefined) {
        const client = await clients.find(ctx.oidc.client?.clientId ?? '')
        if (client === undefined || !mayName(client, value))
          throw new errors.InvalidRequest('purpose_of_use is not registered for this client')
      },
    },
    async findAccount(ctx, id, token) {
      const grant = token !== undefined && 'grantId' in token && typeof token.grantId === 'string' ? token.grantId : undefined
      // Of a code the library asks after it was used: many who use it at once would end the grant before the first of them has his answer.
      const held = grant === undefined ? undefined : await heldGrant(ground, grant)
      const account = grant === undefined ? (await liveOf(parts, ctx))?.account : held?.account
      if (account?.key !== id) return undefined
      return { accountId: id, claims: async () => claimsOf(parts, account.value, held?.grant.value.session) }
    },
    async loadExistingGrant(ctx) {
      const id = stepsOf(ctx.oidc.result).consent?.grantId
      return id === undefined ? undefined : ctx.oidc.provider.Grant.find(id)
    },
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && (source.scopes.has('offline_access') || source.scopes.has('online_access')),
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    expiresWithSession: async () => false,
    async extraTokenClaims(_ctx, token) {
      const grant = 'grantId' in token && typeof token.grantId === 'string' ? await grantById(ground, token.grantId) : undefined
      return grant === undefined ? undefined : launchParameters(grant.value)
    },
    clientBasedCORS: (_ctx, origin, client) => Array.isArray(client.allowed_origins) && client.allowed_origins.includes(origin),
    extraClientMetadata: { properties: ['allowed_origins'] },
    renderError: async (ctx, out, error) => {
      ctx.respond = false
      const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
      const about = out.error === 'invalid_target' ? 'aud' : error instanceof errors.SessionNotFound ? 'expired' : undefined
      const problem: AuthorizationProblem = {
        status,
        error: out.error,
        ...(about !== undefined && { about }),
        ...(out.error_description !== undefined && status < 500 && { description: out.error_description }),
      }
      await parts.renderError(ctx.req, ctx.res, problem, originOf(ctx.req))
    },
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 15 * minute,
      AuthorizationCode: minute,
      DeviceCode: 10 * minute,
      ClientCredentials: 5 * minute,
      // `makeGrant` says how long each lives.
      Grant: 1,
      IdToken: 15 * minute,
      Interaction: 10 * minute,
      RefreshToken: (ctx: KoaContextWithOIDC) => Math.max(1, Math.min(30 * day, ctx.oidc.entities.Grant?.remainingTTL ?? 1)),
      Session: day / 2,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: deviceFlow(parts),
      dPoP: { enabled: true },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => address.fhir,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (ctx, resource) => {
          if (resource !== address.fhir) throw new errors.InvalidTarget()
          const scope = await scopesNow(parts, ctx)
          if (scope === '') throw new errors.InvalidScope('none of the requested scopes can be granted', '')
          return { scope, audience: address.fhir, accessTokenFormat: 'opaque', accessTokenTTL: await lifeOf(parts, ctx) }
        },
      },
    },
  }
}

/** What of the requested scopes, or of those a code or refresh token stands for, can be given now. */
const scopesNow = async (parts: AuthorizationServerParts, { oidc }: KoaContextWithOIDC): Promise<string> => {
  const client = await parts.clients.find(oidc.client?.clientId ?? '')
  if (client === undefined) return ''
  const asked = textOf(oidc.params?.scope)
  if (oidc.route !== 'token') return renderScopes(scopesForPerson(parts, client, asked))
  if (oidc.params?.grant_type === 'client_credentials') {
    const scope = renderScopes(scopesForService(parts, client, asked))
    // The library keeps of what was asked the texts that it finds here; one that was narrowed has another text.
    oidc.params.scope = scope
    return scope
  }
  const { AuthorizationCode, DeviceCode, RotatedRefreshToken, RefreshToken } = oidc.entities
  const held = (AuthorizationCode ?? DeviceCode ?? RotatedRefreshToken ?? RefreshToken)?.scope ?? ''
  const account = oidc.account === undefined ? undefined : await accountById(parts.ground, oidc.account.accountId)
  return account === undefined ? '' : renderScopes(scopesForPerson(parts, client, `${held} ${asked}`, account.value))
}

const lifeOf = async (parts: AuthorizationServerParts, { oidc }: KoaContextWithOIDC): Promise<number> => {
  if (oidc.params?.grant_type === 'client_credentials') return 5 * minute
  const client = await parts.clients.find(oidc.client?.clientId ?? '')
  return Math.min(60, Math.max(5, client?.accessTokenMinutes ?? 15)) * minute
}

/** Nothing clinical. The library gives out what the scopes ask for. `sid`: of the session in which it was allowed, as a logout token names it. */
const claimsOf = ({ address }: AuthorizationServerParts, { id, fhirUser, username }: Account, sid: string | undefined) => ({
  sub: id,
  ...(sid !== undefined && { sid }),
  ...(fhirUser !== undefined && { fhirUser: `${address.fhir}/${fhirUser}` }),
  ...(username !== undefined && { name: username }),
})
