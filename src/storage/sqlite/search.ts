import type { DatabaseSync } from 'node:sqlite'
import type { AccessFilter } from '../../base/access-filter.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { everySees, type FilterFor, plainAccess, plainPart, stillSeen } from '../../search/plain.ts'
import type { Engine, PlainPart, Plan } from '../../search/plan.ts'
import { planLines } from '../../search/plan-text.ts'
import { createPlanner, type Planner } from '../../search/planner.ts'
import type { Query, SortKey } from '../../search/tree.ts'
import type { Count, Method, Position, SearchPage, SearchRow } from '../port.ts'
import { compareRows } from '../row-order.ts'
import type { Window } from '../seq-window.ts'
import { msOfSeq } from '../sequence.ts'
import { inOneState } from './connection.ts'
import type { Dictionary } from './dictionary.ts'
import { Estimates } from './estimate.ts'
import { type Found, type Run, readPage, seqsOf } from './search/page.ts'
import { aliases, onceEach, type Reading } from './search/reading.ts'
import { armsOf } from './search/source.ts'
import { sql } from './search/sql.ts'
import { Statements } from './search/statements.ts'
import { ServedWords } from './served-words.ts'

export type SearchAsked = {
  readonly access: AccessFilter
  readonly count: number
  /** The instant (ms) that relations are asked at. */
  readonly now: number
  /** Also tell how many match, when it is a first page and that is exact for next to nothing. */
  readonly total?: boolean
  /** Entries it may be expected to look at: above some thousands it belongs on another thread, and fails `too-costly` here. */
  readonly visitsMax?: number
  readonly snapshotSeq?: number
  readonly position?: Position
  readonly backward?: boolean
  /** On `performance.now()` of this thread. */
  readonly deadlineAtMs?: number
  /** The filter of the types that chains pass through; without it they see everything. */
  readonly filterFor?: FilterFor
}

export type CountAsked = Omit<SearchAsked, 'count' | 'total' | 'position' | 'backward'> & { readonly cap?: number }

/**
 * Searches on one connection, synchronously, each in one read transaction (its caller's, when there is one). They fail `expired-cursor` when
 * entries of the state asked for are gone.
 */
export type SqliteSearch = {
  search(query: Query, asked: SearchAsked): Outcome<SearchPage>
  count(query: Query, asked: CountAsked): Outcome<Count>
  explain(query: Query, asked: SearchAsked): Outcome<readonly string[]>
  /** After a rollback: what was learnt inside the transaction is not so. */
  forget(): void
}

/** Thrown out of a running statement. */
class OutOfTime extends Error {}

/** How much dearer than its deadline a plan must look to be refused unbegun: estimates err. */
const hopelessFactor = 10
/** Entries that may be looked at to tell a total that nobody insisted on; about as many µs as the page takes. */
const cheapVisits = 1000
/** The same where each entry is asked something besides, in µs as the planner reckons, which is about twice what it takes. */
const cheapCost = 500

/** `engine` lets tests tell the planner other counts than those of the store: answers may not depend on them. */
export const createSearch = (
  db: DatabaseSync,
  dictionary: Dictionary,
  options: { readonly engine?: (real: Engine) => Engine } = {},
): SqliteSearch => new Search(db, dictionary, options.engine ?? (real => real))

class Search implements SqliteSearch {
  readonly #db: DatabaseSync
  readonly #dictionary: Dictionary
  readonly #statements: Statements
  readonly #served: ServedWords
  readonly #engineFor: (real: Engine) => Engine
  #estimates: Estimates
  #endsAtMs = Number.POSITIVE_INFINITY
  #ticks = 0

