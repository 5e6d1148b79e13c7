import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { BlobInfo, Blobs } from '../port.ts'
import { BlobNames } from './blob-names.ts'
import { blobStates } from './blob-writer.ts'
import type { WriterLink } from './writer-link.ts'

const partBytes = 1024 * 1024
/** Parts on their way to the disk at once: what a blob may hold in memory on the way in. */
const underWayMax = 3

/** Large bytes in parts of 1 MiB: out on this connection, in by the writer thread. */
export class SqliteBlobs implements Blobs {
  readonly #writer: WriterLink
  readonly #info: StatementSync
  readonly #part: StatementSync
  readonly #of: StatementSync
  readonly #names: BlobNames

  constructor(db: DatabaseSync, writer: WriterLink) {
    this.#writer = writer
    this.#info = db.prepare(`SELECT size FROM blob WHERE b = ? AND state >= ${blobStates.whole}`)
    this.#part = db.prepare(
      `SELECT substr(p.bytes, ?, ?) AS bytes FROM blob b CROSS JOIN blob_part p ON p.b = b.b AND p.n = ? WHERE b.b = ? AND b.state >= ${blobStates.whole}`,
    )
    this.#of = db.prepare(
      `SELECT coalesce(n.name, CAST(b.b AS TEXT)) AS id, b.size FROM blob b INDEXED BY blob_seq LEFT JOIN blob_name n ON n.b = b.b
         WHERE b.seq = ? AND b.seq > 0 ORDER BY b.b`,
    )
    this.#names = new BlobNames(db)
  }

  async write(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Outcome<BlobInfo>> {
    const upload = new Upload(this.#writer)
    try {
      for await (const chunk of bytes) {
        const failed = await upload.add(chunk)
        if (failed !== undefined) return await upload.giveUp(failed)
      }
      const failed = await upload.end()
      return failed === undefined ? ok({ id: String(upload.blob), size: upload.size }) : await upload.giveUp(failed)
    } catch (error) {
      await upload.giveUp(error)
      throw error
    }
  }

  async read(
    id: string,
    { start = 0, end }: { readonly start?: number; readonly end?: number } = {},
  ): Promise<(BlobInfo & { readonly bytes: AsyncIterable<Uint8Array> }) | undefined> {
    const b = this.#names.numberOf(id)
    const size = b === undefined ? undefined : (this.#info.get(b)?.size as number | undefined)
    if (b === undefined || size === undefined) return undefined
    return { id, size, bytes: this.#bytes(b, Math.max(0, start), Math.min(size, end ?? size)) }
  }

  async of(seq: number): Promise<readonly BlobInfo[]> {
    return this.#of.all(seq).map(row => ({ id: row.id as string, size: row.size as number }))
  }

  async remove(id: string): Promise<Outcome<void>> {
    const blob = this.#names.numberOf(id)
    if (blob === undefined) return ok(undefined)
    const dropped = await this.#writer.run({ kind: 'drop', blob })
    return dropped.ok ? this.sweepDropped() : dropped
  }

  /** What was dropped is nobody's already; this returns when its bytes are gone. Some at a time, so that others get their turn. */
  async sweepDropped(): Promise<Outcome<void>> {
    for (;;) {
      const swept = await this.#writer.run({ kind: 'sweep-dropped' })
      if (!swept.ok) return swept
      if (!swept.value.held || swept.value.result?.kind !== 'more' || !swept.value.result.more) return ok(undefined)
    }
  }

  async *#bytes(b: number, start: number, end: number): AsyncIterable<Uint8Array> {
    for (let at = start; at < end; ) {
      const n = Math.floor(at / partBytes)
      const inPart = at - n * partBytes
      const length = Math.min(partBytes - inPart, end - at)
      const part = this.#part.get(inPart + 1, length, n, b)?.bytes as Uint8Array | undefined
      if (part === undefined) throw new Error('The blob was removed while it was read')
      yield part
      at += length
      await setImmediate()
    }
  }
}

/** A blob on its way in: gathers parts, and lets a few of them travel at once. */
class Upload {
  blob = 0
  size = 0
  readonly #writer: WriterLink
  readonly #underWay: Promise<Outcome<number>>[] = []
  #parts = 0
  #gathered = Buffer.alloc(0)
  #filled = 0

  constructor(writer: WriterLink) {
    this.#writer = writer
  }

  /** Returns what failed, if something did. */
  async add(chunk: Uint8Array): Promise<Failed | undefined> {
    this.size += chunk.length
    for (let at = 0; at < chunk.length; ) {
      // A full part goes when more follows: the last one is told apart.
      if (this.#filled === partBytes) {
        const failed = await this.#send(false)
        if (failed !== undefined) return failed
      }
      if (this.#filled === 0) this.#gathered = Buffer.allocUnsafe(partBytes)
      const taken = Math.min(partBytes - this.#filled, chunk.length - at)
      this.#gathered.set(chunk.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
    }
    return undefined
  }

  /** Sends the last part when all others are there, for it makes the blob whole. */
  async end(): Promise<Failed | undefined> {
    return (await this.#settle(0)) ?? (await this.#send(true)) ?? (await this.#settle(0))
  }

  /** What was written is nobody's; the writer removes it some time. */
  async giveUp<T>(reason: T): Promise<T> {
    await Promise.allSettled(this.#underWay.splice(0))
    if (this.blob !== 0) await this.#writer.run({ kind: 'drop', blob: this.blob })
    return reason
  }

  async #send(last: boolean): Promise<Failed | undefined> {
    const failed = await this.#settle(underWayMax - 1)
    if (failed !== undefined) return failed
    const part = this.#part(this.#gathered.subarray(0, this.#filled), last)
    // Whoever waits for it hears what went wrong; until then nobody needs to.
    part.catch(() => undefined)
    this.#underWay.push(part)
    this.#filled = 0
    // The first part gives the blob its number.
    return this.#parts++ === 0 ? this.#settle(0) : undefined
  }

  async #part(bytes: Uint8Array, last: boolean): Promise<Outcome<number>> {
    const part = { blob: this.blob, n: this.#parts, last, start: 0, length: 0 }
    const done = await this.#writer.run({ kind: 'part', ...part }, undefined, bytes)
    if (!done.ok) return done
    if (!done.value.held || done.value.result?.kind !== 'part' || done.value.result.blob === undefined)
      throw new Error('The blob was removed while it was written')
    return ok(done.value.result.blob)
  }

  /** Waits until at most so many parts are under way. */
  async #settle(most: number): Promise<Failed | undefined> {
    while (this.#underWay.length > most) {
      const done = await (this.#underWay.shift() as Promise<Outcome<number>>)
      if (!done.ok) return done
      this.blob = done.value
    }
    return undefined
  }
}

type Failed = Extract<Outcome<never>, { ok: false }>
