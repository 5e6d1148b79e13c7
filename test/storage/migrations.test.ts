/**
 * The schema of both engines: numbered, checksummed, forward only; each step once however many do it; every released state can be brought up.
 * @see operate.md 14
 */
import { afterAll, describe, expect, test } from '@jest/globals'
import { Long, MongoClient } from 'mongodb'
import { seesAll } from '../../src/base/access-filter.ts'
import { migrated } from '../../src/storage/migrations.ts'
import { Collections } from '../../src/storage/mongodb/collections.ts'
import { type Step, steps } from '../../src/storage/mongodb/layout.ts'
import { migrate } from '../../src/storage/mongodb/migrate.ts'
import { type AnyStep, migratingEngines } from '../support/migrating.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'
import { byIdentifier, newVersion, planOf } from '../support/versions.ts'
import { create, held, next, textOf, valueOf } from './contract-store.ts'

const clock = () => Date.UTC(2026, 10, 21, 8)

/**
 * Checksums of what was released: a step that reads differently would be refused by every store that has it. A step joins the list with its
 * release, and is never touched again.
 */
const released: Readonly<Record<string, readonly string[]>> = {
  sqlite: [
    '01ce49408258efcb6bcb8f13576998dcfb04261c221846785b7ba0da1fe480b7',
    'a234fc2ba496b98aa90188b0c3c5ca352c009640ffca7ac92192568190038d4a',
    'eeb5153b11bf6efb2a8ae2c22fa881bcd629235febbd01434ca1b757498c0e67',
    '92e61a26b3f904664086909853820e450c385edd03340ce6de7d867b8ba30605',
  ],
  mongodb: [
    'a85a267ee6371596228b54544383c8a38c5535e0fcb0a715b4ae5be56d7c2fa4',
    '82920e9273c4bf4f37de6a9077da618c028f8d755ce21b51a28e60271a45aa10',
  ],
}

