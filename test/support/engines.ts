import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/base/clock.ts'
import { records } from '../../src/compose/records.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import type { RecordDefinition, Store } from '../../src/storage/port.ts'
import { openSqliteStore } from '../../src/storage/sqlite/store.ts'
import { mongodbThere } from './mongodb-address.ts'
import { leaseDatabase } from './mongodb-store.ts'

/** The engines that every suite with a store behind it runs on: `for (const engine of testEngines) describe(engine.name, …)`. */
export type TestEngine = {
  readonly name: 'sqlite' | 'mongodb'
  /** A new, empty store; what it kept is gone once it is closed. */
  open(options: StoreOptions): Promise<Store>
  /** What SIMPUL_STORE says of a new, empty store, for servers that are started as programs. */
  address(): Promise<{ readonly address: string } & AsyncDisposable>
}

type StoreOptions = { readonly definitions: Definitions; readonly clock: Clock; readonly records?: readonly RecordDefinition[] }

const sqlite: TestEngine = {
  name: 'sqlite',
  open: async options => {
    const folder = mkdtempSync(join(tmpdir(), 'simpul-test-'))
    const store = await openSqliteStore({ path: join(folder, 'store.db'), synchronous: 'NORMAL', ...options })
    return closing(store, () => rmSync(folder, { recursive: true, force: true }))
  },
  address: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simpul-test-'))
    return {
      address: `sqlite:${join(folder, 'store.db')}`,
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}

const mongodb: TestEngine = {
  name: 'mongodb',
  open: async options => {
    const { address, giveBack } = await leaseDatabase(options.records)
    const { openMongoStore } = await import('../../src/storage/mongodb/store.ts')
    return closing(await openMongoStore({ address, ...options }), giveBack)
  },
  address: async () => {
    const { address, giveBack } = await leaseDatabase(records)
    return { address, [Symbol.asyncDispose]: async () => giveBack() }
  },
}

/** Does more when the store is closed. */
const closing = (store: Store, then: () => void): Store => {
  const close = store[Symbol.asyncDispose].bind(store)
  return Object.assign(store, {
    [Symbol.asyncDispose]: async () => {
      await close()
      then()
    },
  })
}

export const testEngines: readonly TestEngine[] = mongodbThere ? [sqlite, mongodb] : [sqlite]
export const sqliteEngine = sqlite
