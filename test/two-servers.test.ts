/**
 * Two whole servers on one MongoDB, as behind a balancer that deals out requests as it likes: what they race for has one winner, and what
 * one began the other goes on with. SIMPUL_TEST_LONG=1 races 1,000 times.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Definitions } from '../src/fhir/definitions/definitions.ts'
import { msOfSeq } from '../src/storage/sequence.ts'
import { type TestEngine, testEngines } from './support/engines.ts'
import { bodyOf, Client, type Reply, type RunningServer, startServer } from './support/running-server.ts'
import { newVersion, planOf } from './support/versions.ts'

const races = process.env.SIMPUL_TEST_LONG === undefined ? 40 : 1000
const system = 'http://example.org/ids'

type Entry = { readonly resource: { readonly id: string; readonly meta: { readonly versionId: string; readonly lastUpdated: string } } }
type Bundle = {
  readonly total?: number
  readonly entry?: readonly Entry[]
  readonly link: readonly { readonly relation: string; readonly url: string }[]
}

const basic = (code: string, id?: string) => ({
  resourceType: 'Basic',
  ...(id === undefined ? {} : { id }),
  identifier: [{ system, value: code }],
  code: { text: code },
})
const statuses = (replies: readonly Reply[]): readonly number[] => replies.map(({ status }) => status).sort()
const versionOf = (reply: Reply): string => bodyOf<Entry['resource']>(reply).meta.versionId

const mongodb = testEngines.find(({ name }) => name === 'mongodb')
const whereMongodb = mongodb === undefined ? describe.skip : describe

const engine = mongodb as TestEngine // skipped where there is none
whereMongodb('two servers on one MongoDB', () => {
  let store: Awaited<ReturnType<typeof engine.address>>
  let servers: readonly RunningServer[]
  let clients: readonly [Client, Client]

  beforeAll(async () => {
    store = await engine.address()
    // The second finds the schema made, or makes it at the same time.
    const environment = {
      SIMPUL_STORE: store.address,
      SIMPUL_BASE_URL: 'http://fhir.example.org',
      SIMPUL_CURSOR_SECRET: 'the same for all nodes behind one address',
    }
    servers = await Promise.all([startServer(environment), startServer(environment)])
    clients = servers.map(({ port }) => new Client(port)) as [Client, Client]
  }, 120_000)
  afterAll(async () => {
    for (const client of clients) client.close()
    for (const server of servers) await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }, 120_000)

  const both = (ask: (client: Client, of: number) => Promise<Reply>): Promise<Reply[]> => Promise.all(clients.map(ask))

  test(
    `one conditional create wins, ${races} times`,
    async () => {
      for (let n = 0; n < races; n++) {
        const condition = { 'if-none-exist': `identifier=${system}|create-${n}` }
        const replies = await both(client => client.send('POST', '/fhir/Basic', basic(`create-${n}`), condition))
        expect(statuses(replies)).toEqual([200, 201])
        const [one, other] = replies.map(reply => bodyOf<Entry['resource']>(reply).id)
        expect(one).toBe(other)
      }
      for (const client of clients) {
        const { total } = bodyOf<Bundle>(await client.get(`/fhir/Basic?identifier=${system}|create-${races - 1}&_summary=count`))
        expect(total).toBe(1)
      }
      const { total } = bodyOf<Bundle>(await clients[0].get('/fhir/Basic?_summary=count'))
      expect(total).toBe(races)
      expect(servers.flatMap(server => server.logged('bug'))).toEqual([])
    },
    races * 1000 + 60_000,
  )

  test('one update of a version wins, and history has them all in order on both', async () => {
    await clients[0].send('PUT', '/fhir/Basic/raced', basic('start', 'raced'))
    for (let n = 0; n < 30; n++) {
      const version = versionOf(await (clients[n % 2] as Client).get('/fhir/Basic/raced'))
      const replies = await both((client, of) =>
        client.send('PUT', '/fhir/Basic/raced', basic(`v${n}-${of}`, 'raced'), { 'if-match': `W/"${version}"` }),
      )
      expect(statuses(replies)).toEqual([200, 412])
    }
    const [one, other] = (await both(client => client.get('/fhir/Basic/raced/_history?_count=100'))).map(
      reply => bodyOf<Bundle>(reply).entry ?? [],
    )
    expect(one?.map(({ resource }) => resource.meta.versionId)).toEqual(Array.from({ length: 31 }, (_, n) => String(31 - n)))
    const instants = one?.map(({ resource }) => resource.meta.lastUpdated) ?? []
    expect(instants).toEqual(instants.toSorted().toReversed())
    expect(new Set(instants).size).toBe(31)
    expect(other).toEqual(one)
  }, 60_000)

  test('what one acknowledged, the other reads and finds', async () => {
    for (let n = 0; n < 20; n++) {
      const [writer, reader] = n % 2 === 0 ? clients : clients.toReversed()
      const version = versionOf(await (writer as Client).send('PUT', '/fhir/Basic/shown', basic(`shown-${n}`, 'shown')))
      expect(versionOf(await (reader as Client).get('/fhir/Basic/shown'))).toBe(version)
      const found = bodyOf<Bundle>(await (reader as Client).get(`/fhir/Basic?identifier=${system}|shown-${n}`))
      expect(found.entry?.map(({ resource }) => resource.meta.versionId)).toEqual([version])
    }
  }, 60_000)

  test('pages begun on one are ended on the other, as they stood', async () => {
    for (let n = 0; n < 12; n++) await clients[0].send('PUT', `/fhir/Basic/page${n}`, basic('page', `page${n}`))
    const seen: string[] = []
    let path: string | undefined = `/fhir/Basic?identifier=${system}|page&_count=3`
    for (let n = 0; path !== undefined; n++) {
      const bundle: Bundle = bodyOf<Bundle>(await (clients[n % 2] as Client).get(path))
      seen.push(...(bundle.entry ?? []).map(({ resource }) => resource.id))
      const next = bundle.link.find(({ relation }) => relation === 'next')?.url
      path = next === undefined ? undefined : new URL(next).pathname + new URL(next).search
      await (clients[(n + 1) % 2] as Client).send('PUT', `/fhir/Basic/page${n}`, basic('turned', `page${n}`))
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: 12 }, (_, n) => `page${n}`).toSorted())
  }, 60_000)

  test('nothing appears below a horizon that either of them told', async () => {
    const { openMongoStore } = await import('../src/storage/mongodb/store.ts')
    await using own = await engine.address()
    const options = { address: own.address, definitions: {} as Definitions, clock: Date.now }
    await using one = await openMongoStore(options)
    await using other = await openMongoStore(options)
    let greatest = 0
    for (let n = 0; n < 40; n++) {
      const [asked, writer] = n % 2 === 0 ? [one, other] : [other, one]
      const late = writer.commit(planOf([newVersion({ id: `during${n}` })]))
      const horizon = await asked.horizon()
      expect(horizon).toBeGreaterThanOrEqual(greatest)
      greatest = horizon
      const after = await writer.commit(planOf([newVersion({ id: `after${n}` })]))
      if (!after.ok || !after.value.held) throw new Error('A new instance could not be written')
      expect(msOfSeq(after.value.versions[0]?.seq ?? 0)).toBeGreaterThan(horizon)
      await late
    }
  }, 60_000)
})
