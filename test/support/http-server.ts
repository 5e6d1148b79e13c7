import { request } from 'node:http'
import { connect } from 'node:net'
import { systemClock } from '../../src/base/clock.ts'
import { failureKinds } from '../../src/base/failure-kinds.ts'
import { uuidv7Ids } from '../../src/base/ids.ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { fail, ok } from '../../src/base/outcome.ts'
import { startHealth } from '../../src/http/health.ts'
import { createRateLimit, rateLimits } from '../../src/http/rate-limit.ts'
import { createDoorLimits, doorLimitNames } from '../../src/http/door-limits.ts'
import { createHttpServer, type HttpServerParts, type SignIn } from '../../src/http/server.ts'
import { createTokenLimits, tokenLimitNames } from '../../src/http/token-limits.ts'
import type { Perform } from '../../src/interactions/request.ts'
import { shareInProcess } from '../../src/nodes/in-process.ts'
import type { SharedState } from '../../src/nodes/shared.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import type { Logger, LogLevel } from '../../src/telemetry/logger.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { testDefinitions } from './definitions.ts'

export type LogLine = { readonly level: LogLevel } & Readonly<Record<string, unknown>>

export type TestServer = {
  readonly port: number
  readonly lines: readonly LogLine[]
  readonly send: (sent: Sent) => Promise<Received>
  readonly sendBytes: (bytes: string | Uint8Array) => Promise<string>
  [Symbol.asyncDispose](): Promise<void>
}

export type Sent = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Uint8Array
}

export type Received = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  readonly text: string
}

type Options = {
  readonly perform?: Perform
  readonly limits?: Partial<Limits>
  readonly hosts?: readonly string[]
  readonly startPage?: () => string
  readonly storeAnswers?: () => boolean
  /** How long closing waits for what is under way. */
  readonly graceMs?: number
  readonly shared?: () => SharedState
  /** Requests a minute; absent: nobody is counted. */
  readonly mostPerMinute?: number
  readonly proxies?: readonly string[]
  readonly mayConnect?: (address: string) => boolean
  /** Sign-in, with what a test cares for; the rest lets nobody in. Absent: it is off. */
  readonly signIn?: Partial<SignIn>
  readonly security?: HttpServerParts['security']
  /** Public address of the API. */
  readonly base?: string
}

export const testOutsideBase = 'http://127.0.0.1:8080/fhir'

/** A server on a free port of this machine; without `perform` every interaction answers 200 and says which it was. */
export const startHttp = async ({
  perform = echo,
  limits,
  hosts,
  startPage,
  storeAnswers = () => true,
  graceMs = 100,
  shared = () => ({ name: 'not-configured' }),
  mostPerMinute,
  proxies = [],
  mayConnect,
  signIn,
  security,
  base = testOutsideBase,
}: Options = {}): Promise<TestServer> => {
  const lines: LogLine[] = []
  const logger: Logger = { write: (level, record) => void lines.push({ level, ...record }), writes: () => true }
  const health = await startHealth({ check: async () => ({ ok: storeAnswers() }), shared, clock: systemClock, version: '0.0.0' })
  const figures = { commits: 1, plans: 2, versions: 3, queued: 4, deadEntries: 5, walBytes: 6 }
  const metrics = createMetrics({
    version: '0.0.0',
    engine: 'none',
    inFlight: () => 0,
    connections: () => server.connections(),
    connectionsMax: 10,
    ready: health.ready,
    rateLimiterFallback: () => false,
    rateLimits: [...rateLimits, ...tokenLimitNames, ...doorLimitNames],
    storage: () => figures,
    failureKinds: Object.keys(failureKinds),
  })
  const server = createHttpServer({
    perform,
    definitions: testDefinitions(),
    limits: { ...defaultLimits, ...limits },
    settings: { base },
    ids: uuidv7Ids(systemClock),
    health,
    events: createEvents(logger),
    metrics,
    ...(mayConnect === undefined ? {} : { mayConnect }),
    ...(security === undefined ? {} : { security }),
    ...(signIn === undefined ? {} : { signIn: { ...closed(metrics.rateLimited), ...signIn } }),
    proxies,
    ...(mostPerMinute === undefined
      ? {}
      : { rateLimit: createRateLimit({ shared: shareInProcess(), mostPerMinute, proxies, limited: metrics.rateLimited }) }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(startPage === undefined ? {} : { startPage }),
  })
  const port = await server.listen('127.0.0.1', 0)
  return {
    port,
    lines,
    send: sent => send(port, sent),
    sendBytes: bytes => sendBytes(port, bytes),
    [Symbol.asyncDispose]: async () => {
      await server.close(graceMs)
      await health[Symbol.asyncDispose]()
    },
  }
}

/** Nobody has a token, no page has an origin, and there is no door. */
const closed = (limited: (limit: string) => void): SignIn => ({
  authenticate: authorization => (authorization === undefined ? fail('login-needed', {}) : fail('token-invalid', {})),
  tokenLimits: createTokenLimits({ shared: shareInProcess(), limited }),
  doorLimits: createDoorLimits({ shared: shareInProcess(), limited }),
  origins: { ofAny: async () => false, ofClient: async () => false },
  discovery: () => '{}',
  doors: [],
  renderError: (_req, res, { what, status }) => void res.writeHead(status, { 'content-type': 'text/html' }).end(`<p>${what}</p>`),
})

/** What was understood, as the body of the answer. */
const echo: Perform = async asked => ok({ status: 200, body: { kind: 'json', chunks: [Buffer.from(JSON.stringify(asked))] } })

const send = (port: number, { method = 'GET', path, headers = {}, body }: Sent): Promise<Received> =>
  new Promise((resolve, reject) => {
    const length = body === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const asked = request({ host: '127.0.0.1', port, method, path, headers: { ...length, ...headers }, agent: false }, res => {
      const chunks: Buffer[] = []
      res.on('data', chunk => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const bytes = Buffer.concat(chunks)
        resolve({ status: res.statusCode ?? 0, headers: res.headers, bytes, text: bytes.toString('utf8') })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })

const waitMs = 5000

/** Bytes as they are, and everything that comes back until the server closes. */
const sendBytes = (port: number, bytes: string | Uint8Array): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setTimeout(waitMs, () => socket.destroy())
    socket.on('data', chunk => {
      received += chunk.toString('latin1')
    })
    socket.on('close', () => resolve(received))
    socket.on('error', error => (received === '' ? reject(error) : resolve(received)))
    socket.write(bytes)
  })
