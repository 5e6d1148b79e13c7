/** Whom relations serve on MongoDB: a search leaves out whom none ever did, and counts at once who begins to be served. */
import { afterAll, describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { repair } from '../../src/storage/mongodb/check.ts'
import { steps } from '../../src/storage/mongodb/layout.ts'
import { migrate } from '../../src/storage/mongodb/migrate.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import { relationWord } from '../../src/storage/mongodb/entries.ts'
import type { Relation, Store } from '../../src/storage/port.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'
import { newVersion, planOf } from '../support/versions.ts'

const about = mongodbThere ? describe : describe.skip

about('whom relations serve', () => {
  const address = mongodbAddress('served')
  const client = new MongoClient(address)
  const db = client.db(new URL(address).pathname.slice(1))
  afterAll(async () => {
    await db.dropDatabase()
    await client.close()
  })
  const open = (): Promise<Store> => openMongoStore({ address, definitions: {} as Definitions, clock: Date.now })

  const write = async (store: Store, id: string, relations: readonly Relation[]): Promise<void> => {
    const done = await store.commit(planOf([newVersion({ type: 'Group', id, relations })]))
    if (!done.ok || !done.value.held) throw new Error('Nothing was written')
  }
  const seen = async (store: Store, access: AccessFilter): Promise<readonly string[]> => {
    const found = await store.search({ parts: [{ type: 'Observation', where: { op: 'all' } }], sort: [] }, { access, count: 10 })
    if (!found.ok) throw new Error(found.failure.kind)
    return found.value.rows.map(({ id }) => id)
  }

  test('a word of which nobody had heard counts for the next search of every node', async () => {
    await using one = await open()
    await using other = await open()
    await one.commit(planOf([newVersion({ type: 'Observation', id: 'o1', patients: ['p1'] })]))
    const care: AccessFilter = { op: 'patients', from: 'care', of: ['unheard', 'd1'] }
    const notClosed: AccessFilter = { op: 'not', of: { op: 'patients', from: 'closed', of: ['unheard', 'r1'] } }
    for (const store of [one, other]) expect([await seen(store, care), await seen(store, notClosed)]).toEqual([[], ['o1']])
    await write(one, 'g1', [{ from: 'care', of: 'd1', patient: 'p1' }])
    for (const store of [one, other]) expect([await seen(store, care), await seen(store, notClosed)]).toEqual([['o1'], ['o1']])
    await write(other, 'g2', [{ from: 'closed', of: 'r1', patient: 'p1' }])
    for (const store of [one, other]) expect([await seen(store, care), await seen(store, notClosed)]).toEqual([['o1'], []])
  })

  test('a lost word opens what a relation closes, and is closed again by the repair, in nodes that run', async () => {
    const notClosed: AccessFilter = { op: 'not', of: { op: 'patients', from: 'closed', of: ['r9'] } }
    await using one = await open()
    await one.commit(planOf([newVersion({ type: 'Observation', id: 'o9', patients: ['p9'] })]))
    await write(one, 'g9', [{ from: 'closed', of: 'r9', patient: 'p9' }])
    await db.collection<{ _id: string }>('simpul.served').deleteOne({ _id: relationWord('closed', 'r9') })
    await using other = await open()
    expect(await seen(other, notClosed)).toContain('o9')
    expect(await repair(address)).toBe(1)
    expect(await seen(other, notClosed)).not.toContain('o9')
  })

  test('what was said before there was a place for it is brought in by the step that makes the place', async () => {
    const before = client.db(`${db.databaseName}-before`)
    try {
      await migrate(before, Date.now, steps.slice(0, 2))
      const strange = 'Organization/a\u0000b'
      const rows = [
        ['g#0', 'd1', 'p1'],
        ['g#1', 'd1', 'p2'],
        ['g#2', strange, 'p1'],
      ].map(([_id, of = '', patient]) => ({ _id, key: `${relationWord('closed', of)}\u0000${patient}`, self: false }))
      await before.collection<{ _id: string | undefined }>('simpul.relations').insertMany(rows)
      await migrate(before, Date.now)
      const words = await before.collection<{ _id: string }>('simpul.served').find({}).toArray()
      expect(words.map(({ _id }) => _id).toSorted()).toEqual([relationWord('closed', strange), relationWord('closed', 'd1')].toSorted())
    } finally {
      await before.dropDatabase()
    }
  })
})
