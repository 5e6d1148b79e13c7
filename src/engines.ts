import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from './base/clock.ts'
import type { Finding } from './cli/doctor.ts'
import type { Config } from './config/config.ts'
import type { Definitions } from './fhir/definitions/definitions.ts'
import type { RecordDefinition, Store } from './storage/port.ts'
import { deepCheck, glanceAt } from './storage/sqlite/check.ts'
import { openSqliteStore } from './storage/sqlite/store.ts'

/** The engines by the scheme of SIMPUL_STORE: a new one is a new row. */

export type StoreParts = {
  readonly definitions: Definitions
  readonly records: readonly RecordDefinition[]
  readonly clock: Clock
  readonly config: Config
}

type Engine = {
  /** Opens the store, new or as it was left. Throws when it cannot be used, with a message that says what mends it. */
  readonly open: (address: string, parts: StoreParts) => Promise<Store>
  /** What `doctor` may know of the store without starting a server; `deep` compares all that it says twice. */
  readonly examine: (address: string, deep: boolean) => Promise<readonly Finding[]>
}

const pathOf = (address: string): string => address.slice('sqlite:'.length)

const sqlite: Engine = {
  open: async (address, { definitions, records, clock, config }) => {
    const path = pathOf(address)
    mkdirSync(dirname(path), { recursive: true })
    const { synchronous, cursorMinutes } = config
    return openSqliteStore({ path, definitions, records, clock, synchronous, cursorMinutes })
  },
  examine: async (address, deep) => {
    const path = pathOf(address)
    if (!existsSync(path)) return [{ check: 'store', state: 'ok', says: 'There is no store yet; the first start makes it.' }]
    const known = glance(path)
    if (known === undefined)
      return [{ check: 'store', state: 'fail', says: 'The file is no store of Simpul.', remedy: 'Point SIMPUL_STORE to another file.' }]
    const says = `${known.live.toLocaleString('en')} resources, ${known.migrations} migrations.`
    if (!deep) return [{ check: 'store', state: 'ok', says: `${says} --deep compares every index entry with what was recorded.` }]
    const findings = deepCheck(path)
    return findings.length === 0
      ? [{ check: 'store', state: 'ok', says: 'Every version is indexed exactly once, every entry is recorded, every counter is exact.' }]
      : findings.map(found => ({
          check: 'store',
          state: 'fail',
          says: found,
          remedy: 'Stop the server and restore the newest backup, or report this.',
        }))
  },
}

const glance = (path: string): ReturnType<typeof glanceAt> | undefined => {
  try {
    return glanceAt(path)
  } catch {
    return undefined
  }
}

const engines: Readonly<Record<string, Engine>> = { sqlite }

export const storeAddress = (config: Config): string => config.store ?? `sqlite:${join(config.dataDir, 'simpul.db')}`

/** The engine of an address, bound to it. */
export const engineAt = (
  address: string,
): { open(parts: StoreParts): Promise<Store>; examine(deep: boolean): Promise<readonly Finding[]> } => {
  const engine = engines[address.slice(0, address.indexOf(':'))]
  if (engine === undefined) throw new Error('There is no engine for this kind of store')
  return { open: parts => engine.open(address, parts), examine: deep => engine.examine(address, deep) }
}

export const engineOf = (config: Config): ReturnType<typeof engineAt> => engineAt(storeAddress(config))

export const examineStore = (config: Config, deep: boolean): Promise<readonly Finding[]> => engineOf(config).examine(deep)
