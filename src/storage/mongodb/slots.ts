import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { type Binary, type ClientSession, type Collection, Long } from 'mongodb'
import { msOfSeq } from '../sequence.ts'
import { StoreUnusable } from '../unusable.ts'
import { hasCode, serverCodes } from './collections.ts'
import type { Database } from './database.ts'
import { readConcernOf, type State } from './state.ts'

/** Slots of the store: six bits of every seq. */
export const slotsMax = 64

/** `simpul.slots`. Who leaves keeps the counts and the bound in it: both are for ever. */
export type SlotDocument = {
  readonly _id: number
  /** Raised with every lease and when a silent writer is fenced: whoever holds an older one can no longer commit. */
  readonly epoch: number
  /** Absent: free. For people; the epoch is what counts. */
  readonly writer?: string
  /** When the writer was last heard of, by the clock of mongod. */
  readonly at: Date
  /** No seq below it will come from this slot. */
  readonly bound: Long | number
  /** By which its groups are written: ended with its writer, or what that left under way would keep others waiting for a minute. */
  readonly session?: Binary
  /** Between taking the slot and knowing what the others promised. */
  readonly joining?: true
  /** Live instances by shape, as changed by this slot: the sum over all slots is the count. */
  readonly shapes?: Readonly<Record<string, number>>
}

/** Number and epoch change when the slot is leased anew. */
export type Slot = Place & { readonly session: ClientSession }
type Place = { number: number; epoch: number }

/** The slot is no longer ours: another node saw us silent for too long. Nothing of the group was written. */
export class Fenced extends Error {
  constructor() {
    super('The writer slot was taken away, because nothing was heard of this process for too long')
    this.name = 'Fenced'
  }
}

export type SlotsOptions = {
  /** After so long without a sign of life a writer is fenced. */
  readonly silenceMs?: number
  /** Between two signs of life of an idle slot. */
  readonly heartbeatMs?: number
}

/** Polls of a writer that joins, at most; each after `joinPollMs`. */
const joinPolls = 50
const joinPollMs = 20
/** Beats between two looks at the other writers. */
const beatsBetweenLooks = 4
/** For changes outside of groups: a transaction under way on the same slot makes them wait. */
const aloneMs = 5000

type Held = Slot & { inFlight: boolean }

/**
 * The writer slots of this process: leased documents by which all writers of the store know of each other. They keep seqs of two processes apart,
 * carry the counts (one document for all would put all writers in a row), and tell up to which instant nothing more will come.
 * Times are those of mongod. Callers mark a slot `begin` … `end` around each group, from before its first seq is drawn:
 * an idle slot is renewed from outside, one with a group in flight only by that group.
 */
export class Slots {
  readonly #database: Database
  readonly #bound: () => number
  readonly #silenceMs: number
  readonly #held: Held[] = []
  readonly #writer = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
  #heartbeat: NodeJS.Timeout | undefined
  readonly #publishing = new Set<Promise<unknown>>()
  /** Slots whose writers were silent at the last look, and since when. */
  #suspects: ReadonlyMap<number, number> = new Map()
  #looking: Promise<void> | undefined
  #beats = 0
  #floor = 0
  #horizonMs = 0

  private constructor(database: Database, bound: () => number, silenceMs: number) {
    this.#database = database
    this.#bound = bound
    this.#silenceMs = silenceMs
  }

  /**
   * As many as are free up to `wanted`, at least one, else throws. `bound`: least seq that may still be drawn; asking may move it on.
   * No seq may be drawn before the source was told to start above `floor`.
   */
  static async lease(database: Database, wanted: number, bound: () => number, options: SlotsOptions = {}): Promise<Slots> {
    const { silenceMs = 10_000, heartbeatMs = 500 } = options
    const slots = new Slots(database, bound, silenceMs)
    const sessions = Array.from({ length: wanted }, () => database.client.startSession({ causalConsistency: false }))
    const taken = await slots.#take(sessions)
    for (const session of sessions.slice(taken.length)) await session.endSession()
    if (taken.length === 0)
      throw new StoreUnusable(
        'refused',
        `All ${slotsMax} writer slots of the store are in use. Run fewer processes, or wait ${silenceMs / 1000} s after one was killed.`,
      )
    slots.#held.push(...taken.map(slot => ({ ...slot, inFlight: false })))
    await slots.#join(slots.#held)
    slots.#heartbeat = setInterval(() => slots.#beat(), heartbeatMs)
    slots.#heartbeat.unref()
    return slots
  }

  get all(): readonly Slot[] {
    return this.#held
  }

  /** The greatest seq that any writer promised not to go below; seqs of ours must lie above it. Read it after `lease` and after each `renew`. */
  get floor(): number {
    return this.#floor
  }

