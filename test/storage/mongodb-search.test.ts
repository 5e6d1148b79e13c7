/**
 * Searches on MongoDB: whatever is asked, whatever the plan, the answer is that of looking at every resource.
 * @see storage-and-search.md 6, 8 to 14, 20
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type AccessFilter, seesAll } from '../../src/base/access-filter.ts'
import { deadlineIn } from '../../src/base/deadline.ts'
import type { Definitions } from '../../src/fhir/definitions/definitions.ts'
import type { Node, Query } from '../../src/search/tree.ts'
import { type Database, openDatabase } from '../../src/storage/mongodb/database.ts'
import { repeatsBy } from '../../src/storage/mongodb/repeats.ts'
import { createSearch, type MongoSearch, type SearchOptions } from '../../src/storage/mongodb/search.ts'
import { Slots } from '../../src/storage/mongodb/slots.ts'
import { stateOf } from '../../src/storage/mongodb/snapshot.ts'
import type { State } from '../../src/storage/mongodb/state.ts'
import { openMongoStore } from '../../src/storage/mongodb/store.ts'
import type { Snapshot, Store } from '../../src/storage/port.ts'
import { mongodbAddress, mongodbThere } from '../support/mongodb-address.ts'
import { checkRandomSearch, Distortion, type Searched, type SearchedState, writeStates } from '../support/searched-states.ts'
import { byIdentifier, newVersion, planOf } from '../support/versions.ts'

const runs = process.env.SIMPUL_TEST_LONG === '1' ? 20_000 : 150
const firstSeed = Number(process.env.SIMPUL_TEST_SEED ?? 1)
const about = mongodbThere ? describe : describe.skip

/** Says of some parameters that they have one value at most, though some resources of the test have several. */
const definitions = {
  searchParameters: (type: string) => new Map(['code', 'name', 'chance', 'subject'].map(code => [code, { expression: `${type}.${code}` }])),
  member: () => ({ element: { max: 1, types: [{ code: 'string' }] }, within: 'string' }),
} as unknown as Definitions

let store: Store
let database: Database
let slots: Slots
let search: MongoSearch
/** One that believes every relation large, and that much is written after each snapshot. */
let crowded: MongoSearch
let states: readonly SearchedState[]
const clock = { now: Date.UTC(2026, 10, 21, 8) }
const lies = new Distortion()

const searchedBy = (by: () => MongoSearch): Searched => ({
  async search(query, { snapshot, ...asked }) {
    const found = await by().search(query, { ...asked, state: stateAt(snapshot) })
    if (!found.ok) return found
    const { state: _, ...page } = found.value
    return { ok: true, value: page }
  },
  count: (query, { snapshot, ...asked }) => by().count(query, { ...asked, state: stateAt(snapshot) }),
})
const searched = searchedBy(() => search)
const stateAt = (snapshot: Snapshot | undefined): State => (snapshot ? (stateOf(database, snapshot) ?? {}) : {})

const code = { type: 'Patient', code: 'code', kind: 'token' } as const
const hasCode = (value: string): Query => ({ parts: [{ type: 'Patient', where: { op: 'token', param: code, code: value } }], sort: [] })
const ofPatients = (where: Node): Query => ({ parts: [{ type: 'Patient', where }], sort: [] })
const asked = { access: seesAll, count: 20 }

