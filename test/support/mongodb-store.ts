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
  const { address, giveBack } = await leaseDatabase()
  const open = async (kept = records): Promise<Store> => {
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

export const leaseDatabase = async (): Promise<{ readonly address: string; giveBack(): void }> => {
  let number = 1
  while (leased.has(workerAddress(number))) number++
  const address = workerAddress(number)
  take(address)
  await emptied(address)
  return { address, giveBack: () => void leased.delete(address) }
}

let client: MongoClient | undefined
afterAll(() => client?.close())

/** What every store has anew once it opens; all other collections of ours are made when something is first kept. */
const known: readonly string[] = steps.flatMap(step => Object.keys(step.collections ?? {})).map(name => `simpul.${name}`)
/** They say what is there, not what was written: numbers of words are never given twice. */
const kept = ['simpul.migrations', 'simpul.types', 'simpul.systems', 'simpul.shapes', 'simpul.numbers', 'simpul.served']
/** Beyond so many documents it is quicker to begin anew. */
const documentsMax = 3000
/** And with more types what asks all of them is slow: system searches, deletions, counts. */
const collectionsMax = 100

const emptied = async (address: string): Promise<void> => {
  client ??= new MongoClient(address)
  const db = client.db(new URL(address).pathname.slice(1))
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).filter(name => !kept.includes(name))
  const sizes = await Promise.all(names.map(name => db.collection(name).estimatedDocumentCount()))
  if (sizes.reduce((sum, size) => sum + size, 0) > documentsMax || names.length > collectionsMax) {
    await db.dropDatabase()
    return
  }
  await Promise.all(names.map((name, at) => emptyOne(db, name, sizes[at] ?? 0)))
}

const emptyOne = async (db: Db, name: string, size: number): Promise<void> => {
  // Collections of records are made as a definition says, and the next test may define otherwise.
  if (name.startsWith('simpul.') && !known.includes(name)) await db.collection(name).drop()
  else if (size > 0) await db.collection(name).deleteMany({})
}
