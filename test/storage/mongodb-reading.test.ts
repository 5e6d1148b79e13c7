/**
 * What reading from MongoDB must stand that the contract does not know: versions that move from one collection to the other while they are read,
 * questions asked together, cluster times as snapshots.
 * @see storage-and-search.md 3 and 6
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Long, ReadConcern } from 'mongodb'
import { seesAll } from '../../src/base/access-filter.ts'
import { Coalescing } from '../../src/storage/mongodb/coalesce.ts'
import { Collections } from '../../src/storage/mongodb/collections.ts'
import { type Database, openDatabase } from '../../src/storage/mongodb/database.ts'
import { History } from '../../src/storage/mongodb/history.ts'
import { pastId, Reader } from '../../src/storage/mongodb/reader.ts'
import { stateOf, takeSnapshot } from '../../src/storage/mongodb/snapshot.ts'
import { Walk } from '../../src/storage/mongodb/walk.ts'
import type { StoredVersion } from '../../src/storage/port.ts'
import { firstSeqOf } from '../../src/storage/sequence.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'

const clock = { now: Date.UTC(2026, 10, 21, 8) }
const firstSeq = firstSeqOf(clock.now)

describe('questions asked together', () => {
  test('are one batch a turn, each key once, at most 64; whoever asks during a batch is in a later one', async () => {
    const batches: (readonly string[])[] = []
    const coalescing = new Coalescing<string>(async keys => {
      batches.push(keys)
      await sleep(1)
      return new Map(keys.filter(key => key !== 'x').map(key => [key, key]))
    })
    const first = ['a', 'b', 'a', 'x'].map(key => coalescing.one(key))
    expect(batches).toEqual([])
    expect(await Promise.all(first)).toEqual(['a', 'b', 'a', undefined])
    expect(batches).toEqual([['a', 'b', 'x']])
    await Promise.all(Array.from({ length: 1000 }, (_, n) => coalescing.one(`k${n}`)))
    expect(batches.slice(1).flat()).toEqual(Array.from({ length: 1000 }, (_, n) => `k${n}`))
    expect(Math.max(...batches.map(({ length }) => length))).toBe(64)
  })

  test('a batch that fails fails for all in it, and the next one is asked again', async () => {
    let fails = true
    const coalescing = new Coalescing<string>(async keys => {
      if (fails) throw new Error('no primary')
      return new Map(keys.map(key => [key, key]))
    })
    const asked = await Promise.allSettled(['a', 'b'].map(key => coalescing.one(key)))
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    fails = false
    expect(await coalescing.one('a')).toBe('a')
  })
})

const withMongodb = mongodbThere ? describe : describe.skip

withMongodb('reading from MongoDB', () => {
  let database: Database
  let reader: Reader
  let seq = firstSeq
  /** Every version written, by its seq, with the seq it ended at. */
  let written: { id: string; type: string; versionId: number; seq: number; deleted: boolean; until: number }[] = []

  beforeAll(async () => {
    database = await openDatabase({ address: mongodbAddress('reading'), clock: () => clock.now, cursorMinutes: 5 })
  })
  beforeEach(async () => {
    await database.db.dropDatabase()
    database = { ...database, snapshotMs: 300_000, warnings: [], collections: new Collections(database.db) }
    reader = new Reader(database)
    seq = firstSeq
    written = []
  })
  afterAll(async () => {
    await database.db.dropDatabase()
    await database.close()
  })

  const textOf = (id: string, versionId: number): string => JSON.stringify({ resourceType: 'Patient', id, n: versionId })
  const documentOf = (id: string, versionId: number, deleted: boolean) => ({
    _id: id,
    seq: Long.fromNumber(++seq),
    versionId,
    lastUpdated: new Date(clock.now),
    method: deleted ? 'DELETE' : 'PUT',
    ...(deleted ? { deleted: true } : { text: textOf(id, versionId), ix: { tk: ['*'] } }),
    patients: [],
    organizations: [],
    authors: [],
    conf: 2,
  })

  const fill = async (ids: readonly string[], type = 'Patient'): Promise<void> => {
    await database.collections.ensure(type)
    const documents = ids.map(id => documentOf(id, 1, false))
    await database.db.collection<{ _id: string }>(type).insertMany(documents)
    for (const one of documents)
      written.push({ id: one._id, type, versionId: 1, seq: Number(one.seq), deleted: false, until: Number.MAX_SAFE_INTEGER })
  }

  /** As a writer does it: the old one goes among the past ones, the new one into its place, at once. */
  const supersede = async (id: string, deleted = false, type = 'Patient'): Promise<void> => {
    const before = written.findLast(one => one.id === id && one.type === type)
    if (before === undefined) throw new Error('nothing to supersede')
    const document = documentOf(id, before.versionId + 1, deleted)
    await database.client.withSession(session =>
      session.withTransaction(async () => {
        const newest = database.db.collection<{ _id: string }>(type)
        const old = await newest.findOne(
          { _id: id },
          { session, projection: { ix: 0, patients: 0, organizations: 0, authors: 0, conf: 0 } },
        )
        const past = { ...old, _id: pastId(id, before.versionId), id, seq: Long.fromNumber(before.seq), until: document.seq }
        await database.db.collection<{ _id: string }>(`${type}.history`).insertOne(past, { session })
        await newest.replaceOne({ _id: id }, document, { session })
      }),
    )
    before.until = Number(document.seq)
    written.push({ id, type, versionId: before.versionId + 1, seq: Number(document.seq), deleted, until: Number.MAX_SAFE_INTEGER })
  }

  const shown = (versions: readonly StoredVersion[]) => versions.map(({ type, id, versionId }) => `${type}/${id}/${versionId}`)
  const currentAt = (upTo: number, type?: string): string[] =>
    written
      .filter(one => one.seq <= upTo && one.until > upTo && !one.deleted && (type === undefined || one.type === type))
      .toSorted((a, b) => a.seq - b.seq)
      .map(one => `${one.type}/${one.id}/${one.versionId}`)

  test('a walk loses nothing and sees nothing twice, whatever is superseded on its way', async () => {
    await fill(Array.from({ length: 700 }, (_, n) => `p${n}`))
    await fill(
      Array.from({ length: 300 }, (_, n) => `o${n}`),
      'Observation',
    )
    for (const n of [3, 5, 400]) await supersede(`p${n}`, n === 5)
    const upTo = seq
    const random = fc.sample(fc.nat(699), { numRuns: 200, seed: 7 })
    const seen: StoredVersion[] = []
    for await (const block of new Walk(database, reader).blocks({ upTo })) {
      seen.push(...block)
      for (const n of random.splice(0, 25)) await supersede(`p${n}`, n % 3 === 0)
    }
    expect(shown(seen)).toEqual(currentAt(upTo))
    for (const version of seen) expect(new TextDecoder().decode(version.text)).toBe(textOf(version.id, version.versionId))
    const some = seen[333]?.seq ?? 0
    const rest: StoredVersion[] = []
    for await (const block of new Walk(database, reader).blocks({ upTo, after: some, type: 'Patient' })) rest.push(...block)
    expect(shown(rest)).toEqual(shown(seen.filter(one => one.seq > some && one.type === 'Patient')))
  })

  test('a history read while versions move shows each of them once', async () => {
    await fill(['a', 'b'])
    let done = false
    const writing = (async () => {
      for (let n = 0; n < 60; n++) await supersede(n % 2 === 0 ? 'a' : 'b')
    })().finally(() => {
      done = true
    })
    const history = new History(database, reader)
    while (!done) {
      const page = await history.page({ type: 'Patient', id: 'a' }, { limit: 100, access: seesAll, oldestFirst: true })
      const numbers = page.ok ? page.value.rows.map(({ versionId }) => versionId) : []
      expect(numbers).toEqual(Array.from(numbers, (_, n) => n + 1))
      const [first, last] = [numbers[0], numbers.at(-1)]
      expect((await reader.version('Patient', 'a', last ?? 0))?.versionId).toBe(last)
      expect((await reader.version('Patient', 'a', first ?? 0))?.versionId).toBe(1)
    }
    await writing
    const all = await history.page({ type: 'Patient' }, { limit: 1000, access: seesAll })
    expect(all.ok && shown(all.value.rows)).toEqual(
      written.toSorted((x, y) => y.seq - x.seq).map(one => `Patient/${one.id}/${one.versionId}`),
    )
  })

  test('a type that came after a snapshot was empty in it', async () => {
    await fill(['a'])
    const snapshot = await takeSnapshot(database)
    await fill(['o'], 'Observation')
    const history = new History(database, reader)
    for (const [scope, expected] of [
      [{}, ['Patient/a/1']],
      [{ type: 'Observation' }, []],
      [{ types: ['Observation', 'Patient'] }, ['Patient/a/1']],
    ] as const) {
      const page = await history.page(scope, { limit: 10, access: seesAll, snapshot })
      expect(page.ok && shown(page.value.rows)).toEqual(expected)
    }
  })

  test('a forged, foreign, coming or past token has expired, at once', async () => {
    await fill(['a'])
    const { token, at } = await takeSnapshot(database)
    const [t = '', i = ''] = token.split('.')
    const history = new History(database, reader)
    for (const other of [
      '',
      'x',
      '12',
      '0.0',
      '0.1',
      '1.1',
      `${t}.`,
      `-${t}.${i}`,
      `${Number(t) + 3600}.1`,
      `${t}.${Number(i) + 9999}`,
      '9999999999.1',
    ]) {
      const page = await history.page({ type: 'Patient' }, { limit: 10, access: seesAll, snapshot: { token: other, at } })
      expect(page.ok ? 'read' : page.failure.kind).toBe('expired-cursor')
    }
    expect(stateOf(database, { token, at })).toBeDefined()
    clock.now += 300_001
    expect(stateOf(database, { token, at })).toBeUndefined()
    clock.now -= 300_001
  })

  test('many keys are read from one state where one is given, in a transaction too', async () => {
    await fill(['a', 'b'])
    const snapshot = await takeSnapshot(database)
    await supersede('a')
    const keys = ['b', 'x', 'a', 'b'].map(id => ({ type: 'Patient', id }))
    const numbers = (versions: readonly (StoredVersion | undefined)[]) => versions.map(one => one?.versionId)
    const state = stateOf(database, snapshot)
    expect(numbers(await reader.newestMany(keys, state))).toEqual([1, undefined, 1, 1])
    expect(numbers(await reader.newestMany(keys))).toEqual([1, undefined, 2, 1])
    await database.client.withSession(async session => {
      session.startTransaction({ readConcern: new ReadConcern('snapshot') })
      expect(numbers(await reader.newestMany(keys, { session }))).toEqual([1, undefined, 2, 1])
      await session.abortTransaction()
    })
  })

  test('a text in parts is put together, of newest, past and walked versions', async () => {
    await fill(['large', 'small'])
    const parts = ['{"resourceType":"Patient","note":"', 'é'.repeat(1000), '"}']
    await database.collections.own<{ _id: string }>('texts').insertMany(parts.map((text, n) => ({ _id: `Patient/large/1#${n}`, text })))
    await database.collections.newest('Patient').updateOne({ _id: 'large' }, { $unset: { text: 1 }, $set: { parts: 3 } })
    const text = (version: StoredVersion | undefined) => new TextDecoder().decode(version?.text)
    expect(text(await reader.newest('Patient', 'large'))).toBe(parts.join(''))
    await supersede('large')
    expect(text(await reader.version('Patient', 'large', 1))).toBe(parts.join(''))
    for await (const block of new Walk(database, reader).blocks({ upTo: firstSeq + 2 }))
      expect(block.map(one => text(one).length)).toEqual([parts.join('').length, textOf('small', 1).length])
  })

  test('ids that look like operators or patterns are only ids', async () => {
    await fill(['a'])
    for (const id of ['$gt', '.*', '', 'a/1']) {
      expect(await reader.newest('Patient', id)).toBeUndefined()
      expect(await reader.version('Patient', id, 1)).toBeUndefined()
    }
    expect(await reader.newest('Nowhere', 'a')).toBeUndefined()
  })
})
