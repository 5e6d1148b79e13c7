import { randomUUID } from 'node:crypto'
import type { ClientSession, Collection, Filter } from 'mongodb'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { BlobInfo, Blobs, Key, WritePlan } from '../port.ts'
import { answered } from './answered.ts'
import { askedAgain } from './asked-again.ts'
import { type BlobDocument, type BlobPartDocument, partBytes, partKey, partsOf } from './blob-documents.ts'
import { BlobUpload } from './blob-upload.ts'
import type { Database } from './database.ts'
import { longOf } from './record-documents.ts'

/** What nobody adopted for so long is removed. */
const orphanMs = 86_400_000
/** How much longer it stays for nodes whose clock is behind. */
const graceMs = 60_000
/** Blobs removed in one sweep. */
const sweptMax = 100

/** A version that a plan writes, with the seq it has. */
type Owner = Key & { readonly seq: number }

/** Large bytes in parts of 1 MiB, beside the transactions: only whole blobs are adopted by plans. */
export class MongoBlobs implements Blobs {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async write(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Outcome<BlobInfo>> {
    const id = randomUUID()
    const upload = new BlobUpload(id, this.#blobs(), this.#parts(), () => new Date(this.#database.clock()))
    const begun = await answered(upload.begin())
    if (!begun.ok) return begun
    try {
      for await (const chunk of bytes) {
        const added = await answered(upload.add(chunk))
        if (!added.ok) return await this.#giveUp(upload, added)
      }
      const ended = await answered(upload.end())
      return ended.ok ? ok({ id, size: upload.size }) : await this.#giveUp(upload, ended)
    } catch (error) {
      throw await this.#giveUp(upload, error)
    }
  }

  async read(
    id: string,
    { start = 0, end }: { readonly start?: number; readonly end?: number } = {},
  ): Promise<(BlobInfo & { readonly bytes: AsyncIterable<Uint8Array> }) | undefined> {
    const found = await askedAgain(() => this.#blobs().findOne({ _id: id, ...this.#readable() }))
    if (found === null) return undefined
    return { id, size: found.size, bytes: this.#bytes(id, Math.max(0, start), Math.min(found.size, end ?? found.size)) }
  }

  async of(seq: number): Promise<readonly BlobInfo[]> {
    const found = await askedAgain(() =>
      this.#blobs()
        .find({ seq: longOf(seq), state: 'adopted' }, { sort: { whole: 1, _id: 1 } })
        .toArray(),
    )
    return found.map(({ _id, size }) => ({ id: _id, size }))
  }

  async remove(id: string): Promise<Outcome<void>> {
    return answered(this.#remove(id))
  }

  /**
   * Makes the blobs of a plan those of its versions, or their own, in the transaction of the session. Answers the first that is not there, not whole
   * or somebody's; then none of them was touched.
   */
  async adopt(blobs: NonNullable<WritePlan['blobs']>, versions: readonly Owner[], session: ClientSession): Promise<string | undefined> {
    if (blobs.length === 0) return undefined
    const ids = blobs.map(({ id }) => id)
    const found = await this.#blobs()
      .find({ _id: { $in: ids }, ...this.#unclaimed() }, { session, projection: { _id: 1 } })
      .toArray()
    const free = new Set(found.map(({ _id }) => _id))
    const refused = ids.find((id, at) => !free.has(id) || ids.indexOf(id) < at)
    if (refused !== undefined) return refused
    await this.#blobs().bulkWrite(
      blobs.map(({ id, owner }) => ({
        updateOne: {
          filter: { _id: id, state: 'whole' },
          update: {
            $set: { state: 'adopted', ...(owner === undefined ? {} : { seq: longOf(seqOf(owner, versions)) }) },
            // So that no sweep comes past it.
            $unset: { at: 1 },
          },
        },
      })),
      { session },
    )
    return undefined
  }

  /** Drops what versions own, in the transaction that erases them. From its commit on nobody can read it; `sweep` removes its bytes. */
  async removeOf(seqs: readonly number[], session: ClientSession): Promise<void> {
    if (seqs.length > 0) await this.#blobs().updateMany({ seq: { $in: seqs.map(longOf) } }, dropping, { session })
  }

  /** Removes the bytes of some that were dropped, or that nobody adopted in time; answers whether more are left. */
  async sweep(): Promise<boolean> {
    const over = new Date(this.#database.clock() - orphanMs - graceMs)
    const stale: Filter<BlobDocument> = { at: { $lte: over }, state: { $in: ['open', 'whole'] } }
    await this.#blobs().updateMany(stale, dropping, { hint: 'at' })
    return this.sweepDropped()
  }

  /** The same for dropped ones alone. */
  async sweepDropped(): Promise<boolean> {
    const found = await this.#blobs()
      .find({ at: droppedAt, state: 'dropped' }, { hint: 'at', projection: { _id: 1 }, limit: sweptMax })
      .toArray()
    for (const { _id } of found) await this.#erase(_id)
    return found.length === sweptMax
  }

  /** Where the server cannot be reached any more what was written is an orphan, and goes in a day. */
  async #giveUp<T>(upload: BlobUpload, reason: T): Promise<T> {
    await upload.stop()
    await this.#remove(upload.id).catch(() => undefined)
    return reason
  }

  async #remove(id: string): Promise<void> {
    const { matchedCount } = await this.#blobs().updateOne({ _id: id }, dropping)
    if (matchedCount > 0) await this.#erase(id)
  }

  /** The parts first: while one is left, so is the blob that leads to it. */
  async #erase(id: string): Promise<void> {
    await this.#parts().deleteMany(partsOf(id))
    await this.#blobs().deleteOne({ _id: id, state: 'dropped' })
  }

  async *#bytes(id: string, start: number, end: number): AsyncIterable<Uint8Array> {
    for (let at = start; at < end; ) {
      const n = Math.floor(at / partBytes)
      const from = at - n * partBytes
      const to = Math.min(partBytes, end - n * partBytes)
      const [blob, part] = await Promise.all([
        this.#blobs().findOne({ _id: id, ...this.#readable() }, { projection: { _id: 1 } }),
        this.#parts().findOne({ _id: partKey(id, n) }),
      ])
      if (blob === null || part === null) throw new Error('The blob was removed while it was read')
      yield part.bytes.buffer.subarray(from, to)
      at += to - from
    }
  }

  #readable(): Filter<BlobDocument> {
    return { $or: [{ state: 'adopted' }, this.#unclaimed()] }
  }

  /** Nobody's, and not for too long yet: whatever a sweep has come to. */
  #unclaimed(): Filter<BlobDocument> {
    return { state: 'whole', at: { $gt: new Date(this.#database.clock() - orphanMs) } }
  }

  #blobs(): Collection<BlobDocument> {
    return this.#database.collections.own<BlobDocument>('blobs')
  }

  #parts(): Collection<BlobPartDocument> {
    return this.#database.collections.own<BlobPartDocument>('blobparts')
  }
}

/** Before all others in the index by instant. */
const droppedAt = new Date(0)
export const dropping = { $set: { state: 'dropped' as const, at: droppedAt }, $unset: { seq: 1 as const } }

const seqOf = (owner: Key, versions: readonly Owner[]): number => {
  const found = versions.find(({ type, id }) => type === owner.type && id === owner.id)
  if (found === undefined) throw new Error('The owner of a blob is not a version of its plan')
  return found.seq
}
