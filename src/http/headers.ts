import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Conditions, Prefer } from '../interactions/request.ts'
import { remembered } from './remembered.ts'

/** What the header block must be, and what it says besides media types. @see https://hl7.org/fhir/R4/http.html#Http-Headers */

/** Headers that mean one thing. Node would keep the first of repeated ones in silence. */
const singletons = [
  'host',
  'content-type',
  'content-length',
  'content-encoding',
  'authorization',
  'if-modified-since',
  'if-unmodified-since',
  'if-none-exist',
  'x-security-context',
]

/** By length, so that the walk over all headers compares few texts; each with a bit of its own. */
const singletonsByLength = Map.groupBy(
  singletons.map((name, at) => ({ name, bit: 1 << at })),
  ({ name }) => name.length,
)

/** `: ` and the line's end. */
const lineBytes = 4

/** One walk over the block as sent. Fails `headers-too-large`, `repeated-header`. */
export const checkHeaderBlock = (raw: readonly string[], limits: Pick<Limits, 'headerBytesMax'>): Outcome<undefined> => {
  let bytes = 0
  let seen = 0
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string // rawHeaders holds pairs
    bytes += name.length + (raw[at + 1] as string).length + lineBytes
    const candidates = singletonsByLength.get(name.length)
    if (candidates === undefined) continue
    const lower = name.toLowerCase()
    const singleton = candidates.find(candidate => candidate.name === lower)
    if (singleton === undefined) continue
    if (seen & singleton.bit) return fail('repeated-header', { header: lower }, { location: [`http.${lower}`] })
    seen |= singleton.bit
  }
  return bytes > limits.headerBytesMax ? fail('headers-too-large', { max: limits.headerBytesMax }) : fine
}

const fine = ok(undefined)

const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'] as const

/** An override that differs from the method is refused: ignoring it would do the opposite of what was meant. */
export const checkOverride = (method: string, headers: IncomingHttpHeaders): Outcome<undefined> => {
  for (const name of overrides) {
    const override = headers[name]
    if (override !== undefined && String(override).toUpperCase() !== method)
      return fail('method-override', {}, { location: [`http.${name}`] })
  }
  return fine
}

const writes: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Texts of the conditional headers; interactions read them. A time is too coarse to protect a record, so If-Unmodified-Since on a write fails. */
export const conditionsOf = (method: string, headers: IncomingHttpHeaders): Outcome<Conditions | undefined> => {
  if (headers['if-unmodified-since'] !== undefined && writes.has(method)) {
    return fail('bad-header', { header: 'If-Unmodified-Since', rule: rule('use-if-match') }, { location: ['http.If-Unmodified-Since'] })
  }
  const ifMatch = headers['if-match']
  const ifNoneMatch = headers['if-none-match']
  const ifModifiedSince = headers['if-modified-since']
  const ifNoneExist = headers['if-none-exist']
  if (ifMatch === undefined && ifNoneMatch === undefined && ifModifiedSince === undefined && ifNoneExist === undefined) return fine
  return ok({
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifModifiedSince === undefined ? {} : { ifModifiedSince }),
    ...(ifNoneExist === undefined ? {} : { ifNoneExist: String(ifNoneExist) }),
  })
}

/** What the client prefers; `waitMs` shortens the deadline. */
export type Preferences = { readonly prefer: Prefer; readonly waitMs?: number }

const strict: Preferences = { prefer: { handling: 'strict' } }

export const preferencesOf = (header: string | readonly string[] | undefined): Preferences =>
  header === undefined ? strict : readPrefer(String(header))

const returns = { minimal: 'minimal', representation: 'representation', operationoutcome: 'OperationOutcome' } as const

/** The first of repeated preferences counts; unknown ones are ignored. @see https://www.rfc-editor.org/rfc/rfc7240 */
const readPrefer = remembered((text: string): Preferences => {
  const first = new Map<string, string>()
  for (const preference of text.split(/[,;]/)) {
    const [name = '', value = ''] = preference.split('=', 2).map(part => part.trim().replace(/^"|"$/g, ''))
    if (!first.has(name.toLowerCase())) first.set(name.toLowerCase(), value.toLowerCase())
  }
  const wanted = first.get('return') ?? ''
  const wait = first.get('wait') ?? ''
  return {
    prefer: {
      handling: first.get('handling') === 'lenient' ? 'lenient' : 'strict',
      ...(Object.hasOwn(returns, wanted) ? { return: returns[wanted as keyof typeof returns] } : {}),
    },
    ...(/^\d{1,6}$/.test(wait) && !first.has('respond-async') ? { waitMs: Number(wait) * 1000 } : {}),
  }
})

const idPattern = /^[A-Za-z0-9._-]{1,64}$/
const tracePattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/

/** Ids that the client gave the request: echoed, kept beside our own in the log, never in place of it. Malformed ones are as if not sent. */
export type Correlation = { readonly requestId?: string; readonly correlationId?: string; readonly trace?: string; readonly span?: string }

const uncorrelated: Correlation = {}

export const correlationOf = (headers: IncomingMessage['headers']): Correlation => {
  const requestId = headers['x-request-id']
  const correlationId = headers['x-correlation-id']
  const parent = headers.traceparent
  if (requestId === undefined && correlationId === undefined && parent === undefined) return uncorrelated
  const [, trace, span] = (typeof parent === 'string' && tracePattern.exec(parent)) || []
  return {
    ...(typeof requestId === 'string' && idPattern.test(requestId) ? { requestId } : {}),
    ...(typeof correlationId === 'string' && idPattern.test(correlationId) ? { correlationId } : {}),
    ...(trace === undefined || span === undefined ? {} : { trace, span }),
  }
}

/** Language of sentences: Indonesian when it is wanted more than English, else English. */
export const languageOf = (header: string | undefined): 'en' | 'id' => (header === undefined ? 'en' : readLanguage(header))

const readLanguage = remembered((text: string): 'en' | 'id' => {
  const quality = (language: string): number =>
    Math.max(
      0,
      ...text
        .toLowerCase()
        .split(',', 32)
        .filter(member => member.trim().split(/[-;]/, 1)[0]?.trim() === language)
        .map(member => Number(/;\s*q=([\d.]+)/.exec(member)?.[1] ?? 1)),
    )
  return quality('id') > quality('en') ? 'id' : 'en'
})
