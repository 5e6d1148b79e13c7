/**
 * The SQLite engine: the contract, and what only this engine promises (storage-and-search.md 3 to 5).
 */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { seesAll } from '../../src/base/access-filter.ts'
import { deadlineIn } from '../../src/base/deadline.ts'
import type { Store, StoredVersion } from '../../src/storage/port.ts'
import { deepCheck } from '../../src/storage/sqlite/check.ts'
import { KeysWriter, readKeys } from '../../src/storage/sqlite/keys.ts'
import { type Migration, migrate, migrations } from '../../src/storage/sqlite/migrate.ts'
import { openTestStore, temporaryFolder } from '../support/sqlite-store.ts'
import { byIdentifier, newVersion, planOf } from '../support/versions.ts'
import { storeContract } from './contract.ts'

storeContract('sqlite', records => openTestStore(undefined, undefined, undefined, records))

const closing: Store[] = []
const opened = async () => {
  const one = await openTestStore()
  closing.push(one.store)
  return one
}
const close = async (store: Store): Promise<void> => {
  closing.splice(closing.indexOf(store), 1)
  await store[Symbol.asyncDispose]()
}
afterEach(async () => {
  for (const store of closing.splice(0)) await store[Symbol.asyncDispose]()
})

describe('migrations', () => {
  const database = (): DatabaseSync => new DatabaseSync(join(temporaryFolder(), 'store.db'))
  const after = migrations.length + 1
  const second: Migration = { number: after, name: 'second', sql: 'CREATE TABLE second(n INTEGER) STRICT' }
  const known = migrations.map(({ name }) => name)
  const names = (db: DatabaseSync) =>
    db
      .prepare('SELECT name FROM migration ORDER BY number')
      .all()
      .map(row => row.name)

  test('run once each, in order', () => {
    using db = database()
    migrate(db, 0)
    migrate(db, 0)
    migrate(db, 0, [...migrations, second])
    expect(names(db)).toEqual([...known, 'second'])
  })

  test('refuse a list with a gap', () => {
    using db = database()
    expect(() => migrate(db, 0, [...migrations, { ...second, number: after + 1 }])).toThrow(
      `Migrations have a gap: number ${after} is missing before ${after + 1}-second`,
    )
  })

  test('refuse a store that is newer than the program', () => {
    using db = database()
    migrate(db, 0, [...migrations, second])
    expect(() => migrate(db, 0)).toThrow(`The store has migration ${after}-second, which this version does not know`)
  })

  test('refuse a store with a gap', () => {
    using db = database()
    migrate(db, 0, [...migrations, second])
    db.exec('DELETE FROM migration WHERE number = 1')
    expect(() => migrate(db, 0, [...migrations, second])).toThrow('The store lacks migration 1')
  })

  test('refuse a step that was changed after it ran', () => {
    using db = database()
    migrate(db, 0, [...migrations, second])
    expect(() => migrate(db, 0, [...migrations, { ...second, sql: '-- other' }])).toThrow(
      `Migration ${after}-second was changed after it ran`,
    )
  })

  test('leave nothing of a step that fails', () => {
    using db = database()
    migrate(db, 0)
    const broken = { ...second, sql: 'CREATE TABLE half(n INTEGER); CREATE TABLE half(n INTEGER)' }
    expect(() => migrate(db, 0, [...migrations, broken])).toThrow()
    expect(names(db)).toEqual(known)
    expect(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'half'").get()?.n).toBe(0)
  })

  test('a store newer than the program does not open, and says why', async () => {
    const { store, path } = await opened()
    await close(store)
    const db = new DatabaseSync(path)
    db.exec(`INSERT INTO migration VALUES (${migrations.length + 1}, 'future', '', 0)`)
    db.close()
    await expect(openTestStore({ now: 0 }, path)).rejects.toThrow(`${migrations.length + 1}-future, which this version does not know`)
  })
})

describe('keys', () => {
  test('read back as they were written', () => {
    const writer = new KeysWriter()
    const numbers = fc.integer({ min: 0, max: 2 ** 40 })
    const texts = fc.string({ unit: 'grapheme', maxLength: 300 })
    fc.assert(
      fc.property(
        fc.array(texts),
        fc.array(fc.tuple(numbers, texts)),
        fc.array(fc.tuple(numbers, texts, fc.double(), fc.double())),
        (own, tok, cmp) => {
          writer.start()
          const list = <T>(items: readonly T[], write: (item: T) => void): void => {
            writer.number(items.length)
            for (const item of items) write(item)
          }
          list(own, text => writer.text(text))
          writer.number(0)
          for (const pairs of [tok, []]) {
            list(pairs, ([p, text]) => {
              writer.number(p)
              writer.text(text)
            })
          }
          list(cmp, ([p, k, lo, hi]) => {
            writer.number(p)
            writer.text(k)
            writer.double(lo)
            writer.double(hi)
          })
          writer.number(0)
          for (const count of [1, 200, 3, 70_000]) writer.number(count)
          expect(readKeys(writer.end())).toEqual({
            own,
            aut: [],
            tok,
            str: [],
            cmp,
            cms: [],
            counts: { pat: 1, dat: 200, num: 3, ref: 70_000 },
          })
        },
      ),
    )
  })
})

describe('the file', () => {
  test('a new one, and what lies beside it, is read by its owner alone', async () => {
    const { store, path } = await openTestStore()
    await store.commit(planOf([newVersion({ id: 'a' })]))
    expect(['', '-wal', '-shm'].map(suffix => statSync(`${path}${suffix}`).mode & 0o077)).toEqual([0, 0, 0])
    await store[Symbol.asyncDispose]()
  })

  test('is in WAL mode while open, and alone and whole after closing', async () => {
    const { store, path } = await opened()
    await store.commit(planOf([newVersion({ id: 'a' })]))
    using db = new DatabaseSync(path, { readOnly: true })
    expect(db.prepare('PRAGMA journal_mode').get()?.journal_mode).toBe('wal')
    db.close()
    await close(store)
    expect(deepCheck(path)).toEqual([])
    using alone = new DatabaseSync(path, { readOnly: true })
    expect(alone.prepare('SELECT count(*) AS n FROM version').get()?.n).toBe(1)
  })

  test('holds exactly the entries that its records say, after any writes and sweeps', async () => {
    const wanted = fc.record(
      {
        id: fc.constantFrom('1', '2', '3', '4'),
        remove: fc.boolean(),
        identifiers: fc.array(fc.constantFrom('a', 'b', 'c', 'ä', ''), { maxLength: 3 }).map(list => [...new Set(list)]),
        family: fc.constantFrom('Budi', 'Siti', ''),
        birthdate: fc.integer({ min: -1e12, max: 1e12 }),
        weight: fc.double({ noNaN: true, noDefaultInfinity: true }),
        subject: fc.constantFrom('Patient/1', 'Patient/x', 'Group/g'),
        patients: fc.array(fc.constantFrom('1', '2')),
        organizations: fc.array(fc.constantFrom('o1', 'o2')),
        authors: fc.array(fc.constantFrom('Practitioner/1')),
      },
      { requiredKeys: ['id', 'remove'] },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(wanted, fc.boolean()), { maxLength: 40 }), async steps => {
        const { store, path, clock } = await opened()
        for (const [{ remove, ...rest }, snapshot] of steps) {
          if (snapshot) await store.snapshot()
          clock.now += 600_000
          const before = await store.newest('Patient', rest.id)
          if (remove && (before === undefined || before.deleted)) continue
          const version = newVersion({ ...rest, versionId: (before?.versionId ?? 0) + 1, ...(remove ? { method: 'DELETE' as const } : {}) })
          expect(await store.commit(planOf([version], before ? [before] : []))).toMatchObject({ ok: true, value: { held: true } })
        }
        await close(store)
        expect(deepCheck(path)).toEqual([])
      }),
      { numRuns: 8 },
    )
  })

  test('has no dead entries left when no snapshot needs them', async () => {
    const { store, path } = await opened()
    await store.commit(planOf([newVersion({ id: 'a', identifiers: ['x'] })]))
    for (let n = 2; n < 50; n++) {
      const before = (await store.newest('Patient', 'a')) as StoredVersion
      await store.commit(planOf([newVersion({ id: 'a', versionId: n, identifiers: ['x'] })], [before]))
    }
    // The writer sweeps the last ones when it has rested for a moment.
    for (let tries = 0; tries < 100 && store.statistics().deadEntries > 0; tries++) await sleep(20)
    expect(store.statistics().deadEntries).toBe(0)
    await close(store)
    using db = new DatabaseSync(path, { readOnly: true })
    expect(db.prepare('SELECT count(*) AS n FROM tok').get()?.n).toBe(1)
    expect(db.prepare('SELECT count(*) AS n FROM live').get()?.n).toBe(1)
  })

  const damages: readonly (readonly [string, string, RegExp])[] = [
    ['a lost entry', "DELETE FROM tok WHERE code = 'x'", /entries in tok of version \d+: 1 recorded, 0 present/],
    ['an orphan', "INSERT INTO str(p, v, seq, x, m) VALUES (1, 'v', 5, '', 0)", /entries in str of version 5, which has no record/],
    ['a changed entry', "UPDATE tok SET code = 'y'", /a recorded entry of version \d+ is not in tok/],
    ['a wrong count', 'UPDATE shape SET live = 7', /a shape whose count is wrong/],
    ['a lost row of live', 'DELETE FROM live', /a live instance without index entries/],
    ['a false end', 'UPDATE version SET until = 12', /a version that does not end where the next begins/],
    ['a forgotten dead version', 'UPDATE instance SET state = 2', /neither the newest of a live instance nor dead/],
  ]
  for (const [what, sql, finding] of damages) {
    test(`the deep check finds ${what}`, async () => {
      const { store, path } = await opened()
      await store.commit(planOf([newVersion({ id: 'a', identifiers: ['x'], family: 'Budi' })]))
      await close(store)
      const db = new DatabaseSync(path)
      db.exec(sql)
      db.close()
      expect(deepCheck(path).some(line => finding.test(line))).toBe(true)
    })
  }
})

