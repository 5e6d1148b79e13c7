/**
 * Searches on SQLite: whatever is asked, whatever the plan, the answer is that of looking at every resource.
 * @see storage-and-search.md 8 to 14, 20
 */
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { Node, Query } from '../../src/search/tree.ts'
import type { Store } from '../../src/storage/port.ts'
import { Dictionary } from '../../src/storage/sqlite/dictionary.ts'
import { createSearch, type SqliteSearch } from '../../src/storage/sqlite/search.ts'
import { Dice, randomAccess, randomQuery } from '../support/random-search.ts'
import { checkRandomSearch, Distortion, type Searched, type SearchedState, writeStates } from '../support/searched-states.ts'
import { openTestStore } from '../support/sqlite-store.ts'

const runs = process.env.SIMPUL_TEST_LONG === '1' ? 20_000 : 700
const firstSeed = Number(process.env.SIMPUL_TEST_SEED ?? 1)

let store: Store
let db: DatabaseSync
let search: SqliteSearch
let states: readonly SearchedState[]
const lies = new Distortion()
/** When all was written. */
let now = 0

beforeAll(async () => {
  const clock = { now: Date.UTC(2026, 10, 21, 8) }
  const opened = await openTestStore(clock)
  store = opened.store
  states = await writeStates(store, clock)
  now = clock.now
  db = new DatabaseSync(opened.path, { readOnly: true })
  search = createSearch(db, new Dictionary(db), { engine: lies.engine })
}, 120_000)

afterAll(async () => {
  db.close()
  await store[Symbol.asyncDispose]()
})

/** Its snapshots are seqs. */
const searched: Searched = {
  search: (query, { snapshot, ...asked }) => search.search(query, { ...asked, now, ...seqOf(snapshot) }),
  count: (query, { snapshot, ...asked }) => search.count(query, { ...asked, now, ...seqOf(snapshot) }),
}
const seqOf = (snapshot: SearchedState['snapshot']) => (snapshot ? { snapshotSeq: Number(snapshot.token) } : {})

describe('random questions', () => {
  test('get the answer of looking at every resource', async () => {
    delete lies.dice
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) await checkRandomSearch(seed, searched, states)
  }, 600_000)

  test('get it whatever the planner believes', async () => {
    for (let seed = firstSeed + 1_000_000; seed < firstSeed + 1_000_000 + runs; seed++)
      await checkRandomSearch(seed, searched, states, lies)
  }, 600_000)
})

/** Tables of the statement that SQLite reads from end to end. */
const scanned = (lines: readonly string[]): string[] => {
  const text = lines.filter(line => line.startsWith('  ')).join(' ')
  return lines.flatMap(line => {
    const [, alias = ''] = /^ {2}plan: SCAN (x\d+)$/.exec(line) ?? []
    const [, table = ''] = new RegExp(`\\b(\\w+) ${alias}\\b`).exec(text) ?? []
    return alias !== '' && valueTables.has(table) ? [table] : []
  })
}
const valueTables = new Set([
  'tok',
  'str',
  'dat',
  'num',
  'ref',
  'cmp',
  'cms',
  'live',
  'version',
  'instance',
  'pat',
  'own',
  'aut',
  'label',
  'relation',
  'served',
  'nobody',
])

const code = { type: 'Patient', code: 'code', kind: 'token' } as const
const hasCode = (value: string): Query => ({ parts: [{ type: 'Patient', where: { op: 'token', param: code, code: value } }], sort: [] })
const everybody: Query = { parts: [{ type: 'Patient', where: { op: 'all' } }], sort: [] }
const all = { op: 'all' } as const

describe('statements', () => {
  test('read no table of values from end to end, whatever is asked and believed', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const dice = new Dice(seed)
      if (seed % 2 === 0) lies.dice = dice
      else delete lies.dice
      const query = randomQuery(dice)
      const explained = search.explain(query, { now, access: randomAccess(dice), count: 20 })
      expect({ seed, scanned: explained.ok ? scanned(explained.value) : explained }).toEqual({ seed, scanned: [] })
    }
  })

  test('come in the order of their entries without sorting', () => {
    delete lies.dice
    for (const query of [everybody, hasCode('x'), { ...everybody, sort: [{ code: 'code', kind: 'token', descending: true } as const] }]) {
      const explained = search.explain(query, { now, access: all, count: 20 })
      expect(explained.ok && explained.value.filter(line => line.includes('TEMP B-TREE FOR ORDER BY'))).toEqual([])
    }
  })

  test('never hold a value', () => {
    const explained = search.explain(hasCode("it's; drop table tok"), { now, access: { op: 'patient', id: 'secret' }, count: 20 })
    expect(explained.ok && explained.value.filter(line => /drop|secret/.test(line))).toEqual([])
  })

  test('values that look like SQL are values', () => {
    for (const value of ["'", '"', "') or 1 --", '?', '%', '_', '\\', '\u0001'])
      expect(search.search(hasCode(value), { now, access: all, count: 20 })).toEqual({ ok: true, value: { rows: [], more: false } })
  })
})

