import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from '../clients/client.ts'
import type { ClientRegistry } from '../clients/registry.ts'
import type { SigningKeys } from '../keys/signing-keys.ts'
import type { Principal } from '../policy/principal.ts'
import type { AuthenticateParts, PrincipalParts } from '../principal/principal-parts.ts'
import type { WebHandler, WebOrigin } from '../web.ts'
import type { Interactions } from './interaction.ts'

/** What the authorization server is given. */
export type AuthorizationServerParts = PrincipalParts & {
  readonly clients: Pick<ClientRegistry, 'find' | 'secretsOf' | 'keysOf' | 'health'>
  readonly signingKeys: Pick<SigningKeys, 'currentJwks' | 'publicJwks' | 'onChange'>
  /** Secrets that sign the library's cookies, the present one first, then the one before. */
  cookieKeys(): readonly string[]
  /** Name of the cookie of our session: `__Host-simpul_sid`, without the prefix where there is no https. */
  readonly sessionCookie: string
  /** Whether the principal may read the instance now, and what a launch asks of it. Undefined: not visible, or not there. */
  see(principal: Principal, type: string, id: string): Promise<Seen | undefined>
  readonly unknownToken: AuthenticateParts['unknownToken']
  /** A page for errors that must not travel to a redirect address. It ends the answer. */
  readonly renderError: RenderError
  /** Pages for a browser that brings the code of a device. It ends the answer. */
  readonly renderDevice: RenderDevice
  /** False: a device asks too often whether somebody is done. `code`: hash of its code. */
  mayPoll(code: string): Promise<boolean>
  /** SIMPUL_AUTH_REFRESH_GRACE_SECONDS, at most 10; 0 for none. */
  readonly refreshGraceSeconds: number
  /** Scopes of the discovery documents. */
  readonly scopes: readonly string[]
  /** Whether clients may register themselves: the documents then say where. */
  readonly registration: boolean
  /** An error that the library could not place: a bug, or a store that is away. */
  failed?(error: unknown, requestId: string): void
}

/** `subject`: id of the Patient that it is about, where it names one. */
export type Seen = { readonly subject?: string }

/** What went wrong, in the words of OAuth; `aud` and `launch` have sentences of their own (auth.md 14). */
export type AuthorizationProblem = {
  readonly status: number
  readonly error: string
  /** English, short, without secrets. */
  readonly description?: string
  readonly about?: 'aud' | 'launch' | 'expired'
}

export type RenderError = (
  req: IncomingMessage,
  res: ServerResponse,
  problem: AuthorizationProblem,
  from: WebOrigin,
) => Promise<void> | void

/**
 * What a browser that came to type the code of a device is shown. `xsrf` goes back with its form. `problem`: it cannot go on, and the device is told where it
 * is known which. @see RFC 8628 3.3
 */
export type DeviceShown =
  | { readonly is: 'code'; readonly xsrf: string; readonly typed?: string; readonly wrong?: 'missing' | 'unknown' | 'expired' | 'used' }
  | { readonly is: 'confirm'; readonly xsrf: string; readonly code: string; readonly client: Client }
  | { readonly is: 'done' | 'refused' }
  | { readonly is: 'problem'; readonly problem: AuthorizationProblem }

export type RenderDevice = (req: IncomingMessage, res: ServerResponse, shown: DeviceShown, from: WebOrigin) => Promise<void> | void

export type AuthorizationServer = {
  /** For `/oauth` and all below, and `/.well-known/oauth-authorization-server/oauth`. */
  readonly handler: WebHandler
  readonly interactions: Interactions
  /** The keys of cookies changed: they hold from the next request on. Changes of signing keys it hears of by itself. */
  renew(): void
}
