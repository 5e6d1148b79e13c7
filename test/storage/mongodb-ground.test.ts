/**
 * What the MongoDB store stands on: the connection and what it refuses, collections made by several at once, numbers for words, writer slots.
 * @see storage-and-search.md 3, 6 and 17
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Long } from 'mongodb'
import { Collections, hints } from '../../src/storage/mongodb/collections.ts'
import { type Database, openDatabase } from '../../src/storage/mongodb/database.ts'
import { Dictionary } from '../../src/storage/mongodb/dictionary.ts'
import { type Step, steps, typeLayoutOf } from '../../src/storage/mongodb/layout.ts'
import { migrate } from '../../src/storage/mongodb/migrate.ts'
import { SequenceSource } from '../../src/storage/mongodb/sequence-source.ts'
import { Fenced, type Slot, type SlotDocument, Slots } from '../../src/storage/mongodb/slots.ts'
import { firstSeqOf, msOfSeq } from '../../src/storage/sequence.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'
import { Dice } from '../support/random-search.ts'

const withMongodb = mongodbThere ? describe : describe.skip

const clock = () => Date.UTC(2026, 10, 21, 8)
const address = mongodbAddress('ground')
const open = () => openDatabase({ address, clock, cursorMinutes: 1 })

/** Gone when it goes out of scope. */
const ownDatabase = async (): Promise<Database & AsyncDisposable> => {
  const database = await openDatabase({ address: mongodbAddress('ground'), clock, cursorMinutes: 1 })
  return {
    ...database,
    [Symbol.asyncDispose]: async () => {
      await database.db.dropDatabase()
      await database.close()
    },
  }
}

let one: Database
let other: Database

beforeAll(async () => {
  one = await open()
  other = await open()
  await migrate(one.db, clock)
})
afterAll(async () => {
  await one.db.dropDatabase()
  await one.close()
  await other.close()
})

