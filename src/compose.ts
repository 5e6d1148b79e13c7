import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { permitAll } from './auth/access.ts'
import { systemClock } from './base/clock.ts'
import { failureKinds } from './base/failure-kinds.ts'
import { uuidv7Ids } from './base/ids.ts'
import type { DemoApplication } from './cli/demo.ts'
import { simpulVersion } from './cli/version.ts'
import { isLoopback, within } from './config/addresses.ts'
import type { Config } from './config/config.ts'
import { startPage } from './demo/start-page.ts'
import { engineOf } from './engines.ts'
import type { Definitions } from './fhir/definitions/definitions.ts'
import { definitionsFrom } from './fhir/definitions/load.ts'
import { createAdmission } from './http/admission.ts'
import { startHealth } from './http/health.ts'
import { createMetricsServer } from './http/metrics-server.ts'
import { createRateLimit, rateLimits } from './http/rate-limit.ts'
import { routes } from './http/route-table.ts'
import { createRouteEntry } from './http/routes.ts'
import { connectionsMax, createHttpServer, type HttpServer, type HttpServerParts } from './http/server.ts'
import { createCapabilities } from './interactions/capability-statement.ts'
import { interactions } from './interactions/index.ts'
import type { Parts, Settings } from './interactions/parts.ts'
import { createPerform } from './interactions/perform.ts'
import { shareInProcess } from './nodes/in-process.ts'
import type { Shared } from './nodes/shared.ts'
import { createCursorSealer } from './search/cursor.ts'
import { createIndexer } from './search/index-values.ts'
import type { RecordDefinition, Store } from './storage/port.ts'
import { createEvents, type Events } from './telemetry/events.ts'
import { createLogger } from './telemetry/logger.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'

/** Builds every component once: with engines.ts the only file that knows all rooms. */

type Purpose = 'serve' | 'demo' | 'import'

/** The durable documents of all rooms that keep some: each room defines its own, every engine is given all. */
const records: readonly RecordDefinition[] = []

/** A whole server, not yet listening. Closing it finishes what is under way, then closes the store. */
export const compose = async (config: Config, purpose: Purpose): Promise<DemoApplication> => {
  const definitions = definitionsFrom({
    model: generated('model'),
    searchParameters: generated('search-parameters'),
    compartments: generated('compartments'),
  })
  const store = await engineOf(config).open({ definitions, records, clock: systemClock, config })
  const http = await composeHttp(config, purpose, store, definitions)
  return {
    perform: http.perform,
    listen: http.listen,
    [Symbol.asyncDispose]: async () => {
      await http.close()
      await store[Symbol.asyncDispose]()
    },
  }
}

const generated = (name: string): never =>
  JSON.parse(readFileSync(new URL(`./fhir/definitions/generated/${name}.json`, import.meta.url), 'utf8')) as never

/** The public address: as configured, else where it listens. */
const baseOf = (config: Config): string =>
  `${config.baseUrl ?? `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`}/fhir`

const settingsOf = (config: Config): Settings => ({
  base: baseOf(config),
  updateCreate: config.updateCreate === 'on',
  ifMatchRequired: config.ifMatch === 'required',
  deleteReferenced: config.deleteReferenced,
  conditionalDelete: config.conditionalDelete,
  nikAsId: config.idNik === 'allow',
  zone: config.zone,
})

