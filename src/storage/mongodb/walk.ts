import type { StoredVersion } from '../port.ts'
import { collectionsOf } from './collections.ts'
import type { Database } from './database.ts'
import { readingOf, seqOf } from './raw-versions.ts'
import type { Reader } from './reader.ts'

/** A block holds at most so many instances, or texts of about this size together. */
const blockRowsMax = 500
const blockBytesMax = 4 * 1024 * 1024
/** Texts read before anything is known of their size. */
const firstRows = 16
/** Types asked at once for what they have. */
const askedAtOnce = 8

type Range = { readonly upTo: number; readonly after?: number }
export type WalkOptions = Range & { readonly type?: string }

/**
 * Every instance as it was at `upTo`, by seq. What was current then either still is, or was superseded since and stands among the past ones with
 * the seq it had and an end beyond `upTo`. Seqs are read ahead, of both places in one state, so that none is between them; the text is read wherever the version
 * stands by then. So hours of walking hold nothing back, and nothing is lost or seen twice.
 */
export class Walk {
  readonly #database: Database
  readonly #reader: Reader

  constructor(database: Database, reader: Reader) {
    this.#database = database
    this.#reader = reader
  }

  async *blocks({ type, upTo, after = 0 }: WalkOptions): AsyncIterable<readonly StoredVersion[]> {
    const last = Math.min(upTo, Number.MAX_SAFE_INTEGER - 1)
    const { collections } = this.#database
    const types = type === undefined ? await collections.types() : (await collections.has(type)) ? [type] : []
    const isCurrent = (until: number | undefined): boolean => until === undefined || until > last
    for await (const block of this.#walk(types, { upTo: last, after }, isCurrent, last)) {
      const living = block.filter(({ deleted }) => !deleted)
      if (living.length > 0) yield living
    }
  }

  /** Every version, current or not. */
  async *versions({ upTo, after = 0 }: Range): AsyncIterable<readonly StoredVersion[]> {
    yield* this.#walk(await this.#database.collections.types(), { upTo, after }, () => true)
  }

  async *#walk(
    types: readonly string[],
    { upTo, after }: Required<Range>,
    wanted: (until: number | undefined) => boolean,
    current?: number,
  ): AsyncIterable<readonly StoredVersion[]> {
    const ahead = types.map(type => new SeqsAhead(this.#database, type, after, upTo, wanted))
    for (let rows = firstRows; ; ) {
      const next = await nextSeqs(ahead, rows)
      if (next.length === 0) return
      const block = await this.#versions(next, current)
      if (block.length > 0) yield block
      rows = rowsFor(block, rows)
    }
  }

  /** By seq, without what was erased meanwhile. */
  async #versions(rows: readonly Row[], current: number | undefined): Promise<readonly StoredVersion[]> {
    const ofType = Map.groupBy(rows, ({ type }) => type)
    const read = await Promise.all(
      [...ofType].map(([type, of]) =>
        this.#reader.ofSeqs(
          type,
          of.map(({ seq }) => seq),
          current,
        ),
      ),
    )
    return read.flat().toSorted((a, b) => a.seq - b.seq)
  }
}

type Row = { readonly seq: number; readonly type: string }

/** As many texts as are likely to fill a block, and never many more than went well. */
const rowsFor = (block: readonly StoredVersion[], before: number): number => {
  const bytes = block.reduce((sum, { text }) => sum + text.length, 0)
  const fitting = bytes === 0 ? blockRowsMax : Math.floor((blockBytesMax * block.length) / bytes)
  return Math.max(1, Math.min(blockRowsMax, before * 4, fitting))
}

/** The least seqs of all types. */
const nextSeqs = async (ahead: readonly SeqsAhead[], wanted: number): Promise<readonly Row[]> => {
  const rows: Row[] = []
  while (rows.length < wanted) {
    const empty = ahead.filter(one => one.mustRead)
    for (let n = 0; n < empty.length; n += askedAtOnce) await Promise.all(empty.slice(n, n + askedAtOnce).map(one => one.read()))
    let least: SeqsAhead | undefined
    for (const one of ahead) if (one.next !== undefined && (least?.next === undefined || one.next < least.next)) least = one
    if (least === undefined) {
      if (ahead.every(one => !one.mustRead)) return rows
    } else rows.push({ seq: least.take(), type: least.type })
  }
  return rows
}

/** Seqs of one type in their order, some read ahead of the walk. `wanted`: by the seq at which a version ended, as far as it is known by then. */
class SeqsAhead {
  readonly type: string
  readonly #database: Database
  readonly #upTo: number
  readonly #wanted: (until: number | undefined) => boolean
  #after: number
  #seqs: readonly number[] = []
  #at = 0
  #ended = false

  constructor(database: Database, type: string, after: number, upTo: number, wanted: (until: number | undefined) => boolean) {
    this.#database = database
    this.type = type
    this.#after = after
    this.#upTo = upTo
    this.#wanted = wanted
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
    const { newest, past } = collectionsOf(this.type)
    const inOrder = [
      { $match: { seq: { $gt: seqOf(this.#after), $lte: seqOf(this.#upTo) } } },
      { $sort: { seq: 1 } },
      { $limit: blockRowsMax },
    ] as const
    const pipeline = [
      ...inOrder,
      { $project: { _id: 0, seq: 1 } },
      { $unionWith: { coll: past, pipeline: [...inOrder, { $project: { _id: 0, seq: 1, until: 1 } }] } },
      { $sort: { seq: 1 } },
      { $limit: blockRowsMax },
    ]
    const found = await this.#database.db.collection(newest).aggregate<{ seq: number; until?: number }>(pipeline, readingOf({})).toArray()
    this.#seqs = found.filter(({ until }) => this.#wanted(until)).map(({ seq }) => seq)
    this.#at = 0
    this.#after = found.at(-1)?.seq ?? this.#after
    this.#ended = found.length < blockRowsMax
  }
}
