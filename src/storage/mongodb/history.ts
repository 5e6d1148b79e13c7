import { setImmediate } from 'node:timers/promises'
import type { Document } from 'mongodb'
import { permits } from '../../base/access-filter.ts'
import { isOver } from '../../base/deadline.ts'
import { fail, ok, type Outcome } from '../../base/outcome.ts'
import type { HistoryOptions, HistoryPage, HistoryScope } from '../port.ts'
import { firstSeqOf } from '../sequence.ts'
import { AccessOfVersions } from './access-of-versions.ts'
import { collectionsOf } from './collections.ts'
import type { Database } from './database.ts'
import { readingOf, seqOf } from './raw-versions.ts'
import type { Reader } from './reader.ts'
import { isExpired, stateOf } from './snapshot.ts'
import type { State } from './state.ts'
import { TypesAt } from './types-at.ts'

/** Versions looked at between two looks at the clock; fewer where each of many collections has to name so many. */
const chunkOf = (sources: number): number => (sources <= 8 ? 1_000 : 250)
/** No version ends later, none begins. */
const nothing = Number.MAX_SAFE_INTEGER

type Row = { readonly seq: number; readonly type: string }
type Bounds = { readonly low: number; readonly high: number; readonly endsAfter: number }

/** The versions of a type, or of one instance. They stand in two collections: the newest, and those it superseded. */
type Source = { readonly type: string; readonly id?: string }

/**
 * Histories of an instance, some types or everything. First the seqs in view, out of the indexes alone and of all collections in one command, which
 * sees one state of them: a version that is superseded meanwhile is seen once. Then the texts of the page. Chunks need no common state:
 * versions keep their seqs.
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
  ): Promise<Outcome<Row[]>> {
    const found: Row[] = []
    if (sources.length === 0 || options.access.op === 'none') return ok(found)
    let { position } = options
    while (found.length <= options.limit) {
      const wanted = options.access.op === 'all' ? options.limit + 1 : chunkOf(sources.length)
      const rows = await this.#rows(sources, boundsFrom(bounds, descending, position), descending, wanted, state)
      found.push(...(await this.#seen(rows, options)))
      if (rows.length < wanted || found.length > options.limit) break
      position = rows.at(-1)?.seq
      if (options.deadline !== undefined && isOver(options.deadline)) return fail('too-costly', { parameter: '_history' })
      await setImmediate()
    }
    return ok(found.slice(0, options.limit + 1))
  }

  async #seen(rows: readonly Row[], { access }: HistoryOptions): Promise<readonly Row[]> {
    if (access.op === 'all') return rows
    const subjects = await this.#access.ofSeqs(rows)
    return rows.filter(({ seq }) => {
      const subject = subjects.get(seq)
      return subject !== undefined && permits(access, subject) === true
    })
  }

  async #rows(sources: readonly Source[], bounds: Bounds, descending: boolean, wanted: number, state: State): Promise<readonly Row[]> {
    const order = { seq: descending ? -1 : 1 } as const
    const [first, ...others] = sources.flatMap((source, at) => seqsOf(source, at, bounds, [{ $sort: order }, { $limit: wanted }]))
    const pipeline = [...(first?.pipeline ?? []), ...others.map(one => ({ $unionWith: one })), { $sort: order }, { $limit: wanted }]
    const found = await this.#aggregate<{ seq: number; from: number }>(first?.coll ?? '', pipeline, state)
    return found.map(({ seq, from }) => ({ seq, type: sources[from]?.type ?? '' }))
  }

  /** An instance is seen with all its versions or with none. */
  async #totalOf(sources: readonly Source[], { access }: HistoryOptions, bounds: Bounds, state: State): Promise<number | undefined> {
    const [source] = sources
    if (access.op !== 'all' || source === undefined) return undefined
    const [newest, past] = seqsOf(source, 0, bounds, [])
    const found = await this.#aggregate<{ n: number }>(newest.coll, [...newest.pipeline, { $unionWith: past }, { $count: 'n' }], state)
    return found[0]?.n ?? 0
  }

  #aggregate<T extends Document>(collection: string, pipeline: Document[], state: State): Promise<T[]> {
    return this.#database.db.collection(collection).aggregate<T>(pipeline, readingOf(state)).toArray()
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

type Union = { readonly coll: string; readonly pipeline: Document[] }

/** Seqs within bounds of the newest and of the superseded versions, marked with the number of their source; no document is looked into. */
const seqsOf = (
  { type, id }: Source,
  from: number,
  { low, high, endsAfter }: Bounds,
  then: readonly Document[],
): readonly [Union, Union] => {
  const seq = { $gte: seqOf(low), $lte: seqOf(high) }
  const shown = { $project: { _id: 0, seq: 1, from: { $literal: from } } }
  const { newest, past } = collectionsOf(type)
  const ended = endsAfter > 0 ? { until: { $gte: seqOf(endsAfter) } } : {}
  return [
    { coll: newest, pipeline: [{ $match: { ...(id === undefined ? {} : { _id: { $eq: id } }), seq } }, ...then, shown] },
    { coll: past, pipeline: [{ $match: { ...(id === undefined ? {} : { id: { $eq: id } }), seq, ...ended } }, ...then, shown] },
  ]
}

/** `current`: begun before its end, and not ended before its begin. */
const boundsOf = ({ since, current }: HistoryOptions): Bounds => ({
  low: since === undefined ? 1 : clamped(Math.max(1, firstSeqOf(since))),
  high: current === undefined ? nothing : clamped(firstSeqOf(current.hi) - 1),
  endsAfter: current === undefined ? 0 : clamped(firstSeqOf(current.lo + 1)),
})

const boundsFrom = (bounds: Bounds, descending: boolean, position: number | undefined): Bounds => {
  if (position === undefined) return bounds
  return descending ? { ...bounds, high: Math.min(bounds.high, position - 1) } : { ...bounds, low: Math.max(bounds.low, position + 1) }
}

/** Instants far out are still whole numbers that are exact. */
const clamped = (seq: number): number => Math.min(nothing, Math.max(0, Math.ceil(seq)))
