import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Committed } from '../port.ts'
import { Committer, type CommitterParts, type Plan, restoreTexts } from './commit.ts'
import type { Database } from './database.ts'
import { isAway, isDuplicate, isFull, isTooLarge, told } from './failures.ts'
import { Crowded, Lane, type Turn } from './lane.ts'
import { isLarge, Lanes } from './lanes.ts'
import { bytesOf, keysOf } from './plan-keys.ts'
import { SequenceSource } from './sequence-source.ts'
import { Slots } from './slots.ts'
import { type Keys, Turnstile } from './turnstile.ts'

/** Plans that may wait, and what they may hold in memory. Beyond it writers are told to come again. */
const waitingPlansMax = 10_000
const waitingBytesMax = 256 * 1024 * 1024
/** Groups in flight at once, each by a slot of its own. */
const lanesMax = 3
/** An election of a set as MongoDB ships it takes up to 12 s; what waits longer is told so. */
const patienceMs = 20_000
/** Conflicts after which the plans of a group go by halves. */
const conflictsMax = 3
/** A key that another transaction took may be seen or not: looked at again so many times, a moment apart. */
const duplicatesMax = 5

/** What waits for its turn: a plan, or something that is written by itself. */
type Waiting = {
  readonly weight: number
  readonly alone?: boolean
  readonly bytes: number
  readonly endsAtMs: number
  readonly work: Plan | Alone
  readonly answer: (value: Outcome<unknown>) => void
  readonly reject: (error: Error) => void
}
/** A transaction of its own. */
type Alone = { readonly prepare?: () => Promise<void>; readonly run: (turn: Turn) => Promise<unknown> }

export type WriterState = { readonly commits: number; readonly plans: number; readonly versions: number }

export type WriterOptions = { readonly patienceMs?: number }

/**
 * All writing of this process. A plan waits until nothing under way shares anything with it, then until a lane is free; a group is what gathered
 * meanwhile. Nobody waits for company, and a plan that cannot be written harms only itself.
 */
export class Writer implements AsyncDisposable {
  readonly #slots: Slots
  readonly #source: SequenceSource
  readonly #lanes: readonly Lane[]
  readonly #free: Lane[]
  readonly #queue = new Lanes<Waiting>()
  readonly #turnstile = new Turnstile<Waiting>(waiting => this.#queue.add(waiting))
  readonly #patienceMs: number
  readonly #largeMax: number
  #committer: Committer | undefined
  #scheduled = false
  #large = 0
  #queued = 0
  #queuedBytes = 0
  #closed = false
  #away = false
  #drained: (() => void) | undefined
  #state = { commits: 0, plans: 0, versions: 0 }

  private constructor(database: Database, slots: Slots, source: SequenceSource, options: WriterOptions) {
    this.#slots = slots
    this.#source = source
    this.#lanes = slots.all.map(slot => new Lane(database, slots, slot, source))
    this.#free = [...this.#lanes]
    // One lane is left to small ones.
    this.#largeMax = Math.max(1, this.#lanes.length - 1)
    this.#patienceMs = options.patienceMs ?? patienceMs
  }

  /** Leases its slots. Throws `StoreUnusable` when there is none. */
  static async open(database: Database, clock: Clock, options: WriterOptions = {}): Promise<Writer> {
    const source = new SequenceSource(clock)
    const slots = await Slots.lease(database, lanesMax, () => source.close())
    source.rise(slots.floor)
    return new Writer(database, slots, source, options)
  }

  /** What plans are written with. Before it no plan is taken. */
  begin(parts: CommitterParts): void {
    this.#committer = new Committer(parts)
  }

  get slots(): Slots {
    return this.#slots
  }

  get queued(): number {
    return this.#queued
  }

  get state(): WriterState {
    return this.#state
  }

  /** A number that nobody was ever given. */
  nextLease(): number {
    return this.#source.take(this.#slots.all[0]?.number ?? 0, 1, 0)[0] as number // one was asked for
  }

  /** Nothing at or below it is given any more. */
  rise(last: number): void {
    this.#source.rise(last)
  }

  /** Fails `overloaded`, `no-store`, `disk-full`, `too-large-for-store`, `too-many-index-values`; rejects when the plan cannot be written for no reason foreseen. */
  async commit(one: Plan): Promise<Outcome<Committed>> {
    const { plan, actions } = one
    const keys = actions.map(({ collection, key }) => `${collection.definition.name} ${key}`)
    const weight = plan.versions.length + actions.length
    const bytes = bytesOf(plan) + actions.reduce((sum, { value }) => sum + (value?.size ?? 0), 0)
    let done: Outcome<Committed> | undefined
    try {
      done = await this.#wait<Committed>(one, keysOf(plan, keys), { weight, bytes })
      return done
    } finally {
      if (done?.ok !== true || !done.value.held) restoreTexts(plan)
    }
  }

  /** Something of the engine's own, alone in its transaction, while nothing is written that shares a key. Again and again until it is committed. */
  alone<T>(keys: Keys, run: (turn: Turn) => Promise<T>, prepare?: () => Promise<void>): Promise<Outcome<T>> {
    return this.#wait<T>({ run, ...(prepare === undefined ? {} : { prepare }) }, keys, { weight: 1, bytes: 0, alone: true })
  }

