/** Records, blobs and erasing as only the SQLite engine can be asked about them: its triggers, its plans, its bytes (storage-and-search.md 17). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { RecordDefinition, Store } from '../../src/storage/port.ts'
import { deepCheck } from '../../src/storage/sqlite/check.ts'
import { migrate, migrations } from '../../src/storage/sqlite/migrate.ts'
import { boundsOf } from '../../src/storage/sqlite/record-bounds.ts'
import { recordTable } from '../../src/storage/sqlite/record-tables.ts'
import { openTestStore, temporaryFolder } from '../support/sqlite-store.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { nothing } from './contract-store.ts'

const jobs: RecordDefinition = { name: 'jobs', key: 'id', indexes: { due: ['queue', 'due'] }, unique: { tag: ['tag'] } }
const events: RecordDefinition = { name: 'events', key: 'id', appendOnly: true, ordered: true }
const sessions: RecordDefinition = { name: 'sessions', key: 'id', expires: 'ends' }
const kept = [jobs, events, sessions]

const stores: Store[] = []
const opened = async (path?: string) => {
  const one = await openTestStore(undefined, path, undefined, kept)
  stores.push(one.store)
  return one
}
const close = async (store: Store): Promise<void> => {
  stores.splice(stores.indexOf(store), 1)
  await store[Symbol.asyncDispose]()
}
afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]()
})
/** Whether the bytes stand anywhere in the file. */
const inFile = (path: string, marker: string): boolean => readFileSync(path).includes(marker)

describe('records in the file', () => {
  test('append-only ones are kept by triggers, for whoever writes', async () => {
    const { store, path } = await opened()
    await store.commit({ ...nothing, records: [{ record: 'events', put: { id: 'a' } }] })
    await close(store)
    using db = new DatabaseSync(path)
    expect(() => db.exec("UPDATE rec_events SET value = '{}'")).toThrow('append-only')
    expect(() => db.exec('DELETE FROM rec_events')).toThrow('append-only')
    expect(() => db.exec("INSERT OR REPLACE INTO rec_events(key, seq, value) VALUES ('a', 1, '{}')")).toThrow('append-only')
  })

  test('every range is one seek in its index, with nothing to sort', async () => {
    const { store, path } = await opened()
    await close(store)
    using db = new DatabaseSync(path, { readOnly: true })
    const table = recordTable(jobs)
    for (const [index, bounds] of [
      ['due', { from: ['mail', 1], to: ['mail'] }],
      ['due', { from: ['mail'], to: ['mail'], after: ['mail', 3, 'k'] }],
      ['due', { from: ['mail'], to: ['mail'], after: ['mail', 3, 'k'], descending: true }],
      ['tag', { from: ['a'] }],
      ['key', { after: ['a'] }],
    ] as const) {
      const { sql, values } = boundsOf(table, index, bounds)
      const plan = db.prepare(`EXPLAIN QUERY PLAN SELECT key FROM ${sql.from} WHERE ${sql.where} ORDER BY ${sql.order}`).all(...values)
      expect(plan.map(row => String(row.detail).split(' ')[0])).toEqual(['SEARCH'])
    }
  })

  test('those whose time is over are removed in the turns of the writer, and when it rests', async () => {
    const { store, path, clock } = await opened()
    const records = Array.from({ length: 900 }, (_, n) => ({ record: 'sessions', put: { id: `${n}`, ends: clock.now + 1000 } }))
    await store.commit({ ...nothing, records })
    clock.now += 2000
    await store.commit(nothing)
    using db = new DatabaseSync(path, { readOnly: true })
    const left = (): number => db.prepare('SELECT count(*) AS n FROM rec_sessions').get()?.n as number
    expect(left()).toBeGreaterThan(600)
    for (let tries = 0; tries < 100 && left() > 0; tries++) await sleep(20)
    expect(left()).toBe(0)
  })

  test('definitions are made again and again without a change', async () => {
    const { store, path } = await opened()
    const schema = (): unknown => {
      using db = new DatabaseSync(path, { readOnly: true })
      return db.prepare("SELECT name, sql FROM sqlite_schema WHERE tbl_name LIKE 'rec_%' ORDER BY name").all()
    }
    await close(store)
    const before = schema()
    await close((await opened(path)).store)
    expect(schema()).toEqual(before)
  })

  test('a store without a definition keeps what was written under it', async () => {
    const { store, path } = await opened()
    await store.commit({ ...nothing, records: [{ record: 'jobs', put: { id: 'a' } }] })
    await close(store)
    const bare = await openTestStore(undefined, path)
    stores.push(bare.store)
    expect(() => bare.store.records(jobs)).toThrow('without the records jobs')
    await close(bare.store)
    expect(deepCheck(path)).toEqual([])
    expect((await (await opened(path)).store.records(jobs).get('a'))?.value).toEqual({ id: 'a' })
  })
})

