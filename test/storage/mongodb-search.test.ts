/**
 * Searches on MongoDB: whatever is asked, whatever the plan, the answer is that of looking at every resource.
 * @see storage-and-search.md 6, 8 to 14, 20
 */
import { afterAll, beforeAll, describe, test } from '@jest/globals'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import { type Database, openDatabase } from '../../src/storage/mongodb/database.ts'
import { repeatsBy } from '../../src/storage/mongodb/repeats.ts'
import { createSearch, type MongoSearch } from '../../src/storage/mongodb/search.ts'
import { Slots } from '../../src/storage/mongodb/slots.ts'
import { stateOf } from '../../src/storage/mongodb/snapshot.ts'
import type { State } from '../../src/storage/mongodb/state.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import type { Store } from '../../src/storage/port.ts'
import { mongodbAddress } from '../support/mongodb-address.ts'
import { checkRandomSearch, Distortion, type Searched, type SearchedState, writeStates } from '../support/searched-states.ts'

const runs = process.env.SIMPUL_TEST_LONG === '1' ? 20_000 : 150
const firstSeed = Number(process.env.SIMPUL_TEST_SEED ?? 1)

let store: Store
let database: Database
let slots: Slots
let search: MongoSearch
let states: readonly SearchedState[]
const clock = { now: Date.UTC(2026, 10, 21, 8) }
const lies = new Distortion()

beforeAll(async () => {
  const address = mongodbAddress('search')
  store = await openMongoStore({ address, definitions: {} as Definitions, clock: () => clock.now })
  states = await writeStates(store, clock)
  database = await openDatabase({ address, clock: () => clock.now, cursorMinutes: 60 })
  slots = await Slots.lease(database, 1, () => Number.MAX_SAFE_INTEGER)
  search = createSearch(database, { counts: state => slots.counts(state), repeats: repeatsBy(undefined), engine: lies.engine })
}, 120_000)

afterAll(async () => {
  await slots[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  await database.db.dropDatabase()
  await database.close()
})

const searched: Searched = {
  async search(query, { snapshot, ...asked }) {
    const found = await search.search(query, { ...asked, state: stateAt(snapshot) })
    if (!found.ok) return found
    const { state: _, ...page } = found.value
    return { ok: true, value: page }
  },
  count: (query, { snapshot, ...asked }) => search.count(query, { ...asked, state: stateAt(snapshot) }),
}
const stateAt = (snapshot: SearchedState['snapshot']): State => (snapshot ? (stateOf(database, snapshot) ?? {}) : {})

describe('random questions', () => {
  test('get the answer of looking at every resource', async () => {
    delete lies.dice
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) await checkRandomSearch(seed, searched, states)
  }, 3_600_000)

  test('get it whatever the planner believes', async () => {
    for (let seed = firstSeed + 1_000_000; seed < firstSeed + 1_000_000 + runs; seed++)
      await checkRandomSearch(seed, searched, states, lies)
  }, 3_600_000)
})
