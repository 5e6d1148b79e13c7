import type { AuthorizationEndpoints } from '../capability-security.ts'
import { deviceGrant } from '../clients/client.ts'
import { proofAlgs } from '../principal/dpop-proof.ts'
import type { PublicAddress } from '../web.ts'

/** Where everything is: the one source for the discovery documents and for `CapabilityStatement.rest.security`. */
export const authorizationEndpoints = ({ base, issuer }: PublicAddress, registration: boolean): AuthorizationEndpoints => ({
  authorize: `${issuer}/auth`,
  token: `${issuer}/token`,
  introspect: `${issuer}/introspect`,
  manage: `${base}/account/apps`,
  revoke: `${issuer}/revoke`,
  ...(registration && { register: `${issuer}/register` }),
})

export type DiscoveryParts = {
  readonly address: PublicAddress
  /** Whether clients may register themselves. */
  readonly registration: boolean
  /** `supportedScopes` of the types that are served. */
  readonly scopes: readonly string[]
  /** Of the primary facility. */
  readonly brand?: { readonly system: string; readonly value: string }
}

/** The text of `{fhir}/.well-known/smart-configuration`. @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html */
export const smartConfiguration = ({ address, registration, scopes, brand }: DiscoveryParts): string => {
  const endpoints = authorizationEndpoints(address, registration)
  return JSON.stringify({
    issuer: address.issuer,
    jwks_uri: `${address.issuer}/jwks`,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
    introspection_endpoint: endpoints.introspect,
    revocation_endpoint: endpoints.revoke,
    management_endpoint: endpoints.manage,
    ...(endpoints.register !== undefined && { registration_endpoint: endpoints.register }),
    grant_types_supported: ['authorization_code', 'client_credentials'],
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: assertionAlgs,
    dpop_signing_alg_values_supported: proofAlgs,
    scopes_supported: scopes,
    capabilities,
    user_access_brand_bundle: `${address.base}/.well-known/brands.json`,
    ...(brand !== undefined && { user_access_brand_identifier: brand }),
  })
}

/** OpenID Connect Discovery 1.0 and RFC 8414: one document for both. */
export const oauthMetadata = ({ address, registration, scopes }: Omit<DiscoveryParts, 'brand'>): object => {
  const { issuer } = address
  const endpoints = authorizationEndpoints(address, registration)
  return {
    issuer,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/me`,
    introspection_endpoint: endpoints.introspect,
    revocation_endpoint: endpoints.revoke,
    device_authorization_endpoint: `${issuer}/device`,
    end_session_endpoint: `${issuer}/session/end`,
    ...(endpoints.register !== undefined && { registration_endpoint: endpoints.register }),
    scopes_supported: scopes,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: assertionAlgs,
    dpop_signing_alg_values_supported: proofAlgs,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    code_challenge_methods_supported: ['S256'],
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'auth_time', 'acr', 'amr', 'sid', 'fhirUser', 'name'],
    acr_values_supported: ['urn:simpul:acr:1', 'urn:simpul:acr:2'],
    prompt_values_supported: ['none', 'login', 'consent'],
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    authorization_response_iss_parameter_supported: true,
  }
}

/** Signatures of client assertions, in the order of preference. */
export const assertionAlgs = ['RS384', 'ES384', 'RS256', 'ES256', 'PS384', 'EdDSA'] as const

const capabilities = [
  'launch-ehr',
  'launch-standalone',
  'authorize-post',
  'client-public',
  'client-confidential-symmetric',
  'client-confidential-asymmetric',
  'sso-openid-connect',
  'context-banner',
  'context-style',
  'context-ehr-patient',
  'context-ehr-encounter',
  'context-standalone-patient',
  'context-standalone-encounter',
  'permission-offline',
  'permission-online',
  'permission-patient',
  'permission-user',
  'permission-v1',
  'permission-v2',
  'smart-app-state',
] as const
