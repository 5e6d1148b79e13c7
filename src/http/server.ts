import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import express from 'express'
import type { Authenticate } from '../auth/bearer.ts'
import { askerOf } from '../auth/policy/principal.ts'
import type { Ids } from '../base/ids.ts'
import type { Limits } from '../base/limits.ts'
import { type Failure, fail } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { Settings } from '../interactions/parts.ts'
import type { Perform } from '../interactions/request.ts'
import type { Events, RequestFields } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type Admission, createAdmission } from './admission.ts'
import { createBodyBudget } from './body-budget.ts'
import { answerClientError, answerConnect } from './client-error.ts'
import type { Origins } from './cors.ts'
import { createDoors, type DoorsParts } from './doors.ts'
import { Exchange, type Site } from './exchange.ts'
import { correlationOf } from './headers.ts'
import type { Health } from './health.ts'
import { hostIsForeign } from './host.ts'
import { createPages } from './pages.ts'
import { createPipeline } from './pipeline.ts'
import type { RateLimit } from './rate-limit.ts'
import { sendFailure } from './respond.ts'
import { apiSecurity, type SecurityOptions } from './security-headers.ts'
import { fhirTarget, originForm } from './target.ts'
import type { TokenLimits } from './token-limits.ts'

export type HttpServerParts = {
  readonly perform: Perform
  readonly definitions: Definitions
  readonly limits: Limits
  readonly settings: Pick<Settings, 'base'>
  readonly ids: Ids
  readonly health: Health
  readonly events: Events
  readonly metrics: Metrics
  readonly admission?: Admission
  /** Only requests for these host names (without port) are answered: a page elsewhere must not reach a demo by a name it made up. */
  readonly hosts?: readonly string[]
  /** Absent: nobody is counted. */
  readonly rateLimit?: RateLimit
  /** Our own proxies, whose word on addresses is believed. */
  readonly proxies?: readonly string[]
  readonly security?: Pick<SecurityOptions, 'frameAncestors'>
  /** What sign-in adds; absent where it is off. */
  readonly signIn?: SignIn
  /** Whose connections are taken, by address; absent: everybody's. */
  readonly mayConnect?: (address: string) => boolean
  /** `/metrics` is served elsewhere. */
  readonly metricsApart?: boolean
  /** HTML of `/`; it is asked anew for each request. */
  readonly startPage?: () => string
}

export type SignIn = DoorsParts & {
  readonly authenticate: Authenticate
  readonly tokenLimits: TokenLimits
  readonly origins: Origins
  /** The SMART discovery document. */
  readonly discovery: () => string
}

export type HttpServer = {
  /** Resolves with the port that was taken. */
  readonly listen: (host: string, port: number) => Promise<number>
  readonly connections: () => number
  /** Stops accepting, finishes what is under way (at most `graceMs`) and says `Connection: close` with it, then closes every connection. */
  readonly close: (graceMs?: number) => Promise<void>
}

export const connectionsMax = 5000
const graceDefaultMs = 25_000
const idleEveryMs = 50
/** How long a connection without a request may still send one, when the server closes: its answer then says that it was the last. */
const lastRequestMs = 500
/** Node counts the request line too; our own limits are checked in the pipeline, so that a long URL is a 414 and not a 431. */
const headerBytesOfNode = 64 * 1024

export const createHttpServer = (parts: HttpServerParts): HttpServer => {
  const server = createServer({
    maxHeaderSize: headerBytesOfNode,
    requestTimeout: 0,
    headersTimeout: 15_000,
    connectionsCheckingInterval: 5000,
    keepAliveTimeout: 70_000,
    requireHostHeader: false,
  })
  server.maxHeadersCount = 0
  server.maxConnections = connectionsMax
  // Where several processes take turns, a full one would hand a connection on to the next for ever.
  Object.assign(server, { dropMaxConnection: true }) // types do not know it yet
  const answering = new Answering()
  server.on('request', (_req, res: ServerResponse) => answering.add(res))
  const app = createApp(parts)
  server.on('request', app)
  server.on('checkContinue', app)
  server.on('checkExpectation', app)
  server.on('clientError', answerClientError(parts.ids))
  server.on('connect', answerConnect(parts.ids))
  let open = 0
  server.on('connection', socket => {
    if (parts.mayConnect?.(socket.remoteAddress ?? '') === false) {
      parts.events.connectionRefused()
      return void socket.destroy()
    }
    open += 1
    socket.once('close', () => {
      open -= 1
    })
  })
  return {
    listen: (host, port) => listen(server, host, port),
    connections: () => open,
    close: graceMs => close(server, answering, graceMs),
  }
}

