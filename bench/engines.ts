import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoMemoryReplSet } from 'mongodb-memory-server'
import { findMongod } from '../test/support/servers.ts'
import { cpuSecondsOf, type Measured, startSimpul } from './processes.ts'

/** An engine under measurement: each server begins with an empty store. */
export type MeasuredEngine = AsyncDisposable & {
  readonly name: string
  start(environment?: Readonly<Record<string, string>>): Promise<Measured>
}

const onSqlite = async (): Promise<MeasuredEngine> => ({ name: 'SQLite', start: startSimpul, [Symbol.asyncDispose]: async () => undefined })

/** A replica set of one mongod on this disk, journal and all: what is acknowledged is durable, as on SQLite. */
const onMongodb = async (): Promise<MeasuredEngine> => {
  const { path, version } = await findMongod()
  const folder = mkdtempSync(join(tmpdir(), 'simpul-bench-mongod-'))
  const set = await MongoMemoryReplSet.create({
    binary: { systemBinary: path, version },
    instanceOpts: [{ dbPath: folder, launchTimeout: 60_000 }],
    replSet: { name: 'bench', storageEngine: 'wiredTiger', args: ['--wiredTigerCacheSizeGB', '2'] },
  })
  const pid = set.servers[0]?.instanceInfo?.instance.mongodProcess?.pid
  if (pid === undefined) throw new Error('mongod has no process')
  let stores = 0
  return {
    name: `MongoDB ${version}`,
    start: async environment => {
      const server = await startSimpul({ ...environment, SIMPUL_STORE: addressOf(set.getUri(), `bench${++stores}`) })
      return { ...server, databaseCpuSeconds: () => cpuSecondsOf(pid) }
    },
    [Symbol.asyncDispose]: async () => {
      await set.stop({ doCleanup: false })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const addressOf = (uri: string, database: string): string => {
  const url = new URL(uri)
  url.pathname = `/${database}`
  return url.href
}

export const engines: Readonly<Record<string, () => Promise<MeasuredEngine>>> = { sqlite: onSqlite, mongodb: onMongodb }