withMongodb('the connection', () => {
  const place = new URL(address).host
  const refused: readonly (readonly [what: string, address: string, why: string, says: RegExp])[] = [
    ['no database', `mongodb://${place}/?replicaSet=x`, 'configuration', /must name a database/],
    ['a database of the server', `mongodb://${place}/admin`, 'configuration', /must name a database/],
    [
      'another read preference',
      `mongodb://${place}/x?readpreference=secondaryPreferred`,
      'configuration',
      /readPreference other than primary/,
    ],
    ['an option nobody knows', `mongodb://${place}/x?colour=red`, 'configuration', /colour/],
    [
      'an option nobody knows, beside a password',
      'mongodb://u:geheim@h/x?colour=red',
      'configuration',
      /no address that the MongoDB driver/,
    ],
    [
      'a name for the set that it does not have',
      `mongodb://${place}/x?replicaSet=other&serverSelectionTimeoutMS=300`,
      'configuration',
      /say replicaSet=/,
    ],
    [
      'nobody there',
      'mongodb://u:geheim@127.0.0.1:1/x?serverSelectionTimeoutMS=300',
      'unreachable',
      /No MongoDB answers at 127\.0\.0\.1:1\/x\./,
    ],
    [
      'a user that is not known',
      `${address.replace('://', '://u:geheim@')}&authSource=admin`,
      'access',
      /is not let in: correct user, password/,
    ],
  ]
  for (const [what, to, why, says] of refused)
    test(`refuses ${what}, without telling a password`, async () => {
      const error = await openDatabase({ address: to, clock, cursorMinutes: 1 }).then(
        database => database.close(),
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({ name: 'StoreUnusable', why, message: expect.stringMatching(says) })
      expect(String((error as Error).message)).not.toContain('geheim')
    })

  test('keeps snapshots as long as page links live, and never less than others asked for', async () => {
    const kept = async () =>
      (await one.client.db('admin').command({ getParameter: 1, minSnapshotHistoryWindowInSeconds: 1 })).minSnapshotHistoryWindowInSeconds
    const before = await kept()
    expect([one.snapshotMs, one.warnings, before >= 60]).toEqual([60_000, [], true])
    const longer = await openDatabase({ address, clock, cursorMinutes: 1440 })
    expect([longer.snapshotMs, await kept()]).toEqual([86_400_000, 86_400])
    await longer.close()
    await (await open()).close()
    expect(await kept()).toBe(86_400)
    await one.client.db('admin').command({ setParameter: 1, minSnapshotHistoryWindowInSeconds: before })
  })
})

withMongodb('collections', () => {
  const indexNames = async (name: string) => (await one.db.collection(name).indexes()).map(({ name: index }) => index)

  test('are made by two at once, whole, and are seen by the other then', async () => {
    expect([await one.collections.has('Patient'), await other.collections.has('Patient')]).toEqual([false, false])
    await Promise.all([one, other, one].map(({ collections }) => collections.ensure('Patient')))
    expect(await other.collections.types()).toEqual(['Patient'])
    expect(await new Collections(other.db).has('Patient')).toBe(true)
    const { pastId, pastSeq, relationKey: _, ...newest } = hints
    expect((await indexNames('Patient')).toSorted()).toEqual(Object.values(newest).toSorted())
    expect((await indexNames('Patient.history')).toSorted()).toEqual(['_id_', pastId, pastSeq].toSorted())
    const [made] = await one.db.listCollections({ name: 'Patient' }).toArray()
    expect(JSON.stringify(made)).toContain('block_compressor=zstd')
  })

  test('get what a layout of later adds, those that are there, and those that a node of before makes afterwards', async () => {
    const later: Step = {
      number: steps.length + 1,
      name: 'later',
      types: { newest: { indexes: [{ name: 'conf', key: { conf: 1 } }], dropIndexes: ['sd'] } },
    }
    await using own = await ownDatabase()
    const names = async (type: string) => (await own.db.collection(type).indexes()).map(({ name }) => name)
    await migrate(own.db, clock)
    await own.collections.ensure('Old')
    await migrate(own.db, clock, [...steps, later])
    await own.collections.ensure('Straggler')
    const newer = new Collections(own.db, [...steps, later])
    await newer.ensure('New')
    expect(await newer.has('Straggler')).toBe(true)
    for (const type of ['Old', 'Straggler', 'New']) {
      expect([type, (await names(type)).includes('conf')]).toEqual([type, true])
      expect([type, (await names(type)).includes('sd')]).toEqual([type, false])
    }
    expect(typeLayoutOf([...steps, later]).newest.indexes?.map(({ name }) => name)).not.toContain('sd')
  })

  const seq = Long.fromNumber(firstSeqOf(clock()))
  const attributes = { patients: [], organizations: [], authors: [], conf: 3 }
  const meta = { _id: 'a', seq, versionId: 1, lastUpdated: new Date(clock()), method: 'PUT' }
  const documents: readonly (readonly [what: string, collection: string, document: object, accepted: boolean])[] = [
    ['a live resource', 'Patient', { ...meta, ...attributes, text: '{}', ix: { tk: ['*'] } }, true],
    ['one whose text lies in parts', 'Patient', { ...meta, ...attributes, parts: 2, ix: { tk: ['*'] } }, true],
    ['a deletion', 'Patient', { ...meta, ...attributes, method: 'DELETE', deleted: true }, true],
    ['one whose id is no text', 'Patient', { ...meta, ...attributes, _id: 1, text: '{}', ix: { tk: ['*'] } }, false],
    ['one without seq', 'Patient', { ...meta, ...attributes, seq: undefined, text: '{}', ix: { tk: ['*'] } }, false],
    ['one whose seq is no whole number', 'Patient', { ...meta, ...attributes, seq: 1.5, text: '{}', ix: { tk: ['*'] } }, false],
    ['one without text', 'Patient', { ...meta, ...attributes, ix: { tk: ['*'] } }, false],
    ['one without index entries', 'Patient', { ...meta, ...attributes, text: '{}' }, false],
    ['a deletion with index entries', 'Patient', { ...meta, ...attributes, deleted: true, ix: { tk: ['*'] } }, false],
    ['a superseded version', 'Patient.history', { ...meta, id: 'a', until: seq, text: '{}' }, true],
    ['one without end', 'Patient.history', { ...meta, id: 'a', text: '{}' }, false],
    ['one without text', 'Patient.history', { ...meta, id: 'a', until: seq }, false],
  ]
  for (const [what, collection, document, accepted] of documents)
    test(`${accepted ? 'accept' : 'refuse'} ${what} in ${collection}`, async () => {
      await one.collections.ensure('Patient')
      const given = Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined))
      const written = await one.db
        .collection(collection)
        .insertOne(given)
        .then(
          () => true,
          ({ code }: { code: number }) => code,
        )
      await one.db.collection(collection).deleteMany({})
      expect(written).toBe(accepted ? true : 121)
    })
})

