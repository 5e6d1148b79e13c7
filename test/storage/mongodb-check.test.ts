/**
 * The deep check: a store that was used in every way is whole, and each kind of damage is found, told without values.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Db, Long, MongoClient } from 'mongodb'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { deepCheck, glanceAt, remedyOf, repair } from '../../src/storage/mongodb/check.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import type { RecordDefinition, StoredVersion } from '../../src/storage/port.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'
import { newVersion, planOf } from '../support/versions.ts'
import { create, held, next, nothing, valueOf } from './contract-store.ts'

const records: readonly RecordDefinition[] = [{ name: 'jobs', key: 'id', indexes: { state: ['state'] } }]
const clock = { now: Date.UTC(2026, 10, 21, 8) }

const whereMongodb = mongodbThere ? describe : describe.skip
whereMongodb('the deep check of MongoDB', () => {
  let address: string
  let client: MongoClient
  let db: Db

  beforeAll(async () => {
    address = mongodbAddress('check')
    client = new MongoClient(address)
    db = client.db(new URL(address).pathname.slice(1))
    const store = await openMongoStore({ address, definitions: {} as Definitions, clock: () => clock.now, records })
    const access = { patients: ['a'], organizations: ['o'], authors: ['Practitioner/p'] }
    const first = await create(store, { id: 'a', identifiers: ['1'], family: 'Sari', birthdate: 0, weight: 5, ...access })
    const second = await next(store, first, { identifiers: ['2'], birthdate: 86_400_000, ...access })
    await next(store, second, { family: 'Sari' })
    const gone = await create(store, { id: 'gone', identifiers: ['3'] })
    await held(store, planOf([newVersion({ id: 'gone', versionId: 2, method: 'DELETE' })], [gone]))
    await create(store, { type: 'Observation', id: 'o', subject: 'Patient/a' })
    const documents = await create(store, { type: 'DocumentReference', id: 'd', filler: 'x'.repeat(5 * 1024 * 1024) })
    await next(store, documents)
    const erased: StoredVersion[] = [await create(store, { id: 'e' })]
    for (let n = 0; n < 3; n++) erased.push(await next(store, erased.at(-1) as StoredVersion))
    await store.remove([{ type: 'Patient', id: 'e', versionId: 2 }])
    const blob = valueOf(await store.blobs.write([new Uint8Array(1024 * 1024 + 5)]))
    const owner = { type: 'Binary', id: 'b' }
    await held(store, { ...planOf([newVersion(owner)]), blobs: [{ id: blob.id, owner }], unique: [{ key: 'k', owner: 'Binary/b' }] })
    const said = ['a', 'z'].map(patient => ({ from: 'care', of: 'rahasia', patient }) as const)
    const related = await create(store, {
      type: 'Encounter',
      id: 'r',
      relations: [...said, ...said],
      sensitivities: ['PSY'],
      confidentiality: 4,
    })
    await next(store, related, { relations: said, sensitivities: ['PSY'] })
    await next(store, await create(store, { type: 'Encounter', id: 'f', relations: said }), { method: 'DELETE' })
    await create(store, { type: 'Encounter', id: 'g', relations: said })
    await store.remove([{ type: 'Encounter', id: 'g' }])
    await held(store, { ...nothing, records: [{ record: 'jobs', put: { id: 'j', state: 'new' } }], once: 'x', counters: [{ key: 'c' }] })
    await store[Symbol.asyncDispose]()
  }, 60_000)
  afterAll(async () => {
    await db.dropDatabase()
    await client.close()
  })

  test('finds a store that was used in every way whole, and counts it at a glance', async () => {
    expect(await deepCheck(address)).toEqual([])
    expect(await glanceAt(address, 60)).toMatchObject({ live: 6, warnings: [] })
  })

  const bypass = { bypassDocumentValidation: true }
  const change = (type: string, id: string, update: object) => (on: Db) =>
    on.collection<{ _id: string }>(type).updateOne({ _id: id }, update, bypass)

  const damages: readonly (readonly [what: string, damage: (on: Db) => Promise<unknown>, finding: RegExp])[] = [
    [
      'a text of another',
      change('Patient', 'a', { $set: { text: '{"resourceType":"Patient","id":"b","meta":{"versionId":"3"}}' } }),
      /whose text is that of another: Patient \d+/,
    ],
    ['a text that is no JSON', change('Patient.history', 'a/1', { $set: { text: '{' } }), /whose text is that of another/],
    [
      'a resource changed by hand',
      change('Patient', 'a', { $set: { 'resource.note': 'rahasia' } }),
      /a resource for people that is not what the text says/,
    ],
    ['another time', change('Patient', 'a', { $set: { lastUpdated: new Date(0) } }), /whose time is not that of its seq/],
    ['entries that are gone', change('Patient', 'a', { $unset: { ix: 1 } }), /a live instance without entries/],
    ['a version no search meets', change('Patient', 'a', { $pull: { 'ix.tk': '*' } }), /without the entry that every one has/],
    ['another shape', change('Observation', 'o', { $set: { 'ix.tk.1': 'shape#999' } }), /without its one shape/],
    ['a sort value that is gone', change('DocumentReference', 'd', { $set: { 'ix.so': { x: 'y' } } }), /sort values of another version/],
    ['an access entry that is gone', change('Patient', 'e', { $push: { patients: 'x' } }), /whose access entries are not its attributes/],
    [
      'a label that is gone',
      change('Encounter', 'r', { $pull: { 'ix.tk': 'sens#PSY' } }),
      /whose access entries are not its attributes: Encounter/,
    ],
    [
      'a relation that is gone',
      on => on.collection<{ _id: string }>('simpul.relations').deleteOne({ _id: 'Encounter/r#1' }),
      /versions without all of their relations: Encounter 1/,
    ],
    [
      'a relation that nobody says',
      on => on.collection<{ _id: string }>('simpul.relations').insertOne({ _id: 'Encounter/f#0', key: 'care#rahasia\0a' } as never),
      /relations that no newest version says: Encounter 1/,
    ],
    [
      'a word of a relation that is gone',
      on => on.collection<{ _id: string }>('simpul.served').deleteOne({ _id: 'care#rahasia' }),
      /^whom relations serve and simpul\.served does not know: 1$/,
    ],
    [
      'a token by system alone',
      change('Observation', 'o', { $push: { 'ix.tk': 'code|0|x' } }),
      /a token that is known with or without its system alone/,
    ],
    [
      'a system nobody knows',
      change('Observation', 'o', { $push: { 'ix.tk': { $each: ['code|998|x', 'code=x'] } } }),
      /a system number that stands for nothing: Observation 998/,
    ],
    [
      'a reference by parameter alone',
      change('Observation', 'o', { $pull: { 'ix.tk': '>Patient/a' } }),
      /a reference that is known by or without its parameter alone/,
    ],
    [
      'a range turned round',
      change('Observation', 'o', { $set: { 'ix.nq': [{ p: 'x', u: '', l: 2, h: 1 }] } }),
      /a range that ends before it begins/,
    ],
    [
      'a lost newest version',
      on => on.collection<{ _id: string }>('Patient').deleteOne({ _id: 'a' }),
      /a past version of an instance that is not there/,
    ],
    [
      'an end that is no beginning',
      change('Patient.history', 'a/2', { $set: { until: Long.fromNumber(1) } }),
      /does not end where the next begins/,
    ],
    ['a version number twice', change('Patient.history', 'a/2', { $set: { versionId: 3 } }), /not one more than the one before/],
    [
      'a part that is gone',
      on => on.collection<{ _id: string }>('simpul.texts').deleteOne({ _id: 'DocumentReference/d/1#1' }),
      /a version without all of its text: DocumentReference \d+/,
    ],
    [
      'a part of nothing',
      on => on.collection<{ _id: string }>('simpul.texts').insertOne({ _id: 'DocumentReference/z/1#0' }),
      /parts of texts whose version is not there: DocumentReference 1/,
    ],
    [
      'a wrong count',
      on => on.collection<{ _id: number }>('simpul.slots').updateOne({ _id: 0 }, { $inc: { 'shapes.1': 1 } }),
      /a shape whose count is wrong: \w+ 1/,
    ],
    [
      'a number given twice',
      on =>
        on.collection<{ _id: string }>('simpul.shapes').insertOne({ _id: 'Patient zzz', n: 1, type: 'Patient', codes: ['zzz'] } as never),
      /a number that stands for two words of simpul\.shapes: 1/,
    ],
    [
      'a counter that ran back',
      on => on.collection<{ _id: string }>('simpul.numbers').updateOne({ _id: 'shapes' }, { $set: { n: 0 } }),
      /numbers of simpul\.shapes that will be given again/,
    ],
    [
      'an owner that is not there',
      on => on.collection<{ _id: string }>('simpul.unique').insertOne({ _id: 'rahasia', owner: 'Binary/z' } as never),
      /owners of unique keys that are not there: Binary 1/,
    ],
    [
      'a blob cut short',
      on => on.collection<{ _id: string }>('simpul.blobparts').deleteOne({ _id: /\/1$/ } as never),
      /a blob whose parts are not what it should hold/,
    ],
    ['a blob without parts', on => on.collection('simpul.blobparts').deleteMany({}), /blobs without parts: 1/],
    [
      'a part of no blob',
      on => on.collection<{ _id: string }>('simpul.blobparts').insertOne({ _id: 'z/0', bytes: Buffer.alloc(1) } as never),
      /a part of a blob that is not there: z/,
    ],
    [
      'a blob of nobody',
      on => on.collection('simpul.blobs').updateMany({}, { $set: { seq: Long.fromNumber(5) } }),
      /a blob whose owner is not there: 5/,
    ],
    [
      'a record under another key',
      on => on.collection<{ _id: string }>('simpul.records.jobs').updateOne({ _id: 'j' }, { $set: { 'value.id': 'k' } }),
      /records of jobs that are known by another key than they say: 1/,
    ],
    ['an index that was dropped', on => on.collection('Patient').dropIndex('tk'), /an index that is not there: Patient tk/],
  ]
  for (const [what, damage, finding] of damages)
    test(`finds ${what}`, async () => {
      const before = await copied(db)
      try {
        await damage(db)
        const found = await deepCheck(address)
        expect(found).toEqual(expect.arrayContaining([expect.stringMatching(finding)]))
        expect(found.join()).not.toContain('rahasia')
      } finally {
        await restored(db, before)
      }
    })

  test('brings back words of relations that are gone, and says so first', async () => {
    expect(await repair(address)).toBe(0)
    await db.collection('simpul.served').deleteMany({})
    const [lost = ''] = await deepCheck(address)
    expect(remedyOf(lost)).toContain('doctor --repair')
    expect(await repair(address)).toBe(1)
    expect(await deepCheck(address)).toEqual([])
    // Of those that serve nobody none comes back: how an operator forgets them.
    await db.collection<{ _id: string }>('simpul.served').insertOne({ _id: 'care#Practitioner/dihapus' })
    await db.collection('simpul.served').deleteMany({})
    expect(await repair(address)).toBe(1)
    expect((await db.collection('simpul.served').find().toArray()).map(({ _id }) => String(_id))).toEqual(['care#rahasia'])
  })
})

type Copy = ReadonlyMap<string, readonly object[]>
const copied = async (db: Db): Promise<Copy> => {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
  return new Map(
    await Promise.all(names.map(async name => [name, await db.collection(name).find({}, { promoteLongs: false }).toArray()] as const)),
  )
}
const restored = async (db: Db, copy: Copy): Promise<void> => {
  const restoredOne = async (name: string, documents: readonly object[]): Promise<void> => {
    await db.collection(name).deleteMany({})
    if (documents.length > 0) await db.collection(name).insertMany([...documents])
  }
  await Promise.all([...copy].map(([name, documents]) => restoredOne(name, documents)))
  await db.command({ createIndexes: 'Patient', indexes: [{ name: 'tk', key: { 'ix.tk': 1, seq: -1 } }] })
}
