import { type Outcome, ok } from '../../base/outcome.ts'
import type { Key, Removed } from '../port.ts'
import type { MongoBlobs } from './blobs.ts'
import type { Database } from './database.ts'
import type { Seq } from './documents.ts'
import { noteErased } from './erased.ts'
import { type Instance, Instances, shapeOfInstance } from './instances.ts'
import type { Turn } from './lane.ts'
import { instanceKey } from './plan-keys.ts'
import { majority } from './raw-versions.ts'
import { blocksOf, pastId } from './reader.ts'
import { eraseRelations } from './relating.ts'
import { partId } from './text-parts.ts'
import { freeKeysOf } from './unique.ts'
import type { Writer } from './writer.ts'

/** Names in one call; each may be an instance of any number of versions. */
const removedMax = 10_000
/** Names, and superseded versions, in one transaction. */
const turnMax = 500

/** A version, or a whole instance. */
type Erasing = Key & { readonly versionId?: number }
type Past = { readonly _id: string; readonly id: string; readonly seq: Seq; readonly versionId: number; readonly parts?: number }

/** Takes versions out of the store as if they had never been, entries, texts and blobs included. Only their numbers stay missing. */
export class Eraser {
  readonly #database: Database
  readonly #writer: Writer
  readonly #blobs: MongoBlobs

  constructor(database: Database, writer: Writer, blobs: MongoBlobs) {
    this.#database = database
    this.#writer = writer
    this.#blobs = blobs
  }

  async remove(items: readonly Erasing[]): Promise<Outcome<Removed>> {
    if (items.length > removedMax) throw new RangeError(`At most ${removedMax} versions or instances are named at once`)
    const refused = await this.#refused(items)
    if (refused !== undefined) return ok({ held: false, refused })
    let versions = 0
    for (const [type, ofType] of Map.groupBy(items, item => item.type)) {
      for (const block of blocksOf(ofType, turnMax)) {
        const erased = await this.#eraseBlock(type, block)
        if (!erased.ok) return erased
        versions += erased.value
      }
    }
    while (await this.#blobs.sweepDropped());
    return ok({ held: true, versions })
  }

  /** The first item that names the newest version of its instance alone. What is superseded stays so, so that one look before all is enough. */
  async #refused(items: readonly Erasing[]): Promise<Key | undefined> {
    const single = items.filter(({ versionId }) => versionId !== undefined)
    const newest = new Set<string>()
    for (const [type, ofType] of Map.groupBy(single, item => item.type))
      for (const block of blocksOf(ofType, turnMax))
        for (const { _id, versionId } of await this.#database.collections
          .newest(type)
          .find({ _id: { $in: block.map(({ id }) => id) } }, { ...majority, projection: { versionId: 1 } })
          .toArray())
          newest.add(`${type}/${pastId(_id, versionId)}`)
    const refused = single.find(({ type, id, versionId = 0 }) => newest.has(`${type}/${pastId(id, versionId)}`))
    return refused === undefined ? undefined : { type: refused.type, id: refused.id }
  }

  /** Superseded versions first, as many turns as they take; the newest ones in the last. */
  async #eraseBlock(type: string, items: readonly Erasing[]): Promise<Outcome<number>> {
    let versions = 0
    for (;;) {
      const done = await this.#writer.alone(new Map(items.map(item => [instanceKey(item), 'own'])), turn => this.#turn(type, items, turn))
      if (!done.ok) return done
      versions += done.value.versions
      if (!done.value.more) return ok(versions)
    }
  }

  async #turn(type: string, items: readonly Erasing[], turn: Turn): Promise<{ readonly versions: number; readonly more: boolean }> {
    const purged = items.flatMap(({ id, versionId }) => (versionId === undefined ? [id] : []))
    const named = items.flatMap(({ id, versionId }) => (versionId === undefined ? [] : [pastId(id, versionId)]))
    const past = (await this.#database.collections
      .past(type)
      .find(
        { $or: [{ _id: { $in: named } }, { id: { $in: purged } }] },
        { session: turn.session, projection: { id: 1, seq: 1, versionId: 1, parts: 1 }, limit: turnMax + 1 },
      )
      .toArray()) as readonly Past[] // as projected
    if (past.length > turnMax) {
      await this.#erase(type, past.slice(0, turnMax), [], turn)
      return { versions: turnMax, more: true }
    }
    const instances = new Instances(this.#database, turn.session)
    const keys = purged.map(id => ({ type, id }))
    await instances.read(keys, true)
    const newest = new Map(keys.flatMap(key => [[key.id, instances.get(key)] as const])).values()
    const found = [...newest].filter(one => one !== undefined)
    await this.#erase(type, past, found, turn)
    return { versions: past.length + found.length, more: false }
  }

  async #erase(type: string, past: readonly Past[], newest: readonly Instance[], turn: Turn): Promise<void> {
    if (past.length + newest.length === 0) return
    const { session } = turn
    const { collections } = this.#database
    const seqs = [...past, ...newest].map(({ seq }) => Number(seq))
    if (past.length > 0) await collections.past(type).deleteMany({ _id: { $in: past.map(({ _id }) => _id) } }, { session })
    if (newest.length > 0) await collections.newest(type).deleteMany({ _id: { $in: newest.map(({ _id }) => _id) } }, { session })
    await this.#eraseParts(
      [...past, ...newest.map(one => ({ ...one, id: one._id }))].flatMap(one => partsOf(type, one)),
      turn,
    )
    await freeKeysOf(
      this.#database,
      newest.map(({ _id }) => ({ type, id: _id })),
      session,
    )
    await eraseRelations(
      this.#database,
      newest.map(({ _id, relations = 0 }) => ({ type, id: _id, relations })),
      session,
    )
    await this.#blobs.removeOf(seqs, session)
    await noteErased(this.#database, seqs, session)
    for (const one of newest) if (one.deleted !== true) turn.count(shapeOfInstance(one), -1)
    turn.changed = true
  }

  async #eraseParts(parts: readonly string[], { session }: Turn): Promise<void> {
    if (parts.length > 0)
      await this.#database.collections.own<{ _id: string }>('texts').deleteMany({ _id: { $in: [...parts] } }, { session })
  }
}

const partsOf = (type: string, { id, versionId, parts = 0 }: Omit<Past, '_id' | 'seq'>): readonly string[] =>
  Array.from({ length: parts }, (_, n) => partId(type, id, versionId, n))