  constructor(db: DatabaseSync, dictionary: Dictionary, engineFor: (real: Engine) => Engine) {
    this.#db = db
    this.#engineFor = engineFor
    this.#dictionary = dictionary
    this.#statements = new Statements(db)
    this.#served = new ServedWords(dictionary)
    this.#estimates = new Estimates(this.#statements)
    // Asked of candidates before anything else (source.ts): a running statement cannot be ended from outside.
    db.function('tick', { varargs: false }, (_seq: unknown) => {
      if ((++this.#ticks & 1) === 0 && performance.now() > this.#endsAtMs) throw new OutOfTime()
      return 1
    })
  }

  search(query: Query, asked: SearchAsked): Outcome<SearchPage> {
    return this.#read(asked, reading => {
      const parts = this.#parts(query, asked, reading)
      const plan = createPlanner(this.#engineFor(this.#estimates.engine(reading)))
      const plans = parts.map(part => plan(part, query.sort, asked.count + 1))
      const refused = refusal(plans, asked)
      if (refused) return refused
      const page = this.#within(plans, asked, () => this.#page(query, plans, asked, reading))
      if (!page.ok || !asked.total || asked.position !== undefined || asked.backward) return page
      const total = page.value.more ? this.#cheapTotal(parts, plans, plan, asked, reading) : page.value.rows.length
      return total === undefined ? page : ok({ ...page.value, total })
    })
  }

  count(query: Query, asked: CountAsked): Outcome<Count> {
    return this.#read(asked, reading => {
      const parts = this.#parts(query, asked, reading)
      const cap = asked.cap ?? Number.POSITIVE_INFINITY
      const counted = this.#countersKnow(parts, reading)
      if (counted !== undefined && counted <= cap) return ok({ count: counted, reached: false, exact: true })
      const plan = createPlanner(this.#engineFor(this.#estimates.engine(reading)))
      const plans = parts.map(part => plan(part, [], Number.POSITIVE_INFINITY))
      return refusal(plans, asked) ?? this.#within(plans, asked, () => ok(this.#countPlans(plans, cap, reading)))
    })
  }

