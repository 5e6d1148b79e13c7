import { type AccessFilter, lookupsOf } from '../../base/access-filter.ts'
import type { Deadline } from '../../base/deadline.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { everySees, type FilterFor, plainPart, stillSeen } from '../../search/plain.ts'
import type { Engine, PlainPart, Plan } from '../../search/plan.ts'
import { planLines } from '../../search/plan-text.ts'
import { createPlanner, type Planner } from '../../search/planner.ts'
import type { Query, SortKey } from '../../search/tree.ts'
import type { Count, Key, Position, SearchPage } from '../port.ts'
import { compareRows } from '../row-order.ts'
import type { Database } from './database.ts'
import { type Counts, Estimates } from './estimate.ts'
import { isTransient } from './failures.ts'
import { without } from './served-words.ts'
import { type AccessBounds, accessBounds } from './search/access-bounds.ts'
import { clearanceOf, countClosed } from './search/clearance.ts'
import { countSources } from './search/counting.ts'
import { explainCommand } from './search/explained.ts'
import { Matching } from './search/matching.ts'
import { type Found, readPage } from './search/page.ts'
import { Passing } from './search/passing.ts'
import { type Command, OutOfTime, Reading, StateGone } from './search/reading.ts'
import { referencesOf } from './search/references.ts'
import { LargeRelations, RelationsKnown } from './search/relations-known.ts'
import { rowsOf } from './search/rows.ts'
import type { Repeats } from './repeats.ts'
import type { State } from './state.ts'
import { TypesAt } from './types-at.ts'

export type SearchAsked = {
  readonly state: State
  readonly access: AccessFilter
  readonly count: number
  /** Also tell how many match, when it is a first page and that is exact for next to nothing. */
  readonly total?: boolean | undefined
  readonly position?: Position | undefined
  readonly backward?: boolean | undefined
  readonly deadline?: Deadline | undefined
  /** The filter of the types that chains pass through; without it they see everything. */
  readonly filterFor?: FilterFor | undefined
}

export type CountAsked = Omit<SearchAsked, 'count' | 'total' | 'position' | 'backward'> & { readonly cap?: number | undefined }

/** A page and the state that it was read from. */
export type StatePage = SearchPage & { readonly state: State }

/**
 * Searches, each in one state: that of a snapshot or of a transaction under way, or else the newest. They fail `expired-cursor` when the database
 * no longer has what the state held, `too-costly` when the deadline ends first.
 */
export type MongoSearch = {
  search(query: Query, asked: SearchAsked): Promise<Outcome<StatePage>>
  count(query: Query, asked: CountAsked): Promise<Outcome<Count>>
  explain(query: Query, asked: SearchAsked): Promise<Outcome<readonly string[]>>
  /** Targets that the current versions with these seqs refer to by the parameter. */
  references(
    seqs: readonly number[],
    type: string,
    param: string,
    state?: State,
  ): Promise<readonly { readonly seq: number; readonly target: Key }[]>
}

export type SearchOptions = {
  readonly counts: Counts
  /** As the documents were written. */
  readonly repeats: Repeats
  /** Lets tests tell the planner other counts than those of the store: answers may not depend on them. */
  readonly engine?: (real: Engine) => Engine
  /** Lets tests go the ways that only large stores go. */
  readonly bounds?: Partial<AccessBounds>
}

/** How much dearer than its deadline a plan must look to be refused unbegun: estimates err. */
const hopelessFactor = 10
/** Documents that may be looked at to tell a total that nobody insisted on; the same as SQLite has, so that the same pages tell it. */
const cheapVisits = 1000
/** The same where each is asked something besides, in µs as the planner reckons. */
const cheapCost = 500
/** Of the newest states one may be gone when an index is being built. */
const attemptsMax = 3
/** Commands explained; a question seldom has more than some. */
const explainedMax = 40

export const createSearch = (database: Database, options: SearchOptions): MongoSearch => new Search(database, options)

/** Of words. */
const nothing: ReadonlySet<string> = new Set()

type Asked = Pick<SearchAsked, 'state' | 'access' | 'deadline' | 'filterFor'>

class Search implements MongoSearch {
  readonly #database: Database
  readonly #types: TypesAt
  readonly #estimates: Estimates
  readonly #counts: Counts
  readonly #repeats: Repeats
  readonly #bounds: AccessBounds
  readonly #large = new LargeRelations()
  readonly #passing = new Passing()

  constructor(database: Database, { counts, repeats, engine = real => real, bounds = {} }: SearchOptions) {
    this.#database = database
    this.#types = new TypesAt(database)
    this.#counts = counts
    this.#repeats = repeats
    this.#bounds = { ...accessBounds, ...bounds }
    this.#estimates = new Estimates(database, counts, repeats, engine)
  }

