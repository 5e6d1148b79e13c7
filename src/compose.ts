import { systemClock } from './base/clock.ts'
import type { DemoApplication } from './cli/demo.ts'
import type { Primary, Together } from './cli/together.ts'
import { simpulVersion } from './cli/version.ts'
import { loadDefinitions } from './compose/definitions.ts'
import { composeHttp, type Purpose } from './compose/http.ts'
import { records } from './compose/records.ts'
import type { Config } from './config/config.ts'
import { engineOf } from './engines.ts'
import { createEvents, type Events } from './telemetry/events.ts'
import { createLogger } from './telemetry/logger.ts'

/** Builds every component once: with `compose/` and engines.ts what knows all rooms. */

/** A whole server, not yet listening. Closing it finishes what is under way, then closes the store. Where it throws, nothing stays open. */
export const compose = async (config: Config, purpose: Purpose, together?: Together): Promise<DemoApplication> => {
  await using opened = new AsyncDisposableStack()
  const definitions = loadDefinitions()
  const engine = engineOf(config)
  const writer = together === undefined || engine.host === undefined ? {} : { writer: together.writer }
  const store = opened.use(await engine.open({ definitions, records, clock: systemClock, config, ...writer }))
  const http = await composeHttp(config, purpose, store, definitions, together)
  opened.defer(http.close)
  const held = opened.move()
  return {
    perform: http.perform,
    source: http.source,
    listen: http.listen,
    invitation: http.invitation,
    ready: http.ready,
    drain: http.drain,
    figures: http.figures,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
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
