import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Key } from '../port.ts'
import { BesideLoader } from './beside-loader.ts'
import { BlobWriter } from './blob-writer.ts'
import type { ShapeCounts } from './counters.ts'
import { Eraser } from './eraser.ts'
import type { Errand, ErrandResult } from './errand.ts'
import type { Instances } from './instances.ts'
import type { Interning } from './interning.ts'
import type { RecordTable } from './record-tables.ts'
import { type RecordAction, type RecordConflict, RecordWriter } from './record-writer.ts'
import type { SequenceSource } from './sequence-source.ts'
import type { Values } from './values.ts'

/** A version that a plan writes. */
export type Target = { readonly type: string; readonly t: number; readonly id: string; readonly versionId: number; readonly method: number }

type Refused = { readonly held: false; readonly record?: RecordConflict; readonly blob?: string }
/** What the newest version of the store does not tell: seqs given without one, versions loaded (up to this seq) or erased. */
type Happened = { readonly beyondVersions: boolean; readonly loaded: number; readonly erased: boolean }

/** What a plan brings beside versions and their values: records, blobs, and the engine's own errands. */
export class Beside {
  readonly #db: DatabaseSync
  readonly #records: RecordWriter
  readonly #blobs: BlobWriter
  readonly #eraser: Eraser
  readonly #loader: BesideLoader
  readonly #sequence: SequenceSource
  readonly #instances: Instances
  readonly #newestOfType: StatementSync
  readonly #selectSeq: StatementSync
  #beyondVersions = false
  #loaded = 0
  #erased = false

  constructor(
    db: DatabaseSync,
    records: readonly RecordTable[],
    sequence: SequenceSource,
    instances: Instances,
    values: Values,
    shapes: ShapeCounts,
    dictionary: Interning,
  ) {
    this.#db = db
    this.#records = new RecordWriter(db, records)
    this.#blobs = new BlobWriter(db)
    this.#eraser = new Eraser(db, dictionary, instances, values, shapes, this.#blobs)
    this.#loader = new BesideLoader(db, dictionary, instances, this.#blobs, records)
    this.#sequence = sequence
    this.#instances = instances
    this.#newestOfType = db.prepare('SELECT max(seq) AS seq FROM version INDEXED BY version_t WHERE t = ?')
    this.#selectSeq = db.prepare('SELECT 1 FROM version WHERE seq = ?')
  }

  /** What happened since the last call. */
  takeHappened(): Happened {
    const happened = { beyondVersions: this.#beyondVersions, loaded: this.#loaded, erased: this.#erased }
    this.forget()
    return happened
  }

  /** After a rollback. */
  forget(): void {
    this.#beyondVersions = false
    this.#loaded = 0
    this.#erased = false
  }

  /** Whether records or blobs have outlived their time. */
  hasExpired(): boolean {
    const { now } = this.#sequence
    return this.#records.hasExpired(now) || this.#blobs.hasOrphans(now)
  }

  /** Removes some of them. */
  sweep(): void {
    const { now } = this.#sequence
    this.#records.sweep(now)
    this.#blobs.sweep(now)
  }

  /** Writes records and adopts blobs in their order; all of it is taken back when one does not hold. */
  write(
    records: readonly RecordAction[],
    blobs: readonly { readonly id: string; readonly owner: Key }[],
    targets: readonly Target[],
    first: number,
  ): Refused | undefined {
    this.#beyondVersions = true
    if (records.length === 0 && blobs.length === 0) return undefined
    this.#db.exec('SAVEPOINT beside')
    const record = this.#records.write(records, first, this.#sequence.now)
    const blob =
      record === undefined ? blobs.find(({ id, owner }) => !this.#blobs.adopt(Number(id), ownerSeq(owner, targets, first))) : undefined
    const refused: Refused | undefined =
      record !== undefined ? { held: false, record } : blob !== undefined ? { held: false, blob: blob.id } : undefined
    this.#db.exec(refused === undefined ? 'RELEASE beside' : 'ROLLBACK TO beside; RELEASE beside')
    return refused
  }

  run(errand: Errand, texts: Uint8Array, targets: readonly Target[], first: number): ErrandResult {
    const { now } = this.#sequence
    switch (errand.kind) {
      case 'take':
        return { kind: 'taken', rows: this.#records.take(errand, first, now) }
      case 'extend':
        return { kind: 'held', held: this.#records.extend(errand.record, errand.key, errand.lease, errand.leaseMs, now) }
      case 'part':
        return { kind: 'part', blob: this.#blobs.write(errand, texts.subarray(errand.start, errand.start + errand.length), now) }
      case 'drop':
        this.#blobs.drop(errand.blob)
        return { kind: 'more', more: true }
      case 'sweep-dropped':
        return { kind: 'more', more: this.#blobs.sweepDropped() }
      case 'load':
        return this.#admit(targets, errand.seqs)
      case 'load-beside':
        this.#sequence.reset(Math.max(this.#sequence.last, this.#loader.load(errand.rows, now)))
        return { kind: 'held', held: true }
      case 'erase': {
        const refused = this.#eraser.refused(errand.items)
        if (refused !== undefined) return { kind: 'refused', refused }
        this.#erased = true
        return { kind: 'erased', ...this.#eraser.erase(errand.items) }
      }
    }
  }

  /** Whether versions with their own seqs may be written: each beyond all of its type, and beyond its instance. */
  #admit(targets: readonly Target[], seqs: readonly number[]): ErrandResult {
    const newest = new Map<number, number>()
    const numbers = new Map<string, number>()
    for (const [at, { t, type, id, versionId }] of targets.entries()) {
      const seq = seqs[at] ?? 0
      const name = `${type}/${id}`
      const before = newest.get(t) ?? (this.#newestOfType.get(t)?.seq as number | null) ?? 0
      const follows = versionId > (numbers.get(name) ?? this.#instances.find(t, id)?.versionId ?? 0)
      if (seq <= before || seq <= (seqs[at - 1] ?? 0) || !follows || this.#selectSeq.get(seq) !== undefined)
        return { kind: 'refused', refused: { type, id, versionId } }
      newest.set(t, seq)
      numbers.set(name, versionId)
    }
    this.#loaded = Math.max(this.#sequence.last, ...seqs)
    this.#sequence.reset(this.#loaded)
    return { kind: 'held', held: true }
  }
}

/** Seq of the version of the plan that owns a blob; 0 for none. */
const ownerSeq = (owner: Key, targets: readonly Target[], first: number): number => {
  if (owner.type === '') return 0
  const at = targets.findIndex(target => target.type === owner.type && target.id === owner.id)
  if (at < 0) throw new Error('The owner of a blob is not a version of its plan')
  return first + at
}
