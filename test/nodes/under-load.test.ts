/** Issue 6: Redis is stopped and started while two whole servers answer. Nobody's request fails for it, and everybody can see it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { freePort } from '../support/free-port.ts'
import { redisIsLeftOut, startRedis, until } from '../support/redis-server.ts'

const mostPerMinute = 1_000_000
const clients = 4

type Node = AsyncDisposable & {
  readonly get: (path: string) => Promise<{ readonly status: number; readonly remaining: number; readonly text: string }>
  readonly metric: (name: string) => Promise<number>
  /** States of Redis, as the log told them. */
  readonly told: () => readonly string[]
}

const startNode = async (redisUrl: string): Promise<Node> => {
  const folder = mkdtempSync(join(tmpdir(), 'simpul-under-load-'))
  const [port, metricsPort] = [await freePort(), await freePort()]
  const child: ChildProcess = spawn(process.execPath, [resolve(import.meta.dirname, '../../bin/simpul.js'), 'serve'], {
    env: {
      PATH: process.env.PATH,
      SIMPUL_AUTH: 'off',
      SIMPUL_PORT: String(port),
      SIMPUL_DATA_DIR: folder,
      SIMPUL_REDIS_URL: redisUrl,
      SIMPUL_RATE_LIMIT: String(mostPerMinute),
      SIMPUL_METRICS_PORT: String(metricsPort),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stdout?.on('data', chunk => {
    log += String(chunk)
  })
  child.stderr?.resume()
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const get: Node['get'] = path =>
    new Promise((done, failed) => {
      const asked = request({ host: '127.0.0.1', port, path, agent }, res => {
        let text = ''
        res.setEncoding('utf8')
        res.on('data', chunk => {
          text += chunk
        })
        res.on('error', failed)
        res.on('end', () => done({ status: res.statusCode ?? 0, remaining: Number(res.headers['x-ratelimit-remaining']), text }))
      })
      asked.on('error', failed)
      asked.end()
    })
  await until(
    () =>
      get('/health/ready').then(
        ({ status }) => status === 200,
        () => false,
      ),
    'the server is ready',
  )
  return {
    get,
    metric: async name => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
      return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
    },
    told: () => [...log.matchAll(/"event":"redis-(ok|fallback)"/g)].map(([, state]) => state as string),
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const redisOf = async (node: Node): Promise<string> => JSON.parse((await node.get('/health/redis')).text).state

/** Asks without a pause until it is told to stop; answers how many answers had which status. */
const load = (nodes: readonly Node[]): { readonly stop: () => Promise<Readonly<Record<string, number>>>; readonly asked: () => number } => {
  const statuses: Record<string, number> = {}
  let asked = 0
  let goesOn = true
  const loops = nodes.flatMap(node =>
    Array.from({ length: clients }, async () => {
      while (goesOn) {
        asked += 1
        const status = await node.get('/fhir/Patient?_count=1&name=Rahasia&identifier=3174015708900017').then(
          answer => String(answer.status),
          () => 'no answer',
        )
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    }),
  )
  return {
    asked: () => asked,
    stop: async () => {
      goesOn = false
      await Promise.all(loops)
      return statuses
    },
  }
}

const withRedis = redisIsLeftOut ? describe.skip : describe

withRedis('Redis stopped and started under load', () => {
  test('fails no request, shows in health, figures and log, and counts for all nodes again', async () => {
    await using redis = await startRedis()
    await using one = await startNode(redis.url)
    await using two = await startNode(redis.url)
    const nodes = [one, two]
    const all = (state: string): Promise<void> =>
      until(async () => (await Promise.all(nodes.map(redisOf))).every(each => each === state), `all nodes say ${state}`)
    await all('ok')

    const running = load(nodes)
    const goOn = async (): Promise<void> => {
      const before = running.asked()
      await until(() => running.asked() > before + 200, 'some hundred are asked')
    }
    await goOn()
    await redis.kill()
    await all('fallback')
    await goOn()
    expect(await one.metric('simpul_rate_limiter_fallback')).toBe(1)
    expect(JSON.parse((await one.get('/health')).text).status).toBe('degraded')
    expect((await one.get('/health/ready')).status).toBe(200)
    await redis.start()
    await all('ok')
    await goOn()
    // It hangs without dropping anybody, which is worse than being gone.
    redis.hold()
    await all('fallback')
    await goOn()
    redis.resume()
    await all('ok')
    await goOn()
    const statuses = await running.stop()
    expect(Object.keys(statuses)).toEqual(['200'])

    expect(await one.metric('simpul_rate_limiter_fallback')).toBe(0)
    await all('ok')
    // Asked in turns, each node sees what the other counted.
    await until(async () => {
      const remaining: number[] = []
      for (const node of [one, two, one]) remaining.push((await node.get('/fhir/Patient')).remaining)
      const [first = 0] = remaining
      return remaining.join() === [first, first - 1, first - 2].join()
    }, 'both count together')
    const watcher = redis.watch()
    for (const key of await watcher.keys('*')) {
      expect(key).toMatch(/^simpul:(rate:(read|write):[\w-]{22}|probe:[0-9a-f-]{36})$/)
      expect(await watcher.get(key)).toMatch(/^\d+$/)
    }
    for (const node of nodes) {
      const told = node.told()
      expect(told.join(' ')).toMatch(/ok fallback (.*)?ok fallback (.*)?ok$/)
      // One line for a change, not one for a request.
      expect(told.length).toBeLessThan(20)
    }
  }, 60_000)
})
