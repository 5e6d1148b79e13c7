import { expect } from '@jest/globals'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { Outcome } from '../../src/base/outcome.ts'
import type { Engine } from '../../src/search/plan.ts'
import type { Query } from '../../src/search/tree.ts'
import type { Count, Position, SearchPage, Snapshot, Store } from '../../src/storage/port.ts'
import { Dice, randomAccess, randomId, randomOwners, randomQuery, randomValues, types } from './random-search.ts'
import { answer, type Known } from './search-oracle.ts'
import { newVersion } from './versions.ts'

/** What the store held at a moment; without a snapshot it is what it holds now. */
export type SearchedState = { readonly snapshot?: Snapshot; readonly all: readonly Known[] }

/** Three states: two behind, held by snapshots while writes went on, and the newest, asked for as such and by a snapshot. */
export const writeStates = async (store: Pick<Store, 'commit' | 'snapshot'>, clock: { now: number }): Promise<SearchedState[]> => {
  const dice = new Dice(4711)
  const known = new Map<string, Written>()
  const gone = new Map<string, { seq: number; versionId: number }>()
  const states: SearchedState[] = []
  for (let step = 1; step <= 420; step++) {
    clock.now += dice.of([0, 0, 1])
    await write(store, dice, known, gone)
    if (step === 180 || step === 300) states.push({ snapshot: await store.snapshot(), all: [...known.values()] })
  }
  states.push({ all: [...known.values()] })
  states.push({ snapshot: await store.snapshot(), all: [...known.values()] })
  return states
}

type Written = Known & { readonly versionId: number }

const write = async (
  store: Pick<Store, 'commit'>,
  dice: Dice,
  known: Map<string, Written>,
  gone: Map<string, { seq: number; versionId: number }>,
): Promise<void> => {
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

/** Tells the planner nonsense while it has dice, so that it takes ways that no sensible count would make it take. */
export class Distortion {
  dice?: Dice | undefined

  readonly engine = (real: Engine): Engine => ({
    ...real,
    total: type => this.#lie(real.total(type)),
    estimate: (leaf, type) => this.#lie(real.estimate(leaf, type)),
    holders: (type, code) => this.#lie(real.holders(type, code)),
  })

  #lie(count: number): number {
    return Math.round(count * (this.dice?.of([0, 1, 1, 30, 100_000]) ?? 1))
  }
}

type Asked = { readonly access: AccessFilter; readonly snapshot?: Snapshot }
type PageAsked = Asked & { readonly count: number; readonly total?: boolean; readonly position?: Position; readonly backward?: boolean }

/** A search of an engine, as the tests ask it. */
export type Searched = {
  search(query: Query, asked: PageAsked): Promise<Outcome<SearchPage>> | Outcome<SearchPage>
  count(query: Query, asked: Asked): Promise<Outcome<Count>> | Outcome<Count>
}

/** A random question, made from the seed: all pages in both directions, the count and the total are those of looking at every resource. */
export const checkRandomSearch = async (
  seed: number,
  searched: Searched,
  states: readonly SearchedState[],
  lying?: Distortion,
): Promise<void> => {
  const dice = new Dice(seed)
  if (lying) lying.dice = dice
  const query = randomQuery(dice)
  const access = randomAccess(dice)
  const { snapshot, all } = dice.of(states)
  const asked = { access, ...(snapshot ? { snapshot } : {}) }
  const expected = idsOf(answer(query, access, all))
  const count = dice.of([1, 3, 7, 20, 100].filter(size => size * 30 >= expected.length))
  const told = `seed ${seed}: ${JSON.stringify({ query, access, count, snapshot })}`
  try {
    expect({ told, rows: await walk(searched, query, { ...asked, count, backward: false }) }).toEqual({ told, rows: expected })
    expect({ told, rows: await walk(searched, query, { ...asked, count, backward: true }) }).toEqual({ told, rows: expected })
    expect({ told, counted: await searched.count(query, asked) }).toEqual({
      told,
      counted: { ok: true, value: { count: expected.length, reached: false, exact: true } },
    })
    const first = await searched.search(query, { ...asked, count, total: true })
    if (!first.ok || first.value.total !== undefined || !first.value.more)
      expect({ told, total: first.ok && first.value.total }).toEqual({ told, total: expected.length })
  } catch (error) {
    throw Error.isError(error) && error.message.includes(told) ? error : new Error(told, { cause: error })
  }
}

/** All pages one after the other, put together in forward order. */
const walk = async (searched: Searched, query: Query, asked: PageAsked): Promise<string[]> => {
  const pages: string[][] = []
  let position: Position | undefined
  for (let n = 0; n < 300; n++) {
    const outcome = await searched.search(query, { ...asked, ...(position ? { position } : {}) })
    if (!outcome.ok) throw new Error(outcome.failure.kind)
    const page: SearchPage = outcome.value
    pages.push(idsOf(page.rows))
    if (!page.more) break
    position = (asked.backward ? page.rows[0] : page.rows.at(-1))?.position
  }
  return (asked.backward ? pages.toReversed() : pages).flat()
}

const idsOf = (page: readonly { readonly type: string; readonly id: string }[]) => page.map(({ type, id }) => `${type}/${id}`)