  search(query: Query, given: SearchAsked): Promise<Outcome<StatePage>> {
    return this.#inOneState(given, async (asked, reading, plansMade) => {
      const parts = await this.#parts(query, asked, reading)
      const plans = await this.#plans(parts, query.sort, asked.count + 1)
      plansMade(plans)
      const refused = refusal(plans, asked)
      if (refused) return refused
      const page = await this.#page(query, plans, asked, reading)
      const isFirst = asked.position === undefined && asked.backward !== true
      const total =
        !asked.total || !isFirst
          ? undefined
          : page.more
            ? await this.#cheapTotal(parts, plans, new Matching(reading, this.#repeats, this.#bounds), reading)
            : page.rows.length
      await reading.settle()
      return ok({ ...page, ...(total === undefined ? {} : { total }), state: reading.state })
    })
  }

  count(query: Query, given: CountAsked): Promise<Outcome<Count>> {
    return this.#inOneState(given, async (asked, reading, plansMade) => {
      const parts = await this.#parts(query, asked, reading)
      const cap = asked.cap ?? Number.POSITIVE_INFINITY
      const counted = (await this.#countersKnow(parts, reading)) ?? (await this.#countCleared(parts, reading))
      if (counted !== undefined && counted <= cap) return ok({ count: counted, reached: false, exact: true })
      const plans = await this.#plans(parts, [], Number.POSITIVE_INFINITY)
      plansMade(plans)
      return refusal(plans, asked) ?? ok(await this.#countPlans(plans, cap, new Matching(reading, this.#repeats, this.#bounds), reading))
    })
  }

  explain(query: Query, given: SearchAsked): Promise<Outcome<readonly string[]>> {
    const commands: Command[] = []
    return this.#inOneState(
      given,
      async (asked, reading) => {
        const parts = await this.#parts(query, asked, reading)
        const lines: string[] = []
        for (const part of parts) {
          // The lines ask the planner for more than the plan did.
          const { plan, text } = await this.#estimates.planned(engine => {
            const made = createPlanner(engine)(part, query.sort, asked.count + 1)
            return { plan: made, text: planLines(made) }
          })
          commands.length = 0
          await this.#readPart(query, plan, asked, reading, parts.length === 1)
          lines.push(...text)
          for (const command of commands.slice(0, explainedMax)) lines.push(...(await explainCommand(command, reading)))
        }
        return ok(lines)
      },
      command => commands.push(command),
    )
  }

  async references(
    seqs: readonly number[],
    type: string,
    param: string,
    state: State = {},
  ): Promise<readonly { readonly seq: number; readonly target: Key }[]> {
    return referencesOf(seqs, type, param, new Reading(this.#database, this.#types, { state }))
  }

  /**
   * The newest state may be gone before all is read (an index is built): then there is a newer one. `read` is asked without the words of relations
   * that are believed to serve nobody. A word never goes, so that those that serve nobody when it ends served nobody while it read; where one does,
   * relations may have been seen as they were both before and after.
   */
  async #inOneState<A extends Asked, T>(
    given: A,
    read: (asked: A, reading: Reading, plansMade: (plans: readonly Plan[]) => void) => Promise<Outcome<T>>,
    told?: (command: Command) => void,
  ): Promise<Outcome<T>> {
    const { state, deadline } = given
    for (let attempt = 1; ; attempt++) {
      let plans: readonly Plan[] = []
      const reading = new Reading(this.#database, this.#types, { state, deadline, ...(told ? { told } : {}) })
      try {
        const { served } = this.#database
        const absent = attempt === attemptsMax ? nothing : await served.believedAbsentIn(given.access)
        const asked = { ...given, access: without(given.access, absent) }
        const reads = (): Promise<Outcome<T>> =>
          read(asked, reading, made => {
            plans = made
          })
        // Where no relation is left to be seen, any moment will do to ask whether the words serve nobody.
        const [answer, sure] =
          lookupsOf(asked.access).length === 0
            ? await Promise.all([reads(), served.areAbsent(absent)])
            : [await reads(), await served.areAbsent(absent)]
        if (sure) return answer
      } catch (error) {
        if (error instanceof OutOfTime) return tooCostly(plans)
        // Waited for, and asked for again: there is no primary.
        if (isAway(error, state)) return fail('no-store', {}, { retryAfterSeconds: 5 })
        if (!(error instanceof StateGone)) throw error
        if (state.at !== undefined || attempt === attemptsMax) return fail('expired-cursor', {})
      }
    }
  }

  /** Parts that can match something, with their access filters and the patients of small relations. */
  async #parts(query: Query, asked: Asked, reading: Reading): Promise<readonly PlainPart[]> {
    const { access, filterFor = everySees } = asked
    const parts: PlainPart[] = []
    const relations = new RelationsKnown(reading, this.#bounds, this.#large)
    const seen = asked.state.at === undefined ? undefined : stillSeen
    for (const part of query.parts) {
      const plain = plainPart(part, access, filterFor, seen)
      if (plain.where.op !== 'none' && (await reading.has(part.type))) parts.push(await relations.in(plain))
    }
    return parts
  }

  #plans(parts: readonly PlainPart[], sort: readonly SortKey[], wanted: number): Promise<readonly Plan[]> {
    return this.#estimates.planned(engine => {
      const plan: Planner = createPlanner(engine)
      return parts.map(part => plan(part, sort, wanted))
    })
  }

  async #page(query: Query, plans: readonly Plan[], asked: SearchAsked, reading: Reading): Promise<SearchPage> {
    const backward = asked.backward ?? false
    const parts = await reading.together(plans.map(plan => () => this.#readPart(query, plan, asked, reading, plans.length === 1)))
    const [only] = parts
    const found = only && parts.length === 1 ? only : merged(parts, query.sort, backward, asked.count + 1)
    const more = found.length > asked.count
    const rows = await rowsOf(more ? found.slice(0, asked.count) : found, reading)
    return { rows: backward ? rows.toReversed() : rows, more }
  }

  async #readPart(query: Query, plan: Plan, asked: SearchAsked, reading: Reading, alone: boolean): Promise<readonly Found[]> {
    const { sort } = query
    const { position, backward = false, count } = asked
    const matching = new Matching(reading, this.#repeats, this.#bounds)
    const page = { plan, sort, wanted: count + 1, position, backward, alone }
    return readPage(page, reading, matching, this.#passing)
  }

  /** Undefined when counting would look at too much. */
  async #cheapTotal(
    parts: readonly PlainPart[],
    ofPage: readonly Plan[],
    matching: Matching,
    reading: Reading,
  ): Promise<number | undefined> {
    const known = await this.#countersKnow(parts, reading)
    if (known !== undefined) return known
    const simple = ofPage.every(looksAtMatchesOnly)
    const plans = simple ? ofPage : await this.#plans(parts, [], Number.POSITIVE_INFINITY)
    if (visitsOf(plans) > cheapVisits || (!simple && costOf(plans) > cheapCost)) return undefined
    const { count, reached } = await this.#countPlans(plans, cheapVisits, matching, reading)
    return reached ? undefined : count
  }

  async #countPlans(plans: readonly Plan[], cap: number, matching: Matching, reading: Reading): Promise<Count> {
    let count = 0
    for (const { source } of plans) {
      count += await countSources(source, matching, reading, cap - count)
      if (count > cap) return { count: cap, reached: true, exact: false }
    }
    return { count, reached: false, exact: true }
  }

  /** Whole types and a single `:missing` have exact counters, in every state. */
  async #countersKnow(parts: readonly PlainPart[], reading: Reading): Promise<number | undefined> {
    if (!parts.every(({ where }) => where.op === 'all' || where.op === 'missing')) return undefined
    return this.#counted(parts, reading)
  }

  /** What a clearance lets through is all but the few that it does not. */
  async #countCleared(parts: readonly PlainPart[], reading: Reading): Promise<number | undefined> {
    const [part, ...others] = parts
    const filter = part === undefined || others.length > 0 ? undefined : clearanceOf(part)
    if (part === undefined || filter === undefined) return undefined
    const closed = await countClosed(part.type, filter, reading, this.#bounds)
    return closed === undefined ? undefined : (await this.#counted([{ ...part, where: { op: 'all' } }], reading)) - closed
  }

  async #counted(parts: readonly PlainPart[], reading: Reading): Promise<number> {
    await reading.settle()
    const [counts, shapes] = await Promise.all([
      this.#counts(reading.state),
      Promise.all(parts.map(({ type }) => this.#database.dictionary.shapes(type))),
    ])
    const of = ({ where }: PlainPart, n: number): number =>
      (shapes[n] ?? [])
        .filter(({ codes }) => where.op !== 'missing' || codes.has(where.param.code) !== where.missing)
        .reduce((sum, { shape }) => sum + (counts.get(shape) ?? 0), 0)
    return parts.reduce((sum, part, n) => sum + of(part, n), 0)
  }
}

/** Within a transaction it is for who began it to decide. */
const isAway = (error: unknown, { session }: State): boolean => session?.inTransaction() !== true && isTransient(error)

/** Entries of one condition and nothing else: counting up to a number looks at hardly more than that, so nothing need be guessed. */
const looksAtMatchesOnly = ({ source: { driver, probes } }: Plan): boolean => driver.by === 'entries' && probes.length === 0

const visitsOf = (plans: readonly Plan[]): number => plans.reduce((sum, { visits }) => sum + visits, 0)

const costOf = (plans: readonly Plan[]): number => plans.reduce((sum, { cost }) => sum + cost, 0)

/** Unbegun, because it looks too dear for its time. */
const refusal = (plans: readonly Plan[], { deadline }: Asked): Outcome<never> | undefined => {
  if (deadline === undefined) return undefined
  return costOf(plans) / 1000 > hopelessFactor * Math.max(1, deadline.endsAtMs - performance.now()) ? tooCostly(plans) : undefined
}

const tooCostly = (plans: readonly Plan[]): Outcome<never> => {
  const dearest = plans.reduce((worst: Plan | undefined, plan) => (worst && worst.cost >= plan.cost ? worst : plan), undefined)
  return fail('too-costly', { parameter: dearest?.dearest ?? '_type' })
}

/** Parts, each in order, as one list in order. */
const merged = (parts: readonly (readonly Found[])[], sort: readonly SortKey[], backward: boolean, wanted: number): readonly Found[] =>
  parts
    .flat()
    .toSorted((a, b) => (backward ? compareRows(b, a, sort) : compareRows(a, b, sort)))
    .slice(0, wanted)
