import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BlobNames, isNumber } from './blob-names.ts'
import type { Part } from './errand.ts'

/** 0: being written, or to be removed; 1: whole; 2: adopted. */
export const blobStates = { open: 0, whole: 1, adopted: 2 } as const

/** What nobody adopted for so long is removed. */
const orphanMs = 86_400_000
/** Parts removed in one turn of the writer. */
const removedPerTurn = 16

/** Keeps bytes in parts, inside the writer's transactions. */
export class BlobWriter {
  readonly #begin: StatementSync
  readonly #grow: StatementSync
  readonly #insert: StatementSync
  readonly #adopt: StatementSync
  readonly #drop: StatementSync
  readonly #dropOf: StatementSync
  readonly #orphan: StatementSync
  readonly #removeParts: StatementSync
  readonly #remove: StatementSync
  readonly #removeName: StatementSync
  readonly #names: BlobNames
  readonly #name: StatementSync
  readonly #passNumber: StatementSync
  readonly #empty: StatementSync
  readonly #restart: StatementSync
  readonly #bytesOf: StatementSync
  readonly #own: StatementSync

  constructor(db: DatabaseSync) {
    this.#begin = db.prepare(`INSERT INTO blob(size, state, seq, at) VALUES (0, ${blobStates.open}, 0, ?)`)
    // A blob that was given up has no instant any more: what comes late finds nothing to grow.
    this.#grow = db.prepare(`UPDATE blob SET size = size + ?, state = ?, at = ? WHERE b = ? AND state = ${blobStates.open} AND at > 0`)
    this.#insert = db.prepare('INSERT INTO blob_part(b, n, bytes) VALUES (?, ?, ?)')
    this.#adopt = db.prepare(`UPDATE blob SET state = ${blobStates.adopted}, seq = ? WHERE b = ? AND state = ${blobStates.whole}`)
    this.#drop = db.prepare(`UPDATE blob SET state = ${blobStates.open}, seq = 0, at = 0 WHERE b = ?`)
    this.#dropOf = db.prepare(`UPDATE blob SET state = ${blobStates.open}, seq = 0, at = 0 WHERE seq = ? AND seq > 0`)
    this.#orphan = db.prepare(`SELECT b FROM blob WHERE state < ${blobStates.adopted} AND at <= ? ORDER BY at LIMIT 1`)
    this.#removeParts = db.prepare(`DELETE FROM blob_part WHERE rowid IN (SELECT rowid FROM blob_part WHERE b = ? LIMIT ${removedPerTurn})`)
    this.#remove = db.prepare('DELETE FROM blob WHERE b = ?')
    this.#removeName = db.prepare('DELETE FROM blob_name WHERE b = ?')
    this.#names = new BlobNames(db)
    this.#name = db.prepare('INSERT INTO blob_name(name, b) VALUES (?, ?)')
    // No blob of this store is given a number that one from elsewhere goes by.
    this.#passNumber = db.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'blob'")
    this.#empty = db.prepare('DELETE FROM blob_part WHERE b = ?')
    this.#restart = db.prepare(`UPDATE blob SET size = 0, state = ${blobStates.open}, seq = 0, at = ? WHERE b = ?`)
    this.#bytesOf = db.prepare('SELECT coalesce(sum(length(bytes)), 0) AS size FROM blob_part WHERE b = ?')
    this.#own = db.prepare(`UPDATE blob SET size = ?, state = ${blobStates.adopted}, seq = ? WHERE b = ?`)
  }

  /** Number of the blob, or undefined when it was removed meanwhile. */
  write({ blob, n, last }: Part, bytes: Uint8Array, now: number): number | undefined {
    const b = blob === 0 ? Number(this.#begin.run(Math.max(1, now)).lastInsertRowid) : blob
    const grown = this.#grow.run(bytes.length, last ? blobStates.whole : blobStates.open, Math.max(1, now), b)
    if (Number(grown.changes) === 0) return undefined
    this.#insert.run(b, n, bytes)
    return b
  }

  /** False when it is not there, not whole, or somebody's. `seq` is 0 without an owner. */
  adopt(b: number, seq: number): boolean {
    return Number(this.#adopt.run(seq, b).changes) > 0
  }

  /** From here on nobody can read it; its bytes go with the next sweeps. */
  drop(b: number): void {
    this.#drop.run(b)
  }

  /** A part of a blob of another store, by the id it has there. The first begins it anew. */
  loadPart(id: string, n: number, bytes: Uint8Array, now: number): void {
    const b = this.#names.named(id) ?? this.#beginNamed(id, now)
    if (n === 0) {
      this.#empty.run(b)
      this.#restart.run(Math.max(1, now), b)
    }
    this.#insert.run(b, n, bytes)
  }

  /** All its parts are there: it is somebody's. Throws when they are not. `seq` is 0 without an owner. */
  loadWhole(id: string, size: number, seq: number, now: number): void {
    const b = this.#names.named(id) ?? this.#beginNamed(id, now)
    if (size === 0) this.#empty.run(b)
    if (this.#bytesOf.get(b)?.size !== size) throw new Error('The blob to be loaded lacks parts')
    this.#own.run(size, seq, b)
  }

  /** By the id it has elsewhere. */
  dropNamed(id: string): void {
    const b = this.#names.numberOf(id)
    if (b !== undefined) this.drop(b)
  }

  dropOf(seq: number): void {
    this.#dropOf.run(seq)
  }

  hasOrphans(now: number): boolean {
    return this.#orphan.get(now - orphanMs) !== undefined
  }

  /** Removes some parts of what nobody adopted in time. */
  sweep(now: number): void {
    this.#sweepUpTo(now - orphanMs)
  }

  /** Removes some parts of what was dropped. Returns whether some are left. */
  sweepDropped(): boolean {
    this.#sweepUpTo(0)
    return this.#orphan.get(0) !== undefined
  }

  #sweepUpTo(at: number): void {
    const b = this.#orphan.get(Math.max(0, at))?.b as number | undefined
    if (b === undefined) return
    if (Number(this.#removeParts.run(b).changes) === removedPerTurn) return
    this.#remove.run(b)
    this.#removeName.run(b)
  }

  #beginNamed(id: string, now: number): number {
    const b = Number(this.#begin.run(Math.max(1, now)).lastInsertRowid)
    this.#name.run(id, b)
    if (isNumber(id)) this.#passNumber.run(Number(id))
    return b
  }
}
