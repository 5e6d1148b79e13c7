import type { Collection, Filter } from 'mongodb'
import type { RecordBounds, TakenRecord } from '../port.ts'
import { rowsBytesMax } from '../record-rules.ts'
import type { Database } from './database.ts'
import { stretchOf } from './record-bounds.ts'
import type { RecordCollection } from './record-collections.ts'
import { documentOf, longOf, type RecordDocument } from './record-documents.ts'
import { readIn } from './record-reading.ts'

/** Rounds in which other nodes were quicker each time; what was not handed out by then is left for the next call. */
const roundsMax = 10

type Taking = { readonly index: string; readonly n: number; readonly leaseMs: number; readonly bounds: RecordBounds }
type Candidate = { readonly key: string; readonly seq: number; readonly size: number }

/**
 * Hands out records. A lease is set on the condition that nobody else has set one meanwhile, document by document, so no transaction is needed,
 * and callers of one process wait for each other, so that they do not all reach for the same. Ends of leases are by the clock of the store.
 */
export class RecordTaking {
  readonly #database: Database
  readonly #records: RecordCollection
  readonly #nextLease: () => number
  #turn: Promise<unknown> = Promise.resolve()

  /** `nextLease`: a number never given before, by whatever node. */
  constructor(database: Database, records: RecordCollection, nextLease: () => number) {
    this.#database = database
    this.#records = records
    this.#nextLease = nextLease
  }

  /** In the order of the index, fewer where they are large. */
  take(taking: Taking): Promise<readonly TakenRecord<object>[]> {
    const taken = this.#turn.then(() => this.#take(taking))
    this.#turn = taken.catch(() => undefined)
    return taken
  }

  /** Holds it longer, or lets go of it when `leaseMs` is 0. False when somebody else took it, or it is gone. */
  async extend(key: string, lease: number, leaseMs: number): Promise<boolean> {
    const change =
      leaseMs === 0
        ? { $unset: { lease: 1, leasedUntil: 1 } as const }
        : { $set: { leasedUntil: new Date(this.#database.clock() + leaseMs) } }
    const { matchedCount } = await this.#collection().updateOne({ _id: key, lease: longOf(lease) }, change)
    return matchedCount > 0
  }

  async #take({ n, ...taking }: Taking): Promise<readonly TakenRecord<object>[]> {
    const taken: TakenRecord<object>[] = []
    let bytes = 0
    for (let round = 0; round < roundsMax && taken.length < n && bytes <= rowsBytesMax; round++) {
      const candidates = await this.#candidates({ ...taking, n: n - taken.length }, rowsBytesMax - bytes)
      if (candidates.length === 0) break
      const leased = await this.#lease(candidates, taking.leaseMs)
      taken.push(...leased)
      if (leased.length === candidates.length) break
      bytes += candidates.reduce((sum, { size }) => sum + size, 0)
    }
    return taken
  }

  /** Ends with the one that makes them larger than `bytesMax`. */
  async #candidates({ index, n, bounds }: Taking, bytesMax: number): Promise<readonly Candidate[]> {
    const stretch = stretchOf(this.#records, index, bounds)
    if (stretch === undefined) return []
    const found: Candidate[] = []
    let bytes = 0
    const free = this.#free()
    for await (const { _id, seq, size } of readIn(this.#database, this.#records, stretch, free, {
      limit: n,
      projection: { seq: 1, size: 1 },
    })) {
      found.push({ key: _id, seq: Number(seq), size })
      bytes += size
      if (bytes > bytesMax) break
    }
    return found
  }

  /** Those of them that are still as they were seen, and now ours. */
  async #lease(candidates: readonly Candidate[], leaseMs: number): Promise<readonly TakenRecord<object>[]> {
    const lease = this.#nextLease()
    const change = { $set: { lease: longOf(lease), leasedUntil: new Date(this.#database.clock() + leaseMs) }, $inc: { takes: 1 } }
    const free = this.#free()
    await this.#collection().bulkWrite(
      candidates.map(({ key, seq }) => ({ updateOne: { filter: { $and: [{ _id: key, seq: longOf(seq) }, free] }, update: change } })),
      { ordered: false },
    )
    const ours = new Map<string, RecordDocument>()
    const found = this.#collection().find({ _id: { $in: candidates.map(({ key }) => key) }, lease: longOf(lease) })
    for await (const document of found) ours.set(document._id, document)
    return candidates.flatMap(({ key }) => {
      const document = ours.get(key)
      if (document === undefined) return []
      return [{ key, value: documentOf(document), revision: Number(document.seq), lease, times: document.takes ?? 0 }]
    })
  }

  #free(): Filter<RecordDocument> {
    return { leasedUntil: { $not: { $gt: new Date(this.#database.clock()) } } }
  }

  #collection(): Collection<RecordDocument> {
    return this.#database.collections.own<RecordDocument>(this.#records.name)
  }
}
