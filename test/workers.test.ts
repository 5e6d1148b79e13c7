/**
 * Several processes that serve one port (SIMPUL_WORKERS), on both engines: nobody can tell by the answers which one gave them, one may be
 * killed, and all may be replaced or ended, without a request that was taken being lost (operate.md 1 and 3).
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { sqliteEngine, type TestEngine, testEngines } from './support/engines.ts'
import { bodyOf, Client, type Reply, type RunningServer, startServer, until } from './support/running-server.ts'

const workers = 2
const system = 'http://example.org/ids'

type Bundle = {
  readonly total?: number
  readonly entry?: readonly { readonly resource: { readonly id: string; readonly meta: { readonly versionId: string } } }[]
  readonly link: readonly { readonly relation: string; readonly url: string }[]
}

const basic = (id: string, code: string) => ({ resourceType: 'Basic', id, identifier: [{ system, value: code }], code: { text: code } })
const versionOf = (reply: Reply): string => bodyOf<{ meta: { versionId: string } }>(reply).meta.versionId
const idsOf = (bundle: Bundle): readonly string[] => (bundle.entry ?? []).map(({ resource }) => resource.id)
const nextOf = (bundle: Bundle): string | undefined => {
  const url = bundle.link.find(({ relation }) => relation === 'next')?.url
  return url === undefined ? undefined : url.slice(url.indexOf('/fhir'))
}
const pidsOf = (server: RunningServer): readonly number[] => {
  const ended = new Set(server.logged('worker-ended').map(({ pid }) => pid))
  return server.logged('worker-started').flatMap(({ pid }) => (ended.has(pid) ? [] : [pid as number]))
}

const open: Client[] = []
const clientsOf = (server: RunningServer, n: number): readonly Client[] => {
  const clients = Array.from({ length: n }, () => new Client(server.port))
  open.push(...clients)
  return clients
}
afterEach(() => {
  for (const client of open.splice(0)) client.close()
})

/** Each client asks on until told to stop, or until its connection had its last answer. */
const load = <C>(clients: readonly C[], ask: (client: C, n: number) => Promise<Reply>) => {
  const replies: Reply[] = []
  let stopped = false
  let n = 0
  const done = Promise.all(
    clients.map(async client => {
      while (!stopped) {
        const reply = await ask(client, n++)
        replies.push(reply)
        if (untilLast && reply.last) return
      }
    }),
  )
  let untilLast = false
  return {
    replies,
    /** From now on a client stops with the connection that it has. */
    letGo: () => {
      untilLast = true
      return done
    },
    stop: () => {
      stopped = true
      return done
    },
  }
}

const mixed = (client: Client, n: number): Promise<Reply> =>
  n % 3 === 0 ? client.send('PUT', `/fhir/Basic/l${n % 40}`, basic(`l${n % 40}`, `v${n}`)) : client.get('/fhir/Basic/steady')

const failuresIn = (replies: readonly Reply[]): readonly unknown[] => replies.filter(({ status }) => status !== 200 && status !== 201)

const metric = async (client: Client, pattern: RegExp): Promise<number> => {
  const reply = await client.get('/metrics')
  return [...reply.text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0)
}
const updates = /^simpul_http_requests_total\{interaction="update"[^}]*\} (\d+)$/gm

