import type { StoredVersion } from '../port.ts'
import type { Database } from './database.ts'
import type { Reader } from './reader.ts'
import { nextSeqs, type Row, SeqsAhead } from './seqs-ahead.ts'

/** A block holds at most so many instances, or texts of about this size together. */
const blockRowsMax = 500
const blockBytesMax = 4 * 1024 * 1024
/** Texts read before anything is known of their size. */
const firstRows = 16

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
    const bounds = { low: after + 1, high: upTo, endsAfter: 0 }
    const ahead = types.map(type => new SeqsAhead(this.#database, { type }, bounds, { rows: blockRowsMax, wanted }))
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

/** As many texts as are likely to fill a block, and never many more than went well. */
const rowsFor = (block: readonly StoredVersion[], before: number): number => {
  const bytes = block.reduce((sum, { text }) => sum + text.length, 0)
  const fitting = bytes === 0 ? blockRowsMax : Math.floor((blockBytesMax * block.length) / bytes)
  return Math.max(1, Math.min(blockRowsMax, before * 4, fitting))
}
