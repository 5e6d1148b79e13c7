import { decodeProtectedHeader } from 'jose'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { ClientHealth, ClientTrouble } from '../clients/client-health.ts'
import { textOf } from './standing.ts'

/** Tells the health page of a client what it got and what it got wrong. */
export const noteClients = (provider: Provider, health: ClientHealth): void => {
  provider.on('grant.success', ctx => {
    const { client, params, entities } = ctx.oidc
    const kid = kidOf(params?.client_assertion)
    const scope = textOf((entities.AccessToken ?? entities.ClientCredentials)?.scope)
    if (client) health.used(client.clientId, { scopes: scope.split(' ').filter(one => one !== ''), ...(kid !== undefined && { kid }) })
  })
  provider.on('grant.error', (ctx, error) => note(health, ctx, tokenTrouble(ctx, error.message)))
  provider.on('authorization.error', (ctx, error) => note(health, ctx, authorizationTrouble(ctx, error.message)))
  provider.on('authorization.accepted', ctx => note(health, ctx, hasShortState(ctx) ? 'state-short' : undefined))
}

/** A device sends nobody anywhere, so it has no state. */
const hasShortState = ({ oidc: { route, params } }: KoaContextWithOIDC): boolean =>
  !/^(?:code|device)_/.test(route) && textOf(params?.state).length < 16

const note = (health: ClientHealth, { oidc }: KoaContextWithOIDC, trouble: ClientTrouble | undefined): void => {
  if (trouble !== undefined && oidc.client !== undefined) health.trouble(oidc.client.clientId, trouble)
}

const tokenTrouble = ({ oidc }: KoaContextWithOIDC, error: string): ClientTrouble | undefined => {
  if (error === 'invalid_client') return oidc.params?.client_assertion === undefined ? 'secret-wrong' : 'assertion-refused'
  if (error === 'invalid_grant') return oidc.params?.grant_type === 'refresh_token' ? 'refresh-refused' : 'code-refused'
  if (error === 'invalid_dpop_proof') return 'proof-refused'
  return error === 'invalid_scope' ? 'scope-refused' : undefined
}

const authorizationTrouble = ({ oidc }: KoaContextWithOIDC, error: string): ClientTrouble | undefined => {
  if (error === 'invalid_redirect_uri') return 'redirect-unknown'
  if (error === 'invalid_target') return 'audience-wrong'
  if (error === 'invalid_scope') return 'scope-refused'
  if (error !== 'invalid_request') return undefined
  if (oidc.params?.code_challenge === undefined || oidc.params.code_challenge_method !== 'S256') return 'challenge-missing'
  return oidc.params.launch === undefined ? undefined : 'launch-refused'
}

const kidOf = (assertion: unknown): string | undefined => {
  try {
    return decodeProtectedHeader(textOf(assertion)).kid
  } catch {
    return undefined
  }
}