describe('reader threads', () => {
  const many = 6_000
  const filled = async () => {
    const { store } = await opened()
    const versions = Array.from({ length: many }, (_, n) => newVersion({ id: `p${n}`, identifiers: ['x'] }))
    await store.commit(planOf(versions))
    return store
  }
  const whole = { access: seesAll, count: many }

  test('answer searches and counts too large for the thread of the requests, several at once', async () => {
    const store = await filled()
    const asked = Array.from({ length: 5 }, () => store.search(byIdentifier('x'), whole))
    for (const outcome of await Promise.all(asked)) expect(outcome.ok && outcome.value.rows.length).toBe(many)
    expect(await store.count(byIdentifier('x'), { access: seesAll })).toMatchObject({ ok: true, value: { count: many, exact: true } })
  })

  test('read from a snapshot too', async () => {
    const store = await filled()
    const snapshot = await store.snapshot()
    await store.commit(planOf([newVersion({ id: 'late', identifiers: ['x'] })]))
    const outcome = await store.search(byIdentifier('x'), { ...whole, count: 2 * many, snapshot })
    expect(outcome.ok && outcome.value.rows.length).toBe(many)
  })

  test('fail when their time is over', async () => {
    const store = await filled()
    const outcome = await store.search(byIdentifier('x'), { ...whole, deadline: deadlineIn(0) })
    expect(!outcome.ok && ['too-costly', 'waited-too-long'].includes(outcome.failure.kind)).toBe(true)
  })
})

