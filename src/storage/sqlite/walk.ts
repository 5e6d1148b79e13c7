import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { StoredVersion } from '../port.ts'
import { nothing } from './cells.ts'
import type { Dictionary } from './dictionary.ts'
import { methodNumbers } from './plan-tape.ts'
import { storedVersion, type VersionRow } from './stored-row.ts'

/** A block holds at most so many instances, or texts of this size together; superseded versions on the way are skipped without their text. */
const blockRowsMax = 500
const blockBytesMax = 4 * 1024 * 1024

type WalkRow = readonly [...VersionRow, t: number, id: string, until: number]

/** Every instance as it was at `upTo`, or every version up to it, by seq. Each block is a read of its own, so that hours of walking hold nothing back. */
export class Walk {
  readonly #db: DatabaseSync
  readonly #dictionary: Dictionary
  readonly #everything: StatementSync
  readonly #ofType: StatementSync
  readonly #versions: StatementSync

  constructor(db: DatabaseSync, dictionary: Dictionary) {
    this.#db = db
    this.#dictionary = dictionary
    this.#everything = this.#prepare('NOT INDEXED', '')
    this.#ofType = this.#prepare('INDEXED BY version_t', 'v.t = ? AND')
    this.#versions = db.prepare(
      `SELECT v.seq, v.vid, v.method, v.text, v.t, i.id FROM version v NOT INDEXED CROSS JOIN instance i ON i.iid = v.iid
         WHERE v.seq > ? AND v.seq <= ? ORDER BY v.seq LIMIT ?`,
    )
    this.#versions.setReturnArrays(true)
  }

  async *blocks({ type, upTo, after = 0 }: { type?: string; upTo: number; after?: number }): AsyncIterable<readonly StoredVersion[]> {
    const t = type === undefined ? undefined : this.#dictionary.type(type)
    if (type !== undefined && t === undefined) return
    // Current versions end at `nothing`, so that must lie beyond every `upTo`.
    const last = Math.min(upTo, nothing - 1)
    for (let position: number | undefined = after; position !== undefined; ) {
      const [block, next] = this.#block(t, position, last)
      if (block.length > 0) yield block
      position = next
      await setImmediate()
    }
  }

  async *versions({ upTo, after = 0 }: { upTo: number; after?: number }): AsyncIterable<readonly StoredVersion[]> {
    for (let position: number | undefined = after; position !== undefined; ) {
      const block: readonly StoredVersion[] = this.#versionBlock(position, upTo)
      if (block.length > 0) yield block
      position = block.at(-1)?.seq
      await setImmediate()
    }
  }

  #versionBlock(position: number, upTo: number): readonly StoredVersion[] {
    const block: StoredVersion[] = []
    let bytes = 0
    for (const found of this.#versions.iterate(position, Math.min(upTo, nothing), blockRowsMax)) {
      const row = found as unknown as WalkRow // arrays, by setReturnArrays
      block.push(storedVersion(this.#dictionary.typeName(row[4]), row[5], [row[0], row[1], row[2], row[3]]))
      bytes += row[3].length
      if (bytes >= blockBytesMax) break
    }
    return block
  }

  /** The next block, and the seq it ended at; undefined after the last. */
  #block(t: number | undefined, position: number, upTo: number): [readonly StoredVersion[], number | undefined] {
    const block: StoredVersion[] = []
    let [bytes, seen, last] = [0, 0, position]
    const values = [upTo, methodNumbers.DELETE, ...(t === undefined ? [] : [t]), position, upTo, blockRowsMax]
    for (const found of (t === undefined ? this.#everything : this.#ofType).iterate(...values)) {
      const row = found as unknown as WalkRow // arrays, by setReturnArrays
      seen++
      last = row[0]
      if (row[6] === 0) continue
      block.push(storedVersion(this.#dictionary.typeName(row[4]), row[5], [row[0], row[1], row[2], row[3]]))
      bytes += row[3].length
      if (bytes >= blockBytesMax) return [block, last]
    }
    return [block, seen < blockRowsMax ? undefined : last]
  }

  #prepare(index: string, where: string): StatementSync {
    const statement = this.#db.prepare(
      `SELECT seq, vid, method, CASE current WHEN 1 THEN text END, t, id, current FROM (
         SELECT v.seq, v.vid, v.method, v.text, v.t, i.id, (v.until > ? AND v.method <> ?) AS current
         FROM version v ${index} CROSS JOIN instance i ON i.iid = v.iid WHERE ${where} v.seq > ? AND v.seq <= ? ORDER BY v.seq LIMIT ?)`,
    )
    statement.setReturnArrays(true)
    return statement
  }
}