describe('the file after erasing', () => {
  test('holds no byte of what was purged, and is whole', async () => {
    const { store, path } = await opened()
    const owner = { type: 'Patient', id: 'a' }
    const blob = await store.blobs.write([new TextEncoder().encode('marker-in-blob '.repeat(100_000))])
    if (!blob.ok) throw new Error('not written')
    const version = newVersion({ ...owner, identifiers: ['marker-in-entry'], filler: 'marker-in-text', patients: ['a'] })
    await store.commit({
      ...planOf([version]),
      blobs: [{ id: blob.value.id, owner }],
      unique: [{ key: 'marker-in-key', owner: 'Patient/a' }],
    })
    await store.commit(planOf([newVersion({ id: 'b', identifiers: ['x'] }), newVersion({ id: 'c', identifiers: ['x'] })]))
    await store.remove([owner])
    await store.remove([{ type: 'Patient', id: 'c' }])
    await close(store)
    expect(deepCheck(path)).toEqual([])
    const db = new DatabaseSync(path)
    db.exec('VACUUM')
    db.close()
    for (const marker of ['marker-in-blob', 'marker-in-entry', 'marker-in-text', 'marker-in-key']) expect(inFile(path, marker)).toBe(false)
  })

  test('is whole after any writes, erasures and loads', async () => {
    const id = fc.constantFrom('1', '2', '3')
    const step = fc.oneof(
      fc.record({ id, do: fc.constant('write' as const) }),
      fc.record({ id, do: fc.constant('delete' as const) }),
      fc.record({ id, do: fc.constant('purge' as const) }),
      fc.record({ id, do: fc.constant('snapshot' as const) }),
      fc.record({ id, do: fc.constant('forget' as const), versionId: fc.integer({ min: 1, max: 5 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const { store, path, clock } = await opened()
        for (const one of steps) {
          clock.now += 300_000
          const key = { type: 'Patient', id: one.id }
          const before = await store.newest(key.type, key.id)
          const versionId = (before?.versionId ?? 0) + 1
          if (one.do === 'snapshot') await store.snapshot()
          else if (one.do === 'purge') await store.remove([key])
          else if (one.do === 'forget') await store.remove([{ ...key, versionId: one.versionId }])
          else if (one.do === 'write' || before?.deleted === false) {
            const version = newVersion({
              ...key,
              versionId,
              identifiers: ['x'],
              ...(one.do === 'delete' ? { method: 'DELETE' as const } : {}),
            })
            expect(await store.commit(planOf([version], before ? [before] : []))).toMatchObject({ ok: true, value: { held: true } })
          }
        }
        await close(store)
        expect(deepCheck(path)).toEqual([])
      }),
      { numRuns: 8 },
    )
  })
})

describe('the deep check', () => {
  const damages: readonly (readonly [string, string, RegExp])[] = [
    ['a record under a false key', "UPDATE rec_jobs SET key = 'b'", /a record of jobs that is known by another key/],
    ['an orphaned part', "INSERT INTO blob_part(b, n, bytes) VALUES (77, 0, x'00')", /a part of a blob that is not there: 77/],
    ['a lost part', 'DELETE FROM blob_part WHERE n = 1', /a blob whose parts are not what it should hold/],
    ['a blob without its owner', 'UPDATE blob SET seq = 5', /a blob whose owner is not there/],
    ['an open door', "INSERT INTO record_control VALUES ('events')", /records that may be deleted outside of retention: events/],
    ['a purged instance with versions', 'UPDATE instance SET state = 3', /a purged instance of which something is left/],
  ]
  for (const [what, sql, finding] of damages) {
    test(`finds ${what}`, async () => {
      const { store, path } = await opened()
      const blob = await store.blobs.write([new Uint8Array(1_500_000)])
      if (!blob.ok) throw new Error('not written')
      const owner = { type: 'Binary', id: 'b' }
      await store.commit({
        ...planOf([newVersion(owner)]),
        blobs: [{ id: blob.value.id, owner }],
        records: [{ record: 'jobs', put: { id: 'a' } }],
      })
      await close(store)
      expect(deepCheck(path)).toEqual([])
      const db = new DatabaseSync(path)
      db.exec(sql)
      db.close()
      expect(deepCheck(path).some(line => finding.test(line))).toBe(true)
    })
  }
})

test('keys that were taken before they had a table of their own stay taken', async () => {
  const path = join(temporaryFolder(), 'store.db')
  const db = new DatabaseSync(path)
  migrate(db, 0, migrations.slice(0, 1))
  db.exec("INSERT INTO uniq(key, iid) VALUES ('import/run/file/1', 1)")
  db.close()
  const { store } = await opened(path)
  expect(await store.commit({ ...nothing, once: 'import/run/file/1' })).toEqual({
    ok: true,
    value: { held: false, taken: 'import/run/file/1' },
  })
})
