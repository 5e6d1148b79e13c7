import type { AuditRecord } from '../../src/audit/record.ts'
import { permitAll } from '../../src/auth/access.ts'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { deadlineIn } from '../../src/base/deadline.ts'
import { type Ids, uuidv7Ids } from '../../src/base/ids.ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { routes } from '../../src/http/route-table.ts'
import { createRouteEntry } from '../../src/http/routes.ts'
import { createCapabilities } from '../../src/interactions/capability-statement.ts'
import { interactions } from '../../src/interactions/index.ts'
import type { Parts, Settings } from '../../src/interactions/parts.ts'
import { createPerform } from '../../src/interactions/perform.ts'
import type { Context } from '../../src/interactions/request.ts'
import { createCursorSealer } from '../../src/search/cursor.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { testDefinitions } from './definitions.ts'
import { sqliteEngine, type TestEngine } from './engines.ts'

export const testBase = 'http://127.0.0.1:8080/fhir'

const routed = routes.map(({ target }) => target)

const defaultSettings: Settings = {
  base: testBase,
  updateCreate: true,
  ifMatchRequired: false,
  deleteReferenced: 'refuse',
  conditionalDelete: 'single',
  nikAsId: false,
  zone: 'Asia/Jakarta',
}

export type TestParts = Parts & {
  /** What the store is, for those that open a second one. */
  readonly engine: TestEngine
  /** What was audited, in order. */
  readonly audited: readonly AuditRecord[]
  /** A fresh context; its deadline is 30 s away. */
  context(options?: Partial<Context>): Context
  [Symbol.asyncDispose](): Promise<void>
}

type Options = {
  readonly engine?: TestEngine
  readonly settings?: Partial<Settings>
  readonly limits?: Partial<Limits>
  readonly clock?: Clock
  readonly ids?: Ids
  readonly decide?: Parts['decide']
}

/** Everything composed as the server composes it, without HTTP, on a store of its own that goes with it: SQLite unless told otherwise. */
export const testParts = async (options: Options = {}): Promise<TestParts> => {
  const definitions = testDefinitions()
  const clock = options.clock ?? systemClock
  const settings = { ...defaultSettings, ...options.settings }
  const limits = { ...defaultLimits, ...options.limits }
  const engine = options.engine ?? sqliteEngine
  const store = await engine.open({ definitions, clock })
  const audited: AuditRecord[] = []
  const parts: Parts = {
    store,
    definitions,
    index: createIndexer(definitions, settings),
    cursors: createCursorSealer({ secret: new Uint8Array(32).fill(7), clock }),
    decide: options.decide ?? permitAll,
    audit: record => audited.push(record),
    clock,
    ids: options.ids ?? uuidv7Ids(clock),
    limits,
    settings,
    route: createRouteEntry(definitions, settings.base, limits),
    perform: (request, context) => perform(request, context),
    capabilities: createCapabilities({
      definitions,
      limits,
      settings,
      version: '0.0.0',
      routed,
      changed: clock(),
      auth: 'off',
      validation: 'off',
    }),
  }
  const perform = createPerform(interactions, parts)
  let requests = 0
  return {
    ...parts,
    engine,
    audited,
    context: given => {
      requests += 1
      return { principal: { kind: 'anonymous' }, requestId: `request-${requests}`, deadline: deadlineIn(30_000), via: 'http', ...given }
    },
    [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose](),
  }
}
