import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JSONWebKeySet, JWK } from 'jose'
import type { Client } from '../clients/client.ts'
import type { Principal } from '../policy/principal.ts'
import type { PrincipalParts } from '../principal/principal-parts.ts'
import type { WebHandler, WebOrigin } from '../web.ts'
import type { Interactions } from './interaction.ts'

/** What the authorization server is given. */
export type AuthorizationServerParts = PrincipalParts & {
  readonly clients: ClientKeys
  /** Private JWKs that sign id tokens, the one in use first, each with `kid`, `alg` and `use`. At least one RS256. */
  readonly signingKeys: readonly JWK[]
  /** Name of the cookie of our session: `__Host-simpul_sid`, without the prefix where there is no https. */
  readonly sessionCookie: string
  /** Whether this user may read the instance now, and which members of it matter to a launch. Undefined: not visible, or not there. */
  see(principal: Principal, type: string, id: string): Promise<Seen | undefined>
  /** A page for errors that must not travel to a redirect address. */
  readonly renderError: RenderError
  /** SIMPUL_AUTH_REFRESH_GRACE_SECONDS, at most 10; 0 for none. */
  readonly refreshGraceSeconds: number
}

/** `subject`: the Patient it is about, where it names one. */
export type Seen = { readonly subject?: string }

/** What the registry of clients says beside their rows. */
export type ClientKeys = {
  /** Public keys for assertions; undefined for a set that is malformed, unreachable, or has one `kid` twice. */
  keysOf(client: Client): Promise<JSONWebKeySet | undefined>
  /** Secrets in clear that are valid now: none, one, or two while one is being replaced. */
  secretsOf(client: Client): Promise<readonly string[]>
}

/** What went wrong, in the words of OAuth; `aud` and `launch` have sentences of their own (auth.md 14). */
export type AuthorizationProblem = {
  readonly status: number
  readonly error: string
  /** English, short, without secrets. */
  readonly description?: string
  readonly about?: 'aud' | 'launch'
}

export type RenderError = (req: IncomingMessage, res: ServerResponse, problem: AuthorizationProblem, from: WebOrigin) => Promise<void>

export type AuthorizationServer = {
  /** For `/oauth` and below, and `/.well-known/oauth-authorization-server/oauth`. */
  readonly handler: WebHandler
  readonly interactions: Interactions
  /** Other signing keys, from the next request on; requests in flight finish with the ones before. */
  rotate(signingKeys: readonly JWK[]): void
}