withMongodb('the dictionary', () => {
  test('gives one number to a word, whichever node asks first', async () => {
    const words = Array.from({ length: 1500 }, (_, n) => `http://example.org/${n}`)
    const shapes = Array.from({ length: 40 }, (_, n) => ({ type: 'Patient', codes: ['name', `code-${n}`] }))
    await Promise.all([one, other].map(({ dictionary }) => dictionary.prepare(words, shapes)))
    const numbers = (dictionary: Dictionary) => words.map(word => dictionary.systemNumber(word))
    expect(numbers(other.dictionary)).toEqual(numbers(one.dictionary))
    expect(new Set(numbers(one.dictionary)).size).toBe(words.length)
    expect(Math.min(...numbers(one.dictionary))).toBeGreaterThan(0)
    const fresh = new Dictionary(new Collections(other.db))
    expect(await fresh.system(words[7] as string)).toBe(one.dictionary.systemNumber(words[7] as string))
    const shapeNumbers = (dictionary: Dictionary) => shapes.map(({ type, codes }) => dictionary.shapeNumber(type, codes.toReversed()))
    expect(shapeNumbers(other.dictionary)).toEqual(shapeNumbers(one.dictionary))
  })

  test('has 0 for no system, nothing for one that nobody wrote, and throws for what was not prepared', async () => {
    expect([one.dictionary.systemNumber(''), await one.dictionary.system(''), await one.dictionary.system('urn:x')]).toEqual([
      0,
      0,
      undefined,
    ])
    expect(() => one.dictionary.systemNumber('urn:x')).toThrow('prepared')
    expect(() => one.dictionary.shapeNumber('Patient', ['x'])).toThrow('prepared')
  })

  test('knows all shapes of a type, what another node just added included, and tells apart what only looks alike', async () => {
    const added = async (dictionary: Dictionary, codes: readonly string[]) => dictionary.prepare([], [{ type: 'Group', codes }])
    expect(await one.dictionary.shapes('Group')).toEqual([])
    await added(other.dictionary, ['b', 'a'])
    await added(one.dictionary, [])
    const found = await one.dictionary.shapes('Group')
    expect(found.map(({ codes }) => [...codes])).toEqual([['a', 'b'], []])
    await added(other.dictionary, ['c'])
    expect((await one.dictionary.shapes('Group')).at(-1)).toEqual({
      shape: other.dictionary.shapeNumber('Group', ['c']),
      codes: new Set(['c']),
    })
    await one.dictionary.prepare([], [{ type: 'Groupa', codes: ['b'] }])
    expect(await one.dictionary.shapes('Groupa')).toHaveLength(1)
  })
})

