/**
 * Writing to MongoDB where it is no one else's to promise: two stores on one database, connections cut at the worst moment, a database that is away.
 * @see storage-and-search.md 3 and 4
 */
import { afterEach, describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { seesAll } from '../../src/base/access-filter.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import type { Store, StoredVersion, WritePlan } from '../../src/storage/port.ts'
import { StoreUnusable } from '../../src/storage/unusable.ts'
import { CuttingProxy } from '../support/cutting-proxy.ts'
import { mongodbAddress } from '../support/mongodb-address.ts'
import { leaseDatabase } from '../support/mongodb-store.ts'
import { byIdentifier, newVersion, noneWith, planOf } from '../support/versions.ts'
import { create, held, next, nothing, textOf, valueOf } from './contract-store.ts'

const definitions = {} as Definitions // it asks nothing of made-up versions
const closers: (() => PromiseLike<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const opened = async (address: string, more: { patienceMs?: number } = {}): Promise<Store> => {
  const store = await openMongoStore({ address, definitions, clock: systemClock, ...more })
  closers.push(() => store[Symbol.asyncDispose]())
  return store
}

const two = async (): Promise<readonly [Store, Store]> => {
  const { address, giveBack } = await leaseDatabase()
  closers.push(async () => giveBack())
  return [await opened(address), await opened(address)]
}

const unlessThere = (id: string, identifier: string): WritePlan => ({
  ...planOf([newVersion({ id, identifiers: [identifier] })]),
  guards: [noneWith(identifier)],
})
const heldOf = (done: readonly Awaited<ReturnType<Store['commit']>>[]): number => done.filter(one => valueOf(one).held).length

describe('two stores on one database', () => {
  test('of equal conditional creates one holds, 100 times over', async () => {
    const stores = await two()
    for (let round = 0; round < 100; round += 20) {
      const done = await Promise.all(
        Array.from({ length: 20 }, (_, n) => n + round).flatMap(n =>
          stores.map((store, at) => store.commit(unlessThere(`p${n}-${at}`, `nik ${n}`))),
        ),
      )
      expect(heldOf(done)).toBe(20)
    }
    expect(await stores[0].counts()).toEqual({ Patient: 100 })
  })

  test('of creates that look for each other by different identifiers one holds', async () => {
    const stores = await two()
    const crossed = (n: number, at: 0 | 1): WritePlan => ({
      ...planOf([newVersion({ id: `p${n}-${at}`, identifiers: [`a ${n}`, `b ${n}`] })]),
      guards: [noneWith(at === 0 ? `a ${n}` : `b ${n}`)],
    })
    const done = await Promise.all(
      Array.from({ length: 30 }, (_, n) => [stores[0].commit(crossed(n, 0)), stores[1].commit(crossed(n, 1))]).flat(),
    )
    expect(heldOf(done)).toBe(30)
  })

  test('of creates by criteria without identifier one holds', async () => {
    const stores = await two()
    const byFamily = (n: number, at: number): WritePlan => ({
      ...planOf([newVersion({ id: `p${n}-${at}`, family: `Budi ${n}` })]),
      guards: [
        {
          query: {
            parts: [
              {
                type: 'Patient',
                where: {
                  op: 'string',
                  param: { type: 'Patient', code: 'family', kind: 'string' },
                  match: 'exact',
                  text: `budi ${n}`,
                  exact: `Budi ${n}`,
                },
              },
            ],
            sort: [],
          },
          access: seesAll,
          found: 'none',
        },
      ],
    })
    for (let n = 0; n < 15; n++) expect(heldOf(await Promise.all(stores.map((store, at) => store.commit(byFamily(n, at)))))).toBe(1)
  })

  test('of updates of one version one holds, whoever asks', async () => {
    const stores = await two()
    const patients = await Promise.all(Array.from({ length: 20 }, (_, n) => create(stores[0], { id: `p${n}` })))
    const done = await Promise.all(
      patients.flatMap(patient => stores.map(store => store.commit(planOf([newVersion({ id: patient.id, versionId: 2 })], [patient])))),
    )
    expect(heldOf(done)).toBe(20)
    for (const { id } of patients) expect((await stores[1].newest('Patient', id))?.versionId).toBe(2)
  })

  test('of creates of one id one holds, and others of their groups are not harmed', async () => {
    const stores = await two()
    const done = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        stores.map((store, at) => store.commit(planOf([newVersion({ id: n % 4 === 0 ? `p${n}` : `p${n}-${at}` })]))),
      ).flat(),
    )
    expect(heldOf(done)).toBe(10 + 60)
    expect(await stores[0].counts()).toEqual({ Patient: 70 })
  })

  test('what a plan expects of an instance it does not write stays true until it is written', async () => {
    const stores = await two()
    for (let n = 0; n < 10; n++) {
      const [a, b] = [await create(stores[0], { id: `a${n}` }), await create(stores[0], { id: `b${n}` })]
      const skewed = (id: string, other: StoredVersion, own: StoredVersion): WritePlan => ({
        expects: [own, other],
        guards: [],
        versions: [newVersion({ id, versionId: 2 })],
      })
      const done = await Promise.all([stores[0].commit(skewed(`a${n}`, b, a)), stores[1].commit(skewed(`b${n}`, a, b))])
      expect(heldOf(done)).toBe(1)
      const absent = (id: string, other: string): WritePlan => ({
        expects: [
          { type: 'Patient', id, seq: 'none' },
          { type: 'Patient', id: other, seq: 'none' },
        ],
        guards: [],
        versions: [newVersion({ id })],
      })
      expect(heldOf(await Promise.all([stores[0].commit(absent(`c${n}`, `d${n}`)), stores[1].commit(absent(`d${n}`, `c${n}`))]))).toBe(1)
    }
  })

  test('counters have no gaps and no repeats, unique keys one owner, and what happens once happens once', async () => {
    const stores = await two()
    const numbers = await Promise.all(
      stores.flatMap((store, at) =>
        Array.from(
          { length: 30 },
          async (_, n) => (await held(store, { ...planOf([newVersion({ id: `c${at}-${n}` })]), counters: [{ key: 'queue' }] })).counters[0],
        ),
      ),
    )
    expect(numbers.toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(Array.from({ length: 60 }, (_, n) => n + 1))
    const raced = async (plan: (n: number, at: number) => WritePlan): Promise<number> =>
      heldOf(await Promise.all(Array.from({ length: 15 }, (_, n) => stores.map((store, at) => store.commit(plan(n, at)))).flat()))
    expect(
      await raced((n, at) => ({
        ...planOf([newVersion({ id: `u${n}-${at}` })]),
        unique: [{ key: `k${n}`, owner: `Patient/u${n}-${at}` }],
      })),
    ).toBe(15)
    expect(await raced(n => ({ ...nothing, once: `o${n}` }))).toBe(15)
    const next = await Promise.all(stores.flatMap(store => Array.from({ length: 20 }, () => store.nextNumber('mrn'))))
    expect(new Set(next).size).toBe(40)
  })

  test('a target that must exist and its deletion do not both hold', async () => {
    const stores = await two()
    for (let n = 0; n < 15; n++) {
      const target = await create(stores[0], { id: `t${n}` })
      const referring = {
        ...planOf([newVersion({ type: 'Observation', id: `o${n}`, subject: `Patient/t${n}` })]),
        exists: [{ type: 'Patient', id: `t${n}` }],
      }
      const deletion = {
        ...planOf([newVersion({ id: `t${n}`, versionId: 2, method: 'DELETE' })], [target]),
        unreferenced: [{ type: 'Patient', id: `t${n}` }],
      }
      const done = await Promise.all([stores[0].commit(referring), stores[1].commit(deletion)])
      const [referred, deleted] = done.map(one => valueOf(one).held)
      const live = (await stores[0].newest('Patient', `t${n}`))?.deleted === false
      // Either the deletion came first, or the reference did: in the instant between, the deletion may have looked before the reference was there.
      expect([referred, deleted]).not.toEqual([false, false])
      if (referred === true && deleted === true) expect(live).toBe(false)
    }
  })

  test('seqs are different, and each instance has rising ones', async () => {
    const stores = await two()
    const done = await Promise.all(
      stores.flatMap((store, at) =>
        Array.from({ length: 50 }, (_, n) =>
          held(store, planOf([newVersion({ id: `p${at}-${n}` }), newVersion({ type: 'Encounter', id: `e${at}-${n}` })])),
        ),
      ),
    )
    const seqs = done.flatMap(({ versions }) => versions.map(({ seq }) => seq))
    expect(new Set(seqs).size).toBe(200)
    let newest = await create(stores[0], { id: 'moved' })
    for (let n = 0; n < 6; n++) {
      const before = newest
      newest = await next(stores[n % 2] as Store, newest)
      expect(newest.lastUpdated).toBeGreaterThan(before.lastUpdated)
    }
    // The other store says by itself, twice a second, how far it is.
    let horizon = 0
    while (horizon < newest.lastUpdated) horizon = await stores[1].horizon()
    expect((await create(stores[0], { id: 'later' })).lastUpdated).toBeGreaterThan(horizon)
  })
})

describe('large resources', () => {
  test('are kept in parts, superseded with them, and erased with them', async () => {
    const { address, giveBack } = await leaseDatabase()
    closers.push(async () => giveBack())
    const store = await opened(address)
    const first = await create(store, { id: 'large', filler: 'é漢😀'.repeat(700_000), identifiers: ['x'] })
    expect(first.text.length).toBeGreaterThan(6_000_000)
    const second = await next(store, first, { filler: 'small' })
    expect(textOf(await store.version('Patient', 'large', 1))).toBe(textOf(first))
    expect(textOf(await store.newest('Patient', 'large'))).toBe(textOf(second))
    await next(store, second, { filler: 'x'.repeat(5_000_000) })
    await store.remove([{ type: 'Patient', id: 'large' }])
    const client = await MongoClient.connect(address)
    closers.push(() => client.close())
    expect(await client.db().collection('simpul.texts').countDocuments()).toBe(0)
  })

  test('with more values than can be kept are refused by name, and harm nobody else', async () => {
    const { address, giveBack } = await leaseDatabase()
    closers.push(async () => giveBack())
    const store = await opened(address)
    const huge = newVersion({ id: 'huge', identifiers: Array.from({ length: 80_000 }, (_, n) => `${n}`.padStart(100, 'x')) })
    const before = textOf(huge)
    const [refused, other] = await Promise.all([store.commit(planOf([huge])), store.commit(planOf([newVersion({ id: 'other' })]))])
    expect(!refused.ok && refused.failure.kind).toBe('too-many-index-values')
    expect(valueOf(other).held).toBe(true)
    expect(textOf(huge)).toBe(before)
    expect(await store.newest('Patient', 'huge')).toBeUndefined()
  })
})

describe('a connection that is cut', () => {
  /** A store behind a network that can be cut; `direct` looks at the same database. */
  const behindProxy = async (more: { patienceMs?: number } = {}) => {
    const address = mongodbAddress('cut')
    const direct = await MongoClient.connect(address)
    closers.push(async () => {
      await direct.db().dropDatabase()
      await direct.close()
    })
    const url = new URL(address)
    const proxy = await CuttingProxy.open(Number(url.port))
    closers.push(() => proxy[Symbol.asyncDispose]())
    const query = 'directConnection=true&serverSelectionTimeoutMS=300&heartbeatFrequencyMS=500'
    const store = await opened(`mongodb://127.0.0.1:${proxy.port}${url.pathname}?${query}`, more)
    return { proxy, store, db: direct.db() }
  }

  const rows = [
    ['while the first statement goes out', 'insert', 'before'],
    ['when the first statement is done', 'insert', 'after'],
    ['before the commit goes out', 'commitTransaction', 'before'],
    ['when the commit is done and its answer is not heard', 'commitTransaction', 'after'],
  ] as const
  for (const [name, command, cut] of rows)
    test(`${name} leaves each plan written once`, async () => {
      const { proxy, store, db } = await behindProxy()
      await create(store, { id: 'before' })
      let cuts = 0
      proxy.onCut = () => cuts++
      proxy.cut(command, cut)
      const done = await Promise.all(
        Array.from({ length: 5 }, (_, n) =>
          held(store, { ...planOf([newVersion({ id: `p${n}` })]), counters: [{ key: 'n' }], once: `o${n}` }),
        ),
      )
      expect(cuts).toBe(1)
      expect(done.flatMap(({ counters }) => counters).toSorted()).toEqual([1, 2, 3, 4, 5])
      const found = await db.collection('Patient').find().toArray()
      expect(found.map(({ _id }) => String(_id)).toSorted()).toEqual(['before', 'p0', 'p1', 'p2', 'p3', 'p4'])
      expect(found.flatMap(({ _id, seq }) => (String(_id) === 'before' ? [] : [seq])).toSorted()).toEqual(
        done.flatMap(({ versions }) => versions.map(({ seq }) => seq)).toSorted(),
      )
      expect(await store.counts()).toEqual({ Patient: 6 })
    })

  test('for some time is waited out', async () => {
    const { proxy, store } = await behindProxy()
    await create(store, { id: 'before' })
    proxy.goAway()
    const waiting = Promise.all(Array.from({ length: 10 }, (_, n) => store.commit(planOf([newVersion({ id: `p${n}` })]))))
    setTimeout(() => proxy.comeBack(), 700)
    expect(heldOf(await waiting)).toBe(10)
  })

  test('for longer than a plan waits fails it by name, and what comes later is written', async () => {
    const { proxy, store } = await behindProxy({ patienceMs: 500 })
    await create(store, { id: 'before' })
    proxy.goAway()
    const versions = Array.from({ length: 200 }, (_, n) => newVersion({ id: `p${n}` }))
    const done = await Promise.all(versions.map(version => store.commit(planOf([version]))))
    expect(done.every(one => !one.ok && one.failure.kind === 'no-store')).toBe(true)
    expect(textOf(versions[0])).toContain('0000-00-00T')
    expect((await store.health()).ok).toBe(false)
    proxy.comeBack()
    expect((await create(store, { id: 'after' })).versionId).toBe(1)
    expect((await store.counts()).Patient).toBe(2)
  })

  const reads: readonly (readonly [string, (store: Store) => Promise<unknown>, string])[] = [
    ['a read', store => store.newest('Patient', 'there'), 'find'],
    ['a read of several', store => store.newestMany([{ type: 'Patient', id: 'there' }]), 'find'],
    ['a version', store => store.version('Patient', 'there', 1), 'aggregate'],
    ['a history', store => store.history({ type: 'Patient', id: 'there' }, { access: seesAll, limit: 5 }), 'aggregate'],
    ['a history of everything', store => store.history({}, { access: seesAll, limit: 5 }), 'find'],
    ['a snapshot', store => store.snapshot(), 'find'],
    ['counts', store => store.counts(), 'find'],
    ['a search', store => store.search(byIdentifier('x'), { access: seesAll, count: 5 }), 'find'],
  ]
  for (const [name, read, command] of reads)
    test(`does not keep ${name} from being answered, and for too long is told as a store that is away`, async () => {
      const { proxy, store } = await behindProxy()
      await create(store, { id: 'there', identifiers: ['x'] })
      await read(store)
      for (const cut of ['before', 'after'] as const) {
        let cuts = 0
        proxy.onCut = () => cuts++
        proxy.cut(command, cut)
        expect(await read(store)).toBeDefined()
        expect(cuts).toBe(1)
      }
      proxy.goAway()
      const told = await read(store).catch((error: unknown) => (error instanceof StoreUnusable ? error.why : 'a bug'))
      if (name === 'a search') expect(told).toMatchObject({ ok: false, failure: { kind: 'no-store' } })
      else expect(told).toBe('unreachable')
      proxy.comeBack()
    })

  test('right behind a commit, for longer than a plan waits, is no reason to say what is not true', async () => {
    const { proxy, store, db } = await behindProxy({ patienceMs: 500 })
    await create(store, { id: 'before' })
    proxy.onCut = () => {
      proxy.goAway()
      setTimeout(() => proxy.comeBack(), 1500)
    }
    for (const [id, cut, seen] of [
      ['written', 'after', true],
      ['lost', 'before', false],
    ] as const) {
      proxy.cut('commitTransaction', cut)
      const done = await store.commit({ ...planOf([newVersion({ id })]), counters: [{ key: id }] })
      expect(done.ok && done.value.held).toBe(seen)
      expect(await db.collection<{ _id: string }>('Patient').countDocuments({ _id: id })).toBe(seen ? 1 : 0)
    }
  }, 20_000)
})

describe('a writer slot that was taken away', () => {
  test('is leased anew, and the plan is written with new numbers', async () => {
    const { address, giveBack } = await leaseDatabase()
    closers.push(async () => giveBack())
    const store = await opened(address)
    const before = await create(store, { id: 'before', identifiers: ['x'] })
    const client = await MongoClient.connect(address)
    closers.push(() => client.close())
    await client
      .db()
      .collection('simpul.slots')
      .updateMany({}, { $inc: { epoch: 1 }, $unset: { writer: 1 } })
    const after = await Promise.all(
      Array.from({ length: 20 }, (_, n) => held(store, planOf([newVersion({ id: `p${n}`, identifiers: ['x'] })]))),
    )
    expect(after.every(({ versions }) => (versions[0]?.seq ?? 0) > before.seq)).toBe(true)
    expect(await store.counts()).toEqual({ Patient: 21 })
    expect(valueOf(await store.count(byIdentifier('x'), { access: seesAll })).count).toBe(21)
  })
})
