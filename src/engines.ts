import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import { type Clock, systemClock } from './base/clock.ts'
import type { Finding } from './cli/doctor.ts'
import type { Config } from './config/config.ts'
import type { Definitions } from './fhir/definitions/definitions.ts'
import { type Migrations, migrated } from './storage/migrations.ts'
import type { RecordDefinition, Store } from './storage/port.ts'
import { deepCheck, glanceAt } from './storage/sqlite/check.ts'
import { migrationsAt } from './storage/sqlite/migrate.ts'
import { openSqliteReading, openSqliteStore } from './storage/sqlite/store.ts'
import { WriterHost } from './storage/sqlite/writer-host.ts'
import { StoreUnusable } from './storage/unusable.ts'

/** The engines by the scheme of SIMPUL_STORE: a new one is a new row. */

export type StoreParts = {
  readonly definitions: Definitions
  readonly records: readonly RecordDefinition[]
  readonly clock: Clock
  readonly config: Config
  /** The way to the process that writes, where the engine has one for several (`host`). */
  readonly writer?: () => Duplex
}

/** What writes for all processes of one server. */
export type Host = AsyncDisposable & {
  /** Takes the plans of the process at the other end. */
  readonly join: (pipe: Duplex) => void
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
}

type Engine = {
  /** Opens the store, new or as it was left. Throws when it cannot be used, with a message that says what mends it. */
  readonly open: (address: string, parts: StoreParts) => Promise<Store>
  /** Opens for reading a store that others may be serving. Throws `StoreUnusable` when there is none, or it lacks migrations. */
  readonly read: (address: string, parts: StoreParts) => Promise<Store>
  /** The same for all addresses of one store. */
  readonly identity: (address: string) => Promise<string>
  /** Where only one process may write: what several share. Absent where each opens the store for itself. */
  readonly host?: (address: string, parts: Omit<StoreParts, 'definitions'>) => Promise<Host>
  /** What `doctor` may know of the store without starting a server; `deep` compares all that it says twice. */
  readonly examine: (address: string, deep: boolean, config: Config) => Promise<readonly Finding[]>
  /** Writes anew what can be made from the rest and is lost. Absent where there is no such thing. */
  readonly repair?: (address: string) => Promise<Finding>
  /** The schema of the store, without serving it. */
  readonly migrations: (address: string) => Promise<Migrations>
}

const pathOf = (address: string): string => address.slice('sqlite:'.length)

/** The path, in a folder that is there. Throws what is wrong with the schema as what it is: from the thread that writes it comes as a copy. */
const prepared = async (address: string): Promise<string> => {
  const path = pathOf(address)
  mkdirSync(dirname(path), { recursive: true })
  await migrationsAt(path, systemClock).status()
  return path
}

const sqlite: Engine = {
  open: async (address, { definitions, records, clock, config, writer }) => {
    const path = await prepared(address)
    const { synchronous, cursorMinutes } = config
    const through = writer === undefined ? {} : { writer: writer() }
    return openSqliteStore({ path, definitions, records, clock, synchronous, cursorMinutes, ...through })
  },
  read: async (address, { records, clock }) => openSqliteReading({ path: pathOf(address), records, clock }),
  identity: async address => {
    const path = resolve(pathOf(address))
    return `sqlite:${existsSync(path) ? realpathSync(path) : path}`
  },
  host: async (address, { records, clock, config }) => {
    const path = await prepared(address)
    const { synchronous, cursorMinutes } = config
    return WriterHost.start({ path, synchronous, records, snapshots: { lifetimeMs: cursorMinutes * 60_000 } }, clock)
  },
  examine: async (address, deep) => {
    const path = pathOf(address)
    if (!existsSync(path)) return [{ check: 'store', state: 'ok', says: 'There is no store yet; the first start makes it.' }]
    const known = glance(path)
    if (known === undefined)
      return [{ check: 'store', state: 'fail', says: 'The file is no store of Simpul.', remedy: 'Point SIMPUL_STORE to another file.' }]
    const says = `${known.live.toLocaleString('en')} resources, ${known.migrations} migrations.`
    if (!deep) return [{ check: 'store', state: 'ok', says: `${says} --deep compares every index entry with what was recorded.` }]
    return findingsOf(deepCheck(path), () => 'Stop the server and restore the newest backup, or report this.')
  },
  migrations: async address => migrationsAt(pathOf(address), systemClock),
}

