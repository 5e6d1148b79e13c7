import { createHash } from 'node:crypto'
import { afterAll } from '@jest/globals'
import { type Db, MongoClient } from 'mongodb'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { steps } from '../../src/storage/mongodb/layout.ts'
import type { RecordDefinition, Store } from '../../src/storage/port.ts'
import { workerAddress } from './mongodb-address.ts'

/** The engine asks nothing of the definitions that a made-up version would know. */
const noDefinitions = {} as Definitions

/** An empty store in a database that others get once the store is closed. `clock.now` begins on a round second of 2026. */
export const openTestMongoStore = async (
  clock: { now: number } = { now: Date.UTC(2026, 10, 21, 8) },
  records: readonly RecordDefinition[] = [],
  definitions: Definitions = noDefinitions,
) => {
  const { address, giveBack } = await leaseDatabase(records)
  const open = async (kept = records): Promise<Store> => {
    if (kept !== records) changed.add(address)
    const { openMongoStore } = await import('../../src/storage/mongodb/store.ts')
    const store = await openMongoStore({ address, definitions, clock: () => clock.now, records: kept })
    const close = store[Symbol.asyncDispose].bind(store)
    return Object.assign(store, {
      [Symbol.asyncDispose]: async () => {
        await close()
        giveBack()
      },
    })
  }
  let current = await open()
  const reopen = async (other?: readonly RecordDefinition[]): Promise<Store> => {
    await current[Symbol.asyncDispose]()
    take(address)
    current = await open(other)
    return current
  }
  return { store: current, reopen, clock, address }
}

/** Making the collections of a type costs more than most tests: databases are emptied and used again, each by one worker of Jest. */
const leased = new Set<string>()
const take = (address: string): void => void leased.add(address)

/** The collections of their records are no longer as the definitions say by which they are leased: they are made anew. */
const changed = new Set<string>()

/** An empty database, in which the collections of these records may stand already: whoever opens it defines them so and not otherwise. */
export const leaseDatabase = async (records: readonly RecordDefinition[] = []): Promise<{ readonly address: string; giveBack(): void }> => {
  const kind = records.length === 0 ? '' : createHash('sha256').update(JSON.stringify(records)).digest('hex').slice(0, 8)
  let number = 1
  while (leased.has(workerAddress(number, kind))) number++
  const address = workerAddress(number, kind)
  take(address)
  client ??= new MongoClient(address)
  const db = client.db(new URL(address).pathname.slice(1))
  if (changed.delete(address)) await db.dropDatabase()
  else await emptied(db, records)
  return { address, giveBack: () => void leased.delete(address) }
}

let client: MongoClient | undefined
afterAll(async () => {
  for (const address of changed) await client?.db(new URL(address).pathname.slice(1)).dropDatabase()
  await client?.close()
})

/** What every store has anew once it opens; all other collections of ours are made when something is first kept. */
const known: readonly string[] = steps.flatMap(step => Object.keys(step.collections ?? {})).map(name => `simpul.${name}`)
/** They say what is there, not what was written: numbers of words are never given twice. */
const kept = ['simpul.migrations', 'simpul.types', 'simpul.systems', 'simpul.shapes', 'simpul.numbers', 'simpul.served']
/** Beyond so many documents it is quicker to begin anew. */
const documentsMax = 3000
/** And with more types what asks all of them is slow: system searches, deletions, counts. */
const typeCollectionsMax = 90

const emptied = async (db: Db, records: readonly RecordDefinition[]): Promise<void> => {
  const standing = [...known, 'simpul.definitions', ...records.map(({ name }) => `simpul.records.${name}`)]
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
  if (names.filter(name => !name.startsWith('simpul.')).length > typeCollectionsMax) return void (await db.dropDatabase())
  const untouched = records.length === 0 ? kept : [...kept, 'simpul.definitions']
  const filled = await filledOf(
    db,
    names.filter(name => !untouched.includes(name)),
  )
  const sizes = await Promise.all(filled.map(name => db.collection(name).estimatedDocumentCount()))
  if (sizes.reduce((sum, size) => sum + size, 0) > documentsMax) return void (await db.dropDatabase())
  // Other collections of ours are as a test wanted them, and the next one may want them otherwise.
  const strange = names.filter(name => name.startsWith('simpul.') && !standing.includes(name))
  await Promise.all(strange.map(name => db.collection(name).drop()))
  if (strange.length > 0)
    await db.collection<{ readonly _id: string }>('simpul.definitions').deleteMany({ _id: { $nin: records.map(({ name }) => name) } })
  await Promise.all(filled.filter(name => !strange.includes(name)).map(name => db.collection(name).deleteMany({})))
}

/** Those of the collections in which something is, by one question for all of them. */
const filledOf = async (db: Db, names: readonly string[]): Promise<readonly string[]> => {
  const [first, ...others] = names
  if (first === undefined) return []
  const one = (name: string) => [{ $limit: 1 }, { $project: { _id: 0, name: { $literal: name } } }]
  const rest = others.map(name => ({ $unionWith: { coll: name, pipeline: one(name) } }))
  const found = await db
    .collection(first)
    .aggregate<{ name: string }>([...one(first), ...rest])
    .toArray()
  return found.map(({ name }) => name)
}
