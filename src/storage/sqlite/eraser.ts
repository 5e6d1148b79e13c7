import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Key } from '../port.ts'
import type { BlobWriter } from './blob-writer.ts'
import type { ShapeCounts } from './counters.ts'
import type { Dictionary } from './dictionary.ts'
import type { Erasing } from './errand.ts'
import { type Instance, type Instances, states } from './instances.ts'
import type { Values } from './values.ts'

/** `next`: the item to go on with, when more than one turn is needed. */
export type Erased = { readonly versions: number; readonly next?: number }

/** Versions erased in one turn of the writer. */
const erasedPerTurn = 500

/** Takes versions out of the store as if they had never been, entries and blobs included. Only their numbers stay missing. */
export class Eraser {
  readonly #dictionary: Dictionary
  readonly #instances: Instances
  readonly #values: Values
  readonly #shapes: ShapeCounts
  readonly #blobs: BlobWriter
  readonly #find: StatementSync
  readonly #former: StatementSync
  readonly #statements: readonly StatementSync[]
  readonly #freeKeys: StatementSync

  constructor(db: DatabaseSync, dictionary: Dictionary, instances: Instances, values: Values, shapes: ShapeCounts, blobs: BlobWriter) {
    this.#dictionary = dictionary
    this.#instances = instances
    this.#values = values
    this.#shapes = shapes
    this.#blobs = blobs
    this.#find = db.prepare('SELECT seq FROM version INDEXED BY version_iid WHERE iid = ? AND vid = ?')
    this.#former = db.prepare('SELECT seq FROM version INDEXED BY version_iid WHERE iid = ? AND seq < ? ORDER BY seq LIMIT ?')
    this.#statements = ['version', 'dead', 'gone', 'label'].map(table => db.prepare(`DELETE FROM ${table} WHERE seq = ?`))
    this.#freeKeys = db.prepare('DELETE FROM uniq WHERE iid = ?')
  }

  /** The first item that names the newest version of its instance alone. */
  refused(items: readonly Erasing[]): Key | undefined {
    return items.find(item => {
      const instance = this.#instance(item)
      return item.versionId !== undefined && instance !== undefined && instance.seq > 0 && instance.versionId === item.versionId
    })
  }

  /** Erases in the order of the items, as much as one turn allows. */
  erase(items: readonly Erasing[]): Erased {
    let versions = 0
    for (const [item, { versionId, ...key }] of items.entries()) {
      if (versions >= erasedPerTurn) return { versions, next: item }
      const instance = this.#instance(key)
      if (instance === undefined || instance.seq === 0) continue
      if (versionId !== undefined) versions += this.#one(instance, versionId)
      else {
        versions += this.#formers(instance, erasedPerTurn - versions)
        if (versions >= erasedPerTurn) return { versions, next: item }
        versions += this.#purge(instance)
      }
    }
    return { versions }
  }

  #instance({ type, id }: Key): Instance | undefined {
    const t = this.#dictionary.type(type)
    return t === undefined ? undefined : this.#instances.find(t, id)
  }

  #one(instance: Instance, versionId: number): number {
    const seq = this.#find.get(instance.iid, versionId)?.seq as number | undefined
    if (seq === undefined) return 0
    this.#version(seq)
    return 1
  }

  #formers(instance: Instance, most: number): number {
    const rows = this.#former.all(instance.iid, instance.seq, most)
    for (const row of rows) this.#version(row.seq as number)
    return rows.length
  }

  /** The newest version, and with it the instance: its name stays, for others may still refer to it. */
  #purge(instance: Instance): number {
    if (instance.state === states.live) this.#shapes.add(instance.shape, -1)
    this.#version(instance.seq)
    this.#freeKeys.run(instance.iid)
    this.#values.relations.drop(instance.iid)
    this.#instances.purge(instance)
    return 1
  }

  #version(seq: number): void {
    this.#values.remove(seq)
    for (const statement of this.#statements) statement.run(seq)
    this.#blobs.dropOf(seq)
  }
}
