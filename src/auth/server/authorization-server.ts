import type { AuthorizationServer, AuthorizationServerParts } from './server-parts.ts'

/** The authorization server: oidc-provider, configured by us, behind our own doors. @see auth.md 7, 8, annex B */
export const createAuthorizationServer = (_parts: AuthorizationServerParts): AuthorizationServer => {
  throw new Error('Not built yet')
}
