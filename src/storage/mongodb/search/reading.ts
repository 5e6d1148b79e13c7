import { setTimeout as sleep } from 'node:timers/promises'
import { type Document, MongoServerError } from 'mongodb'
import { type Deadline, isOver } from '../../../base/deadline.ts'
import type { Database } from '../database.ts'
import { isPassing, isTransient, told } from '../failures.ts'
import { isExpired } from '../snapshot.ts'
import { readConcernOf, type State } from '../state.ts'
import type { TypesAt } from '../types-at.ts'

/** A `find` or `aggregate`, without what the state and the deadline add. `batchSize` of a find stands at its limit. */
export type Command = Document & ({ readonly find: string } | { readonly aggregate: string })

/** The deadline is over, or the client left. */
export class OutOfTime extends Error {}
/** The database has no longer what the state held. */
export class StateGone extends Error {}

/** A collection that another node lays out at this very moment has no state to be read for some milliseconds. */
const attemptsMax = 6
const againMs = 15
/** Documents of one answer where the command does not say. */
const batchSize = 1_000
/** Commands under way at once for one question. */
const togetherMax = 8

/**
 * One state of the database for all commands of a question: that of a snapshot or of a transaction, or else the newest, which is what the
 * first command saw. Throws `OutOfTime` and `StateGone`.
 */
export class Reading {
  readonly database: Database
  /** By the clock of the store, one for the whole question (ms). */
  readonly now: number
  readonly #types: TypesAt
  readonly #deadline: Deadline | undefined
  readonly #told: (command: Command) => void
  readonly #there = new Map<string, boolean>()
  /** The state that was asked for; nothing of it for the newest. */
  readonly asked: State
  #state: State

  constructor(
    database: Database,
    types: TypesAt,
    asked: { readonly state: State; readonly deadline?: Deadline | undefined; readonly told?: (command: Command) => void },
  ) {
    this.database = database
    this.now = database.clock()
    this.#types = types
    this.asked = asked.state
    this.#state = asked.state
    this.#deadline = asked.deadline
    this.#told = asked.told ?? (() => undefined)
  }

  get state(): State {
    return this.#state
  }

  /** Whether anything of the type can have been there. */
  async has(type: string): Promise<boolean> {
    const known = this.#there.get(type)
    if (known !== undefined) return known
    let there = await this.#isThere(type)
    if (!there && !this.#isSettled()) {
      // It may come at this moment, before the state that all else is read from.
      await this.settle()
      there = await this.#isThere(type)
    }
    this.#there.set(type, there)
    return there
  }

  async #isThere(type: string): Promise<boolean> {
    return (await this.#attempt(() => this.#types.among([type], this.#state))).length > 0
  }

  rows(command: Command): Promise<readonly Document[]> {
    this.#told(command)
    return this.#rows(command)
  }

