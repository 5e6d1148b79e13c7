/** Records and blobs as only the MongoDB engine can be asked about them: its documents, its indexes, several nodes (storage-and-search.md 17). */
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { MongoServerError } from 'mongodb'
import { ok } from '../../src/base/outcome.ts'
import { MongoBlobs } from '../../src/storage/mongodb/blobs.ts'
import { layOut } from '../../src/storage/mongodb/collections.ts'
import { type Database, openDatabase } from '../../src/storage/mongodb/database.ts'
import { Expiry } from '../../src/storage/mongodb/expiry.ts'
import { steps } from '../../src/storage/mongodb/layout.ts'
import { stretchOf } from '../../src/storage/mongodb/record-bounds.ts'
import { recordCollection } from '../../src/storage/mongodb/record-collections.ts'
import { RecordKeeper } from '../../src/storage/mongodb/records.ts'
import type { Committed, RecordDefinition, RecordValue, RecordWrite, WritePlan } from '../../src/storage/port.ts'
import { firstSeqOf } from '../../src/storage/sequence.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'
import { openTestStore } from '../support/sqlite-store.ts'
import { nothing, valueOf } from './contract-store.ts'

const about = mongodbThere ? describe : describe.skip

type Job = { readonly id: string; readonly queue?: RecordValue; readonly due?: RecordValue; readonly tag?: string; readonly ends?: number }

const jobs: RecordDefinition = { name: 'jobs', key: 'id', indexes: { due: ['queue', 'due'] }, unique: { tag: ['tag'] }, expires: 'ends' }

type Node = {
  readonly keeper: RecordKeeper
  readonly blobs: MongoBlobs
  readonly database: Database
  transact(plans: readonly (readonly RecordWrite[])[]): Promise<readonly Committed[]>
}

/** Nodes of the tests, to be closed again, the last one with its database. */
const databases: Database[] = []
const others: AsyncDisposable[] = []
afterEach(async () => {
  for (const other of others.splice(0)) await other[Symbol.asyncDispose]()
  for (const [at, database] of databases.splice(0).entries()) {
    if (at === 0) await database.db.dropDatabase()
    await database.close()
  }
})

const clock = { now: Date.UTC(2026, 10, 21, 8) }
let seqs = 0
const nextSeq = (): number => {
  seqs = Math.max(seqs + 1, firstSeqOf(clock.now))
  return seqs
}

/** A node of a store: only what records and blobs need, with a transaction for each commit. */
const opened = async (
  definitions: readonly RecordDefinition[] = [jobs],
  address = mongodbAddress('records'),
): Promise<Node & { address: string }> => {
  const database = await openDatabase({ address, clock: () => clock.now, cursorMinutes: 1 })
  databases.push(database)
  for (const name of ['blobs', 'blobparts']) await layOut(database.db, `simpul.${name}`, steps[0]?.collections?.[name] ?? {})
  const transact = async (plans: readonly (readonly RecordWrite[])[]): Promise<readonly Committed[]> => {
    const actions = plans.map(plan => keeper.actions(plan))
    const session = database.client.startSession()
    try {
      return await session.withTransaction(async () => {
        const turn = await keeper.begin(actions.flat(), session)
        const done = actions.map((plan): Committed => {
          const seq = nextSeq()
          const record = turn.write(plan, seq)
          return record === undefined ? { held: true, versions: [], counters: [], revision: seq } : { held: false, record }
        })
        await turn.flush()
        return done
      })
    } catch (error) {
      // Another transaction was first with the same key: that is seen the next time.
      if (error instanceof MongoServerError && error.code === 11_000) return transact(plans)
      throw error
    } finally {
      await session.endSession()
    }
  }
  const commit = async (plan: WritePlan) => ok((await transact([plan.records ?? []]))[0] as Committed)
  const keeper = await RecordKeeper.open(database, definitions, { commit, nextLease: nextSeq })
  return { keeper, blobs: new MongoBlobs(database), database, transact, address }
}

const documents = ({ database }: Node, name = 'jobs') =>
  database.db.collection<{ _id: string; value: object; text?: string }>(`simpul.records.${name}`)
const indexesOf = async (node: Node): Promise<string[]> =>
  (await documents(node).listIndexes().toArray()).map(index => String(index.name)).toSorted()