const composeHttp = async (config: Config, purpose: Purpose, store: Store, definitions: Definitions) => {
  const version = simpulVersion()
  const { limits } = config
  const settings = settingsOf(config)
  const ids = uuidv7Ids(systemClock)
  const admission = createAdmission(limits)
  let server: HttpServer | undefined
  const metrics = createMetrics({
    version,
    engine: store.engine,
    inFlight: admission.inFlight,
    connections: () => server?.connections() ?? 0,
    connectionsMax,
    ready: () => health.ready(),
    rateLimiterFallback: () => shared.state().name === 'fallback',
    rateLimits,
    storage: () => store.statistics(),
    failureKinds: Object.keys(failureKinds),
  })
  const logger = createLogger({ level: purpose === 'serve' ? config.logLevel : 'warn', version, redacted: metrics.redacted })
  const events = createEvents(logger)
  const shared = await shareWith(config, purpose, events)
  const health = await startHealth({
    check: () => store.health(),
    engine: store.engine,
    shared: () => shared.state(),
    load: () => ({ inFlight: admission.inFlight(), connections: server?.connections() ?? 0, queued: store.statistics().queued }),
    clock: systemClock,
    version,
  })
  const metricsServer = createMetricsServer(metrics, mayConnect(config))

  const parts: Parts = {
    store,
    definitions,
    index: createIndexer(definitions, settings),
    cursors: createCursorSealer({ secret: cursorSecret(config), clock: systemClock }),
    decide: permitAll,
    audit: events.audited,
    clock: systemClock,
    ids,
    limits,
    settings,
    route: createRouteEntry(definitions, settings.base, limits),
    perform: (request, context) => perform(request, context),
    capabilities: createCapabilities({
      definitions,
      limits,
      settings,
      version,
      routed: routes.map(({ target }) => target),
      changed: systemClock(),
      auth: 'off',
      validation: config.validation,
    }),
  }
  const perform = createPerform(interactions, parts)
  const url = settings.base.slice(0, -'/fhir'.length)
  const page = startPage({ version, demo: purpose === 'demo', url })

  return {
    perform,
    listen: async (): Promise<string> => {
      server = createHttpServer({
        perform,
        definitions,
        limits,
        settings,
        ids,
        health,
        events,
        metrics,
        admission,
        // Without sign-in a page elsewhere must not reach this server by a name that it made up (DNS rebinding).
        ...(config.auth === 'off'
          ? { hosts: ['127.0.0.1', 'localhost', '[::1]', ...ownHost(config.host), new URL(settings.base).hostname] }
          : {}),
        mayConnect: mayConnect(config),
        metricsApart: config.metricsPort !== undefined,
        ...rateLimited(config, shared, metrics),
        startPage: () => page,
      })
      if (config.metricsPort !== undefined) await metricsServer.listen(config.host, config.metricsPort)
      events.serverStarted({ port: await server.listen(config.host, config.port), ms: Math.round(performance.now()) })
      return url
    },
    close: async (): Promise<void> => {
      health.drain()
      events.serverStopping()
      await server?.close()
      await metricsServer.close()
      await shared[Symbol.asyncDispose]()
      await health[Symbol.asyncDispose]()
      events.serverStopped()
    },
  }
}

/** The library of Redis is loaded where there is one to talk to. */
const shareWith = async ({ redisUrl }: Config, purpose: Purpose, events: Events): Promise<Shared> => {
  if (redisUrl === undefined || purpose === 'import') return shareInProcess()
  const { shareOverRedis } = await import('./nodes/redis.ts')
  return shareOverRedis({ url: redisUrl, turned: events.sharedTurned })
}

const rateLimited = ({ rateLimit, trustProxy = [] }: Config, shared: Shared, metrics: Metrics): Pick<HttpServerParts, 'rateLimit'> =>
  rateLimit === 0
    ? {}
    : { rateLimit: createRateLimit({ shared, mostPerMinute: rateLimit, proxies: trustProxy, limited: metrics.rateLimited }) }

/** Without sign-in, connections come from this machine and from what was named to stand for it. */
const mayConnect = ({ auth, authOffFrom }: Config): ((address: string) => boolean) => {
  if (auth !== 'off' || authOffFrom === undefined) return () => true
  const named = within(authOffFrom)
  return address => isLoopback(address) || named(address)
}

/** Every address is no name: a page elsewhere can make a browser ask 0.0.0.0. */
const ownHost = (host: string): readonly string[] => (host === '0.0.0.0' || host === '::' ? [] : [host])

/** Seals page links. Made once and kept, so that links survive a restart. */
const cursorSecret = (config: Config): Uint8Array => {
  if (config.cursorSecret !== undefined) return Buffer.from(config.cursorSecret)
  const path = join(config.dataDir, 'cursor.key')
  if (!existsSync(path)) {
    mkdirSync(config.dataDir, { recursive: true })
    writeFileSync(path, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' })
  }
  return Buffer.from(readFileSync(path, 'utf8'), 'base64')
}
