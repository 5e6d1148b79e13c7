import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Document, MongoClient } from 'mongodb'
import { freePort } from './free-port.ts'
import { findMongod } from './servers.ts'

/** A replica set of a test's own on loopback, whose members may be killed. Data in memory where there is some. */
export type ReplicaSet = AsyncDisposable & {
  /** Of a database in it. */
  address(database: string): string
  /** Port of the primary, once there is one. */
  primary(): Promise<number>
  /** Without a word to anybody. */
  kill(port: number): Promise<void>
  start(port: number): Promise<void>
  /** Until every member is there again and has caught up. */
  whole(): Promise<void>
}

/** The shell tells the pid, and ends the server when its own input ends, which is when this process does. */
const untilInputEnds = '"$0" "$@" >/dev/null 2>&1 & echo $!; while read -r _; do :; done; kill -9 $!; wait'
const waitMs = 60_000
/** Shorter than what MongoDB ships with (10 s), so that the test is. */
const electionTimeoutMillis = 2_000

type Member = { readonly port: number; readonly folder: string; shell?: ChildProcess; pid?: number }

export const startReplicaSet = async (count: number): Promise<ReplicaSet> => {
  const { path } = await findMongod()
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'simpul-set-'))
  const members: Member[] = []
  for (let n = 0; n < count; n++) members.push({ port: await freePort(), folder: join(folder, `${n}`) })
  const memberAt = (port: number): Member => {
    const found = members.find(member => member.port === port)
    if (found === undefined) throw new Error(`No member listens on ${port}`)
    return found
  }
  const start = async (port: number): Promise<void> => {
    const member = memberAt(port)
    mkdirSync(member.folder, { recursive: true })
    const place = ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', member.folder]
    const small = ['--wiredTigerCacheSizeGB', '0.25', '--oplogSize', '128', '--setParameter', 'diagnosticDataCollectionEnabled=false']
    member.shell = spawn('/bin/sh', ['-c', untilInputEnds, path, '--replSet', 'rs0', ...place, ...small], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [told] = (await once(member.shell.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    member.pid = Number(told.toString())
    await until(async () => (await ask(port, { ping: 1 })) !== undefined, `a mongod answers on ${port}`)
  }
  const kill = async (port: number): Promise<void> => {
    const { pid, shell } = memberAt(port)
    if (pid === undefined || shell === undefined) return
    process.kill(pid, 'SIGKILL')
    const ended = once(shell, 'exit')
    shell.stdin?.end()
    await ended
    Object.assign(memberAt(port), { pid: undefined, shell: undefined })
  }
  const states = async (): Promise<readonly { readonly port: number; readonly state: string }[]> => {
    for (const { port, pid } of members) {
      const status = pid === undefined ? undefined : await ask(port, { replSetGetStatus: 1 })
      if (status?.members !== undefined)
        return (status.members as Document[]).map(({ name, stateStr }) => ({
          port: Number(String(name).split(':')[1]),
          state: String(stateStr),
        }))
    }
    return []
  }
  const primary = async (): Promise<number> => {
    let found: number | undefined
    await until(async () => {
      found = (await states()).find(({ state }) => state === 'PRIMARY')?.port
      return found !== undefined && (await ask(found, { hello: 1 }))?.isWritablePrimary === true
    }, 'the set has a primary')
    return found as number
  }
  const disposed = async (): Promise<void> => {
    for (const { port } of members) await kill(port)
    rmSync(folder, { recursive: true, force: true })
  }
  const hosts = members.map(({ port }) => `127.0.0.1:${port}`)
  try {
    await Promise.all(members.map(({ port }) => start(port)))
    const settings = { electionTimeoutMillis, heartbeatIntervalMillis: 500 }
    await ask((members[0] as Member).port, {
      replSetInitiate: { _id: 'rs0', members: hosts.map((host, _id) => ({ _id, host })), settings },
    })
    await primary()
  } catch (error) {
    await disposed()
    throw error
  }
  return {
    address: database => `mongodb://${hosts.join(',')}/${database}?replicaSet=rs0`,
    primary,
    kill,
    start,
    whole: () =>
      until(
        async () => (await states()).filter(({ state }) => state === 'PRIMARY' || state === 'SECONDARY').length === count,
        'all members are there again',
      ),
    [Symbol.asyncDispose]: disposed,
  }
}

/** What one member answers; undefined when it does not. */
const ask = async (port: number, command: Document): Promise<Document | undefined> => {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 1_000,
    connectTimeoutMS: 1_000,
  })
  try {
    return await client.db('admin').command(command)
  } catch {
    return undefined
  } finally {
    await client.close()
  }
}

const until = async (isSo: () => Promise<boolean>, what: string): Promise<void> => {
  for (const endsAt = performance.now() + waitMs; performance.now() < endsAt; await sleep(50)) if (await isSo()) return
  throw new Error(`It never came about that ${what}`)
}
