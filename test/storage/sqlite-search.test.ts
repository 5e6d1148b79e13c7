/**
 * Searches on SQLite: whatever is asked, whatever the plan, the answer is that of looking at every resource.
 * @see storage-and-search.md 8 to 14, 20
 */
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { Engine } from '../../src/search/plan.ts'
import type { Node, Query } from '../../src/search/tree.ts'
import type { Position, SearchPage, Store } from '../../src/storage/port.ts'
import { Dictionary } from '../../src/storage/sqlite/dictionary.ts'
import { createSearch, type SqliteSearch } from '../../src/storage/sqlite/search.ts'
import { Dice, randomAccess, randomId, randomOwners, randomQuery, randomValues, types } from '../support/random-search.ts'
import { answer, type Known } from '../support/search-oracle.ts'
import { openTestStore } from '../support/sqlite-store.ts'
import { newVersion } from '../support/versions.ts'

const runs = process.env.SIMPUL_TEST_LONG === '1' ? 20_000 : 700
const firstSeed = Number(process.env.SIMPUL_TEST_SEED ?? 1)

type State = { readonly snapshotSeq?: number; readonly all: readonly Known[] }

let store: Store
let db: DatabaseSync
let search: SqliteSearch
const states: State[] = []

/** Three states: two behind, held by snapshots while writes went on, and the newest. */
beforeAll(async () => {
  const clock = { now: Date.UTC(2026, 10, 21, 8) }
  const opened = await openTestStore(clock)
  store = opened.store
  const dice = new Dice(4711)
  const known = new Map<string, Known & { versionId: number }>()
  const gone = new Map<string, { seq: number; versionId: number }>()
  for (let step = 1; step <= 420; step++) {
    clock.now += dice.of([0, 0, 1])
    await write(dice, known, gone)
    if (step === 180 || step === 300) states.push({ snapshotSeq: Number((await store.snapshot()).token), all: [...known.values()] })
  }
  states.push({ all: [...known.values()] })
  states.push({ snapshotSeq: Number((await store.snapshot()).token), all: [...known.values()] })
  db = new DatabaseSync(opened.path, { readOnly: true })
  search = createSearch(db, new Dictionary(db), { engine: distorted })
}, 120_000)

afterAll(async () => {
  db.close()
  await store[Symbol.asyncDispose]()
})

const write = async (
  dice: Dice,
  known: Map<string, Known & { versionId: number }>,
  gone: Map<string, { seq: number; versionId: number }>,
) => {
  const type = dice.of(types)
  const id = randomId(dice)
  const key = `${type}/${id}`
  const before = known.get(key) ?? gone.get(key)
  const versionId = (before?.versionId ?? 0) + 1
  const method = known.has(key) && dice.chance(0.3) ? 'DELETE' : versionId === 1 ? 'POST' : 'PUT'
  const owners = randomOwners(dice)
  const values = randomValues(dice, type)
  const version = { ...newVersion({ type, id, versionId, method }), ...owners, ...(method === 'DELETE' ? {} : { values }) }
  const done = await store.commit({ expects: [{ type, id, seq: before?.seq ?? 'none' }], guards: [], versions: [version] })
  if (!done.ok || !done.value.held) throw new Error('A write of the test was refused')
  const seq = done.value.versions[0]?.seq as number
  if (method === 'DELETE') {
    known.delete(key)
    gone.set(key, { seq, versionId })
  } else known.set(key, { type, id, seq, values, versionId, ...owners })
}

const lies: { dice?: Dice } = {}
/** Tells the planner nonsense, so that it takes ways that no sensible count would make it take. */
const distorted = (real: Engine): Engine => {
  const lie = (count: number): number => Math.round(count * (lies.dice?.of([0, 1, 1, 30, 100_000]) ?? 1))
  return {
    ...real,
    total: type => lie(real.total(type)),
    estimate: (leaf, type) => lie(real.estimate(leaf, type)),
    holders: (type, code) => lie(real.holders(type, code)),
  }
}

const idsOf = (page: readonly { readonly type: string; readonly id: string }[]) => page.map(({ type, id }) => `${type}/${id}`)

type Walk = {
  readonly query: Query
  readonly access: AccessFilter
  readonly state: State
  readonly count: number
  readonly backward: boolean
}

/** All pages one after the other, put together in forward order. */
const walk = ({ query, access, state, count, backward }: Walk): string[] => {
  const pages: string[][] = []
  let position: Position | undefined
  for (let n = 0; n < 300; n++) {
    const at = state.snapshotSeq === undefined ? {} : { snapshotSeq: state.snapshotSeq }
    const outcome = search.search(query, { access, count, backward, ...at, ...(position ? { position } : {}) })
    if (!outcome.ok) throw new Error(outcome.failure.kind)
    const page: SearchPage = outcome.value
    pages.push(idsOf(page.rows))
    if (!page.more) break
    position = (backward ? page.rows[0] : page.rows.at(-1))?.position
  }
  return (backward ? pages.toReversed() : pages).flat()
}