for (const engine of migratingEngines)
  describe(engine.name, () => {
    const { known } = engine
    const one = engine.later(known.length + 1, 'one')
    const two = engine.later(known.length + 2, 'two')
    const address = () => engine.address()
    afterAll(() => engine.close())

    const up = async (to: string, list: readonly AnyStep[] = known) => {
      await using migrations = await engine.at(to, clock, list)
      return await migrations.up()
    }
    const status = async (to: string, list: readonly AnyStep[] = known) => {
      await using migrations = await engine.at(to, clock, list)
      return await migrations.status()
    }
    const done = (list: readonly AnyStep[]) => list.map(({ number, name }) => ({ number, name, state: 'done', at: clock() }))

    test('no released step was changed', () => {
      expect(known.map(engine.checksumOf).slice(0, released[engine.name]?.length)).toEqual(released[engine.name])
      expect(known.map(({ number }) => number)).toEqual(known.map((_, at) => at + 1))
    })

    test('looking at a store that is not there finds all to come, and does not make it', async () => {
      const to = address()
      const pending = known.map(({ number, name }) => ({ number, name, state: 'pending' }))
      expect(await status(to)).toEqual(pending)
      expect(await status(to)).toEqual(pending)
    })

    test('each step is done once, in order, and told with its time', async () => {
      const to = address()
      expect(await up(to)).toEqual(done(known))
      expect(await up(to)).toEqual(done(known))
      expect(await status(to, [...known, one])).toEqual([...done(known), { number: one.number, name: 'one', state: 'pending' }])
      expect(await up(to, [...known, one])).toEqual(done([...known, one]))
      expect(await status(to, [...known, one])).toEqual(done([...known, one]))
    })

    test('many at once do each step once and see the same', async () => {
      const to = address()
      const all = await Promise.all(Array.from({ length: 6 }, () => up(to, [...known, one, two])))
      for (const states of all) expect(states).toEqual(done([...known, one, two]))
    })

    const refusals: readonly (readonly [what: string, list: readonly AnyStep[], says: string])[] = [
      [
        'a list with a gap',
        [...known, one, engine.later(known.length + 3, 'three')],
        `number ${known.length + 2} is missing before ${known.length + 3}-three`,
      ],
      ['a store that is newer than the program', known, `has migration ${known.length + 1}-one, which this version does not know`],
      [
        'a step that was changed after it ran',
        [...known, engine.later(known.length + 1, 'one', '2')],
        `${known.length + 1}-one was changed after it ran`,
      ],
    ]
    for (const [what, list, says] of refusals)
      test(`refuses ${what}, looking and bringing up alike`, async () => {
        const to = address()
        await up(to, [...known, one])
        const refusal = { name: 'StoreUnusable', why: 'refused', message: expect.stringContaining(says) }
        await expect(status(to, list)).rejects.toMatchObject(refusal)
        await expect(up(to, list)).rejects.toMatchObject(refusal)
      })

    test('refuses a store that lacks a step before its last', async () => {
      const to = address()
      await up(to, [...known, one])
      await engine.forget(to, known.length)
      await expect(up(to, [...known, one])).rejects.toThrow(`The store lacks migration ${known.length} but has ${known.length + 1}-one`)
    })

    test('a store newer than the program does not open', async () => {
      const to = address()
      await up(to, [...known, one])
      await expect(engine.open(to, clock)).rejects.toThrow(`${known.length + 1}-one, which this version does not know`)
    })

    test('who only waits changes nothing, goes on when somebody brought it up, and gives up in the end', async () => {
      const to = address()
      await using waiting = await engine.at(to, clock, known)
      await expect(migrated(waiting, 0)).rejects.toMatchObject({
        why: 'refused',
        message: expect.stringContaining('still lacks migration 1-initial'),
      })
      const waited = migrated(waiting, 10_000)
      await up(to)
      await waited
    })

    for (let state = 0; state <= known.length; state++)
      test(`a store of release state ${state} is brought up, and read and written as ever`, async () => {
        const [from, to] = [address(), address()]
        const before = await engine.open(from, clock)
        const first = await create(before, { id: 'a', identifiers: ['1'] })
        await next(before, first, { identifiers: ['2'] })
        await create(before, { id: 'gone' })
        await held(
          before,
          planOf(
            [newVersion({ id: 'gone', versionId: 2, method: 'DELETE' })],
            [{ type: 'Patient', id: 'gone', seq: (await before.newest('Patient', 'gone'))?.seq ?? 0 }],
          ),
        )
        const kept = await before.newest('Patient', 'a')
        await before[Symbol.asyncDispose]()

        await up(to, known.slice(0, state))
        await engine.fill(to, from, known.slice(0, state))
        const after = await engine.open(to, clock)
        try {
          if (state > 0) {
            expect(await after.newest('Patient', 'a')).toEqual(kept)
            expect(textOf(await after.version('Patient', 'a', 1))).toContain('"1"')
            expect((await after.newest('Patient', 'gone'))?.deleted).toBe(true)
            expect(await after.counts()).toEqual({ Patient: 1 })
            const found = async (code: string) =>
              valueOf(await after.search(byIdentifier(code), { access: seesAll, count: 5 })).rows.map(({ id }) => id)
            expect([await found('1'), await found('2')]).toEqual([[], ['a']])
            await next(after, kept as NonNullable<typeof kept>, { identifiers: ['3'] })
            expect([await found('2'), await found('3')]).toEqual([[], ['a']])
          }
          const made = await create(after, { id: 'b', identifiers: ['4'] })
          expect(await after.newest('Patient', 'b')).toEqual(made)
          if (kept !== undefined && state > 0) expect(made.seq).toBeGreaterThan(kept.seq)
        } finally {
          await after[Symbol.asyncDispose]()
        }
        expect(await engine.check(to)).toEqual([])
        expect(await status(to)).toEqual(known.map(({ number, name }) => ({ number, name, state: 'done', at: clock() })))
      })
  })