for (const engine of testEngines)
  describe(`workers (${engine.name})`, () => {
    let store: Awaited<ReturnType<TestEngine['address']>>
    let server: RunningServer
    const start = (): Promise<RunningServer> => startServer({ SIMPUL_STORE: store.address, SIMPUL_WORKERS: String(workers) })

    beforeAll(async () => {
      store = await engine.address()
      server = await start()
      const [client] = clientsOf(server, 1) as [Client]
      await client.send('PUT', '/fhir/Basic/steady', basic('steady', 'steady'))
    }, 120_000)
    afterAll(async () => {
      await server[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    }, 120_000)

    test('are as many as were asked for, and ready', async () => {
      for (const client of clientsOf(server, 4)) expect((await client.get('/health/ready')).status).toBe(200)
      const [client] = clientsOf(server, 1) as [Client]
      expect(await metric(client, /^simpul_workers (\d+)$/gm)).toBe(workers)
      expect(pidsOf(server).length).toBe(workers)
    })

    test('show each other at once what was acknowledged, read and searched', async () => {
      const chain = async (id: string): Promise<void> => {
        const clients = clientsOf(server, 4)
        for (let n = 0; n < 15; n++) {
          const writer = clients[n % 4] as Client
          const version = versionOf(await writer.send('PUT', `/fhir/Basic/${id}`, basic(id, `${id}-${n}`)))
          for (const reader of clients) expect(versionOf(await reader.get(`/fhir/Basic/${id}`))).toBe(version)
          const found = bodyOf<Bundle>(await (clients[(n + 1) % 4] as Client).get(`/fhir/Basic?identifier=${system}|${id}-${n}`))
          expect(found.entry?.map(({ resource }) => resource.meta.versionId)).toEqual([version])
        }
      }
      // At once, so that workers answer several in one turn of their event loop.
      await Promise.all(Array.from({ length: 8 }, (_, n) => chain(`seen${n}`)))
    }, 60_000)

    test('let one create win where several have the same condition', async () => {
      const clients = clientsOf(server, 4)
      for (let n = 0; n < 12; n++) {
        const condition = { 'if-none-exist': `identifier=${system}|race-${n}` }
        const body = { resourceType: 'Basic', identifier: [{ system, value: `race-${n}` }], code: { text: 'x' } }
        const replies = await Promise.all(clients.map(client => client.send('POST', '/fhir/Basic', body, condition)))
        expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201])
      }
    })

    test('turn the pages of each other, and the pages stand still', async () => {
      const clients = clientsOf(server, 4)
      const [first] = clients as [Client]
      for (let n = 0; n < 12; n++) await first.send('PUT', `/fhir/Basic/page${n}`, basic(`page${n}`, 'page'))
      const seen: string[] = []
      let path: string | undefined = `/fhir/Basic?identifier=${system}|page&_count=3`
      for (let n = 0; path !== undefined; n++) {
        const bundle: Bundle = bodyOf<Bundle>(await (clients[n % 4] as Client).get(path))
        seen.push(...idsOf(bundle))
        path = nextOf(bundle)
        await (clients[(n + 2) % 4] as Client).send('PUT', `/fhir/Basic/page${n}`, basic(`page${n}`, 'turned'))
      }
      expect(seen.toSorted()).toEqual(Array.from({ length: 12 }, (_, n) => `page${n}`).toSorted())
    })

    test('are replaced one by one under load without a request that fails, and what they counted stays counted', async () => {
      const [asker] = clientsOf(server, 1) as [Client]
      const before = pidsOf(server)
      const counted = await metric(asker, updates)
      let puts = 0
      const under = load(clientsOf(server, 6), (client, n) => {
        if (n % 3 === 0) puts++
        return mixed(client, n)
      })
      server.signal('SIGHUP')
      await until(() => server.said().includes('All were replaced.'))
      await under.stop()
      expect(failuresIn(under.replies)).toEqual([])
      expect(under.replies.length).toBeGreaterThan(20)
      expect(pidsOf(server).filter(pid => before.includes(pid))).toEqual([])
      expect(pidsOf(server).length).toBe(workers)
      const [again] = clientsOf(server, 1) as [Client]
      expect((await metric(again, updates)) - counted).toBe(puts)
      expect(await metric(again, /^simpul_worker_deaths_total (\d+)$/gm)).toBe(0)
    }, 120_000)

    test('one killed under load takes its own connections with it, nothing half done, and another takes its place', async () => {
      const clients = clientsOf(server, 6)
      const pair = (client: Client, n: number): Promise<Reply> => {
        const entry = (id: string) => ({ resource: basic(id, 'pair'), request: { method: 'PUT', url: `Basic/${id}` } })
        return client.send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry: [entry(`pa${n}`), entry(`pb${n}`)] })
      }
      const asked: { readonly n: number; readonly status: number }[] = []
      const under = load(clients, async (client, n) => {
        const reply = await pair(client, n)
        asked.push({ n, status: reply.status })
        return reply
      })
      await until(() => under.replies.length > 20)
      const [victim] = pidsOf(server) as [number]
      process.kill(victim, 'SIGKILL')
      await until(() => server.logged('worker-ended').some(({ pid, why }) => pid === victim && why === 'died'))
      const soon = under.replies.length
      await until(() => under.replies.length > soon + 10 && pidsOf(server).length === workers)
      await under.stop()
      const broken = under.replies.filter(({ status }) => status === 0)
      // One request of each connection of that worker, and no answer that is a failure.
      expect(broken.length).toBeGreaterThan(0)
      expect(broken.length).toBeLessThanOrEqual(clients.length)
      expect(under.replies.filter(({ status }) => status !== 0 && status !== 200).map(({ status }) => status)).toEqual([])
      const [reader] = clientsOf(server, 1) as [Client]
      for (const { n, status } of asked) {
        const found = [await reader.get(`/fhir/Basic/pa${n}`), await reader.get(`/fhir/Basic/pb${n}`)].map(reply => reply.status)
        if (status === 200) expect(found).toEqual([200, 200])
        else expect(found[0]).toBe(found[1])
      }
      expect((await reader.get('/health/ready')).status).toBe(200)
      expect(await metric(reader, /^simpul_worker_deaths_total (\d+)$/gm)).toBe(1)
    }, 120_000)

    test('end together when asked to: what was taken is answered, what was acknowledged is there', async () => {
      const under = load(clientsOf(server, 6), (client, n) => client.send('PUT', `/fhir/Basic/end${n}`, basic(`end${n}`, 'end')))
      await until(() => under.replies.length > 20)
      const done = under.letGo()
      server.signal('SIGTERM')
      await done
      expect(await server.ended).toBe(0)
      expect(under.replies.filter(({ status }) => status !== 201)).toEqual([])
      server = await start()
      const [client] = clientsOf(server, 1) as [Client]
      const { total } = bodyOf<Bundle>(await client.get(`/fhir/Basic?identifier=${system}|end&_summary=count`))
      expect(total).toBe(under.replies.length)
    }, 120_000)
  })

