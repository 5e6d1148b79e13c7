import type { Document } from 'mongodb'
import { collectionsOf } from './collections.ts'
import type { Database } from './database.ts'
import { readingOf, seqOf } from './raw-versions.ts'
import type { State } from './state.ts'

/** The versions of a type, or of one instance. They stand in two collections: the newest, and those it superseded. */
export type Source = { readonly type: string; readonly id?: string }

/** Seqs from `low` to `high`, both included, of versions that ended at `endsAfter` or later (0: whenever). */
export type Bounds = { readonly low: number; readonly high: number; readonly endsAfter: number }

export type Row = { readonly seq: number; readonly type: string }

/** Types asked at once for what they have. */
const askedAtOnce = 8

/**
 * Seqs of one source in their order, some read ahead. Those of both collections are read in one command, which sees one state of them: none is between
 * them while it is superseded. Seqs stay what they are, so the next ones may be read in a later state.
 */
export class SeqsAhead {
  readonly type: string
  readonly #database: Database
  readonly #source: Source
  readonly #state: State
  readonly #options: ReadAhead
  #bounds: Bounds
  #seqs: readonly number[] = []
  #at = 0
  #ended = false

  constructor(database: Database, source: Source, bounds: Bounds, options: ReadAhead, state: State = {}) {
    this.type = source.type
    this.#database = database
    this.#source = source
    this.#bounds = bounds
    this.#options = options
    this.#state = state
  }

  get next(): number | undefined {
    return this.#seqs[this.#at]
  }

  get mustRead(): boolean {
    return this.next === undefined && !this.#ended
  }

  take(): number {
    return this.#seqs[this.#at++] as number
  }

  /** Out of the indexes alone. What is not wanted is passed over, so what is read may come to nothing. */
  async read(): Promise<void> {
    const { rows, descending = false, wanted } = this.#options
    const found = await seqsIn(this.#database, [this.#source], this.#bounds, { descending, rows }, this.#state)
    this.#seqs = (wanted === undefined ? found : found.filter(({ until }) => wanted(until))).map(({ seq }) => seq)
    this.#at = 0
    this.#ended = found.length < rows
    this.#bounds = boundsFrom(this.#bounds, descending, found.at(-1)?.seq)
  }
}

export type ReadAhead = {
  /** Seqs read at once. */
  readonly rows: number
  readonly descending?: boolean
  /** By the seq at which a version ended, undefined for newest ones. */
  readonly wanted?: (until: number | undefined) => boolean
}

/** The next seqs of all sources together. */
export const nextSeqs = async (ahead: readonly SeqsAhead[], wanted: number, descending = false): Promise<readonly Row[]> => {
  const rows: Row[] = []
  const comesBefore = (a: number, b: number): boolean => (descending ? a > b : a < b)
  while (rows.length < wanted) {
    const empty = ahead.filter(one => one.mustRead)
    for (let n = 0; n < empty.length; n += askedAtOnce) await Promise.all(empty.slice(n, n + askedAtOnce).map(one => one.read()))
    let first: SeqsAhead | undefined
    for (const one of ahead) if (one.next !== undefined && (first?.next === undefined || comesBefore(one.next, first.next))) first = one
    if (first !== undefined && empty.every(one => !one.mustRead)) rows.push({ seq: first.take(), type: first.type })
    else if (ahead.every(one => !one.mustRead)) return rows
  }
  return rows
}

export const boundsFrom = (bounds: Bounds, descending: boolean, position: number | undefined): Bounds => {
  if (position === undefined) return bounds
  return descending ? { ...bounds, high: Math.min(bounds.high, position - 1) } : { ...bounds, low: Math.max(bounds.low, position + 1) }
}

type Found = { readonly seq: number; readonly until?: number /** Number of its source. */; readonly from: number }

/** The first seqs of all sources together, in one command. */
export const seqsIn = async (
  database: Database,
  sources: readonly Source[],
  bounds: Bounds,
  { descending, rows }: { readonly descending: boolean; readonly rows: number },
  state: State,
): Promise<readonly Found[]> => {
  const inOrder = [{ $sort: { seq: descending ? -1 : 1 } }, { $limit: rows }]
  return unionOf<Found>(
    database,
    sources.flatMap((source, at) => seqsOf(source, at, bounds, inOrder)),
    inOrder,
    state,
  )
}

/** How many there are. */
export const countIn = async (database: Database, source: Source, bounds: Bounds, state: State): Promise<number> => {
  const found = await unionOf<{ n: number }>(database, seqsOf(source, 0, bounds, []), [{ $count: 'n' }], state)
  return found[0]?.n ?? 0
}

type Part = { readonly coll: string; readonly pipeline: readonly Document[] }

const unionOf = async <T extends Document>(
  { db }: Database,
  [first, ...others]: readonly Part[],
  then: readonly Document[],
  state: State,
): Promise<T[]> => {
  if (first === undefined) return []
  const pipeline = [...first.pipeline, ...others.map(part => ({ $unionWith: part })), ...then]
  return db.collection(first.coll).aggregate<T>(pipeline, readingOf(state)).toArray()
}

const seqsOf = ({ type, id }: Source, from: number, { low, high, endsAfter }: Bounds, then: readonly Document[]): readonly Part[] => {
  const seq = { $gte: seqOf(low), $lte: seqOf(high) }
  const { newest, past } = collectionsOf(type)
  const ended = endsAfter > 0 ? { until: { $gte: seqOf(endsAfter) } } : {}
  const shown = { _id: 0, seq: 1, from: { $literal: from } }
  return [
    { coll: newest, pipeline: [{ $match: { ...(id === undefined ? {} : { _id: { $eq: id } }), seq } }, ...then, { $project: shown }] },
    {
      coll: past,
      pipeline: [
        { $match: { ...(id === undefined ? {} : { id: { $eq: id } }), seq, ...ended } },
        ...then,
        { $project: { ...shown, until: 1 } },
      ],
    },
  ]
}
