import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import type { RecordDefinition, Store } from '../../src/storage/port.ts'
import { openSqliteStore } from '../../src/storage/sqlite/store.ts'
import { WriterHost } from '../../src/storage/sqlite/writer-host.ts'
import { temporaryFolder } from './sqlite-store.ts'

const cursorMinutes = 60

/** One writer and as many readers as are opened, joined by pipes as processes are. The host goes with its last reader. */
export const openHost = async (
  clock: { now: number } = { now: Date.UTC(2026, 10, 21, 8) },
  path = join(temporaryFolder(), 'store.db'),
  records: readonly RecordDefinition[] = [],
) => {
  const host = await WriterHost.start(
    { path, synchronous: 'NORMAL', records, snapshots: { lifetimeMs: cursorMinutes * 60_000 } },
    () => clock.now,
  )
  const open = async (): Promise<{ readonly store: Store; readonly pipe: Duplex }> => {
    const [here, there] = duplexPair()
    host.join(here)
    const shared = { path, definitions: {} as Definitions, clock: () => clock.now, records, cursorMinutes }
    return { store: await openSqliteStore({ ...shared, writer: there }), pipe: there }
  }
  return { host, open, clock, path }
}

/** As the contract wants it: one store, closed and opened again with its writer. */
export const openSharedStore = async (records: readonly RecordDefinition[] = []) => {
  const first = await openHost(undefined, undefined, records)
  let current = await alone(first)
  const reopen = async (other = records): Promise<Store> => {
    await current[Symbol.asyncDispose]()
    current = await alone(await openHost(first.clock, first.path, other))
    return current
  }
  return { store: current, reopen, clock: first.clock }
}

/** A store whose closing ends its writer too. */
const alone = async ({ host, open }: Awaited<ReturnType<typeof openHost>>): Promise<Store> => {
  const { store } = await open()
  const close = store[Symbol.asyncDispose].bind(store)
  return Object.assign(store, {
    [Symbol.asyncDispose]: async () => {
      await close()
      await host[Symbol.asyncDispose]()
    },
  })
}
