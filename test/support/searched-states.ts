import { expect } from '@jest/globals'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import type { Outcome } from '../../src/base/outcome.ts'
import type { Engine } from '../../src/search/plan.ts'
import type { Query } from '../../src/search/tree.ts'
import type { Count, Position, Relation, SearchPage, Snapshot, Store } from '../../src/storage/port.ts'
import { Dice, randomAccess, randomId, randomOwners, randomQuery, randomRelations, randomValues, types } from './random-search.ts'
import { answer, type Known, type Subject, type World } from './search-oracle.ts'
import { newVersion } from './versions.ts'

/** What the store held at a moment; without a snapshot it is what it holds now. */
export type SearchedState = World & { readonly snapshot?: Snapshot }

/** Three states: two behind, held by snapshots while writes went on, and the newest, asked for as such and by a snapshot. */
export const writeStates = async (store: Pick<Store, 'commit' | 'snapshot'>, clock: { now: number }): Promise<SearchedState[]> => {
  const dice = new Dice(4711)
  const known = new Map<string, Written>()
  const gone = new Map<string, Gone>()
  const states: { readonly snapshot?: Snapshot; readonly all: readonly Written[] }[] = []
  for (let step = 1; step <= 420; step++) {
    clock.now += dice.of([0, 0, 1])
    await write(store, clock.now, dice, known, gone)
    if (step === 180 || step === 300) states.push({ snapshot: await store.snapshot(), all: [...known.values()] })
  }
  states.push({ all: [...known.values()] })
  states.push({ snapshot: await store.snapshot(), all: [...known.values()] })
  const relations = [...known.values()].flatMap(one => one.relations)
  return states.map(state => ({ ...state, relations, now: clock.now }))
}

/** `versionId` and `seq` count on when it is deleted. */
type Written = Known & { readonly versionId: number; readonly relations: readonly Relation[] }
type Gone = Subject & { readonly seq: number; readonly versionId: number }

const write = async (
  store: Pick<Store, 'commit'>,
  now: number,
  dice: Dice,
  known: Map<string, Written>,
  gone: Map<string, Gone>,
): Promise<void> => {
  const type = dice.of(types)
  const id = randomId(dice)
  const key = `${type}/${id}`
  const before = known.get(key) ?? gone.get(key)
  const versionId = (before?.versionId ?? 0) + 1
  const method = known.has(key) && dice.chance(0.3) ? 'DELETE' : versionId === 1 ? 'POST' : 'PUT'
  const owners = randomOwners(dice)
  const values = randomValues(dice, type)
  const relations = randomRelations(dice, now)
  const version = { ...newVersion({ type, id, versionId, method }), ...owners, relations, ...(method === 'DELETE' ? {} : { values }) }
  const done = await store.commit({ expects: [{ type, id, seq: before?.seq ?? 'none' }], guards: [], versions: [version] })
  if (!done.ok || !done.value.held) throw new Error('A write of the test was refused')
  const seq = done.value.versions[0]?.seq as number
  if (method === 'DELETE') {
    known.delete(key)
    gone.set(key, { id, seq, versionId, ...owners })
    return
  }
  // Whichever is asked last: it lives, or was deleted.
  const newest = (): Subject => (known.get(key) ?? gone.get(key)) as Subject
  known.set(key, { type, id, seq, values, versionId, relations, newest, ...owners })
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
  const state = dice.of(states)
  const { snapshot } = state
  const asked = { access, ...(snapshot ? { snapshot } : {}) }
  const expected = idsOf(answer(query, access, state))
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
