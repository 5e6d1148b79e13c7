import type { ServerResponse } from 'node:http'
import { errorUri } from '../oauth-errors.ts'
import type { TooMany } from '../principal/brought.ts'

/** JSON, whole; `text` may be JSON already. */
export const sendJson = (
  res: ServerResponse,
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
): void => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  res
    .writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text), ...headers })
    .end(text)
}

export const notStored = { 'Cache-Control': 'no-store', Pragma: 'no-cache' } as const

/** @see RFC 6749, 5.2 */
export const sendOauthError = (
  res: ServerResponse,
  status: number,
  error: string,
  description?: string,
  headers: Readonly<Record<string, string>> = {},
): void =>
  sendJson(
    res,
    status,
    { error, ...(description !== undefined && { error_description: description }), ...errorUri(error) },
    { ...notStored, ...headers },
  )

/** 429, with when to come again. @see auth.md 15 */
export const sendTooMany = (res: ServerResponse, { tooManyForMs }: TooMany): void =>
  sendOauthError(res, 429, 'temporarily_unavailable', 'too many unknown tokens', {
    'Retry-After': String(Math.max(1, Math.ceil(tooManyForMs / 1000))),
  })