const put = (value: object, expected?: 'none'): RecordWrite => ({
  record: 'jobs',
  put: value,
  ...(expected === undefined ? {} : { expected }),
})
const queued = (count: number): readonly RecordWrite[] =>
  Array.from({ length: count }, (_, n) => put({ id: `j${String(n).padStart(4, '0')}`, queue: 'mail', due: n }))

about('documents', () => {
  test('stand there as what they are, for people and their queries', async () => {
    const node = await opened()
    await node.transact([[put({ id: 'a', queue: 'mail', who: { name: 'Budi', tags: ['x'] } })]])
    expect(await documents(node).findOne({ 'value.who.name': 'Budi' })).toMatchObject({
      _id: 'a',
      value: { id: 'a', queue: 'mail', who: { name: 'Budi', tags: ['x'] } },
    })
  })

  test('that BSON cannot hold stand there as text, with the members that indexes can be made of', async () => {
    const node = await opened()
    await node.transact([[put({ id: 'a', queue: 'mail', due: 1, odd: { $gt: 1, name: 'x' }, list: [{ $in: 2 }] })]])
    const found = await documents(node).findOne({ _id: 'a' })
    expect(found?.value).toEqual({ id: 'a', queue: 'mail', due: 1, odd: { name: 'x' } })
    expect((await node.keeper.of<Job>(jobs).get('a'))?.value).toEqual({
      id: 'a',
      queue: 'mail',
      due: 1,
      odd: { $gt: 1, name: 'x' },
      list: [{ $in: 2 }],
    })
    const { keeper } = await opened([{ ...jobs, indexes: { odd: ['odd.name'] } }], node.address)
    expect((await keeper.of(jobs).range('odd', { from: ['x'], limit: 5 })).rows.length).toBe(1)
  })
})

