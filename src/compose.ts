import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { permitAll } from './auth/access.ts'
import { systemClock } from './base/clock.ts'
import { failureKinds } from './base/failure-kinds.ts'
import { uuidv7Ids } from './base/ids.ts'
import type { CopyParts } from './cli/copy.ts'
import { copyRecords } from './cli/copy-admission.ts'
import type { DemoApplication } from './cli/demo.ts'
import type { Primary, Together } from './cli/together.ts'
import { simpulVersion } from './cli/version.ts'
import { isLoopback, within } from './config/addresses.ts'
import { type Config, withoutCredentials } from './config/config.ts'
import { startPage } from './demo/start-page.ts'
import { engineAt, engineOf } from './engines.ts'
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
import { StoreUnusable } from './storage/unusable.ts'
import { createEvents, type Events } from './telemetry/events.ts'
import { gathered, pipeBytes } from './telemetry/gathered.ts'
import { createLogger } from './telemetry/logger.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'

/** Builds every component once: with engines.ts the only file that knows all rooms. */

type Purpose = 'serve' | 'demo' | 'import'

/** The durable documents of all rooms that keep some: each room defines its own, every engine is given all. */
const records: readonly RecordDefinition[] = []

/** A whole server, not yet listening. Closing it finishes what is under way, then closes the store. */
export const compose = async (config: Config, purpose: Purpose, together?: Together): Promise<DemoApplication> => {
  const definitions = loadDefinitions()
  const engine = engineOf(config)
  const writer = together === undefined || engine.host === undefined ? {} : { writer: together.writer }
  const store = await engine.open({ definitions, records, clock: systemClock, config, ...writer })
  const http = await composeHttp(config, purpose, store, definitions, together)
  return {
    perform: http.perform,
    listen: http.listen,
    ready: http.ready,
    drain: http.drain,
    figures: http.figures,
    [Symbol.asyncDispose]: async () => {
      await http.close()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** Two stores for `simpul copy`: the one is only read, the other is new or a copy already. Throws `StoreUnusable` where they cannot be copied. */
export const composeCopy = async (config: Config, from: string, to: string): Promise<CopyParts & AsyncDisposable> => {
  const [source, target] = [engineAt(from), engineAt(to)]
  if ((await source.identity()) === (await target.identity()))
    throw new StoreUnusable('refused', 'Source and target are one and the same store.')
  await mustBeNewOrUpToDate(target)
  const definitions = loadDefinitions()
  const parts = { definitions, records: [...records, copyRecords], clock: systemClock, config }
  const read = await source.read(parts)
  try {
    const written = await target.open(parts)
    return {
      source: read,
      target: written,
      from: withoutCredentials(from),
      index: createIndexer(definitions, settingsOf(config)),
      limits: config.limits,
      [Symbol.asyncDispose]: async () => {
        await written[Symbol.asyncDispose]()
        await read[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await read[Symbol.asyncDispose]()
    throw error
  }
}

const mustBeNewOrUpToDate = async (target: ReturnType<typeof engineAt>): Promise<void> => {
  await using migrations = await target.migrations()
  const states = await migrations.status()
  const pending = states.filter(({ state }) => state === 'pending')
  if (pending.length > 0 && pending.length < states.length)
    throw new StoreUnusable('refused', 'The target lacks migrations: "npx simpul migrate up" does them.')
}

/** What the process has that starts and watches those that serve. */
export const composePrimary = async (config: Config): Promise<Primary & { readonly events: Events }> => {
  const events = createEvents(createLogger({ level: config.logLevel, version: simpulVersion() }))
  const host = await engineOf(config).host?.({ records, clock: systemClock, config })
  return {
    events,
    ...(host === undefined ? {} : { join: pipe => host.join(pipe) }),
    broken: host?.ended ?? new Promise(() => {}),
    [Symbol.asyncDispose]: async () => host?.[Symbol.asyncDispose](),
  }
}

const loadDefinitions = (): Definitions =>
  definitionsFrom({
    model: generated('model'),
    searchParameters: generated('search-parameters'),
    compartments: generated('compartments'),
  })

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

const composeHttp = async (config: Config, purpose: Purpose, store: Store, definitions: Definitions, together?: Together) => {
  const version = simpulVersion()
  const { limits } = config
  const settings = settingsOf(config)
  const ids = uuidv7Ids(systemClock)
  const admission = createAdmission(limits)
  let server: HttpServer | undefined
  const own = createMetrics({
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
  // Whoever asks one of several processes asks about all.
  const metrics = together === undefined ? own : { ...own, scrape: together.scrape }
  const logger = createLogger({
    level: purpose === 'serve' ? config.logLevel : 'warn',
    version,
    redacted: metrics.redacted,
    ...(together === undefined ? {} : { stream: gathered(process.stdout, pipeBytes) }),
  })
  const events = createEvents(logger)
  const shared = await shareWith(config, purpose, events)
  const health = await startHealth({
    check: () => store.health(),
    engine: store.engine,
    shared: () => shared.state(),
    load: () => ({ inFlight: admission.inFlight(), connections: server?.connections() ?? 0, queued: store.statistics().queued }),
    ...(together === undefined ? {} : { together: together.ready }),
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
      changed: together?.startedAt ?? systemClock(),
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
    ready: health.readyAlone,
    drain: health.drain,
    figures: own.figures,
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
  if (!existsSync(path)) makeSecret(path)
  return Buffer.from(readFileSync(path, 'utf8'), 'base64')
}

/** Several processes may do so at once: the first wins, and nobody reads half a secret. */
const makeSecret = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, randomBytes(32).toString('base64'), { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
}
