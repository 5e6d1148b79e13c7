import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'
import { findRedisServer } from './servers.ts'

/** A redis-server of a test's own, to be stopped, held and started again. The shared one of the run is not to be touched. */
export type RedisServer = AsyncDisposable & {
  readonly port: number
  readonly url: string
  /** On the same port as before; answers when it takes commands. */
  start(): Promise<void>
  /** Without a word to its clients. */
  kill(): Promise<void>
  /** It stays connected and answers nothing. */
  hold(): void
  resume(): void
  /** A client that watches, by no means of ours. */
  watch(): Redis
}

/** Whether tests with a Redis run at all: see start-servers.ts. */
export const redisIsLeftOut = process.env.SIMPUL_TEST_REDIS_URL === 'none'

export const startRedis = async (): Promise<RedisServer> => {
  const { path } = await findRedisServer()
  const port = await freePort()
  const kept = ['--save', '', '--appendonly', 'no', '--dir', tmpdir(), '--bind', '127.0.0.1', '--port', `${port}`]
  const watchers: Redis[] = []
  let child: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    child = undefined
  }
  const start = async (): Promise<void> => {
    child = spawn(path, kept, { stdio: 'ignore' })
    const probe = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: 250 })
    probe.on('error', () => undefined)
    await probe.ping()
    probe.disconnect()
  }
  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    hold: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    watch: () => {
      const client = new Redis({ port, host: '127.0.0.1', retryStrategy: null })
      client.on('error', () => undefined)
      watchers.push(client)
      return client
    },
    [Symbol.asyncDispose]: async () => {
      for (const watcher of watchers) watcher.disconnect()
      await kill()
    },
  }
}

/** Waits until something is so; fails loudly when it never is. */
export const until = async (isSo: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await isSo()) return
    await sleep(25)
  }
  throw new Error(`It never came about that ${what}`)
}