about('searches on MongoDB', () => {
  beforeAll(async () => {
    const address = mongodbAddress('search')
    store = await openMongoStore({ address, definitions, clock: () => clock.now })
    states = await writeStates(store, clock)
    database = await openDatabase({ address, clock: () => clock.now, cursorMinutes: 60 })
    slots = await Slots.lease(database, 1, () => Number.MAX_SAFE_INTEGER)
    const options: SearchOptions = { counts: state => slots.counts(state), repeats: repeatsBy(definitions), engine: lies.engine }
    search = createSearch(database, options)
    crowded = createSearch(database, { ...options, bounds: { patients: 0, changed: 0 } })
  }, 120_000)

  afterAll(async () => {
    await slots[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    await database.db.dropDatabase()
    await database.close()
  })

  describe('random questions', () => {
    test('get the answer of looking at every resource', async () => {
      delete lies.dice
      for (let seed = firstSeed; seed < firstSeed + runs; seed++) await checkRandomSearch(seed, searched, states)
    }, 7_200_000)

    test('get it where relations are large and much was written since', async () => {
      delete lies.dice
      for (let seed = firstSeed + 2_000_000; seed < firstSeed + 2_000_000 + runs; seed++)
        await checkRandomSearch(
          seed,
          searchedBy(() => crowded),
          states,
          seed % 2 === 0 ? lies : undefined,
        )
      delete lies.dice
    }, 7_200_000)

    test('get it whatever the planner believes', async () => {
      for (let seed = firstSeed + 1_000_000; seed < firstSeed + 1_000_000 + runs; seed++)
        await checkRandomSearch(seed, searched, states, lies)
      delete lies.dice
    }, 7_200_000)
  })

  describe('values', () => {
    test('that look like operators, patterns or fields are values', async () => {
      for (const value of ['$ne', '{"$gt":""}', '.*', '^', '\\', '[', '(?i)x', 'a|b', '$code', 'ix.tk', '\u0001', '\0', '\u{10ffff}']) {
        expect(await searched.search(hasCode(value), asked)).toEqual({ ok: true, value: { rows: [], more: false } })
        for (const where of [
          { op: 'uri', param: { type: 'Patient', code: 'url', kind: 'uri' }, match: 'contains', uri: `${value}q` },
          { op: 'string', param: { type: 'Patient', code: 'name', kind: 'string' }, match: 'contains', text: `${value}q` },
          { op: 'string', param: { type: 'Patient', code: 'name', kind: 'string' }, match: 'prefix', text: `${value}q` },
          { op: 'id', ids: [value, '$x'] },
          { op: 'access', filter: { op: 'patient', id: value } },
        ] as const)
          expect(await searched.search(ofPatients(where), asked)).toEqual({ ok: true, value: { rows: [], more: false } })
      }
    })

    test('are found by every part of a uri, as it is written', async () => {
      const rows = async (uri: string) => {
        const where = { op: 'uri', param: { type: 'Patient', code: 'url', kind: 'uri' }, match: 'contains', uri } as const
        const found = await searched.search(ofPatients(where), { access: seesAll, count: 200 })
        return found.ok ? found.value.rows.length : -1
      }
      expect(await rows('://a/')).toBeGreaterThan(0)
      expect(await rows('tt')).toBe(await rows('http://'))
      expect(await rows('...')).toBe(0)
      expect(await rows('x'.repeat(600))).toBe(0)
    })

    test('never stand in what explain tells', async () => {
      const where: Node = {
        op: 'and',
        of: [
          { op: 'token', param: code, system: 'urn:a', code: 'secret1' },
          { op: 'string', param: { type: 'Patient', code: 'name', kind: 'string' }, match: 'contains', text: 'secret2' },
          {
            op: 'date',
            param: { type: 'Patient', code: 'date', kind: 'date' },
            test: { prefix: 'ge', lo: 1_700_000_000_123, hi: 1_700_000_000_123 },
          },
          { op: 'id', ids: ['secret3'] },
        ],
      }
      const sort = [{ code: 'name', kind: 'string', descending: true }] as const
      const position = { values: ['secret4'], seq: 5 }
      const explained = await search.explain(
        { ...ofPatients(where), sort },
        { ...asked, access: { op: 'patient', id: 'secret5' }, position, state: {} },
      )
      expect(explained.ok && explained.value.join('\n')).toMatch(/documents examined \d+/)
      expect(explained.ok && explained.value.filter(line => /secret|17000|2023/.test(line))).toEqual([])
    })
  })

  describe('bounds', () => {
    const frequent: Node = { op: 'not', of: { op: 'token', param: code, code: 'x' } }

    test('a search whose time is over fails too-costly and names its parameter', async () => {
      const query: Query = { ...ofPatients(frequent), sort: [{ code: 'link', kind: 'reference', descending: false }] }
      for (const deadline of [deadlineIn(-1), { ...deadlineIn(10_000), signal: AbortSignal.abort() }]) {
        const outcome = await search.search(query, { ...asked, state: {}, deadline })
        expect(outcome).toMatchObject({ ok: false, failure: { kind: 'too-costly', values: { parameter: expect.any(String) } } })
        expect(await search.count(query, { access: seesAll, state: {}, deadline })).toMatchObject({ ok: false })
      }
    })

    test('one that ends meanwhile does so too', async () => {
      const controller = new AbortController()
      const asking = search.search(ofPatients(frequent), {
        ...asked,
        state: {},
        deadline: { ...deadlineIn(10_000), signal: controller.signal },
      })
      controller.abort()
      expect(await asking).toMatchObject({ ok: false, failure: { kind: 'too-costly' } })
    })

    test('a thousand alternatives are a few commands', async () => {
      const test = (n: number) => ({ prefix: 'eq', lo: n, hi: n }) as const
      const of = Array.from(
        { length: 1000 },
        (_, n): Node => ({ op: 'date', param: { type: 'Patient', code: 'date', kind: 'date' }, test: test(n) }),
      )
      const alternatives = of.map((one): Node => ({ op: 'and', of: [one, { op: 'token', param: code, code: 'x' }] }))
      for (const where of [
        { op: 'or', of },
        { op: 'or', of: alternatives },
      ] as const) {
        const explained = await search.explain(ofPatients(where), { ...asked, state: {} })
        expect(explained.ok && explained.value.filter(line => line.startsWith('find')).length).toBeLessThan(15)
        expect((await search.search(ofPatients(where), { ...asked, state: {} })).ok).toBe(true)
      }
    }, 30_000)

    test('twenty levels of chain and reverse chain are planned and answered', async () => {
      let where: Node = { op: 'all' }
      for (let n = 0; n < 10; n++) {
        const partof = { type: 'Organization', code: 'partof', kind: 'reference' } as const
        where = { op: 'chain', param: partof, of: [{ type: 'Organization', where }] }
        where = { op: 'reverse', param: partof, of: { type: 'Organization', where } }
      }
      expect((await search.search({ parts: [{ type: 'Organization', where }], sort: [] }, { ...asked, state: {} })).ok).toBe(true)
    })

    test('a count stops at its cap', async () => {
      expect(await search.count(ofPatients({ op: 'all' }), { access: seesAll, cap: 3, state: {} })).toEqual({
        ok: true,
        value: { count: 3, reached: true, exact: false },
      })
    })

    test('a type or parameter that nobody ever used matches nothing', async () => {
      const query: Query = { parts: [{ type: 'Nothing', where: { op: 'all' } }], sort: [] }
      expect(await searched.search(query, asked)).toEqual({ ok: true, value: { rows: [], more: false } })
      expect(await searched.count(query, { access: seesAll })).toEqual({ ok: true, value: { count: 0, reached: false, exact: true } })
      const chained = {
        op: 'chain',
        param: { type: 'Patient', code: 'link', kind: 'reference' },
        of: [{ type: 'Nothing', where: { op: 'all' } }],
      } as const
      expect(await searched.search(ofPatients(chained), asked)).toEqual({ ok: true, value: { rows: [], more: false } })
    })
  })

  describe('states', () => {
    test('a page says which state it was read from, also when nothing can match', async () => {
      for (const query of [hasCode('x'), ofPatients({ op: 'none' }), { parts: [], sort: [] }]) {
        const page = await search.search(query, { ...asked, state: {} })
        expect(page.ok && page.value.state.at).toBeDefined()
      }
    })

    test('a type that came after the snapshot is empty there, in chains too', async () => {
      const snapshot = await store.snapshot()
      await store.commit(planOf([newVersion({ type: 'Location', id: 'late', identifiers: ['x'] })]))
      const query: Query = byIdentifier('x', 'Location')
      const rows = async (at: Snapshot | undefined) => {
        const page = await searched.search(query, { ...asked, ...(at ? { snapshot: at } : {}) })
        return page.ok ? page.value.rows.length : page.failure.kind
      }
      expect(await rows(snapshot)).toBe(0)
      expect(await rows(undefined)).toBe(1)
      const chained = { op: 'chain', param: { type: 'Patient', code: 'link', kind: 'reference' }, of: query.parts } as const
      expect(await searched.search(ofPatients(chained), { ...asked, snapshot })).toEqual({ ok: true, value: { rows: [], more: false } })
    })

    test('a state that the database no longer has fails expired-cursor', async () => {
      const snapshot = { token: '1000.1', at: clock.now }
      expect(await searched.search(hasCode('x'), { ...asked, snapshot })).toMatchObject({ ok: false, failure: { kind: 'expired-cursor' } })
      expect(await searched.count(hasCode('x'), { access: seesAll, snapshot })).toMatchObject({ ok: false })
    })

    test('a transaction sees what it wrote', async () => {
      const types = ['Patient', 'Observation'] as const
      const session = database.client.startSession()
      const where = {
        op: 'or',
        of: [
          { op: 'token', param: code, code: 'x' },
          {
            op: 'reverse',
            param: { type: 'Observation', code: 'subject', kind: 'reference' },
            of: { type: 'Observation', where: { op: 'all' } },
          },
        ],
      } as const
      const count = async (state: State) => {
        const page = await search.search(ofPatients(where), { access: seesAll, count: 500, state })
        return page.ok ? page.value.rows.length : -1
      }
      try {
        await session.withTransaction(async () => {
          expect(await count({ session })).toBe(await count({}))
          for (const type of types) await database.collections.newest(type).deleteMany({}, { session })
          expect(await count({ session })).toBe(0)
          await session.abortTransaction()
        })
      } finally {
        await session.endSession()
      }
      expect(await count({})).toBeGreaterThan(0)
    })
  })

  test('references gives the targets of a parameter, once each, as the state had them', async () => {
    for (const { snapshot, all } of states) {
      const referring = all.filter(({ type }) => type === 'Observation')
      const expected = referring.flatMap(({ seq, values }) =>
        values.references.filter(({ param }) => param === 'subject').map(({ type, id }) => `${seq} ${type}/${id}`),
      )
      const seqs = referring.map(({ seq }) => seq)
      const given = await search.references(seqs, 'Observation', 'subject', stateAt(snapshot))
      expect(given.map(({ seq, target }) => `${seq} ${target.type}/${target.id}`).toSorted()).toEqual(expected.toSorted())
    }
    expect(await search.references([1], 'Nothing', 'subject')).toEqual([])
  })

  test('the steps of a chain see what their own filter lets them see', async () => {
    const where = {
      op: 'chain',
      param: { type: 'Observation', code: 'subject', kind: 'reference' },
      of: [{ type: 'Patient', where: { op: 'all' } }],
    } as const
    const query: Query = { parts: [{ type: 'Observation', where }], sort: [] }
    const rows = async (filter: AccessFilter) => {
      const outcome = await search.search(query, { access: seesAll, count: 200, state: {}, filterFor: () => filter })
      return outcome.ok ? outcome.value.rows.length : -1
    }
    expect(await rows({ op: 'none' })).toBe(0)
    expect(await rows({ op: 'patient', id: 'p1' })).toBeLessThan(await rows(seesAll))
  })

  test('a text that lies in parts comes whole with its row', async () => {
    const filler = 'é'.repeat(2_300_000)
    const version = newVersion({ id: 'large', identifiers: ['large'], filler })
    await store.commit(planOf([version]))
    const page = await searched.search(byIdentifier('large'), asked)
    expect(
      page.ok && page.value.rows.map(({ id, text }) => ({ id, ends: new TextDecoder().decode(text).endsWith(`${filler}"}`) })),
    ).toEqual([{ id: 'large', ends: true }])
  }, 30_000)

  test('a page larger than one answer of the server comes whole', async () => {
    const ids = Array.from({ length: 6 }, (_, n) => `wide${n}`)
    for (const id of ids) await store.commit(planOf([newVersion({ id, identifiers: ['wide'], family: id, filler: 'x'.repeat(3_900_000) })]))
    const sort = [{ code: 'family', kind: 'string', descending: false }] as const
    for (const query of [byIdentifier('wide'), { ...byIdentifier('wide'), sort }]) {
      const page = await searched.search(query, asked)
      const rows = page.ok ? page.value.rows : []
      expect(rows.map(({ id, text }) => ({ id, whole: text.length > 3_900_000 })).toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
        ids.map(id => ({ id, whole: true })),
      )
    }
  }, 60_000)
})
