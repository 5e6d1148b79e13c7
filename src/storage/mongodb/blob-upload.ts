import { Binary, type Collection } from 'mongodb'
import type { BlobDocument, BlobPartDocument } from './blob-documents.ts'
import { partBytes, partKey } from './blob-documents.ts'

/** Parts on their way to the server at once: with the one being gathered, what a blob may hold in memory on the way in. */
const underWayMax = 3

/** A blob on its way in: gathers parts, and lets a few of them travel at once. */
export class BlobUpload {
  size = 0
  readonly id: string
  readonly #blobs: Collection<BlobDocument>
  readonly #parts: Collection<BlobPartDocument>
  readonly #now: () => Date
  readonly #underWay: Promise<void>[] = []
  #sent = 0
  #gathered: Buffer<ArrayBuffer> = Buffer.alloc(0)
  #filled = 0

  constructor(id: string, blobs: Collection<BlobDocument>, parts: Collection<BlobPartDocument>, now: () => Date) {
    this.id = id
    this.#blobs = blobs
    this.#parts = parts
    this.#now = now
  }

  /** The blob is there, and grows. */
  async begin(): Promise<void> {
    await this.#blobs.insertOne({ _id: this.id, state: 'open', size: 0, at: this.#now() })
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.size += chunk.length
    for (let at = 0; at < chunk.length; ) {
      if (this.#filled === 0) this.#gathered = Buffer.allocUnsafe(partBytes)
      const taken = Math.min(partBytes - this.#filled, chunk.length - at)
      this.#gathered.set(chunk.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled === partBytes) await this.#send()
    }
  }

  /** All parts are there: the blob is whole, and can be read and adopted. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#send()
    await this.#settle(0)
    const now = this.#now()
    const whole = { $set: { state: 'whole' as const, size: this.size, at: now, whole: now } }
    const { matchedCount } = await this.#blobs.updateOne({ _id: this.id, state: 'open' }, whole)
    if (matchedCount === 0) throw removedMeanwhile()
  }

  /** Waits for what is under way, whatever becomes of it. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#underWay.splice(0))
  }

  async #send(): Promise<void> {
    await this.#settle(underWayMax - 1)
    const part = this.#write(this.#sent++, this.#gathered.subarray(0, this.#filled))
    // Whoever waits for it hears what went wrong; until then nobody needs to.
    part.catch(() => undefined)
    this.#underWay.push(part)
    this.#filled = 0
  }

  /** First the instant: a blob that still grows is nobody's orphan. */
  async #write(n: number, bytes: Uint8Array): Promise<void> {
    const { matchedCount } = await this.#blobs.updateOne({ _id: this.id, state: 'open' }, { $set: { at: this.#now() } })
    if (matchedCount === 0) throw removedMeanwhile()
    await this.#parts.insertOne({ _id: partKey(this.id, n), bytes: new Binary(bytes) })
  }

  /** Waits until at most so many parts are under way. */
  async #settle(most: number): Promise<void> {
    while (this.#underWay.length > most) await this.#underWay.shift()
  }
}

const removedMeanwhile = (): Error => new Error('The blob was removed while it was written')
