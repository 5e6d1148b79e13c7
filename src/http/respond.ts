import { canonicalBase } from '../base/canonical.ts'
import { type Failure, type Issue, statusOf } from '../base/outcome.ts'
import { issuesOf, operationOutcome } from '../fhir/operation-outcome.ts'
import type { Answer } from '../interactions/request.ts'
import { rawHeaders, reprDigest } from './binary.ts'
import { hasBody } from './body.ts'
import { challengeHeaders } from './challenge.ts'
import { compress, compressFromBytes, encodingFor, isCompressible } from './compress.ts'
import { exposedHeaders } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { languageOf } from './headers.ts'
import { pretty } from './pretty.ts'

/** Answers and failures as HTTP. They leave by `res.end` alone: Express would decide about 304 by rules of its own. */

const vary = 'Accept, Accept-Encoding, Accept-Language, Authorization, Origin, Prefer'

/** Headers of every answer, in the flat form of `writeHead`. */
const commonHeaders = (exchange: Exchange): string[] => {
  const { requestId, correlationId } = exchange.correlation
  const headers = ['X-Request-Id', requestId ?? exchange.requestId, 'Vary', vary, ...exchange.security]
  if (correlationId !== undefined) headers.push('X-Correlation-Id', correlationId)
  if (exchange.rateLimit !== undefined) headers.push(...exchange.rateLimit)
  const isPublic = exchange.isPublic || exchange.match?.interaction === 'capabilities'
  // A failure is about this moment, and nobody's to keep.
  headers.push('Cache-Control', isPublic && exchange.failure === undefined ? 'public, max-age=60' : 'private, no-store')
  if (isPublic) headers.push('Access-Control-Allow-Origin', '*')
  else if (exchange.allowOrigin !== undefined)
    headers.push('Access-Control-Allow-Origin', exchange.allowOrigin, 'Access-Control-Expose-Headers', exposedHeaders)
  return headers
}

let lastModifiedMs = -1
let lastModifiedText = ''

/** Whole seconds; the text is remembered, since many answers in a row name the same second. */
const httpDate = (ms: number): string => {
  const seconds = Math.floor(ms / 1000) * 1000
  if (seconds !== lastModifiedMs) [lastModifiedMs, lastModifiedText] = [seconds, new Date(seconds).toUTCString()]
  return lastModifiedText
}

const returnApplied = { minimal: 'return=minimal', representation: 'return=representation', OperationOutcome: 'return=OperationOutcome' }
const writes: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'batch', 'transaction'])
const searches: ReadonlySet<string> = new Set(['search-type', 'search-system', 'search-compartment', 'batch', 'transaction'])

const preferenceApplied = ({ prefer, match, waitMs }: Exchange): string => {
  const interaction = match?.interaction ?? ''
  const applied: string[] = []
  if (prefer?.return !== undefined && writes.has(interaction)) applied.push(returnApplied[prefer.return])
  if (prefer?.handling === 'lenient' && searches.has(interaction)) applied.push('handling=lenient')
  if (waitMs !== undefined) applied.push(`wait=${waitMs / 1000}`)
  return applied.join(', ')
}

/** `base` makes addresses absolute; they are never built from request headers. */
export const sendAnswer = (exchange: Exchange, answer: Answer, base: string): void | Promise<void> => {
  const headers = commonHeaders(exchange)
  if (answer.etag !== undefined) headers.push('ETag', `W/"${answer.etag}"`)
  else if (answer.versionId !== undefined) headers.push('ETag', `W/"${answer.versionId}"`)
  if (answer.lastModified !== undefined) headers.push('Last-Modified', httpDate(answer.lastModified))
  if (answer.location !== undefined) headers.push('Location', `${base}/${answer.location}`)
  if (answer.contentLocation !== undefined) headers.push('Content-Location', `${base}/${answer.contentLocation}`)
  if (exchange.prefer?.return !== undefined || exchange.prefer?.handling === 'lenient' || exchange.waitMs !== undefined) {
    const applied = preferenceApplied(exchange)
    if (applied !== '') headers.push('Preference-Applied', applied)
  }
  const { body, status } = answer
  if (body === undefined || status === 304 || status === 204) return sendNothing(exchange, status, headers)
  if (body.kind === 'json') return sendJson(exchange, status, headers, body.chunks)
  if (body.kind === 'outcome') return sendOutcome(exchange, status, headers, answer.issues ?? [])
  headers.push('Content-Type', body.contentType, ...rawHeaders(body.contentType))
  return sendBytes(exchange, status, headers, [body.bytes], isCompressible(body.contentType), reprDigest)
}