  /** A group begins in this slot: call it before its first seq is drawn. */
  async begin(slot: Slot): Promise<void> {
    this.#own(slot).inFlight = true
    // A change from outside that is under way would make the group's transaction fail.
    await Promise.allSettled(this.#publishing)
  }

  end(slot: Slot): void {
    this.#own(slot).inFlight = false
  }

  /** The group's own change of its slot, in its transaction: a sign of life, its promise and its counts. Throws `Fenced`. */
  async touch(
    slot: Slot,
    change: { readonly bound: number; readonly shapes: ReadonlyMap<number, number> },
    session: ClientSession,
  ): Promise<void> {
    const counts = [...change.shapes].filter(([, difference]) => difference !== 0)
    const { matchedCount } = await this.#slots().updateOne(
      { _id: slot.number, epoch: slot.epoch },
      {
        $currentDate: { at: true },
        $max: { bound: Long.fromNumber(change.bound) },
        ...(counts.length === 0 ? {} : { $inc: Object.fromEntries(counts.map(([shape, difference]) => [`shapes.${shape}`, difference])) }),
      },
      { session },
    )
    if (matchedCount === 0) throw new Fenced()
  }

  /** After `Fenced`: leases the slot anew, under another number where that is taken. Then see `floor`. */
  async renew(slot: Slot): Promise<void> {
    const held = this.#own(slot)
    const [taken] = await this.#take([held.session], held.number)
    if (taken === undefined) throw new StoreUnusable('refused', `All ${slotsMax} writer slots of the store are in use.`)
    Object.assign(held, taken)
    await this.#join([held])
  }

  /** Instant (ms) up to which no write can appear any more, from any node. Silent writers are fenced, then left out. */
  async horizon(): Promise<number> {
    await this.#publish()
    for (let poll = 0; poll < joinPolls; poll++) {
      const found = await this.#fenced()
      const live = found.filter(({ writer }) => writer !== undefined)
      if (live.every(({ joining }) => joining !== true)) {
        const bounds = (live.length > 0 ? live : found).map(({ bound }) => Number(bound))
        // Without writers: whoever comes starts above the greatest. And what was once told stays true.
        const promised = live.length > 0 ? Math.min(...bounds) : Math.max(0, ...bounds)
        this.#horizonMs = Math.max(this.#horizonMs, msOfSeq(promised) - 1)
        break
      }
      await new Promise(again => setTimeout(again, joinPollMs))
    }
    return this.#horizonMs
  }