  async #rows(command: Command): Promise<readonly Document[]> {
    const answer = await this.#command(command, {})
    if (this.#isWhole(answer)) return answer.cursor.firstBatch
    const rows: Document[] = []
    for await (const batch of this.#batches(command, sizeOf(command))) rows.push(...batch)
    return rows
  }

  /** The same, each document as its BSON. */
  async bytes(command: Command): Promise<readonly Uint8Array[]> {
    this.#told(command)
    const answer = await this.#command(command, { fieldsAsRaw: { firstBatch: true } })
    if (this.#isWhole(answer)) return answer.cursor.firstBatch
    const rows: Uint8Array[] = []
    // The cast: `raw` makes documents bytes, which the types of the driver do not know.
    for await (const batch of this.#batches(command, sizeOf(command), true)) rows.push(...(batch as unknown as readonly Uint8Array[]))
    return rows
  }

  /** Not from the state but as it is now, or as the transaction sees it. For what one answer of each holds. */
  async latest(commands: readonly Command[]): Promise<readonly (readonly Document[])[]> {
    const inTransaction = this.#inTransaction()
    const ask = async (command: Command): Promise<readonly Document[]> => {
      this.#told(command)
      const concern = inTransaction ? {} : { readConcern: { level: 'majority' } }
      const answer = await this.#attempt(() => this.database.db.command({ ...command, ...concern, ...this.#time() }, this.#options()))
      return answer.cursor.firstBatch
    }
    if (!inTransaction) return Promise.all(commands.map(ask))
    const answers: (readonly Document[])[] = []
    for (const command of commands) answers.push(await ask(command))
    return answers
  }

  /** For who may stop before the end: in the order of the command where it has one. */
  async *batches(command: Command, size: number): AsyncGenerator<readonly Document[]> {
    let taken = 0
    try {
      for await (const batch of this.#parts(command, size)) {
        taken += batch.length
        yield batch
      }
    } finally {
      this.#told(limited(command, taken))
    }
  }

  /** Settles which state it is, where no command did. */
  async settle(): Promise<void> {
    if (this.#isSettled()) return
    const command = { find: this.database.collections.own('types').collectionName, projection: { _id: 1 }, limit: 1, singleBatch: true }
    await this.#command(command, {})
  }

  /** All of them, at once as far as the state allows, in the order given. */
  async together<T>(tasks: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
    const [first, ...others] = tasks
    if (first === undefined) return []
    const done = [await first()]
    if (others.length > 0) await this.settle()
    const inTransaction = this.#inTransaction()
    for (let at = 0; at < others.length; at += togetherMax) {
      const some = others.slice(at, at + togetherMax)
      if (inTransaction) for (const task of some) done.push(await task())
      else done.push(...(await Promise.all(some.map(task => task()))))
    }
    return done
  }

  /** Most questions end with the first part: a cursor is for the others. */
  async *#parts(command: Command, size: number): AsyncGenerator<readonly Document[]> {
    const first = await this.#rows(limited(command, size))
    const isAll = first.length < size
    const isOrdered = 'aggregate' in command || command.sort !== undefined
    if (isAll || isOrdered) yield first
    if (!isAll) yield* this.#batches(isOrdered ? skipping(command, size) : command, size)
  }

  async *#batches(command: Command, size: number, raw = false): AsyncGenerator<readonly Document[]> {
    await this.settle()
    const { batchSize: _, ...asked } = command
    const sized = 'find' in command ? { ...asked, batchSize: size } : { ...asked, cursor: { batchSize: size } }
    const cursor = this.database.db.runCursorCommand(
      { ...sized, ...readConcernOf(this.#state), ...this.#time() },
      { ...this.#options(), raw },
    )
    cursor.setBatchSize(size)
    try {
      while (await this.#attempt(() => cursor.hasNext(), 1)) {
        if (this.#deadline !== undefined && isOver(this.#deadline)) throw new OutOfTime()
        yield cursor.readBufferedDocuments()
      }
    } finally {
      await cursor.close()
    }
  }

  async #command(command: Document, options: { readonly fieldsAsRaw?: Document }): Promise<Document> {
    const sized = 'aggregate' in command ? { ...command, cursor: command.cursor ?? {} } : command
    const answer = await this.#attempt(() =>
      this.database.db.command({ ...sized, ...readConcernOf(this.#state), ...this.#time() }, { ...this.#options(), ...options }),
    )
    if (!this.#isSettled() && answer.cursor.atClusterTime !== undefined) this.#state = { ...this.#state, at: answer.cursor.atClusterTime }
    return answer
  }

  /** What is more than one answer holds is asked for again, with a cursor of the driver, which stays with one server. */
  #isWhole({ cursor }: Document): boolean {
    if (Number(cursor.id) === 0) return true
    const [, collection] = /^[^.]+\.(.+)$/.exec(cursor.ns) ?? []
    if (collection !== undefined && this.#state.session === undefined)
      this.database.db.command({ killCursors: collection, cursors: [cursor.id] }).catch(() => undefined)
    return false
  }

  #isSettled(): boolean {
    return this.#state.at !== undefined || this.#inTransaction()
  }

  #inTransaction(): boolean {
    return this.#state.session?.inTransaction() === true
  }

  #options() {
    const { session } = this.#state
    const signal = this.#deadline?.signal
    return { ...(session === undefined ? {} : { session }), ...(signal === undefined ? {} : { signal }) }
  }

  #time(): { readonly maxTimeMS?: number } {
    if (this.#deadline === undefined) return {}
    if (isOver(this.#deadline)) throw new OutOfTime()
    return { maxTimeMS: Math.max(1, Math.ceil(this.#deadline.endsAtMs - performance.now())) }
  }

  async #attempt<T>(ask: () => Promise<T>, attempts = attemptsMax): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask()
      } catch (error) {
        if (error instanceof OutOfTime || isOutOfTime(error, this.#deadline)) throw new OutOfTime()
        // Within a transaction it is for who began it to decide.
        if (this.#inTransaction()) throw error
        const gone = isExpired(error)
        const again = attempt < attempts && (gone ? !this.#isSettled() : isPassing(error))
        if (!again) throw gone ? new StateGone() : withoutValues(error)
        await sleep(againMs * attempt)
      }
    }
  }
}

/** The command for so many documents and no more. */
export const limited = (command: Command, wanted: number): Command =>
  'find' in command
    ? { ...command, limit: wanted, batchSize: wanted }
    : { ...command, pipeline: [...command.pipeline, { $limit: Math.max(1, wanted) }], cursor: { batchSize: wanted } }

const sizeOf = (command: Command): number => command.batchSize ?? command.cursor?.batchSize ?? batchSize

const skipping = (command: Command, skip: number): Command =>
  'find' in command ? { ...command, skip } : { ...command, pipeline: [...command.pipeline, { $skip: skip }] }

const codes = { timeExpired: 50, limitExceeded: 262 } as const

const isOutOfTime = (error: unknown, deadline: Deadline | undefined): boolean => {
  if (deadline?.signal?.aborted === true) return true
  return error instanceof MongoServerError && (error.code === codes.timeExpired || error.code === codes.limitExceeded)
}

/** What the server says of a command that it refuses holds the command. */
const withoutValues = (error: unknown): unknown =>
  error instanceof MongoServerError && !isTransient(error) ? new Error(`The database refuses a search: ${told(error)}`) : error
