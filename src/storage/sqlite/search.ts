import type { DatabaseSync } from 'node:sqlite'
import type { AccessFilter } from '../../base/access-filter.ts'
import { fail, ok, type Outcome } from '../../base/outcome.ts'
import { compareUtf8 } from '../../search/normal-form.ts'
import { everySees, type FilterFor, plainPart } from '../../search/plain.ts'
import type { Engine, Plan } from '../../search/plan.ts'
import { planLines } from '../../search/plan-text.ts'
import { planPart } from '../../search/planner.ts'
import type { Query, SortKey } from '../../search/tree.ts'
import type { Count, Key, Method, Position, SearchPage, SearchRow } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import type { Dictionary } from './dictionary.ts'
import { Estimates } from './estimate.ts'
import type { Window } from './search/last-updated.ts'
import { type Found, readPage, seqsOf } from './search/page.ts'
import { aliases, type Reading } from './search/reading.ts'
import { armsOf } from './search/source.ts'
import { type Sql, sql } from './search/sql.ts'
import { Statements } from './search/statements.ts'

export type SearchAsked = {
  readonly access: AccessFilter
  readonly count: number
  readonly snapshotSeq?: number
  readonly position?: Position
  readonly backward?: boolean
  /** On `performance.now()` of this thread. */
  readonly deadlineAtMs?: number
  /** The filter of the types that chains pass through; without it they see everything. */
  readonly filterFor?: FilterFor
}

export type CountAsked = Omit<SearchAsked, 'count' | 'position' | 'backward'> & { readonly cap?: number; readonly cheap?: boolean }

/** Searches on one connection, synchronously, each in one read transaction (its caller's, when there is one). */
export type SqliteSearch = {
  search(query: Query, asked: SearchAsked): Outcome<SearchPage>
  /** With `cheap`, exact only when that costs next to nothing; else the planner's guess with `exact: false`. */
  count(query: Query, asked: CountAsked): Outcome<Count>
  explain(query: Query, asked: SearchAsked): Outcome<readonly string[]>
  /** Entries a search is expected to look at: above some thousands it belongs on another thread. */
  expectedVisits(query: Query, access: AccessFilter, count: number): number
  references(seqs: readonly number[], type: string, param: string): readonly { readonly seq: number; readonly target: Key }[]
  /** After a rollback: what was learnt inside the transaction is not so. */
  forget(): void
}

/** Thrown out of a running statement. */
class OutOfTime extends Error {}