test('a connection that was dealt to a worker as it died is closed, and its client may ask again', async () => {
  await using store = await (testEngines[0] as TestEngine).address()
  await using server = await startServer({ SIMPUL_STORE: store.address, SIMPUL_WORKERS: String(workers) })
  // Each request with a connection of its own: many are on their way to a worker when it dies.
  const under = load(
    Array.from({ length: 8 }, (_, n) => n),
    async () => {
      const client = new Client(server.port)
      const reply = await client.get('/health/live')
      client.close()
      return reply
    },
  )
  for (let n = 0; n < 4; n++) {
    const soon = under.replies.length
    await until(() => under.replies.length > soon + 40 && pidsOf(server).length === workers)
    process.kill(pidsOf(server)[0] as number, 'SIGKILL')
    await until(() => server.logged('worker-ended').length > n)
  }
  await under.stop()
  expect(under.replies.filter(({ code }) => code === 'HANGS')).toEqual([])
  expect(under.replies.filter(({ status }) => status !== 0 && status !== 200)).toEqual([])
}, 120_000)

test('the server ends with the writer of SQLite, and says so; what was acknowledged is there', async () => {
  await using store = await sqliteEngine.address()
  const environment = { SIMPUL_STORE: store.address, SIMPUL_WORKERS: String(workers) }
  await using server = await startServer({ ...environment, NODE_OPTIONS: `--import=${join(import.meta.dirname, 'support/end-writer.js')}` })
  const under = load(clientsOf(server, 4), (client, n) => client.send('PUT', `/fhir/Basic/w${n}`, basic(`w${n}`, 'w')))
  await until(() => under.replies.length > 20)
  server.signal('SIGUSR2')
  await until(() => under.replies.some(({ status }) => status === 503 || status === 0))
  await under.stop()
  expect(await server.ended).toBe(1)
  expect(server.said()).toContain('The writer has ended')
  expect(under.replies.filter(({ status }) => ![201, 503, 0].includes(status))).toEqual([])
  await using again = await startServer(environment)
  const [client] = clientsOf(again, 1) as [Client]
  const { total } = bodyOf<Bundle>(await client.get(`/fhir/Basic?identifier=${system}|w&_summary=count`))
  expect(total).toBeGreaterThanOrEqual(under.replies.filter(({ status }) => status === 201).length)
}, 120_000)

test('workers do not outlive the process that started them', async () => {
  await using store = await (testEngines[0] as TestEngine).address()
  await using server = await startServer({ SIMPUL_STORE: store.address, SIMPUL_WORKERS: String(workers) })
  const pids = pidsOf(server)
  server.signal('SIGKILL')
  await server.ended
  const lives = (pid: number): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  await until(() => !pids.some(lives))
}, 120_000)

test('a second request to end is obeyed at once, and a taken port is said once', async () => {
  await using store = await (testEngines[0] as TestEngine).address()
  const server = await startServer({ SIMPUL_STORE: store.address, SIMPUL_WORKERS: String(workers), SIMPUL_DRAIN_MS: '60000' })
  const taken = { SIMPUL_STORE: store.address, SIMPUL_WORKERS: String(workers), SIMPUL_PORT: String(server.port) }
  const refused = await startServer(taken).catch((error: Error) => error.message)
  expect(String(refused).match(/port is taken/gi)?.length).toBe(1)
  server.signal('SIGTERM')
  await until(() => server.said().includes('Stopping'))
  const [client] = clientsOf(server, 1) as [Client]
  expect((await client.get('/health/ready')).status).toBe(503)
  expect((await client.get('/fhir/metadata')).status).toBe(200)
  server.signal('SIGTERM')
  expect(await server.ended).toBe(143)
}, 120_000)