describe('random questions', () => {
  const check = (seed: number, lying: boolean) => {
    const dice = new Dice(seed)
    if (lying) lies.dice = dice
    else delete lies.dice
    const query = randomQuery(dice)
    const access = randomAccess(dice)
    const state = dice.of(states)
    const expected = idsOf(answer(query, access, state.all))
    const count = dice.of([1, 3, 7, 20, 100].filter(size => size * 30 >= expected.length))
    const asked = { query, access, state, count }
    const told = `seed ${seed}: ${JSON.stringify({ query, access, count, snapshot: state.snapshotSeq })}`
    try {
      expect({ told, rows: walk({ ...asked, backward: false }) }).toEqual({ told, rows: expected })
      expect({ told, rows: walk({ ...asked, backward: true }) }).toEqual({ told, rows: expected })
      const at = state.snapshotSeq === undefined ? {} : { snapshotSeq: state.snapshotSeq }
      expect({ told, counted: search.count(query, { access, ...at }) }).toEqual({
        told,
        counted: { ok: true, value: { count: expected.length, reached: false, exact: true } },
      })
      const first = search.search(query, { access, count, total: true, ...at })
      if (!first.ok || first.value.total !== undefined || !first.value.more)
        expect({ told, total: first.ok && first.value.total }).toEqual({ told, total: expected.length })
    } catch (error) {
      throw Error.isError(error) && error.message.includes(told) ? error : new Error(told, { cause: error })
    }
  }

  test('get the answer of looking at every resource', () => {
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) check(seed, false)
  }, 600_000)

  test('get it whatever the planner believes', () => {
    for (let seed = firstSeed + 1_000_000; seed < firstSeed + 1_000_000 + runs; seed++) check(seed, true)
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
const valueTables = new Set(['tok', 'str', 'dat', 'num', 'ref', 'cmp', 'cms', 'live', 'version', 'instance', 'pat', 'own', 'aut'])

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
      const explained = search.explain(query, { access: randomAccess(dice), count: 20 })
      expect({ seed, scanned: explained.ok ? scanned(explained.value) : explained }).toEqual({ seed, scanned: [] })
    }
  })

  test('come in the order of their entries without sorting', () => {
    delete lies.dice
    for (const query of [everybody, hasCode('x'), { ...everybody, sort: [{ code: 'code', kind: 'token', descending: true } as const] }]) {
      const explained = search.explain(query, { access: all, count: 20 })
      expect(explained.ok && explained.value.filter(line => line.includes('TEMP B-TREE FOR ORDER BY'))).toEqual([])
    }
  })

  test('never hold a value', () => {
    const explained = search.explain(hasCode("it's; drop table tok"), { access: { op: 'patient', id: 'secret' }, count: 20 })
    expect(explained.ok && explained.value.filter(line => /drop|secret/.test(line))).toEqual([])
  })

  test('values that look like SQL are values', () => {
    for (const value of ["'", '"', "') or 1 --", '?', '%', '_', '\\', '\u0001'])
      expect(search.search(hasCode(value), { access: all, count: 20 })).toEqual({ ok: true, value: { rows: [], more: false } })
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
      search.search(query, { access: all, count: 20, deadlineAtMs: performance.now() - 1 }),
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
    expect(search.search({ parts: [{ type: 'Patient', where }], sort: [] }, { access: all, count: 20 }).ok).toBe(true)
  })

  test('twenty levels of chain and reverse chain are planned and answered in bounded time', () => {
    let where: Node = { op: 'all' }
    for (let n = 0; n < 10; n++) {
      const partof = { type: 'Organization', code: 'partof', kind: 'reference' } as const
      where = { op: 'chain', param: partof, of: [{ type: 'Organization', where }] }
      where = { op: 'reverse', param: partof, of: { type: 'Organization', where } }
    }
    const started = performance.now()
    expect(search.search({ parts: [{ type: 'Organization', where }], sort: [] }, { access: all, count: 20 }).ok).toBe(true)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('a count stops at its cap', () => {
    expect(search.count(everybody, { access: all, cap: 3 })).toEqual({ ok: true, value: { count: 3, reached: true, exact: false } })
  })

  test('a type or parameter that nobody ever used matches nothing', () => {
    const query: Query = { parts: [{ type: 'Nothing', where: { op: 'all' } }], sort: [] }
    expect(search.search(query, { access: all, count: 20 })).toEqual({ ok: true, value: { rows: [], more: false } })
    expect(search.count(query, { access: all })).toEqual({ ok: true, value: { count: 0, reached: false, exact: true } })
  })
})

test('references gives the targets of a parameter, once each', async () => {
  const newest = states.find(({ snapshotSeq }) => snapshotSeq === undefined)?.all ?? []
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
    const outcome = search.search(query, { access: all, count: 200, filterFor: () => filter })
    return outcome.ok ? outcome.value.rows.length : -1
  }
  expect(rows({ op: 'none' })).toBe(0)
  expect(rows({ op: 'patient', id: 'p1' })).toBeLessThan(rows(all))
})