const createApp = (parts: HttpServerParts): express.Express => {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  const admission = parts.admission ?? createAdmission(parts.limits)
  const budget = createBodyBudget(parts.limits.bodiesBytesMax)
  const site = siteOf(parts)
  const pipeline = createPipeline({ ...parts, ...parts.signIn, base: site.base, admission, budget })
  const pages = createPages({ ...parts, discovery: parts.signIn?.discovery })
  const doors = parts.signIn === undefined ? undefined : createDoors(parts.signIn, { ...parts, budget, site })
  const serve = (exchange: Exchange): void | Promise<void> => {
    const { req } = exchange
    const refused = refusal(req, parts.hosts)
    if (refused !== undefined) return sendFailure(exchange, refused)
    const url = originForm(req.url as string)
    const target = fhirTarget(url)
    if (target !== undefined && !isWellKnown(target.path)) return pipeline(exchange, target)
    const door = target === undefined ? doors?.(url) : undefined
    return door === undefined ? pages(exchange, url) : door(exchange)
  }
  // One function for every request: the order of its steps is pipeline.ts, not an order of middleware. Nothing may reach the error page of Express.
  app.use((req: IncomingMessage, res: ServerResponse) => {
    const exchange = new Exchange(req, res, parts.ids(), correlationOf(req.headers), site)
    res.on('close', () => {
      budget.give(exchange.bytesHeld)
      done(exchange, parts)
    })
    try {
      serve(exchange)?.catch((error: unknown) => answerBug(exchange, error, parts))
    } catch (error) {
      answerBug(exchange, error, parts)
    }
  })
  return app
}

/** What lies below [base] and is no FHIR. */
const isWellKnown = (path: string): boolean => path.startsWith('/.well-known/')

const siteOf = ({ settings: { base }, security }: HttpServerParts): Site => {
  const options = { ...security, https: base.startsWith('https:') }
  return { base, security: apiSecurity(options) }
}

/** What is wrong with a request before anybody looks at where it goes. */
const refusal = (req: IncomingMessage, hosts: HttpServerParts['hosts']): Failure | undefined => {
  const { host, expect } = req.headers
  if (host === undefined && req.httpVersionMinor === 1) return fail('bad-request', {}).failure
  if (hosts !== undefined && hostIsForeign(req, hosts)) return fail('foreign-host', {}).failure
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return fail('bad-header', { header: 'Expect', rule: rule('one-of', { words: '100-continue' }) }).failure
  return undefined
}

/** The id leads to the log; the client learns nothing else. Once the answer has begun, only a cut connection tells that it is not whole. */
const answerBug = (exchange: Exchange, error: unknown, { events, metrics }: HttpServerParts): void => {
  events.bugMet('http', error, exchange.requestId)
  metrics.bug('http')
  if (exchange.res.headersSent) exchange.res.destroy()
  else void sendFailure(exchange, fail('exception', {}).failure)
}

const done = (exchange: Exchange, { events, metrics }: HttpServerParts): void => {
  const { res, match, failure } = exchange
  const ms = performance.now() - exchange.startedMs
  const interaction = match?.interaction ?? exchange.door ?? 'none'
  if (failure !== undefined) metrics.failed(failure)
  if (!res.writableFinished) {
    exchange.abandon()
    metrics.requestAborted(interaction)
    events.requestAborted(fieldsOf(exchange, ms))
    return
  }
  metrics.requestDone({
    interaction,
    resourceType: match?.type ?? 'none',
    method: exchange.method,
    status: res.statusCode,
    seconds: ms / 1000,
    bytes: exchange.bytesSent,
  })
  events.requestAnswered(res.statusCode, () => fieldsOf(exchange, ms))
}

const fieldsOf = (
  { requestId, correlation, method, match, door, principal, res, bytesSent, failure }: Exchange,
  ms: number,
): RequestFields => ({
  request: requestId,
  ...(correlation.requestId === undefined ? undefined : { correlation: correlation.requestId }),
  ...(correlation.trace === undefined ? undefined : { trace: correlation.trace, span: correlation.span ?? '' }),
  method,
  ...(match === undefined ? undefined : { interaction: match.interaction }),
  ...(match?.type === undefined ? undefined : { resourceType: match.type }),
  ...(match?.id === undefined ? undefined : { id: match.id }),
  status: res.statusCode,
  ms,
  bytes: bytesSent,
  ...(failure === undefined ? undefined : { failure }),
  ...(door === undefined ? undefined : { door }),
  ...(principal === undefined || principal.kind === 'anonymous' ? undefined : askerOf(principal)),
})

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port) // it listens on a port, not on a pipe
    })
  })

/** Answers that are not out yet. Once the server closes, each is the last of its connection and says so. */
class Answering {
  readonly #open = new Set<ServerResponse>()
  #last = false

  add(res: ServerResponse): void {
    if (this.#last) res.shouldKeepAlive = false
    this.#open.add(res)
    res.once('close', () => this.#open.delete(res))
  }

  beLast(): void {
    this.#last = true
    for (const res of this.#open) res.shouldKeepAlive = false
  }
}

/**
 * No request that was sent is lost: a connection closes with the answer that says so, and one without a request has a moment to send its
 * last. Closing it at once, as `Server.close` of http does, would meet the request that is on its way.
 */
const close = async (server: Server, answering: Answering, graceMs = graceDefaultMs): Promise<void> => {
  if (!server.listening) return
  const closed = new Promise<void>(resolve => NetServer.prototype.close.call(server, () => resolve()))
  answering.beLast()
  let idle: NodeJS.Timeout | undefined
  const moment = setTimeout(
    () => {
      idle = setInterval(() => server.closeIdleConnections(), idleEveryMs)
    },
    Math.min(lastRequestMs, graceMs),
  )
  const patience = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(moment)
  clearInterval(idle)
  clearTimeout(patience)
}