/** How much dearer than its deadline a plan must look to be refused unbegun: estimates err. */
const hopelessFactor = 10
/** Rows that a cheap count may look at. */
const cheapVisits = 1000

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
  readonly #engineFor: (real: Engine) => Engine
  #estimates: Estimates
  #endsAtMs = Number.POSITIVE_INFINITY
  #ticks = 0

  constructor(db: DatabaseSync, dictionary: Dictionary, engineFor: (real: Engine) => Engine) {
    this.#db = db
    this.#engineFor = engineFor
    this.#dictionary = dictionary
    this.#statements = new Statements(db)
    this.#estimates = new Estimates(this.#statements)
    // Asked of each candidate before anything else: a running statement cannot be ended from outside.
    db.function('tick', { varargs: false }, (_seq: unknown) => {
      if ((++this.#ticks & 63) === 0 && performance.now() > this.#endsAtMs) throw new OutOfTime()
      return 1
    })
  }

  search(query: Query, asked: SearchAsked): Outcome<SearchPage> {
    return this.#read(asked, reading => {
      const plans = this.#plans(query, asked, asked.count + 1, reading)
      const hopeless = this.#hopeless(plans, asked.deadlineAtMs)
      if (hopeless) return hopeless
      return this.#within(plans, asked, () => this.#page(query, plans, asked, reading))
    })
  }

  count(query: Query, asked: CountAsked): Outcome<Count> {
    return this.#read(asked, reading => {
      const counted = this.#countersKnow(query, asked, reading)
      if (counted !== undefined) return ok({ count: counted, reached: false, exact: true })
      const cap = asked.cap ?? Number.POSITIVE_INFINITY
      const plans = this.#plans(query, asked, Number.POSITIVE_INFINITY, reading)
      const visits = plans.reduce((sum, plan) => sum + plan.visits, 0)
      if (asked.cheap && visits > cheapVisits)
        return ok({
          count: Math.min(
            cap,
            plans.reduce((sum, plan) => sum + plan.matches, 0),
          ),
          reached: false,
          exact: false,
        })
      return this.#within(plans, asked, () => ok(this.#countPlans(plans, cap, reading)))
    })
  }

  explain(query: Query, asked: SearchAsked): Outcome<readonly string[]> {
    return this.#read(asked, reading => {
      const lines: string[] = []
      for (const plan of this.#plans(query, asked, asked.count + 1, reading)) {
        lines.push(...planLines(plan))
        this.#readPart(query.sort, plan, asked, reading, statement => {
          lines.push('statement:', ...statement.text.split('\n').map(line => `  ${line.trim()}`))
          for (const row of this.#statements.all({ ...statement, text: `explain query plan ${statement.text}` }))
            lines.push(`  plan: ${String(row.detail)}`)
          return []
        })
      }
      return ok(lines)
    })
  }

  expectedVisits(query: Query, access: AccessFilter, count: number): number {
    const visits = this.#read({}, reading =>
      ok(this.#plans(query, { access }, count + 1, reading).reduce((sum, plan) => sum + plan.visits, 0)),
    )
    return visits.ok ? visits.value : 0
  }

  references(seqs: readonly number[], type: string, param: string): readonly { readonly seq: number; readonly target: Key }[] {
    const p = this.#dictionary.param(type, param)
    if (p === undefined || seqs.length === 0) return []
    const rows = this.#statements.all(sql`select r.seq as seq, i.t as t, i.id as id from json_each(${JSON.stringify(seqs)}) j
      cross join ref r indexed by ref_f on r.seq = j.value and r.p = ${p} cross join instance i on i.iid = r.iid`)
    return rows.map(({ seq, t, id }) => ({
      seq: seq as number,
      target: { type: this.#dictionary.typeName(t as number), id: id as string },
    }))
  }

  forget(): void {
    this.#estimates = new Estimates(this.#statements)
  }

  /** One state of the store for all statements of a search. */
  #read<T>(asked: { readonly snapshotSeq?: number }, read: (reading: Reading) => Outcome<T>): Outcome<T> {
    if (this.#db.isTransaction) return read(this.#reading(asked.snapshotSeq))
    this.#statements.get(sql`begin`)
    try {
      return read(this.#reading(asked.snapshotSeq))
    } finally {
      this.#statements.get(sql`commit`)
    }
  }

  #reading(snapshotSeq: number | undefined): Reading {
    const estimates = this.#estimates
    const dictionary = this.#dictionary
    return {
      dictionary,
      ...(snapshotSeq === undefined ? {} : { snapshotSeq }),
      someDead: this.#statements.get(sql`select 1 as n from dead limit 1`) !== undefined,
      shapes: t => estimates.shapes(t),
      holders: (type, code) => estimates.holders(dictionary.type(type), dictionary.param(type, code)),
      alias: aliases(),
    }
  }

  #plans(query: Query, asked: Pick<SearchAsked, 'access' | 'filterFor'>, wanted: number, reading: Reading): readonly Plan[] {
    const engine = this.#engineFor(this.#estimates.engine(reading))
    return query.parts
      .map(part => plainPart(part, asked.access, asked.filterFor ?? everySees))
      .filter(part => part.where.op !== 'none' && this.#dictionary.type(part.type) !== undefined)
      .map(part => planPart(part, query.sort, wanted, engine))
  }

  #hopeless(plans: readonly Plan[], deadlineAtMs: number | undefined): Outcome<never> | undefined {
    if (deadlineAtMs === undefined) return undefined
    const costMs = plans.reduce((sum, plan) => sum + plan.cost, 0) / 1000
    return costMs > hopelessFactor * Math.max(1, deadlineAtMs - performance.now()) ? tooCostly(plans) : undefined
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
      this.#readPart(query.sort, plan, asked, { ...reading, alias: aliases() }, statement => this.#statements.all(statement)),
    )
    const found = parts.length === 1 ? (parts[0] as readonly Found[]) : merge(parts, query.sort, backward, asked.count + 1)
    const more = found.length > asked.count
    const rows = this.#rows(more ? found.slice(0, asked.count) : found)
    return ok({ rows: backward ? rows.toReversed() : rows, more })
  }

  #readPart(
    sort: readonly SortKey[],
    plan: Plan,
    asked: SearchAsked,
    reading: Reading,
    run: (statement: Sql) => readonly Readonly<Record<string, unknown>>[],
  ): readonly Found[] {
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
    const rows = this.#statements.all(sql`select v.seq as seq, v.vid as vid, v.t as t, v.method as method, v.text as text, i.id as id
      from json_each(${seqs}) j cross join version v on v.seq = j.value cross join instance i on i.iid = v.iid`)
    // json_each keeps the order of the list, and every seq that was found has its version.
    return rows.map((row, n) => this.#row(row, found[n] as Found))
  }

  #row(row: Readonly<Record<string, unknown>>, { seq, values }: Found): SearchRow {
    return {
      type: this.#dictionary.typeName(row.t as number),
      id: row.id as string,
      versionId: row.vid as number,
      seq,
      lastUpdated: msOfSeq(seq),
      method: methods[row.method as number] as Method,
      deleted: false,
      text: row.text as Uint8Array,
      position: { values, seq },
    }
  }

  #countPlans(plans: readonly Plan[], cap: number, reading: Reading): Count {
    let count = 0
    for (const plan of plans) {
      const arms = armsOf(plan.source, boundsOf(reading), { ...reading, alias: aliases() })
      if (arms.length === 0) continue
      const limit = cap === Number.POSITIVE_INFINITY ? sql`` : sql` limit ${cap + 1 - count}`
      count += this.#statements.get(sql`select count(*) as n from (${seqsOf(arms)}${limit})`)?.n as number
      if (count > cap) return { count: cap, reached: true, exact: false }
    }
    return { count, reached: false, exact: true }
  }

  /** Whole types and a single `:missing` have exact counters, when the state asked for is the newest. */
  #countersKnow(query: Query, asked: CountAsked, reading: Reading): number | undefined {
    const parts = query.parts.map(part => plainPart(part, asked.access, asked.filterFor ?? everySees))
    if (!parts.every(({ where }) => where.op === 'all' || where.op === 'none' || where.op === 'missing')) return undefined
    const { snapshotSeq } = asked
    if (
      snapshotSeq !== undefined &&
      ((this.#statements.get(sql`select max(seq) as n from version`)?.n as number | null) ?? 0) > snapshotSeq
    )
      return undefined
    let count = 0
    for (const { type, where } of parts) {
      const t = this.#dictionary.type(type)
      if (t === undefined || where.op === 'none') continue
      const live = this.#statements.all(sql`select sh, live as n from shape where t = ${t} and live > 0`)
      const p = where.op === 'missing' ? this.#dictionary.param(where.param.type, where.param.code) : undefined
      const having =
        where.op === 'missing' && p !== undefined
          ? new Set(
              reading
                .shapes(t)
                .filter(({ params }) => params.has(p))
                .map(({ sh }) => sh),
            )
          : undefined
      for (const { sh, n } of live)
        if (where.op !== 'missing' || (having?.has(sh as number) ?? false) !== where.missing) count += n as number
    }
    return asked.cap !== undefined && count > asked.cap ? undefined : count
  }
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
    .toSorted((a, b) => (backward ? compareFound(b, a, sort) : compareFound(a, b, sort)))
    .slice(0, wanted)

const compareFound = (a: Found, b: Found, sort: readonly SortKey[]): number => {
  for (const [i, { descending }] of sort.entries()) {
    const x = a.values[i] ?? null
    const y = b.values[i] ?? null
    if (x === y) continue
    if (x === null) return 1
    if (y === null) return -1
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : compareUtf8(String(x), String(y))
    if (order !== 0) return descending ? -order : order
  }
  const [first] = sort
  const newestFirst = (first?.descending ?? true) || (a.values[0] ?? null) === null
  return newestFirst ? b.seq - a.seq : a.seq - b.seq
}