  explain(query: Query, asked: SearchAsked): Outcome<readonly string[]> {
    return this.#read(asked, reading => {
      const lines: string[] = []
      const planner = createPlanner(this.#engineFor(this.#estimates.engine(reading)))
      for (const part of this.#parts(query, asked, reading)) {
        const plan = planner(part, query.sort, asked.count + 1)
        lines.push(...planLines(plan))
        this.#readPart(query.sort, plan, asked, reading, statement => {
          lines.push('statement:', ...statement.text.split('\n').map(line => `  ${line.trim()}`))
          for (const row of this.#statements.rows({ ...statement, text: `explain query plan ${statement.text}` }))
            lines.push(`  plan: ${String(row[3])}`)
          return []
        })
      }
      return ok(lines)
    })
  }

  forget(): void {
    this.#estimates = new Estimates(this.#statements)
    this.#served.forget()
  }

  /** One state of the store for all statements of a search. */
  #read<T>(asked: { readonly snapshotSeq?: number; readonly now: number }, read: (reading: Reading) => Outcome<T>): Outcome<T> {
    return inOneState(this.#db, () => {
      const [someDead, shapes, swept, served] = this.#statements.row(stateFacts) as readonly [number, number, number, number | null]
      const { snapshotSeq, now } = asked
      if (snapshotSeq !== undefined && snapshotSeq < swept) return fail('expired-cursor', {})
      const estimates = this.#estimates
      const dictionary = this.#dictionary
      return read({
        dictionary,
        now,
        ...(snapshotSeq === undefined ? {} : { snapshotSeq }),
        someDead: someDead === 1,
        known: filter => this.#served.known(filter, served),
        shapes: t => estimates.shapes(t, shapes),
        total: type => estimates.total(dictionary.type(type), shapes),
        holders: (type, code) => estimates.holders(dictionary.type(type), dictionary.param(type, code), shapes),
        iid: onceEach((type, id) => dictionary.iid(type, id)),
        patients: filter => estimates.patients(filter, { dictionary, alias: aliases() }),
        alias: aliases(),
      })
    })
  }

  /** Parts that can match something, with their access filters. */
  #parts(
    query: Query,
    { access, filterFor = everySees }: Pick<SearchAsked, 'access' | 'filterFor'>,
    { snapshotSeq, someDead, known }: Reading,
  ): readonly PlainPart[] {
    const seen = snapshotSeq === undefined || !someDead ? undefined : stillSeen
    return query.parts
      .map(part => plainPart(part, access, filterFor, filter => (seen ?? plainAccess)(known(filter))))
      .filter(part => part.where.op !== 'none' && this.#dictionary.type(part.type) !== undefined)
  }

  /** Runs until the deadline; then the answer is that the question costs too much. */
  #within<T>(plans: readonly Plan[], { deadlineAtMs }: { readonly deadlineAtMs?: number }, run: () => Outcome<T>): Outcome<T> {
    this.#endsAtMs = deadlineAtMs ?? Number.POSITIVE_INFINITY
    try {
      return run()
    } catch (error) {
      if (error instanceof OutOfTime) return tooCostly(plans)
      throw error
    } finally {
      this.#endsAtMs = Number.POSITIVE_INFINITY
    }
  }

  #page(query: Query, plans: readonly Plan[], asked: SearchAsked, reading: Reading): Outcome<SearchPage> {
    const backward = asked.backward ?? false
    const parts = plans.map(plan =>
      this.#readPart(query.sort, plan, asked, { ...reading, alias: aliases() }, statement => this.#statements.rows(statement)),
    )
    const found = parts.length === 1 ? (parts[0] as readonly Found[]) : merge(parts, query.sort, backward, asked.count + 1)
    const more = found.length > asked.count
    const rows = this.#rows(more ? found.slice(0, asked.count) : found)
    return ok({ rows: backward ? rows.toReversed() : rows, more })
  }

  #readPart(sort: readonly SortKey[], plan: Plan, asked: SearchAsked, reading: Reading, run: Run): readonly Found[] {
    return readPage(
      {
        plan,
        sort,
        wanted: asked.count + 1,
        ...(asked.position ? { position: asked.position } : {}),
        backward: asked.backward ?? false,
        reading,
        bounds: boundsOf(reading),
      },
      run,
    )
  }

  /** The resources of a page, fetched at the end and only for the page. */
  #rows(found: readonly Found[]): SearchRow[] {
    if (found.length === 0) return []
    const seqs = JSON.stringify(found.map(({ seq }) => seq))
    const rows = this.#statements.rows(sql`select v.vid, v.t, v.method, v.text, i.id
      from json_each(${seqs}) j cross join version v on v.seq = j.value cross join instance i on i.iid = v.iid`)
    // json_each keeps the order of the list, and every seq that was found has its version.
    return rows.map((row, n) => this.#row(row as RowColumns, found[n] as Found))
  }

  #row([vid, t, method, text, id]: RowColumns, { seq, values }: Found): SearchRow {
    return {
      type: this.#dictionary.typeName(t),
      id,
      versionId: vid,
      seq,
      lastUpdated: msOfSeq(seq),
      method: methods[method] as Method,
      deleted: false,
      text,
      position: { values, seq },
    }
  }

  /** Undefined when counting would look at too much. */
  #cheapTotal(
    parts: readonly PlainPart[],
    ofPage: readonly Plan[],
    plan: Planner,
    asked: SearchAsked,
    reading: Reading,
  ): number | undefined {
    const known = this.#countersKnow(parts, reading)
    if (known !== undefined) return known
    const simple = ofPage.every(looksAtMatchesOnly)
    const plans = simple ? ofPage : parts.map(part => plan(part, [], Number.POSITIVE_INFINITY))
    if (visitsOf(plans) > cheapVisits || (!simple && costOf(plans) > cheapCost)) return undefined
    const counted = this.#within(plans, asked, () => ok(this.#countPlans(plans, cheapVisits, reading)))
    return counted.ok && !counted.value.reached ? counted.value.count : undefined
  }

  #countPlans(plans: readonly Plan[], cap: number, reading: Reading): Count {
    let count = 0
    for (const plan of plans) {
      const arms = armsOf(plan.source, boundsOf(reading), { ...reading, alias: aliases() })
      if (arms.length === 0) continue
      const limit = cap === Number.POSITIVE_INFINITY ? sql`` : sql` limit ${cap + 1 - count}`
      count += this.#statements.row(sql`select count(*) from (${seqsOf(arms)}${limit})`)?.[0] as number
      if (count > cap) return { count: cap, reached: true, exact: false }
    }
    return { count, reached: false, exact: true }
  }

  /** Whole types and a single `:missing` have exact counters, when the state asked for is the newest. */
  #countersKnow(parts: readonly PlainPart[], reading: Reading): number | undefined {
    if (!parts.every(({ where }) => where.op === 'all' || where.op === 'missing')) return undefined
    const { snapshotSeq } = reading
    if (snapshotSeq !== undefined && ((this.#statements.row(sql`select max(seq) from version`)?.[0] as number | null) ?? 0) > snapshotSeq)
      return undefined
    return parts.reduce((count, part) => count + this.#counter(part, reading), 0)
  }

  #counter({ type, where }: PlainPart, reading: Reading): number {
    const t = this.#dictionary.type(type) as number // parts of unknown types were left out
    const live = this.#statements.rows(sql`select sh, live from shape where t = ${t} and live > 0`) as readonly (readonly [
      number,
      number,
    ])[]
    if (where.op !== 'missing') return live.reduce((sum, [, n]) => sum + n, 0)
    const p = this.#dictionary.param(where.param.type, where.param.code)
    const having = new Set(reading.shapes(t).flatMap(({ sh, params }) => (p !== undefined && params.has(p) ? sh : [])))
    return live.reduce((sum, [sh, n]) => (having.has(sh) === where.missing ? sum : sum + n), 0)
  }
}

/** Whether superseded versions have entries; the newest shape; up to where entries may be gone (sweep.ts); the newest word that relations serve. */
const stateFacts = sql`select exists (select 1 from dead), (select max(sh) from shape), ifnull((select value from setting where name = 'swept'), 0),
  (select max(g) from served)`

type RowColumns = readonly [vid: number, t: number, method: number, text: Uint8Array, id: string]

/** Entries of one condition and nothing else: counting up to a number looks at hardly more entries than that, so nothing need be guessed. */
const looksAtMatchesOnly = ({ source: { driver, probes } }: Plan): boolean => driver.by === 'entries' && probes.length === 0

const visitsOf = (plans: readonly Plan[]): number => plans.reduce((sum, { visits }) => sum + visits, 0)

const costOf = (plans: readonly Plan[]): number => plans.reduce((sum, { cost }) => sum + cost, 0)

/** Unbegun, because it looks too dear for where it would run. */
const refusal = (plans: readonly Plan[], { visitsMax, deadlineAtMs }: CountAsked): Outcome<never> | undefined => {
  if (visitsMax !== undefined && visitsOf(plans) > visitsMax) return tooCostly(plans)
  if (deadlineAtMs === undefined) return undefined
  const costMs = costOf(plans) / 1000
  return costMs > hopelessFactor * Math.max(1, deadlineAtMs - performance.now()) ? tooCostly(plans) : undefined
}

const methods: Readonly<Record<number, Method>> = { 1: 'POST', 2: 'PUT', 3: 'DELETE' }

const boundsOf = ({ snapshotSeq }: Reading): Window => (snapshotSeq === undefined ? {} : { before: snapshotSeq + 1 })

const tooCostly = (plans: readonly Plan[]): Outcome<never> => {
  const dearest = plans.reduce((worst: Plan | undefined, plan) => (worst && worst.cost >= plan.cost ? worst : plan), undefined)
  return fail('too-costly', { parameter: dearest?.dearest ?? '_type' })
}

/** Parts, each in order, as one list in order. */
const merge = (parts: readonly (readonly Found[])[], sort: readonly SortKey[], backward: boolean, wanted: number): readonly Found[] =>
  parts
    .flat()
    .toSorted((a, b) => (backward ? compareRows(b, a, sort) : compareRows(a, b, sort)))
    .slice(0, wanted)