  /** Live instances by shape, over all slots; with `state`, as it was then. */
  async counts(state: State = {}): Promise<ReadonlyMap<number, number>> {
    const { session } = state
    // As a command: the driver's own find has no room for the time of a state.
    const answer = await this.#database.db.command(
      { find: 'simpul.slots', projection: { shapes: 1 }, batchSize: slotsMax, singleBatch: true, ...readConcernOf(state) },
      session === undefined ? {} : { session },
    )
    const found = answer.cursor.firstBatch as readonly SlotDocument[]
    const sums = new Map<number, number>()
    for (const { shapes = {} } of found)
      for (const [shape, count] of Object.entries(shapes)) sums.set(Number(shape), (sums.get(Number(shape)) ?? 0) + count)
    return sums
  }

  /** Gives the slots back. No group may be in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat)
    await Promise.allSettled([...this.#publishing, this.#looking])
    const bound = Long.fromNumber(this.#bound())
    await this.#slots()
      .bulkWrite(
        this.#held.map(({ number, epoch }) => ({
          updateOne: { filter: { _id: number, epoch }, update: { $unset: { writer: 1, session: 1 }, $inc: { epoch: 1 }, $max: { bound } } },
        })),
        { ordered: false },
      )
      // Away already: others fence what was ours.
      .catch(() => undefined)
    for (const { session } of this.#held) await session.endSession()
  }

  #slots(): Collection<SlotDocument> {
    return this.#database.collections.own<SlotDocument>('slots', { readConcern: { level: 'majority' } })
  }

  #own(slot: Slot): Held {
    const held = this.#held.find(one => one === slot)
    if (held === undefined) throw new Error('This slot is not held by this process')
    return held
  }

  /** Free and silent slots, lowest numbers first, so that few documents carry counts. */
  async #take(sessions: readonly ClientSession[], preferred?: number): Promise<readonly Slot[]> {
    const found = await this.#read()
    const held = new Set(found.filter(({ writer, silent }) => writer !== undefined && !silent).map(({ _id }) => _id))
    const free = Array.from({ length: slotsMax }, (_, number) => number).filter(number => !held.has(number))
    const inOrder = preferred !== undefined && free.includes(preferred) ? [preferred, ...free.filter(one => one !== preferred)] : free
    const there = new Set(found.map(({ _id }) => _id))
    const taken: Slot[] = []
    for (const number of inOrder) {
      const session = sessions[taken.length]
      if (session === undefined) break
      if (!there.has(number))
        await this.#slots().updateOne({ _id: number }, { $setOnInsert: { epoch: 0, at: new Date(0), bound: Long.ZERO } }, { upsert: true })
      const place = await this.#tryTake(number, session)
      if (place !== undefined) taken.push({ ...place, session })
    }
    return taken
  }

  /** Undefined when another node was faster. */
  async #tryTake(number: number, session: ClientSession): Promise<Place | undefined> {
    try {
      const taken = await this.#slots().findOneAndUpdate(
        { _id: number, $or: [{ writer: { $exists: false } }, { $expr: this.#isSilent() }] },
        [{ $set: { writer: this.#writer, at: '$$NOW', joining: true, session: session.id?.id, epoch: { $add: ['$epoch', 1] } } }],
        { returnDocument: 'after', projection: { epoch: 1 }, maxTimeMS: aloneMs },
      )
      return taken === null ? undefined : { number, epoch: taken.epoch }
    } catch (error) {
      // A transaction of the silent one holds on.
      if (hasCode(error, serverCodes.timeExceeded)) return undefined
      throw error
    }
  }

  /**
   * Whoever asks for the horizon from now on waits for us; what was told before was published by somebody before we were seen. So the greatest
   * promise that is there now bounds all that was ever told, and we start above it.
   */
  async #join(held: readonly Held[]): Promise<void> {
    const [greatest] = await this.#slots()
      .find({}, { projection: { bound: 1 }, sort: { bound: -1 }, limit: 1 })
      .toArray()
    this.#floor = Math.max(this.#floor, Number(greatest?.bound ?? 0))
    const bound = Long.fromNumber(this.#floor)
    await this.#slots().bulkWrite(
      held.map(({ number, epoch }) => ({
        updateOne: {
          filter: { _id: number, epoch },
          update: { $unset: { joining: 1 }, $currentDate: { at: true }, $max: { bound } },
        },
      })),
      { ordered: false },
    )
  }

  #beat(): void {
    if (this.#publishing.size > 0) return
    // An election, or the network: the next beat tries again, and who is silent for too long is fenced.
    this.#publish().catch(() => undefined)
    if (++this.#beats % beatsBetweenLooks > 0) return
    this.#looking ??= this.#look()
      .catch(() => undefined)
      .finally(() => (this.#looking = undefined))
  }

  /**
   * Fences writers that died: all slots silent, at two looks, since after an election everybody was silent. What they left under way ends with it,
   * which would keep waiting whoever wants to write the same.
   */
  async #look(): Promise<void> {
    const live = (await this.#read()).filter(({ writer }) => writer !== undefined)
    const byWriter = Map.groupBy(live, ({ writer }) => writer)
    const dead = [...byWriter.values()].filter(slots => slots.every(({ silent }) => silent)).flat()
    for (const slot of dead) if (this.#suspects.get(slot._id) === slot.at.getTime()) await this.#fence(slot)
    this.#suspects = new Map(dead.map(({ _id, at }) => [_id, at.getTime()]))
  }

  /** A sign of life and a promise from every idle slot. */
  async #publish(): Promise<void> {
    const idle = this.#held.filter(({ inFlight }) => !inFlight)
    if (idle.length === 0) return
    const bound = Long.fromNumber(this.#bound())
    const publishing = this.#slots().bulkWrite(
      idle.map(({ number, epoch }) => ({
        updateOne: { filter: { _id: number, epoch }, update: { $currentDate: { at: true }, $max: { bound } } },
      })),
      { ordered: false },
    )
    this.#publishing.add(publishing)
    await publishing.finally(() => this.#publishing.delete(publishing))
  }

  /** All slots, those of silent writers fenced. */
  async #fenced(): Promise<readonly SlotDocument[]> {
    const found = await this.#read()
    return Promise.all(found.map(async ({ silent, ...slot }) => (silent && (await this.#fence(slot)) ? without(slot) : slot)))
  }

  async #read(): Promise<readonly (SlotDocument & { silent: boolean })[]> {
    const silent = { $and: [{ $ne: [{ $type: '$writer' }, 'missing'] }, this.#isSilent()] }
    return this.#slots()
      .aggregate<SlotDocument & { silent: boolean }>([{ $set: { silent } }, { $unset: 'shapes' }])
      .toArray()
  }

  /** False when it was heard of meanwhile, or a transaction of its holds on. */
  async #fence({ _id, epoch, session }: SlotDocument): Promise<boolean> {
    // Sessions belong to the user of the database, by whatever node they were begun. Who may not end it waits until the server does.
    if (session !== undefined) await this.#database.db.command({ killSessions: [{ id: session }] }).catch(() => undefined)
    try {
      const { matchedCount } = await this.#slots().updateOne(
        { _id, epoch, $expr: this.#isSilent() },
        { $inc: { epoch: 1 }, $unset: { writer: 1, joining: 1, session: 1 } },
        { maxTimeMS: aloneMs },
      )
      return matchedCount === 1
    } catch (error) {
      if (hasCode(error, serverCodes.timeExceeded)) return false
      throw error
    }
  }

  #isSilent(): object {
    return { $lt: ['$at', { $subtract: ['$$NOW', this.#silenceMs] }] }
  }
}

const without = ({ writer: _, joining: __, session: ___, ...slot }: SlotDocument): SlotDocument => slot
