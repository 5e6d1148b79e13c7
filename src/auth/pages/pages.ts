import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebHandler, WebOrigin } from '../web.ts'
import type { PagesParts } from './parts.ts'

/**
 * Sign-in and one's own account: HTML from the server, usable without script. @see auth.md 14
 *
 * `login` serves `/login` and all below, `account` serves `/account` and all below, `assets` serves `/login/assets/*`, which are the same for
 * everybody and never change under their name. Forms that were refused answer 422: that is what a limit by address counts.
 */
export type Pages = {
  readonly login: WebHandler
  readonly account: WebHandler
  readonly assets: WebHandler
  /** The page for whoever came with a browser and cannot go on. */
  readonly renderError: (req: IncomingMessage, res: ServerResponse, error: PageError, from: Pick<WebOrigin, 'requestId'>) => void
}

export type PageError = {
  /** `aud`: the application is made for another server; `launch`: its start is over; `expired`: the sign-in is over, begin again. */
  readonly what: 'generic' | 'aud' | 'launch' | 'expired' | 'not-found' | 'forged' | 'too-many' | 'away'
  /** Else the one that goes with `what`. */
  readonly status?: number
  readonly retryAfterSeconds?: number
}

export const createPages = (_parts: PagesParts): Pages => {
  const empty: WebHandler = async (_req, res) => void res.writeHead(404).end()
  return { login: empty, account: empty, assets: empty, renderError: (_req, res) => void res.writeHead(404).end() }
}