const whereMongodb = mongodbThere ? describe : describe.skip
whereMongodb('a migration of MongoDB', () => {
  const later = migratingEngines.find(({ name }) => name === 'mongodb')
  const withDatabase = async (work: (db: ReturnType<MongoClient['db']>) => Promise<void>) => {
    const address = mongodbAddress('lease')
    const client = new MongoClient(address)
    const db = client.db(new URL(address).pathname.slice(1))
    try {
      await work(db)
    } finally {
      await db.dropDatabase()
      await client.close()
    }
  }

  test('is taken over from who died in the middle of it, and its half is completed', () =>
    withDatabase(async db => {
      const until = new Date(Date.now() + 300)
      await db.collection<{ _id: string }>('simpul.leases').insertOne({ _id: 'migrate', holder: 'dead', until } as never)
      await db.createCollection('simpul.systems')
      await db.createCollection('simpul.shapes')
      expect(await migrate(db, clock)).toHaveLength(later?.known.length ?? 0)
      expect(Date.now()).toBeGreaterThanOrEqual(until.getTime() - 50)
      const indexes = await db.collection('simpul.shapes').indexes()
      expect(indexes.map(({ name }) => name)).toContain('type')
    }))

  test('gives sort values of before their places by how many there are, and once more changes nothing', () =>
    withDatabase(async db => {
      await migrate(db, clock, steps.slice(0, 3))
      await new Collections(db, steps.slice(0, 3)).ensure('Patient')
      const seq = Long.fromNumber(4096)
      const head = {
        seq,
        versionId: 1,
        lastUpdated: new Date(1),
        method: 'PUT',
        text: '{}',
        patients: [],
        organizations: [],
        authors: [],
        conf: 3,
      }
      const several = { tk: ['*'], so: { given: 'a', gender: 'f', birthdate: '1' }, sd: { given: 'b', gender: 'f' } }
      const patients = db.collection<{ _id: string; ix: object }>('Patient')
      await patients.insertMany([
        { _id: 'several', ...head, ix: several },
        { _id: 'none', ...head, ix: { tk: ['*'] } },
      ])
      for (const list of [steps, [...steps, { ...(steps[3] as Step), number: steps.length + 1 }]]) {
        await migrate(db, clock, list)
        const found = await patients.find({}, { sort: { _id: 1 } }).toArray()
        expect(found.map(({ ix }) => ix)).toEqual([
          { tk: ['*'] },
          { tk: ['*'], so: { 'given+': 'a', gender: 'f', birthdate: '1' }, sd: { given: 'b' } },
        ])
      }
    }))

  test('puts codes of before beside the patients they are about, and once more changes nothing', () =>
    withDatabase(async db => {
      await migrate(db, clock, steps.slice(0, 4))
      await new Collections(db, steps.slice(0, 4)).ensure('Observation')
      const observations = db.collection<{ _id: string; ix: { tk: string[] } }>('Observation')
      const tk = ['*', 'shape#1', 'code|7|c|1', 'code=c|1', 'code|0|x', 'code=x', 'coded|7|y', 'patient#p', 'patient#q']
      const head = { versionId: 1, lastUpdated: new Date(1), method: 'PUT', text: '{}', organizations: [], authors: [], conf: 3 }
      await observations.insertMany([
        { _id: 'both', seq: Long.fromNumber(4096), ...head, patients: ['p', 'q'], ix: { tk } },
        { _id: 'nobody', seq: Long.fromNumber(8192), ...head, patients: [], ix: { tk } },
        // more than are rewritten at once
        ...Array.from({ length: 4_100 }, (_, n) => ({ _id: `o${n}`, seq: Long.fromNumber(n), ...head, patients: ['r'], ix: { tk } })),
      ] as never)
      for (const list of [steps.slice(0, 5), [...steps.slice(0, 5), { ...(steps[4] as Step), number: 6 }]]) {
        await migrate(db, clock, list)
        const [both, nobody] = await observations.find({}, { sort: { _id: 1 }, limit: 2 }).toArray()
        expect(both?.ix.tk.slice(0, tk.length)).toEqual(tk)
        expect(both?.ix.tk.slice(tk.length).toSorted()).toEqual(['code#p|0|x', 'code#p|7|c|1', 'code#q|0|x', 'code#q|7|c|1'])
        expect(nobody?.ix.tk).toEqual(tk)
        expect(await observations.countDocuments({ 'ix.tk': 'code#r|7|c|1' })).toBe(4_100)
      }
    }))
})