describe('the writer', () => {
  test('survives a plan it cannot write, and harms no other in the group', async () => {
    const { store } = await opened()
    const bad = newVersion({ id: 'bad', birthdate: 0.5 })
    const done = await Promise.allSettled([
      store.commit(planOf([newVersion({ id: 'a' })])),
      store.commit(planOf([bad])),
      store.commit(planOf([newVersion({ id: 'b' })])),
    ])
    expect(done.map(one => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await store.counts()).toEqual({ Patient: 2 })
    expect(await store.commit(planOf([newVersion({ id: 'c' })]))).toMatchObject({ ok: true, value: { held: true } })
  })

  test('fails disk-full when there is no space, loses nothing, and goes on when there is some again', async () => {
    const full = await openTestStore(undefined, join(temporaryFolder(), 'store.db'), 1024 * 1024)
    closing.push(full.store)
    const filler = 'x'.repeat(100_000)
    const outcomes = []
    for (let n = 0; n < 12; n++)
      outcomes.push(await full.store.commit(planOf([newVersion({ id: `p${n}`, filler, identifiers: [`${n}`] })])))
    const written = outcomes.filter(one => one.ok).length
    expect(written).toBeGreaterThan(3)
    expect(written).toBeLessThan(12)
    expect(outcomes.every(one => one.ok || one.failure.kind === 'disk-full')).toBe(true)
    expect(await full.store.counts()).toEqual({ Patient: written })
    expect((await full.store.health()).ok).toBe(true)
    await close(full.store)
    expect(deepCheck(full.path)).toEqual([])
    const roomy = await openTestStore(full.clock, full.path)
    closing.push(roomy.store)
    expect(await roomy.store.commit(planOf([newVersion({ id: 'more', filler })]))).toMatchObject({ ok: true, value: { held: true } })
  })

  test('when it dies, all that waits fails no-store, reads go on, and health says so', () => {
    const script = join(import.meta.dirname, '../support/writer-death.ts')
    const said = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', script, join(temporaryFolder(), 'store.db')], {
      encoding: 'utf8',
    })
    const { failures, ...rest } = JSON.parse(said)
    expect(failures).toContain('no-store')
    expect(failures.filter((kind: string) => kind !== 'no-store' && kind !== 'none')).toEqual([])
    expect(rest).toEqual({ late: false, read: 1, healthy: false, horizon: 'The writer has ended' })
  })

  test('notices what another process wrote', async () => {
    const { store, path, clock } = await opened()
    await store.commit(planOf([newVersion({ id: 'a' })]))
    const other = await openTestStore(clock, path)
    closing.push(other.store)
    const before = (await other.store.newest('Patient', 'a')) as StoredVersion
    // Remembered here, and written there: a read by id must not answer from memory.
    expect(await store.newest('Patient', 'a')).toEqual(before)
    await other.store.commit(planOf([newVersion({ id: 'a', versionId: 2, identifiers: ['new-param'] })], [before]))
    expect(await store.newest('Patient', 'a')).toMatchObject({ versionId: 2 })
    expect(await store.commit(planOf([newVersion({ id: 'a', versionId: 2 })], [before]))).toMatchObject({ value: { held: false } })
    expect(await store.commit(planOf([newVersion({ id: 'b', identifiers: ['x'] })]))).toMatchObject({ value: { held: true } })
    await close(other.store)
    await close(store)
    expect(deepCheck(path)).toEqual([])
  })
})