  /** Writes what still waits, then gives the slots back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    if (this.#queued > 0) await new Promise<void>(resolve => (this.#drained = resolve))
    await this.#slots[Symbol.asyncDispose]()
  }

  #wait<T>(
    work: Plan | Alone,
    keys: Keys,
    size: { readonly weight: number; readonly bytes: number; readonly alone?: boolean },
  ): Promise<Outcome<T>> {
    if (this.#closed) return Promise.resolve(fail('no-store', {}))
    if (this.#queued >= waitingPlansMax || (this.#queued > 0 && this.#queuedBytes + size.bytes > waitingBytesMax))
      return Promise.resolve(fail('overloaded', {}, { retryAfterSeconds: 1 }))
    return new Promise((resolve, reject) => {
      const answer = resolve as (value: Outcome<unknown>) => void // what its own work gives
      this.#queued++
      this.#queuedBytes += size.bytes
      this.#turnstile.add({ ...size, work, endsAtMs: performance.now() + this.#patienceMs, answer, reject }, keys)
      this.#schedule()
    })
  }

  /** What comes in during one turn of the event loop goes together. */
  #schedule(): void {
    if (this.#scheduled || this.#free.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#start()
    })
  }

  #start(): void {
    while (this.#free.length > 0) {
      const group = this.#queue.next(performance.now(), this.#large < this.#largeMax, this.#free.length)
      if (group.length === 0) return
      void this.#run(this.#free.pop() as Lane, group, group.some(isLarge) ? 1 : 0)
    }
  }

  async #run(lane: Lane, group: readonly Waiting[], large: 0 | 1): Promise<void> {
    this.#large += large
    await this.#write(lane, this.#away ? this.#patient(group) : group)
    this.#large -= large
    this.#free.push(lane)
    this.#schedule()
  }

  /** While the database is away nobody waits in line for a failure that is certain. */
  #patient(group: readonly Waiting[]): readonly Waiting[] {
    const now = performance.now()
    for (const waiting of group) if (waiting.endsAtMs < now) this.#end(waiting, () => waiting.answer(away()))
    return group.filter(({ endsAtMs }) => endsAtMs >= now)
  }

  /** Answers every one of the group, whatever happens. `duplicates`: how often something turned out to be there that was held to be new. */
  async #write(lane: Lane, group: readonly Waiting[], duplicates = 0): Promise<void> {
    const [first] = group
    if (first === undefined) return
    try {
      const answers = await this.#transaction(lane, group, duplicates > 0)
      this.#away = false
      for (const [at, waiting] of group.entries()) this.#end(waiting, () => waiting.answer(answers[at] as Outcome<unknown>)) // one for each
    } catch (error) {
      await this.#recover(lane, group, duplicates, error)
    }
  }

  async #recover(lane: Lane, group: readonly Waiting[], duplicates: number, error: unknown): Promise<void> {
    if (isAway(error)) {
      this.#away = true
      for (const waiting of group) this.#end(waiting, () => waiting.answer(away()))
    } else if (isDuplicate(error) && duplicates < duplicatesMax) {
      await sleep(Math.random() * 2 ** duplicates)
      await this.#write(lane, group, duplicates + 1)
    } else if (group.length > 1) {
      const cut = error instanceof Crowded ? Math.ceil(group.length / 2) : 1
      for (let at = 0; at < group.length; at += cut) await this.#write(lane, group.slice(at, at + cut), duplicates > 0 ? 1 : 0)
    } else
      for (const waiting of group) {
        const failed = refusedBy(error)
        this.#end(waiting, () => (failed === undefined ? waiting.reject(broken(error)) : waiting.answer(failed)))
      }
  }

  async #transaction(lane: Lane, group: readonly Waiting[], careful: boolean): Promise<readonly Outcome<unknown>[]> {
    const endsAtMs = Math.max(...group.map(waiting => waiting.endsAtMs))
    const [{ work }] = group as readonly [Waiting]
    if ('run' in work) {
      const value = await lane.run(work.run, { endsAtMs, ...(work.prepare === undefined ? {} : { prepare: work.prepare }) })
      return [ok(value)]
    }
    const committer = this.#committer
    if (committer === undefined) throw new Error('The writer has not begun')
    const plans = group.map(waiting => waiting.work as Plan) // who is alone is in no group
    const answers = await lane.run(turn => committer.apply(plans, turn, careful), {
      endsAtMs,
      ...(group.length > 1 ? { conflictsMax } : {}),
      prepare: () => committer.prepare(plans),
    })
    this.#count(plans, answers)
    return answers
  }

  #count(plans: readonly Plan[], answers: readonly Outcome<Committed>[]): void {
    const written = plans.reduce((sum, { plan }, at) => {
      const answer = answers[at]
      return answer?.ok === true && answer.value.held ? sum + plan.versions.length : sum
    }, 0)
    const { commits, plans: counted, versions } = this.#state
    this.#state = { commits: commits + 1, plans: counted + plans.length, versions: versions + written }
  }

  #end(waiting: Waiting, answer: () => void): void {
    this.#queued--
    this.#queuedBytes -= waiting.bytes
    answer()
    this.#turnstile.done(waiting)
    if (this.#queued === 0) this.#drained?.()
  }
}

const away = (): Outcome<never> => fail('no-store', {}, { retryAfterSeconds: 5 })

/** What the database says for good of a plan that is alone. */
const refusedBy = (error: unknown): Outcome<never> | undefined => {
  if (isFull(error)) return fail('disk-full', {})
  return isTooLarge(error) ? fail('too-large-for-store', {}) : undefined
}

const broken = (error: unknown): Error => new Error(`A plan could not be written: ${told(error)}`)
