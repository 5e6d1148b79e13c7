import { permitAll } from '../auth/access.ts'
import { ownSource } from '../auth/own-source.ts'
import { systemClock } from '../base/clock.ts'
import { failureKinds } from '../base/failure-kinds.ts'
import { uuidv7Ids } from '../base/ids.ts'
import type { Together } from '../cli/together.ts'
import { simpulVersion } from '../cli/version.ts'
import { isLoopback, within } from '../config/addresses.ts'
import type { Config } from '../config/config.ts'
import { startPage } from '../demo/start-page.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import { createAdmission } from '../http/admission.ts'
import { doorLimitNames } from '../http/door-limits.ts'
import { startHealth } from '../http/health.ts'
import { createMetricsServer } from '../http/metrics-server.ts'
import { createRateLimit, rateLimits } from '../http/rate-limit.ts'
import { routes } from '../http/route-table.ts'
import { createRouteEntry } from '../http/routes.ts'
import { connectionsMax, createHttpServer, type HttpServer, type HttpServerParts } from '../http/server.ts'
import { tokenLimitNames } from '../http/token-limits.ts'
import { createCapabilities } from '../interactions/capability-statement.ts'
import { interactions } from '../interactions/index.ts'
import type { Parts } from '../interactions/parts.ts'
import { createPerform } from '../interactions/perform.ts'
import type { Perform, Principal } from '../interactions/request.ts'
import { stateOf } from '../interactions/states.ts'
import { shareInProcess } from '../nodes/in-process.ts'
import type { Shared } from '../nodes/shared.ts'
import { createCursorSealer } from '../search/cursor.ts'
import { createIndexer } from '../search/index-values.ts'
import type { Store } from '../storage/port.ts'
import { createEvents, type Events } from '../telemetry/events.ts'
import { gathered, pipeBytes } from '../telemetry/gathered.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { cursorSecret } from './cursor-secret.ts'
import { loadLabelling } from './labels.ts'
import { loadRoles } from './roles.ts'
import { settingsOf } from './settings.ts'

export type Purpose = 'serve' | 'demo' | 'import'

/** What serves a store over HTTP, not yet listening. Where it throws, what was opened for it is closed. */
export const composeHttp = async (config: Config, purpose: Purpose, store: Store, definitions: Definitions, together?: Together) => {
  await using opened = new AsyncDisposableStack()
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
    rateLimits: [...rateLimits, ...tokenLimitNames, ...doorLimitNames],
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
  const shared = opened.use(await shareWith(config, purpose, events))
  const health = await startHealth({
    check: () => store.health(),
    engine: store.engine,
    shared: () => shared.state(),
    load: () => ({ inFlight: admission.inFlight(), connections: server?.connections() ?? 0, queued: store.statistics().queued }),
    ...(together === undefined ? {} : { together: together.ready }),
    clock: systemClock,
    version,
  })
  opened.use(health)
  const metricsServer = createMetricsServer(metrics, mayConnect(config))
  const index = createIndexer(definitions, settings)
  const explained = async (type: string, id: string) => {
    const version = await store.newest(type, id)
    const found =
      version === undefined ? undefined : await stateOf(version, { store, definitions, limits, settings, clock: systemClock, index })
    return found?.state === undefined ? undefined : { ...found.state.attributes, id, meets: found.state.meets }
  }
  const ask: Perform = (request, context) => perform(request, context)
  // Whoever imports sits at this machine and has the store in hand.
  const closed = config.auth === 'smart' && purpose !== 'import'
  // A server that is open starts sooner without.
  const signIn = closed
    ? await (await import('./sign-in.ts')).composeSignIn({
        config,
        store,
        definitions,
        shared,
        events,
        metrics,
        ids,
        perform: ask,
        subjectOf: explained,
      })
    : undefined
  opened.use(signIn)

  const parts: Parts = {
    store,
    definitions,
    index,
    cursors: createCursorSealer({ secret: cursorSecret(config), clock: systemClock }),
    decide: signIn?.decide ?? permitAll,
    labelling: loadLabelling(),
    ...(signIn === undefined ? {} : { openEmergency: signIn.openEmergency, consentsWritten: signIn.consentsWritten }),
    audit: events.audited,
    clock: systemClock,
    ids,
    limits,
    settings,
    route: createRouteEntry(definitions, settings.base, limits),
    perform: ask,
    capabilities: createCapabilities({
      definitions,
      limits,
      settings,
      version,
      routed: routes.map(({ target }) => target),
      changed: together?.startedAt ?? systemClock(),
      auth: signIn?.security ?? 'off',
      validation: config.validation,
    }),
  }
  const perform = createPerform(interactions, parts)
  const url = settings.base.slice(0, -'/fhir'.length)
  const page = startPage({ version, demo: purpose === 'demo', closed, url })
  const held = opened.move()

  return {
    perform,
    source: (name: string): Principal => ownSource(loadRoles(config, definitions), name),
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
        ...(signIn === undefined ? {} : { signIn: signIn.http }),
        ...(config.trustProxy === undefined ? {} : { proxies: config.trustProxy }),
        ...(config.frameAncestors === undefined ? {} : { security: { frameAncestors: config.frameAncestors } }),
        startPage: () => page,
      })
      if (config.metricsPort !== undefined) await metricsServer.listen(config.host, config.metricsPort)
      events.serverStarted({ port: await server.listen(config.host, config.port), ms: Math.round(performance.now()) })
      return url
    },
    invitation: async () => signIn?.invitation(),
    ready: health.readyAlone,
    drain: health.drain,
    figures: own.figures,
    close: async (): Promise<void> => {
      health.drain()
      events.serverStopping()
      await server?.close()
      await metricsServer.close()
      await held.disposeAsync()
      events.serverStopped()
    },
  }
}

/** The library of Redis is loaded where there is one to talk to. */
const shareWith = async ({ redisUrl }: Config, purpose: Purpose, events: Events): Promise<Shared> => {
  if (redisUrl === undefined || purpose === 'import') return shareInProcess()
  const { shareOverRedis } = await import('../nodes/redis.ts')
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
