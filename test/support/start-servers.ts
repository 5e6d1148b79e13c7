import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { MongoMemoryReplSet } from 'mongodb-memory-server'
import { freePort } from './free-port.ts'
import { databasePrefix } from './mongodb-address.ts'
import { findMongod, findRedisServer } from './servers.ts'

/**
 * Every store on SQLite starts a thread that writes, thousands in one run: the thread is handed what an earlier one stripped and compiled.
 * The same folder as bin/simpul.js.
 */
const compiled = resolve(import.meta.dirname, '../../node_modules/.cache/simpul/compiled')

/**
 * Jest's global set-up: one mongod (a replica set of one) and one redis-server for the whole run, named to the tests by
 * SIMPUL_TEST_MONGODB_URI and SIMPUL_TEST_REDIS_URL. Where these are set nothing is started; `none` leaves the tests out.
 * Both servers end with this process, however it ends.
 */
export default async function startServers(): Promise<void> {
  process.env.NODE_COMPILE_CACHE ??= compiled
  process.env.SIMPUL_TEST_RUN = `${Date.now().toString(36)}-${process.pid.toString(36)}`
  await Promise.all([
    provided('SIMPUL_TEST_MONGODB_URI', 'mongod', startMongod),
    provided('SIMPUL_TEST_REDIS_URL', 'redis-server', startRedisServer),
  ])
}

/** What must be ended after the run, see stop-servers.ts. */
export const running: (() => Promise<void>)[] = []

const provided = async (variable: string, name: string, start: () => Promise<string>): Promise<void> => {
  const given = process.env[variable]
  if (given === 'none') leftOut(name, `${variable} IS "none"`)
  if (given !== undefined && given !== '') {
    if (given !== 'none' && name === 'mongod') running.push(() => dropDatabases(given))
    return
  }
  try {
    process.env[variable] = await start()
  } catch (error) {
    process.env[variable] = 'none'
    const why = Error.isError(error) ? error.message : String(error)
    if (process.env.CI === 'true') throw new Error(`There is no ${name} and CI demands it: ${why}`, { cause: error })
    leftOut(name, why)
  }
}

const dayMs = 86_400_000

/** A mongod that goes on without us: databases of this run go, and what runs of days before left behind. */
const dropDatabases = async (uri: string): Promise<void> => {
  const client = new MongoClient(uri)
  try {
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true })
    for (const { name } of databases) {
      const [started = ''] = name.startsWith(databasePrefix) ? name.slice(databasePrefix.length).split('-') : []
      const ours = name.startsWith(`${databasePrefix}${process.env.SIMPUL_TEST_RUN}-`)
      if (ours || (started !== '' && Date.now() - Number.parseInt(started, 36) > dayMs)) await client.db(name).dropDatabase()
    }
  } finally {
    await client.close()
  }
}

const leftOut = (name: string, why: string): void => {
  process.stderr.write(`\n##### THERE IS NO ${name.toUpperCase()}: ITS TESTS ARE LEFT OUT #####\n${why}\n`)
}

const startMongod = async (): Promise<string> => {
  const { path, version } = await findMongod()
  const folder = dataFolder()
  const settings = { diagnosticDataCollectionEnabled: 'false', shutdownTimeoutMillisForSignaledShutdown: '100' }
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['--setParameter', `${name}=${value}`])
  // Each database of a test has some hundred files, and what is dropped goes only when no snapshot can want it: those at rest are not held open.
  const files = 'file_manager=(close_idle_time=3,close_scan_interval=2,close_handle_minimum=100)'
  const set = await MongoMemoryReplSet.create({
    binary: { systemBinary: path, version },
    instanceOpts: [{ dbPath: folder, launchTimeout: 60_000 }],
    replSet: {
      name: 'simpul',
      storageEngine: 'wiredTiger',
      args: ['--wiredTigerCacheSizeGB', '1', '--oplogSize', '256', '--wiredTigerEngineConfigString', files, ...parameters],
    },
  })
  running.push(async () => {
    await set.stop({ doCleanup: false })
    rmSync(folder, { recursive: true, force: true })
  })
  return set.getUri()
}

/** In memory where there is enough of it; what runs that were killed left behind goes first. */
const dataFolder = (): string => {
  const prefix = 'simpul-test-mongod-'
  const shared = '/dev/shm'
  const roomy = existsSync(shared) && statfsSync(shared).bavail * statfsSync(shared).bsize > 2 ** 31
  const parent = roomy ? shared : tmpdir()
  const left = readdirSync(parent).filter(name => name.startsWith(prefix) && !lives(Number(name.slice(prefix.length))))
  for (const name of left) rmSync(join(parent, name), { recursive: true, force: true })
  const folder = join(parent, `${prefix}${process.pid}`)
  mkdirSync(folder)
  return folder
}

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return Error.isError(error) && 'code' in error && error.code === 'EPERM'
  }
}

/** The shell ends the server when its own input ends, and that ends with this process, even when this is killed. */
const untilInputEnds = '"$0" "$@" & while read -r _; do :; done; kill $!; wait'

const startRedisServer = async (): Promise<string> => {
  const { path } = await findRedisServer()
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const kept = ['--save', '', '--appendonly', 'no', '--dir', tmpdir(), '--maxmemory', '256mb']
    const shell = spawn('/bin/sh', ['-c', untilInputEnds, path, '--bind', '127.0.0.1', '--port', `${port}`, ...kept], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    if (await answers(port, shell)) {
      running.push(() => ended(shell))
      return `redis://127.0.0.1:${port}`
    }
    await ended(shell)
    if (attempt === 3) throw new Error(`${path} does not answer`)
  }
}

const ended = async (shell: ChildProcess): Promise<void> => {
  if (shell.exitCode !== null || shell.signalCode !== null) return
  const exit = once(shell, 'exit')
  shell.stdin?.end()
  await exit
}

const answers = async (port: number, shell: ChildProcess): Promise<boolean> => {
  for (let attempt = 0; attempt < 200 && shell.exitCode === null; attempt++) {
    if (await ponged(port)) return true
    await sleep(25)
  }
  return false
}

const ponged = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write('PING\r\n')
    const [said] = await once(socket, 'data', { signal: AbortSignal.timeout(2_000) })
    return String(said).startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
