import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoMemoryReplSet } from 'mongodb-memory-server'
import { freePort } from '../test/support/free-port.ts'
import { findMongod } from '../test/support/servers.ts'

/** A mongod under measurement. */
export type Mongod = AsyncDisposable & {
  readonly version: string
  readonly pid: number
  /** Of a database in it. */
  address(database: string): string
}

/**
 * A replica set of one mongod on this disk as it is shipped, journal and all: what is acknowledged is durable, as on SQLite. In `keep` it stays for the next run, at the
 * port that the set was given.
 */
export const startMongod = async (keep?: string): Promise<Mongod> => {
  const { path, version } = await findMongod()
  const folder = keep ?? mkdtempSync(join(tmpdir(), 'simpul-bench-mongod-'))
  const dbPath = join(folder, 'db')
  mkdirSync(dbPath, { recursive: true })
  const port = await portOf(folder)
  const set = await MongoMemoryReplSet.create({
    binary: { systemBinary: path, version },
    instanceOpts: [{ dbPath, port, launchTimeout: 60_000 }],
    replSet: { name: 'bench', storageEngine: 'wiredTiger' },
  })
  const pid = set.servers[0]?.instanceInfo?.instance.mongodProcess?.pid
  if (pid === undefined) throw new Error('mongod has no process')
  return {
    version,
    pid,
    address: database => {
      const url = new URL(set.getUri())
      url.pathname = `/${database}`
      return url.href
    },
    [Symbol.asyncDispose]: async () => {
      await set.stop({ doCleanup: false })
      if (keep === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The set knows its member by it. */
const portOf = async (folder: string): Promise<number> => {
  const file = join(folder, 'port')
  if (existsSync(file)) return Number(readFileSync(file, 'utf8'))
  const port = await freePort()
  writeFileSync(file, `${port}\n`)
  return port
}

/** Milliseconds that the threads of a process that live now have worked: finer than what is told of the process. */
export const threadMillisecondsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + nanosecondsOf(`/proc/${pid}/task/${task}/schedstat`) / 1e6, 0)

const nanosecondsOf = (file: string): number => {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[0])
  } catch {
    return 0 // it ended just now
  }
}