withMongodb('writer slots', () => {
  const slow = { silenceMs: 60_000, heartbeatMs: 60_000 }
  const first = firstSeqOf(clock())
  const documents = () =>
    one.collections
      .own<SlotDocument>('slots')
      .find({}, { sort: { _id: 1 } })
      .toArray()
  const clear = () => one.collections.own<SlotDocument>('slots').deleteMany({})
  const touch = (slots: Slots, { client }: Database, slot: Slot, bound: number, shapes: readonly (readonly [number, number])[] = []) =>
    client.withSession(session => session.withTransaction(() => slots.touch(slot, { bound, shapes: new Map(shapes) }, session)))
  /** As if its process had been stopped: no sign of life any more. */
  const silence = (numbers: readonly number[]) =>
    one.collections.own<SlotDocument>('slots').updateMany({ _id: { $in: [...numbers] } }, { $set: { at: new Date(0) } })

  test('are leased to one writer each, however many ask at the same time, and freed when it ends', async () => {
    await clear()
    const leased = await Promise.all([one, other, one, other].map(database => Slots.lease(database, 3, () => first, slow)))
    const numbers = leased.flatMap(({ all }) => all.map(({ number }) => number))
    expect(new Set(numbers).size).toBe(12)
    for (const slots of leased) await slots[Symbol.asyncDispose]()
    await using again = await Slots.lease(one, 3, () => first, slow)
    expect(again.all.map(({ number }) => number)).toEqual([0, 1, 2])
  })

  test('run out at 64, which is said; fewer than wanted are taken while some are left', async () => {
    await clear()
    await using most = await Slots.lease(one, 62, () => first, slow)
    await using rest = await Slots.lease(other, 5, () => first, slow)
    expect([most.all.length, rest.all.length]).toEqual([62, 2])
    await expect(Slots.lease(one, 1, () => first, slow)).rejects.toThrow('All 64 writer slots of the store are in use')
  })

  test('a silent writer is taken over, its late group fails, and its counts stay', async () => {
    await clear()
    await using dead = await Slots.lease(one, 1, () => first, slow)
    const [slot] = dead.all as [Slot]
    await touch(dead, one, slot, first + 10, [[5, 3]])
    await silence([0])
    await using heir = await Slots.lease(other, 1, () => first, slow)
    expect([heir.all[0]?.number, heir.floor]).toEqual([0, first + 10])
    await expect(touch(dead, one, slot, first + 20, [[5, 1]])).rejects.toThrow(Fenced)
    expect([...(await heir.counts())]).toEqual([[5, 3]])
    await dead.renew(slot)
    expect([slot.number, dead.all]).toEqual([1, [slot]])
    await touch(dead, one, slot, first + 20, [
      [5, 1],
      [6, 0],
    ])
    expect([...(await heir.counts())]).toEqual([[5, 4]])
  })

  test('a group that began before its writer was fenced does not commit', async () => {
    await clear()
    await using late = await Slots.lease(one, 1, () => first, slow)
    await using watcher = await Slots.lease(other, 1, () => first + 4096 * 10, slow)
    const [slot] = late.all as [Slot]
    await late.begin(slot)
    const attempts: number[] = []
    const commit = one.client.withSession(session =>
      session.withTransaction(async () => {
        attempts.push(slot.epoch)
        // Its state is from before; what follows was decided meanwhile.
        await one.collections.own('guards').findOne({ _id: 'x' as never }, { session })
        if (attempts.length === 1) {
          await silence([slot.number])
          await watcher.horizon()
        }
        await one.collections.own('once').insertOne({ _id: 'late' as never }, { session })
        await late.touch(slot, { bound: first + 5, shapes: new Map() }, session)
      }),
    )
    await expect(commit).rejects.toThrow(Fenced)
    expect(await one.collections.own('once').findOne({ _id: 'late' as never })).toBeNull()
  })

  test('the horizon is the least promise of all that live; asking moves an idle one, a group in flight holds it', async () => {
    await clear()
    let next = first
    await using mine = await Slots.lease(one, 2, () => next, slow)
    await using theirs = await Slots.lease(other, 1, () => first + 4096 * 50, slow)
    await theirs.horizon()
    next = first + 4096 * 20
    expect(await mine.horizon()).toBe(msOfSeq(next) - 1)
    const [slot] = mine.all as [Slot]
    await mine.begin(slot)
    next = first + 4096 * 30
    expect(await mine.horizon()).toBe(msOfSeq(first + 4096 * 20) - 1)
    await touch(mine, one, slot, first + 4096 * 29)
    mine.end(slot)
    expect(await theirs.horizon()).toBe(msOfSeq(first + 4096 * 29) - 1)
    expect(await mine.horizon()).toBe(msOfSeq(next) - 1)
    await silence(theirs.all.map(({ number }) => number))
    next = first + 4096 * 70
    expect(await mine.horizon()).toBe(msOfSeq(next) - 1)
  })

  test('whoever comes starts above all that was told, whatever its clock says, and the horizon never runs back', async () => {
    await clear()
    const ahead = await Slots.lease(one, 1, () => first + 4096 * 1000, slow)
    const told = await ahead.horizon()
    await ahead[Symbol.asyncDispose]()
    await using behind = await Slots.lease(other, 1, () => first, slow)
    expect(msOfSeq(behind.floor)).toBeGreaterThan(told)
    expect(await behind.horizon()).toBeGreaterThanOrEqual(told)
  })

  test('whatever writers do, come, go silent and come back, with clocks that differ: nothing is committed up to a horizon that was told', async () => {
    const dice = new Dice(8)
    let now = 0
    const writers = [one, other, one].map((database, n) => ({
      database,
      skewMs: n * 700 - 700,
      slots: undefined as Slots | undefined,
      source: new SequenceSource(clock),
    }))
    await clear()
    let told = 0
    for (let step = 0; step < 250; step++) {
      now += dice.below(5)
      const writer = dice.of(writers)
      if (writer.slots === undefined) {
        writer.source = new SequenceSource(() => clock() + now + writer.skewMs)
        writer.slots = await Slots.lease(writer.database, 2, () => writer.source.close(), slow)
        writer.source.rise(writer.slots.floor)
        continue
      }
      const { slots, source, database } = writer
      const what = dice.below(12)
      if (what < 3) told = Math.max(told, await slots.horizon())
      else if (what === 3) await silence([dice.below(6)])
      else if (what === 4) {
        await slots[Symbol.asyncDispose]()
        writer.slots = undefined
      } else {
        const slot = dice.of(slots.all)
        await slots.begin(slot)
        const seqs = source.take(slot.number, 1 + dice.below(3), 0)
        // Others are told in between.
        if (what < 8) told = Math.max(told, (await dice.of(writers).slots?.horizon()) ?? 0)
        const before = told
        const committed = await touch(slots, database, slot, source.last + 1).then(
          () => true,
          async error => {
            expect(error).toBeInstanceOf(Fenced)
            await slots.renew(slot)
            source.rise(slots.floor)
            return false
          },
        )
        slots.end(slot)
        if (committed) expect([step, msOfSeq(seqs[0] as number) > before]).toEqual([step, true])
      }
    }
    for (const { slots } of writers) await slots?.[Symbol.asyncDispose]()
    expect(told).toBeGreaterThan(clock())
  }, 60_000)

  test('idle ones give signs of life, those with a group in flight leave that to the group', async () => {
    await clear()
    let next = first
    await using slots = await Slots.lease(one, 2, () => next, { silenceMs: 60_000, heartbeatMs: 20 })
    const [busy, idle] = slots.all as [Slot, Slot]
    await slots.begin(busy)
    next = first + 7
    const boundOf = async ({ number }: Slot) => Number((await documents()).find(({ _id }) => _id === number)?.bound)
    while ((await boundOf(idle)) < next) await new Promise(again => setTimeout(again, 10))
    expect(await boundOf(busy)).toBeLessThan(next)
    slots.end(busy)
    while ((await boundOf(busy)) < next) await new Promise(again => setTimeout(again, 10))
  })
})

describe('docs/operate/mongodb.md', () => {
  const page = readFileSync(new URL('../../docs/operate/mongodb.md', import.meta.url), 'utf8')

  test('names every collection of ours, and every field of a resource', () => {
    const names = steps.flatMap(({ collections = {} }) => Object.keys(collections)).map(name => `simpul.${name}`)
    const fields = [
      'seq',
      'versionId',
      'lastUpdated',
      'method',
      'deleted',
      'resource',
      'partial',
      'text',
      'parts',
      'ix',
      'patients',
      'conf',
    ]
    expect([...names, 'simpul.migrations', ...fields].filter(name => !page.includes(`\`${name}\``))).toEqual([])
  })
})