about('ranges', () => {
  const member = fc.oneof(
    fc.constantFrom<RecordValue>(
      'a',
      'b',
      'é',
      'a\u0001',
      '\u{ffff}',
      '\u{10000}',
      '',
      0,
      -1,
      0.1,
      2 ** 31,
      2 ** 53 - 1,
      -1.5e-300,
      5e-324,
    ),
    fc.integer({ min: -3, max: 3 }),
    fc.string({ maxLength: 3, unit: 'binary' }).filter(text => !text.includes('\0')),
  )
  const bound = fc.option(fc.array(fc.oneof(member, fc.constant('a\0')), { maxLength: 3 }), { nil: [] })

  test('are those of SQLite, whatever the values and bounds, in both directions and page by page', async () => {
    const { store } = await openTestStore(undefined, undefined, undefined, [jobs])
    others.push(store)
    const node = await opened()
    const [theirs, ours] = [store.records<Job>(jobs), node.keeper.of<Job>(jobs)]
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ queue: member, due: member }), { minLength: 1, maxLength: 30 }),
        fc.array(fc.record({ from: bound, to: bound, descending: fc.boolean(), limit: fc.integer({ min: 1, max: 9 }) }), {
          minLength: 5,
          maxLength: 5,
        }),
        async (rows, ranges) => {
          const writes = rows.map((row, n) => put({ id: `k${n}`, tag: `t${n}`, ...row }))
          await documents(node).deleteMany({})
          const old = (await theirs.range('key', { limit: 1000 })).rows.map(({ key }): RecordWrite => ({ record: 'jobs', delete: key }))
          await store.commit({ ...nothing, records: [...old, ...writes] })
          await node.transact([writes])
          for (const { from, to, ...range } of ranges) {
            const bounds = { ...(from.length > 0 ? { from } : {}), ...(to.length > 0 ? { to } : {}) }
            for (let after: readonly RecordValue[] | undefined, more = true; more; ) {
              const asked = { ...bounds, ...range, ...(after === undefined ? {} : { after }) }
              const [page, expected] = [await ours.range('due', asked), await theirs.range('due', asked)]
              const shown = ({ rows: list }: typeof page) => list.map(({ key, position }) => ({ key, position }))
              expect({ rows: shown(page), more: page.more }).toEqual({ rows: shown(expected), more: expected.more })
              after = page.rows.at(-1)?.position
              more = page.more
            }
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  test('touch no key of the index but those they give', async () => {
    const node = await opened()
    await node.transact([queued(200).map((write, n) => ({ ...write, put: { ...(write as { put: object }).put, tag: `t${n}` } }))])
    const collection = recordCollection(jobs)
    for (const [index, bounds, rows] of [
      ['due', { from: ['mail', 10], to: ['mail', 12] }, 3],
      ['due', { from: ['mail'], to: ['mail'], after: ['mail', 197, 'j0197'] }, 2],
      ['due', { from: ['mail'], to: ['mail'], after: ['mail', 3, 'j0003'], descending: true }, 3],
      ['tag', { from: ['t7'], to: ['t7'] }, 1],
      ['tag', { after: ['t98'] }, 1],
      ['key', { after: ['j0190'] }, 9],
    ] as const) {
      const stretch = stretchOf(collection, index, bounds)
      if (stretch === undefined) throw new Error('nothing lies there')
      const { min, max, sort } = stretch
      const found = documents(node).find(stretch.index.filter as object, {
        hint: stretch.index.hint,
        sort,
        ...(min && { min }),
        ...(max && { max }),
      })
      const { executionStats, queryPlanner } = await found.explain('executionStats')
      expect([executionStats.nReturned, executionStats.totalKeysExamined <= rows + 1]).toEqual([rows, true])
      expect(JSON.stringify(queryPlanner.winningPlan)).not.toContain('"SORT"')
    }
  })
})

about('transactions', () => {
  test('decide for several plans, each seeing those before, and what is refused leaves nothing', async () => {
    const node = await opened()
    const done = await node.transact([
      [put({ id: 'a', tag: 'x' }, 'none')],
      [put({ id: 'b', tag: 'y' }), put({ id: 'c', tag: 'x' })],
      [put({ id: 'a', tag: 'z' }), put({ id: 'd', tag: 'x' }, 'none')],
      [put({ id: 'd' }, 'none')],
    ])
    expect(done.map(one => (one.held ? true : one.record))).toEqual([
      true,
      { record: 'jobs', key: 'c', unique: 'tag' },
      true,
      { record: 'jobs', key: 'd' },
    ])
    expect((await node.keeper.of<Job>(jobs).range('tag', { limit: 9 })).rows.map(({ key, position }) => [key, ...position])).toEqual([
      ['d', 'x'],
      ['a', 'z'],
    ])
    expect(await node.keeper.of<Job>(jobs).get('b')).toBeUndefined()
  })

  test('of two nodes that bring the same value to a unique index, one has it', async () => {
    const first = await opened()
    const second = await opened([jobs], first.address)
    for (let round = 0; round < 10; round++) {
      const both = await Promise.all(
        [first, second].map(async ({ keeper }, n) => valueOf(await keeper.of<Job>(jobs).put({ id: `${round}-${n}`, tag: `t${round}` }))),
      )
      expect(both.map(one => (one.held ? 'held' : one.unique)).toSorted()).toEqual(['held', 'tag'])
    }
  })
})

about('several nodes', () => {
  test('never give the same record to two', async () => {
    const first = await opened()
    const second = await opened([jobs], first.address)
    await first.transact([queued(150)])
    const takers = [first, second, first, second].map(async ({ keeper }) => {
      const given: string[] = []
      for (let empty = 0; empty < 3; ) {
        const taken = valueOf(await keeper.of<Job>(jobs).take('due', 7, 60_000))
        if (taken.length === 0) empty += 1
        given.push(...taken.map(({ key }) => key))
      }
      return given
    })
    const given = (await Promise.all(takers)).flat()
    expect([given.length, new Set(given).size]).toEqual([150, 150])
  })

  test('may open at once with definitions that are new', async () => {
    const { address } = await opened([])
    const nodes = await Promise.all(Array.from({ length: 4 }, () => opened([jobs], address)))
    expect(await indexesOf(nodes[0] as Node)).toEqual(['_id_', 'expires:ends', 'of:queue+due', 'unique:tag'])
  })

  test('of two that define the same records by different keys, one opens', async () => {
    const { address } = await opened([])
    const both = await Promise.allSettled([opened([jobs], address), opened([{ ...jobs, key: 'tag' }], address)])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('of two versions: what the older writes is in the index of the newer', async () => {
    const older = await opened([{ name: 'jobs', key: 'id' }])
    await older.keeper.of<Job>(jobs).put({ id: 'a', queue: 'mail', due: 1 })
    const newer = await opened([jobs], older.address)
    await older.keeper.of<Job>(jobs).put({ id: 'b', queue: 'mail', due: 0 })
    expect((await newer.keeper.of<Job>(jobs).range('due', { limit: 5 })).rows.map(({ key }) => key)).toEqual(['b', 'a'])
  })
})

about('definitions', () => {
  test('are made again and again without a change', async () => {
    const node = await opened()
    const before = await documents(node).listIndexes().toArray()
    await opened([jobs], node.address)
    expect(await documents(node).listIndexes().toArray()).toEqual(before)
  })

  test('that do without an index leave it for a day to those who still read by it; a unique one goes at once, that of an operator stays', async () => {
    const node = await opened()
    await documents(node).createIndex({ 'value.note': 1 }, { name: 'for_reports' })
    const bare: RecordDefinition = { name: 'jobs', key: 'id' }
    await opened([bare], node.address)
    expect(await indexesOf(node)).toEqual(['_id_', 'expires:ends', 'for_reports', 'of:queue+due'])
    expect((await node.keeper.of<Job>(jobs).range('due', { limit: 5 })).rows).toEqual([])
    await opened([{ ...bare, expires: 'ends' }], node.address)
    clock.now += 25 * 3_600_000
    await opened([bare], node.address)
    expect(await indexesOf(node)).toEqual(['_id_', 'expires:ends', 'for_reports'])
  })
})

about('what has outlived its time', () => {
  test('is removed a minute after, by the clock of the store', async () => {
    const node = await opened()
    const expiry = new Expiry(node.keeper, node.blobs)
    const records = Array.from({ length: 2500 }, (_, n) => put({ id: `${n}`, ends: clock.now + 1000 }))
    await node.transact([records, [put({ id: 'kept' }), put({ id: 'later', ends: clock.now + 3_600_000 })]])
    clock.now += 2000
    await expiry.sweep()
    expect(await documents(node).countDocuments()).toBe(2502)
    clock.now += 60_000
    await expiry.sweep()
    expect((await documents(node).find().toArray()).map(({ _id }) => _id).toSorted()).toEqual(['kept', 'later'])
    await expiry[Symbol.asyncDispose]()
  })

  test('of blobs goes with all of its bytes, and what is dropped with the next sweep', async () => {
    const node = await opened()
    const [orphan, dropped, kept] = (await Promise.all(
      [1, 2, 3].map(async () => valueOf(await node.blobs.write([new Uint8Array(2_500_000)])).id),
    )) as [string, string, string]
    const owner = { type: 'Binary', id: 'b' }
    await node.database.client.withSession(session =>
      session.withTransaction(async () => {
        expect(await node.blobs.adopt([{ id: kept }, { id: dropped, owner }], [{ ...owner, seq: 77 }], session)).toBeUndefined()
      }),
    )
    expect(await node.blobs.of(77)).toEqual([{ id: dropped, size: 2_500_000 }])
    await node.database.client.withSession(session => session.withTransaction(() => node.blobs.removeOf([77], session)))
    expect(await node.blobs.read(dropped)).toBeUndefined()
    const parts = () => node.database.db.collection('simpul.blobparts').countDocuments()
    expect(await parts()).toBe(9)
    await node.blobs.sweep()
    expect(await parts()).toBe(6)
    clock.now += 25 * 3_600_000
    expect(await node.blobs.read(orphan)).toBeUndefined()
    await node.blobs.sweep()
    expect(await parts()).toBe(3)
    expect((await node.blobs.read(kept))?.size).toBe(2_500_000)
  })

  test('a blob that is removed while it is written is not written to the end', async () => {
    const node = await opened()
    const source = async function* () {
      for (let n = 0; n < 8; n++) {
        yield new Uint8Array(1_048_576)
        if (n === 4) await node.database.db.collection('simpul.blobs').updateMany({}, { $set: { state: 'dropped' } })
      }
    }
    await expect(node.blobs.write(source())).rejects.toThrow('removed while it was written')
    await node.blobs.sweep()
    expect(await node.database.db.collection('simpul.blobparts').countDocuments()).toBe(0)
  })
})
