import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Key, StoredVersion } from '../port.ts'
import type { Dictionary } from './dictionary.ts'
import type { NewestCache } from './newest-cache.ts'
import { storedVersion, type VersionRow, versionColumns } from './stored-row.ts'

/** Reads of single versions: prepared statements on the calling thread, a few microseconds each. */
export class Reader {
  readonly #dictionary: Dictionary
  readonly #cache: NewestCache
  readonly #newest: StatementSync
  readonly #newestAt: StatementSync
  readonly #version: StatementSync
  readonly #references: StatementSync

  constructor(db: DatabaseSync, dictionary: Dictionary, cache: NewestCache) {
    this.#dictionary = dictionary
    this.#cache = cache
    this.#newest = rows(db, `SELECT ${versionColumns} FROM instance i CROSS JOIN version v ON v.seq = i.seq WHERE i.t = ? AND i.id = ?`)
    this.#newestAt = rows(
      db,
      `SELECT ${versionColumns} FROM version v WHERE v.seq = (SELECT x.seq FROM instance i CROSS JOIN version x INDEXED BY version_iid
         ON x.iid = i.iid WHERE i.t = ? AND i.id = ? AND x.seq <= ? ORDER BY x.seq DESC LIMIT 1) AND v.until > ?`,
    )
    this.#version = rows(
      db,
      `SELECT ${versionColumns} FROM version v WHERE v.seq = (SELECT x.seq FROM instance i CROSS JOIN version x INDEXED BY version_iid
         ON x.iid = i.iid WHERE i.t = ? AND i.id = ? AND x.vid = ? LIMIT 1)`,
    )
    // CROSS JOIN keeps the order of the list.
    this.#references = rows(
      db,
      `SELECT r.seq, i.t, i.id FROM json_each(?) page CROSS JOIN ref r INDEXED BY ref_f ON r.seq = page.value AND r.p = ?
         CROSS JOIN instance i ON i.iid = r.iid`,
    )
  }

  newest(type: string, id: string): StoredVersion | undefined {
    const t = this.#dictionary.type(type)
    return t === undefined ? undefined : one(type, id, this.#newest.get(t, id))
  }

  /** The same, from memory while nothing was written. */
  newestRemembered(type: string, id: string): StoredVersion | undefined {
    const key = `${type}/${id}`
    const kept = this.#cache.find(key)
    if (kept !== undefined) return kept
    const version = this.newest(type, id)
    if (version !== undefined) this.#cache.keep(key, version)
    return version
  }

  /** The version current at the seq, a deletion included. Where that one was erased there is none: the one before had ended. */
  newestAt(type: string, id: string, seq: number): StoredVersion | undefined {
    const t = this.#dictionary.type(type)
    return t === undefined ? undefined : one(type, id, this.#newestAt.get(t, id, seq, seq))
  }

  version(type: string, id: string, versionId: number): StoredVersion | undefined {
    const t = this.#dictionary.type(type)
    return t === undefined ? undefined : one(type, id, this.#version.get(t, id, versionId))
  }

  references(seqs: readonly number[], type: string, code: string): { seq: number; target: Key }[] {
    const p = this.#dictionary.param(type, code)
    if (p === undefined || seqs.length === 0) return []
    const found = this.#references.all(JSON.stringify(seqs), p) as unknown as readonly (readonly [seq: number, t: number, id: string])[]
    return found.map(([seq, t, id]) => ({ seq, target: { type: this.#dictionary.typeName(t), id } }))
  }
}

const rows = (db: DatabaseSync, sql: string): StatementSync => {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}

/** The cast: setReturnArrays makes rows arrays, which the types of node:sqlite do not know. */
const one = (type: string, id: string, row: unknown): StoredVersion | undefined =>
  row === undefined ? undefined : storedVersion(type, id, row as VersionRow)