/** An OperationOutcome that says what failed, in the language of the client. */
export const sendFailure = (exchange: Exchange, failure: Failure): void | Promise<void> => {
  exchange.failure = failure.kind
  const headers = commonHeaders(exchange)
  const { allow, versionId, retryAfterSeconds } = failure
  if (allow !== undefined) headers.push('Allow', allow.join(', '))
  if (versionId !== undefined) headers.push('ETag', `W/"${versionId}"`)
  if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(retryAfterSeconds))
  headers.push(...challengeHeaders(failure, exchange.site.base))
  return sendOutcome(exchange, statusOf(failure), headers, issuesOf(failure))
}

const sendOutcome = (exchange: Exchange, status: number, headers: string[], issues: readonly Issue[]): void | Promise<void> => {
  const language = languageOf(exchange.req.headers['accept-language'])
  headers.push('Content-Language', language)
  const text = JSON.stringify(operationOutcome(issues, language, canonicalBase))
  return sendJson(exchange, status, headers, [Buffer.from(text)])
}

const sendJson = (exchange: Exchange, status: number, headers: string[], chunks: readonly Uint8Array[]): void | Promise<void> => {
  headers.push('Content-Type', exchange.format.contentType)
  return sendBytes(exchange, status, headers, exchange.format.pretty ? [pretty(joined(chunks))] : chunks, true)
}

/** An answer that is its status and headers, such as a redirect. */
export const sendStatus = (exchange: Exchange, status: number, headers: readonly string[]): void =>
  sendNothing(exchange, status, [...commonHeaders(exchange), ...headers])

/** A page or a report that is no FHIR. */
export const sendText = (
  exchange: Exchange,
  status: number,
  contentType: string,
  text: string,
  more: readonly string[] = [],
): void | Promise<void> =>
  sendBytes(exchange, status, [...commonHeaders(exchange), 'Content-Type', contentType, ...more], [Buffer.from(text)], true)

/** 204 and 304 have no length to tell. */
const sendNothing = (exchange: Exchange, status: number, headers: string[]): void => {
  if (status !== 204 && status !== 304) headers.push('Content-Length', '0')
  finish(exchange, status, headers, [])
}

const joined = (chunks: readonly Uint8Array[]): Uint8Array => (chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks))

/** `ofSent`: headers that can only be made from the bytes as they are sent. */
const sendBytes = (
  exchange: Exchange,
  status: number,
  headers: string[],
  chunks: readonly Uint8Array[],
  compressible: boolean,
  ofSent?: (bytes: Uint8Array) => readonly string[],
): void | Promise<void> => {
  let length = 0
  for (const chunk of chunks) length += chunk.length
  const encoding = compressible && length >= compressFromBytes ? encodingFor(exchange.req.headers['accept-encoding']) : undefined
  if (encoding === undefined) {
    headers.push('Content-Length', String(length), ...(ofSent?.(joined(chunks)) ?? []))
    return finish(exchange, status, headers, chunks)
  }
  headers.push('Content-Encoding', encoding)
  // HEAD tells no length that would have to be worked out.
  if (exchange.method === 'HEAD') return finish(exchange, status, headers, [])
  const compressed = compress(encoding, joined(chunks))
  const send = (bytes: Uint8Array): void => {
    headers.push('Content-Length', String(bytes.length), ...(ofSent?.(bytes) ?? []))
    finish(exchange, status, headers, [bytes])
  }
  return 'then' in compressed ? compressed.then(send) : send(compressed)
}

/** What is left of a body after an early answer is read and thrown away this long, so that the client gets to see the answer. */
const lingerMs = 2000

const finish = (exchange: Exchange, status: number, headers: string[], chunks: readonly Uint8Array[]): void => {
  const { req, res } = exchange
  if (res.destroyed) return
  const unread = hasBody(req) && !req.complete
  if (unread) headers.push('Connection', 'close')
  res.writeHead(status, headers)
  if (exchange.method === 'HEAD') return void res.end()
  for (const chunk of chunks) exchange.bytesSent += chunk.length
  if (unread) return void linger(exchange, chunks)
  if (chunks.length < 2) return void res.end(chunks[0])
  res.cork()
  for (const chunk of chunks) res.write(chunk)
  res.end()
}

/** A connection closed with bytes unread is reset, and the reset can overtake the answer. */
const linger = ({ req, res }: Exchange, chunks: readonly Uint8Array[]): void => {
  if (chunks.length === 0) res.flushHeaders()
  for (const chunk of chunks) res.write(chunk)
  const close = (): void => {
    clearTimeout(patience)
    res.end()
  }
  const patience = setTimeout(close, lingerMs)
  req.once('end', close)
  req.once('close', close)
  req.resume()
}