/** Its driver takes a while to load: who does not need it starts sooner without. */
const mongodb: Engine = {
  open: async (address, { definitions, records, clock, config }) => {
    const { openMongoStore } = await import('./storage/mongodb/store.ts')
    return openMongoStore({ address, definitions, records, clock, cursorMinutes: config.cursorMinutes })
  },
  read: async (address, parts) => {
    await using migrations = await mongodb.migrations(address)
    const states = await migrations.status()
    if (states.every(({ state }) => state === 'pending')) throw new StoreUnusable('refused', 'There is no store in that database.')
    if (states.some(({ state }) => state === 'pending'))
      throw new StoreUnusable('refused', 'The store lacks migrations: "npx simpul migrate up" does them.')
    return mongodb.open(address, parts)
  },
  identity: async address => (await import('./storage/mongodb/identity.ts')).identityAt(address),
  examine: async (address, deep, { cursorMinutes }) => {
    const check = await import('./storage/mongodb/check.ts')
    try {
      const { live, migrations, warnings } = await check.glanceAt(address, cursorMinutes)
      const warned = warnings.map((says): Finding => ({ check: 'store', state: 'warn', says }))
      if (migrations === 0) return [...warned, { check: 'store', state: 'ok', says: 'The database is empty; the first start fills it.' }]
      const says = `${live.toLocaleString('en')} resources, ${migrations} migrations.`
      if (!deep) return [...warned, { check: 'store', state: 'ok', says: `${says} --deep compares all that is said twice.` }]
      return [...warned, ...findingsOf(await check.deepCheck(address), check.remedyOf)]
    } catch (error) {
      if (!(error instanceof StoreUnusable)) throw error
      return [{ check: 'store', state: 'fail', says: error.message }]
    }
  },
  repair: async address => {
    const { repair } = await import('./storage/mongodb/check.ts')
    const words = await repair(address)
    const says = words === 0 ? 'Nothing was lost that could be written anew.' : `${words} words of relations were lost and are there again.`
    return { check: 'repair', state: 'ok', says }
  },
  migrations: async address => (await import('./storage/mongodb/migrate.ts')).migrationsAt(address),
}

const findingsOf = (found: readonly string[], remedyOf: (finding: string) => string): readonly Finding[] =>
  found.length === 0
    ? [{ check: 'store', state: 'ok', says: 'Every version is indexed exactly once, every entry is recorded, every counter is exact.' }]
    : found.map(says => ({ check: 'store', state: 'fail', says, remedy: remedyOf(says) }))

const glance = (path: string): ReturnType<typeof glanceAt> | undefined => {
  try {
    return glanceAt(path)
  } catch {
    return undefined
  }
}

const engines: Readonly<Record<string, Engine>> = { sqlite, mongodb, 'mongodb+srv': mongodb }

/** With SIMPUL_MIGRATE=wait. */
const schemaWaitMs = 600_000

export const storeAddress = (config: Config): string => config.store ?? `sqlite:${join(config.dataDir, 'simpul.db')}`

/** The engine of an address, bound to it. */
export const engineAt = (
  address: string,
): {
  open(parts: StoreParts): Promise<Store>
  read(parts: StoreParts): Promise<Store>
  identity(): Promise<string>
  host?: (parts: Omit<StoreParts, 'definitions'>) => Promise<Host>
  examine(deep: boolean, config: Config): Promise<readonly Finding[]>
  repair(): Promise<Finding>
  migrations(): Promise<Migrations>
} => {
  const engine = engines[address.slice(0, address.indexOf(':'))]
  if (engine === undefined) throw new Error('There is no engine for this kind of store')
  const { host } = engine
  const migrations = (): Promise<Migrations> => engine.migrations(address)
  const ready = async ({ migrate }: Config): Promise<void> => {
    if (migrate === 'start') return
    await using waiting = await migrations()
    await migrated(waiting, schemaWaitMs)
  }
  return {
    ...(host === undefined ? {} : { host: parts => ready(parts.config).then(() => host(address, parts)) }),
    open: parts => ready(parts.config).then(() => engine.open(address, parts)),
    read: parts => engine.read(address, parts),
    identity: () => engine.identity(address),
    examine: (deep, config) => engine.examine(address, deep, config),
    repair: async () =>
      engine.repair?.(address) ?? { check: 'repair', state: 'ok', says: 'This engine keeps nothing that could be written anew.' },
    migrations,
  }
}

/** The schema of the configured store, for who brings it up or waits for it. */
export const migrationsOf = (config: Config): Promise<Migrations> => engineAt(storeAddress(config)).migrations()

export const engineOf = (config: Config): ReturnType<typeof engineAt> => engineAt(storeAddress(config))

export const examineStore = (config: Config, deep: boolean): Promise<readonly Finding[]> => engineOf(config).examine(deep, config)

export const repairStore = (config: Config): Promise<Finding> => engineOf(config).repair()
