import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { canonicalBase } from '../base/canonical.ts'
import type { FailureKind } from '../base/failure-kinds.ts'
import type { Ids } from '../base/ids.ts'
import { type Failure, fail, statusOf } from '../base/outcome.ts'
import { issuesOf, operationOutcome } from '../fhir/operation-outcome.ts'
import { fhirJson } from './negotiate.ts'

/** Answers to what never became a request: there is no response object, so the bytes are written here. */

/** What Node's parser found, as a row of the failure table; anything else is `bad-request`. */
const failureOf = (code: string | undefined): Failure => {
  if (code === 'HPE_HEADER_OVERFLOW') return fail('headers-too-large', { max: 64 * 1024 }).failure
  if (code === 'HPE_INVALID_URL') return fail('bad-url', {}).failure
  return fail(slow.has(code ?? '') ? 'slow-body' : 'bad-request', {}).failure
}

const slow: ReadonlySet<string> = new Set(['ERR_HTTP_REQUEST_TIMEOUT', 'HPE_TIMEOUT'])

const gone: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])

export const answerClientError =
  (ids: Ids) =>
  (error: Error & { readonly code?: string }, socket: Duplex): void => {
    if (!socket.writable || gone.has(error.code ?? '') || hasAnswer(socket)) return void socket.destroy()
    socket.end(responseText(failureOf(error.code), ids(), ''), () => socket.destroy())
  }

/** An answer that is under way must not be followed by the bytes of another one. */
const hasAnswer = (socket: Duplex & { readonly _httpMessage?: { readonly headersSent: boolean } | null }): boolean =>
  socket._httpMessage?.headersSent === true

/** CONNECT asks for a tunnel; there is none. */
export const answerConnect =
  (ids: Ids) =>
  (_req: IncomingMessage, socket: Duplex): void => {
    const { failure } = fail('method-not-allowed', { method: 'CONNECT' })
    socket.on('error', () => socket.destroy())
    socket.end(responseText(failure, ids(), 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n'), () => socket.destroy())
  }

const responseText = (failure: Failure & { readonly kind: FailureKind }, requestId: string, more: string): string => {
  const body = JSON.stringify(operationOutcome(issuesOf(failure), 'en', canonicalBase))
  const status = statusOf(failure)
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${fhirJson}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
    `X-Request-Id: ${requestId}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: private, no-store\r\n${more}Connection: close\r\n\r\n${body}`
  )
}
