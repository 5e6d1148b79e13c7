import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorUri } from '../auth/oauth-errors.ts'
import type { WebOrigin } from '../auth/web.ts'

/** What ends a request to one of the doors before its handler could. */
export type DoorProblem = {
  readonly what: 'generic' | 'away' | 'too-many' | 'slow' | 'too-large' | 'encoding' | 'incomplete' | 'origin'
  readonly status: number
  readonly retryAfterSeconds?: number
}

export type DoorErrors = (req: IncomingMessage, res: ServerResponse, problem: DoorProblem, from: WebOrigin) => Promise<void> | void

// biome-ignore format: a table
const words = {
  generic:     ['server_error',            'Something went wrong here; the log knows it by X-Request-Id.'],
  away:        ['temporarily_unavailable', 'Sign-in is not available at the moment.'],
  'too-many':  ['temporarily_unavailable', 'Too many requests; Retry-After says when to come again.'],
  slow:        ['invalid_request',         'The body did not arrive in time.'],
  'too-large': ['invalid_request',         'The body is longer than 64 KiB.'],
  encoding:    ['invalid_request',         'A body is sent here as it is, without Content-Encoding.'],
  incomplete:  ['invalid_request',         'The body did not arrive whole.'],
  origin:      ['invalid_request',         'No application registered this origin.'],
} as const satisfies Record<DoorProblem['what'], readonly [error: string, description: string]>

/** As the authorization server says it. @see RFC 6749 5.2, auth.md 15 */
export const oauthProblem = (res: ServerResponse, { what, status, retryAfterSeconds }: DoorProblem): void => {
  const [error, description] = words[what]
  const text = JSON.stringify({ error, error_description: description, ...errorUri(error) })
  if (retryAfterSeconds !== undefined) res.setHeader('Retry-After', String(retryAfterSeconds))
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), Pragma: 'no-cache' }).end(text)
}
