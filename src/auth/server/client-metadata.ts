import { decodeProtectedHeader } from 'jose'
import { type AdapterPayload, Provider } from 'oidc-provider'
import { type Client, deviceGrant } from '../clients/client.ts'
import { isUsable } from '../clients/registry.ts'
import { allowing } from '../principal/token.ts'
import { currentOrigin } from './request-origin.ts'
import type { AuthorizationServerParts } from './server-parts.ts'

/**
 * A client as the library wants it. Undefined for one that is unknown, a draft or suspended, and for an assertion whose keys cannot be had: then the answer is
 * `invalid_client`. Scopes are not among it, or the library would refuse whole requests where we drop single scopes. @see auth.md 10.1
 */
export const clientMetadata = async (
  { clients }: Pick<AuthorizationServerParts, 'clients'>,
  id: string,
): Promise<AdapterPayload | undefined> => {
  const client = await clients.find(id)
  if (client === undefined || !isUsable(client)) return undefined
  // Where somebody agrees it is his browser that comes.
  if (Provider.ctx?.oidc?.route === 'token' && !allowing(client.ipAllow)(currentOrigin().address)) return undefined
  const keys = await keysFor(clients, client)
  if (keys === undefined) return undefined
  const interactive = client.type !== 'backend' && client.type !== 'resource-server'
  // An app of devices alone has no place to go back to.
  const byBrowser = interactive && client.redirectUris.length > 0
  const method = authMethod(client)
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.applicationType,
    redirect_uris: [...client.redirectUris],
    allowed_origins: [...client.allowedOrigins],
    response_types: byBrowser ? ['code'] : [],
    grant_types: interactive ? interactiveGrants(client, byBrowser) : client.type === 'backend' ? ['client_credentials'] : [],
    token_endpoint_auth_method: method,
    dpop_bound_access_tokens: client.requireDpop === true,
    // Never compared: `compareClientSecret` asks the registry, which may have two.
    ...(method.startsWith('client_secret') && { client_secret: 'kept-elsewhere' }),
    ...(method === 'private_key_jwt' && { jwks: keys }),
  }
}

const interactiveGrants = (client: Client, byBrowser: boolean): string[] => [
  ...(byBrowser ? ['authorization_code'] : []),
  'refresh_token',
  ...(client.deviceFlow === true ? [deviceGrant] : []),
  ...(client.type === 'asymmetric' && hasSystemScopes(client) ? ['client_credentials'] : []),
]

export const authMethod = ({ type, jwks, jwksUri }: Client): 'none' | 'client_secret_basic' | 'private_key_jwt' => {
  if (type === 'public') return 'none'
  if (type === 'symmetric') return 'client_secret_basic'
  return type === 'resource-server' && jwks === undefined && jwksUri === undefined ? 'client_secret_basic' : 'private_key_jwt'
}

const hasSystemScopes = ({ scopesAllowed }: Client): boolean => scopesAllowed.some(scope => scope.startsWith('system/'))

type KeySet = { keys: NonNullable<AdapterPayload['jwks']>['keys'] }

/** Only a request that carries an assertion makes us fetch. Each key needs a `kid`, and no two the same. */
const keysFor = async (clients: AuthorizationServerParts['clients'], client: Client): Promise<KeySet | undefined> => {
  const assertion: unknown = Provider.ctx?.oidc?.params?.client_assertion
  if (authMethod(client) !== 'private_key_jwt' || typeof assertion !== 'string') return { keys: [] }
  const set = await clients.keysOf(client, kidOf(assertion))
  if (set === undefined) return undefined
  const kids = set.keys.map(({ kid }) => kid)
  if (kids.some(kid => kid === undefined || kid === '') || new Set(kids).size < kids.length) return undefined
  // The library's type of keys is jose's, restated.
  return { keys: [...set.keys] as KeySet['keys'] }
}

const kidOf = (assertion: string): string | undefined => {
  try {
    return decodeProtectedHeader(assertion).kid
  } catch {
    return undefined
  }
}