describe('bounds', () => {
  test('a search whose time is over fails too-costly and names its parameter', () => {
    delete lies.dice
    const where = {
      op: 'not',
      of: { op: 'string', param: { type: 'Observation', code: 'name', kind: 'string' }, match: 'contains', text: 'u' },
    } as const
    const query: Query = { parts: [{ type: 'Observation', where }], sort: [{ code: 'value', kind: 'quantity', descending: false }] }
    const outcome = Array.from({ length: 40 }, () =>
      search.search(query, { now, access: all, count: 20, deadlineAtMs: performance.now() - 1 }),
    ).find(({ ok }) => !ok)
    expect(outcome).toMatchObject({ ok: false, failure: { kind: 'too-costly', values: { parameter: expect.any(String) } } })
  })

  test('a thousand alternatives are one statement', () => {
    const of = Array.from(
      { length: 1000 },
      (_, n): Node => ({
        op: 'date',
        param: { type: 'Patient', code: 'date', kind: 'date' },
        test: { prefix: 'eq', lo: n, hi: n },
      }),
    )
    const where: Node = { op: 'or', of }
    expect(search.search({ parts: [{ type: 'Patient', where }], sort: [] }, { now, access: all, count: 20 }).ok).toBe(true)
  })

  test('twenty levels of chain and reverse chain are planned and answered in bounded time', () => {
    let where: Node = { op: 'all' }
    for (let n = 0; n < 10; n++) {
      const partof = { type: 'Organization', code: 'partof', kind: 'reference' } as const
      where = { op: 'chain', param: partof, of: [{ type: 'Organization', where }] }
      where = { op: 'reverse', param: partof, of: { type: 'Organization', where } }
    }
    const started = performance.now()
    expect(search.search({ parts: [{ type: 'Organization', where }], sort: [] }, { now, access: all, count: 20 }).ok).toBe(true)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('a count stops at its cap', () => {
    expect(search.count(everybody, { now, access: all, cap: 3 })).toEqual({ ok: true, value: { count: 3, reached: true, exact: false } })
  })

  test('a type or parameter that nobody ever used matches nothing', () => {
    const query: Query = { parts: [{ type: 'Nothing', where: { op: 'all' } }], sort: [] }
    expect(search.search(query, { now, access: all, count: 20 })).toEqual({ ok: true, value: { rows: [], more: false } })
    expect(search.count(query, { now, access: all })).toEqual({ ok: true, value: { count: 0, reached: false, exact: true } })
  })
})

test('references gives the targets of a parameter, once each', async () => {
  const newest = states.find(({ snapshot }) => snapshot === undefined)?.all ?? []
  const referring = newest.filter(({ type }) => type === 'Observation')
  const expected = referring.flatMap(({ seq, values }) =>
    values.references.filter(({ param }) => param === 'subject').map(({ type, id }) => `${seq} ${type}/${id}`),
  )
  const seqs = referring.map(({ seq }) => seq)
  const given = (await store.references(seqs, 'Observation', 'subject')).map(({ seq, target }) => `${seq} ${target.type}/${target.id}`)
  expect(given.toSorted()).toEqual(expected.toSorted())
})

test('the steps of a chain see what their own filter lets them see', () => {
  delete lies.dice
  const where = {
    op: 'chain',
    param: { type: 'Observation', code: 'subject', kind: 'reference' },
    of: [{ type: 'Patient', where: { op: 'all' } }],
  } as const
  const query: Query = { parts: [{ type: 'Observation', where }], sort: [] }
  const rows = (filter: AccessFilter) => {
    const outcome = search.search(query, { now, access: all, count: 200, filterFor: () => filter })
    return outcome.ok ? outcome.value.rows.length : -1
  }
  expect(rows({ op: 'none' })).toBe(0)
  expect(rows({ op: 'patient', id: 'p1' })).toBeLessThan(rows(all))
})
