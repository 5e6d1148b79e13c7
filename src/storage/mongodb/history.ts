import { setImmediate } from 'node:timers/promises'
import { isOver } from '../../base/deadline.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { HistoryOptions, HistoryPage, HistoryScope } from '../port.ts'
import { firstSeqOf } from '../sequence.ts'
import { AccessOfVersions } from './access-of-versions.ts'
import type { Database } from './database.ts'
import type { Reader } from './reader.ts'
import { type Bounds, boundsFrom, countIn, nextSeqs, type Row, SeqsAhead, type Source, seqsIn } from './seqs-ahead.ts'
import { isExpired, stateOf } from './snapshot.ts'
import type { State } from './state.ts'
import { TypesAt } from './types-at.ts'

/** Versions looked at between two looks at the clock. */
const chunk = 1_000
/** Seqs read ahead of each source: of many sources few are needed of each. */
const aheadOf = (sources: number): number => (sources <= 8 ? chunk : 250)
/** No version ends later, none begins. */
const nothing = Number.MAX_SAFE_INTEGER

/**
 * Histories of an instance, some types or everything. First the seqs in view, out of the indexes alone and of all collections in one command, which
 * sees one state of them: a version that is superseded meanwhile is seen once. Where an access filter decides, they are read ahead source by source and
 * judged in chunks, so that a deadline is kept however few it lets through. Then the texts of the page alone.
 */
export class History {
  readonly #database: Database
  readonly #reader: Reader
  readonly #access: AccessOfVersions
  readonly #types: TypesAt

  constructor(database: Database, reader: Reader) {
    this.#database = database
    this.#reader = reader
    this.#access = new AccessOfVersions(database)
    this.#types = new TypesAt(database)
  }

  async page(scope: HistoryScope, options: HistoryOptions): Promise<Outcome<HistoryPage>> {
    const state = options.snapshot === undefined ? {} : stateOf(this.#database, options.snapshot)
    if (state === undefined) return fail('expired-cursor', {})
    try {
      return await this.#pageAt(await this.#sources(scope, state), scope, options, state)
    } catch (error) {
      if (isExpired(error)) return fail('expired-cursor', {})
      throw error
    }
  }

  async #pageAt(sources: readonly Source[], scope: HistoryScope, options: HistoryOptions, state: State): Promise<Outcome<HistoryPage>> {
    const descending = (options.oldestFirst !== true) !== (options.backward === true)
    const bounds = boundsOf(options)
    const found = await this.#collect(sources, options, bounds, descending, state)
    if (!found.ok) return found
    const rows = found.value.slice(0, options.limit)
    if (options.backward === true) rows.reverse()
    const more = found.value.length > options.limit
    const whole = !more && options.position === undefined
    const total = whole ? rows.length : scope.id === undefined ? undefined : await this.#totalOf(sources, options, bounds, state)
    const versions = await this.#versions(rows)
    return ok({ rows: versions, more, ...(total === undefined ? {} : { total }) })
  }

  /** Types that came after the state are left out. */
  async #sources({ type, id, types }: HistoryScope, state: State): Promise<readonly Source[]> {
    const wanted = type === undefined ? types : [type]
    const there = await (wanted === undefined ? this.#types.all(state) : this.#types.among([...new Set(wanted)], state))
    return there.map(one => (type !== undefined && id !== undefined ? { type: one, id } : { type: one }))
  }

  /** Rows in view, one more than the page holds. */
  async #collect(
    sources: readonly Source[],
    options: HistoryOptions,
    bounds: Bounds,
    descending: boolean,
    state: State,
  ): Promise<Outcome<readonly Row[]>> {
    const { access, limit, position } = options
    const from = boundsFrom(bounds, descending, position)
    if (sources.length === 0 || access.op === 'none') return ok([])
    if (access.op !== 'all') return this.#collectSeen(sources, options, from, descending, state)
    const found = await seqsIn(this.#database, sources, from, { descending, rows: limit + 1 }, state)
    return ok(found.map(row => ({ seq: row.seq, type: sources[row.from]?.type ?? '' })))
  }

  async #collectSeen(
    sources: readonly Source[],
    options: HistoryOptions,
    bounds: Bounds,
    descending: boolean,
    state: State,
  ): Promise<Outcome<readonly Row[]>> {
    const ahead = sources.map(source => new SeqsAhead(this.#database, source, bounds, { rows: aheadOf(sources.length), descending }, state))
    const found: Row[] = []
    while (found.length <= options.limit) {
      const rows = await nextSeqs(ahead, chunk, descending)
      found.push(...(await this.#seen(rows, options)))
      if (rows.length < chunk || found.length > options.limit) break
      if (options.deadline !== undefined && isOver(options.deadline)) return fail('too-costly', { parameter: '_history' })
      await setImmediate()
    }
    return ok(found.slice(0, options.limit + 1))
  }

  async #seen(rows: readonly Row[], { access }: HistoryOptions): Promise<readonly Row[]> {
    const admitted = await this.#access.admitted(rows, access)
    return rows.filter(({ seq }) => admitted.has(seq))
  }

  /** An instance is seen with all its versions or with none. */
  async #totalOf([source]: readonly Source[], { access }: HistoryOptions, bounds: Bounds, state: State): Promise<number | undefined> {
    return access.op !== 'all' || source === undefined ? undefined : countIn(this.#database, source, bounds, state)
  }

  /** In the order of the rows; without those erased since. */
  async #versions(rows: readonly Row[]): Promise<HistoryPage['rows']> {
    const ofType = Map.groupBy(rows, ({ type }) => type)
    const found = await Promise.all(
      [...ofType].map(([type, of]) =>
        this.#reader.ofSeqs(
          type,
          of.map(({ seq }) => seq),
        ),
      ),
    )
    const bySeq = new Map(found.flat().map(version => [version.seq, version]))
    return rows.map(({ seq }) => bySeq.get(seq)).filter(version => version !== undefined)
  }
}

/** `current`: begun before its end, and not ended before its begin. */
const boundsOf = ({ since, current }: HistoryOptions): Bounds => ({
  low: since === undefined ? 1 : clamped(Math.max(1, firstSeqOf(since))),
  high: current === undefined ? nothing : clamped(firstSeqOf(current.hi) - 1),
  endsAfter: current === undefined ? 0 : clamped(firstSeqOf(current.lo + 1)),
})

/** Instants far out are still whole numbers that are exact. */
const clamped = (seq: number): number => Math.min(nothing, Math.max(0, Math.ceil(seq)))
