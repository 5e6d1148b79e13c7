import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import { isOver } from '../../base/deadline.ts'
import { defaultLimits } from '../../base/limits.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Definitions } from '../../fhir/definitions/definitions.ts'
import type { Query } from '../../search/tree.ts'
import type {
  Beside,
  Blobs,
  Committed,
  Count,
  CountOptions,
  HistoryOptions,
  HistoryPage,
  HistoryScope,
  Key,
  Loaded,
  LoadedBeside,
  LoadedVersion,
  RecordDefinition,
  Records,
  Relation,
  RelationQuestion,
  Removed,
  SearchOptions,
  SearchPage,
  Snapshot,
  Statistics,
  Store,
  StoredVersion,
  StoreHealth,
  WritePlan,
} from '../port.ts'
import { checkRelations } from '../relation-rules.ts'
import { askedAgain } from './asked-again.ts'
import { BesideLoader } from './beside-loader.ts'
import { BesideRows } from './beside-rows.ts'
import { MongoBlobs } from './blobs.ts'
import type { CommitterParts } from './commit.ts'
import { nextNumber } from './counters.ts'
import { type Database, openDatabase, whileOpening } from './database.ts'
import { erasedAmong } from './erased.ts'
import { Eraser } from './eraser.ts'
import { Expiry } from './expiry.ts'
import { History } from './history.ts'
import { steps } from './layout.ts'
import { liveCounts } from './live-counts.ts'
import { Loader } from './loader.ts'
import { migrate } from './migrate.ts'
import { Reader } from './reader.ts'
import { RecordKeeper } from './records.ts'
import { Relations } from './relations.ts'
import { repeatsBy } from './repeats.ts'
import { createSearch, type MongoSearch } from './search.ts'
import { snapshotOf, stateOf, takeSnapshot } from './snapshot.ts'
import type { State } from './state.ts'
import { Walk } from './walk.ts'
import { Writer } from './writer.ts'

export type MongoStoreOptions = {
  /** `mongodb://{hosts}/{database}` */
  readonly address: string
  readonly definitions: Definitions
  readonly clock: Clock
  /** How long pages may be read from a snapshot. */
  readonly cursorMinutes?: number
  /** All kinds of records that this store keeps. */
  readonly records?: readonly RecordDefinition[]
  /** How long a plan waits for a database that is away (an election, a cut network) before it fails `no-store`. */
  readonly patienceMs?: number
}

const healthMs = 5_000

/**
 * Opens the store, bringing the database to the newest layout. Throws `StoreUnusable` when what answers cannot keep the promise, and when the database
 * is newer than the program or disagrees with `records`.
 */
export const openMongoStore = async (options: MongoStoreOptions): Promise<Store> => {
  const { address, definitions, clock, cursorMinutes = defaultLimits.cursorMinutes, records = [], patienceMs } = options
  const database = await openDatabase({ address, clock, cursorMinutes })
  try {
    const writer = await whileOpening(address, async () => {
      await migrate(database.db, clock)
      return Writer.open(database, clock, patienceMs === undefined ? {} : { patienceMs })
    })
    try {
      const actions: Actions = { of: writes => keeper.actions(writes) }
      const keeper = await RecordKeeper.open(database, records, {
        commit: plan => commit(writer, actions, plan),
        nextLease: () => writer.nextLease(),
      })
      const blobs = new MongoBlobs(database)
      const search = createSearch(database, { counts: state => writer.slots.counts(state), repeats: repeatsBy(definitions) })
      writer.begin({ database, search, records: keeper, blobs })
      return new MongoStore({ database, writer, records: keeper, definitions: records, blobs, search })
    } catch (error) {
      await writer[Symbol.asyncDispose]()
      throw error
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

type Actions = { of(writes: NonNullable<WritePlan['records']>): ReturnType<RecordKeeper['actions']> }

const commit = async (writer: Writer, actions: Actions, plan: WritePlan): Promise<Outcome<Committed>> => {
  checkRelations(plan.versions)
  return writer.commit({ plan, actions: plan.records === undefined ? [] : actions.of(plan.records) })
}

type Parts = CommitterParts & {
  readonly writer: Writer
  readonly definitions: readonly RecordDefinition[]
  readonly search: MongoSearch
}

/** Reads and writes go to the primary, from this thread: MongoDB does the work. */
class MongoStore implements Store {
  readonly engine = 'mongodb'
  readonly blobs: Blobs
  readonly #database: Database
  readonly #writer: Writer
  readonly #actions: Actions
  readonly #records: RecordKeeper
  readonly #search: MongoSearch
  readonly #loader: Loader
  readonly #eraser: Eraser
  readonly #reader: Reader
  readonly #history: History
  readonly #walk: Walk
  readonly #relations: Relations
  readonly #besideRows: BesideRows
  readonly #besideLoader: BesideLoader
  readonly #expiry: Expiry
  /** The state after the last load of this process: snapshots from before are expired. */
  #loaded: State['at']
  #closed: Promise<void> | undefined

  constructor({ database, writer, records, definitions, blobs, search }: Parts) {
    this.#database = database
    this.#writer = writer
    this.#actions = { of: writes => records.actions(writes) }
    this.#records = records
    this.#search = search
    this.#loader = new Loader(database, writer)
    this.#eraser = new Eraser(database, writer, blobs)
    this.#reader = new Reader(database)
    this.#history = new History(database, this.#reader)
    this.#relations = new Relations(database)
    this.#walk = new Walk(database, this.#reader)
    this.#besideRows = new BesideRows(database, definitions)
    this.#besideLoader = new BesideLoader(database, writer, definitions)
    this.#expiry = new Expiry(records, blobs)
    this.blobs = blobs
  }

  newest(type: string, id: string): Promise<StoredVersion | undefined> {
    return askedAgain(() => this.#reader.newest(type, id))
  }

  async newestMany(keys: readonly Key[], at?: Snapshot): Promise<readonly (StoredVersion | undefined)[]> {
    if (at === undefined) return askedAgain(() => this.#reader.newestMany(keys))
    const state = this.#stateOf(at)
    if (state === undefined) return keys.map(() => undefined)
    const found = await askedAgain(() => this.#reader.newestMany(keys, state))
    const erased = await this.#erasedAmong(found.flatMap(one => one ?? []))
    return found.map(one => (one !== undefined && erased.has(one.seq) ? undefined : one))
  }

  version(type: string, id: string, versionId: number): Promise<StoredVersion | undefined> {
    return askedAgain(() => this.#reader.version(type, id, versionId))
  }

  async history(scope: HistoryScope, options: HistoryOptions): Promise<Outcome<HistoryPage>> {
    if (options.snapshot !== undefined && this.#stateOf(options.snapshot) === undefined) return fail('expired-cursor', {})
    return askedAgain(() => this.#history.page(scope, options))
  }

  async search(query: Query, options: SearchOptions): Promise<Outcome<SearchPage>> {
    const { snapshot, ...asked } = options
    const state = snapshot === undefined || snapshot === 'new' ? {} : this.#stateOf(snapshot)
    if (state === undefined) return fail('expired-cursor', {})
    if (state.at !== undefined) return this.#pageAt(query, asked, state)
    const at = this.#database.clock()
    const found = await this.#search.search(query, { ...asked, state })
    if (!found.ok) return found
    const { state: seen, ...page } = found.value
    return ok(snapshot === 'new' && seen.at !== undefined ? { ...page, snapshot: snapshotOf(seen.at, at) } : page)
  }

  async count(query: Query, options: CountOptions): Promise<Outcome<Count>> {
    const { snapshot, ...asked } = options
    const state = snapshot === undefined ? {} : this.#stateOf(snapshot)
    return state === undefined ? fail('expired-cursor', {}) : this.#search.count(query, { ...asked, state })
  }

  async explain(query: Query, options: SearchOptions): Promise<Outcome<readonly string[]>> {
    return this.#search.explain(query, { access: options.access, count: options.count, state: {} })
  }

  related(questions: readonly RelationQuestion[]): Promise<readonly boolean[]> {
    return this.#relations.related(questions)
  }

  relationsOf(keys: readonly Key[]): Promise<readonly (readonly Relation[])[]> {
    return this.#relations.relationsOf(keys)
  }

  async references(
    seqs: readonly number[],
    type: string,
    param: string,
    at?: Snapshot,
  ): Promise<readonly { readonly seq: number; readonly target: Key }[]> {
    const state = at === undefined ? {} : (this.#stateOf(at) ?? {})
    return askedAgain(() => this.#search.references(seqs, type, param, state))
  }

  snapshot(): Promise<Snapshot> {
    return askedAgain(() => takeSnapshot(this.#database))
  }

  horizon(): Promise<number> {
    return askedAgain(() => this.#writer.slots.horizon())
  }

  commit(plan: WritePlan): Promise<Outcome<Committed>> {
    return commit(this.#writer, this.#actions, plan)
  }

  records<V extends object>(definition: RecordDefinition): Records<V> {
    return this.#records.of(definition)
  }

  async load(versions: readonly LoadedVersion[]): Promise<Outcome<Loaded>> {
    checkRelations(versions)
    const done = await this.#loader.load(versions)
    if (done.ok && done.value.held && versions.length > 0) this.#loaded = stateOf(this.#database, await takeSnapshot(this.#database))?.at
    return done
  }

  remove(versions: readonly (Key & { readonly versionId?: number })[]): Promise<Outcome<Removed>> {
    return this.#eraser.remove(versions)
  }

  walk(options: { readonly type?: string; readonly upTo: number; readonly after?: number }): AsyncIterable<readonly StoredVersion[]> {
    return this.#walk.blocks(options)
  }

  versions(options: { readonly upTo: number; readonly after?: number }): AsyncIterable<readonly StoredVersion[]> {
    return this.#walk.versions(options)
  }

  beside(): AsyncIterable<readonly Beside[]> {
    return this.#besideRows.blocks()
  }

  loadBeside(rows: readonly LoadedBeside[]): Promise<Outcome<void>> {
    return this.#besideLoader.load(rows)
  }

  nextNumber(key: string): Promise<number> {
    return nextNumber(this.#database, key)
  }

  counts(): Promise<Readonly<Record<string, number>>> {
    return askedAgain(() => liveCounts(this.#database, this.#writer.slots))
  }

  statistics(): Statistics {
    return { ...this.#writer.state, queued: this.#writer.queued, deadEntries: 0, walBytes: 0 }
  }

  /** Everything is asked of the primary, so whether it is known is whether it answers. */
  async health(): Promise<StoreHealth> {
    const started = performance.now()
    const answered = this.#database.db.command({ ping: 1 }).then(
      () => true,
      () => false,
    )
    const reached = await Promise.race([answered, sleep(healthMs, false, { ref: false })])
    return { ok: reached, ms: performance.now() - started, primary: reached, schema: steps.length }
  }

  /** Writes what still waits. Closing again changes nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#expiry[Symbol.asyncDispose]()
    await this.#writer[Symbol.asyncDispose]()
    await this.#database.close()
  }

  /** A page in a state of before: the database still shows what was erased since, so it is left out, and the page filled up. */
  async #pageAt(query: Query, asked: Omit<SearchOptions, 'snapshot'>, state: State): Promise<Outcome<SearchPage>> {
    for (let from = asked; ; ) {
      const found = await this.#search.search(query, { ...from, state })
      if (!found.ok) return found
      const { state: _, ...page } = found.value
      const { rows, more } = page
      const erased = await this.#erasedAmong(rows)
      if (erased.size === 0) return ok(page)
      const left = rows.filter(({ seq }) => !erased.has(seq))
      const last = asked.backward === true ? rows[0] : rows.at(-1)
      if (left.length > 0 || !more || last === undefined) return ok({ rows: left, more })
      if (from.deadline !== undefined && isOver(from.deadline)) return fail('too-costly', { parameter: '_page' })
      from = { ...from, position: last.position }
    }
  }

  async #erasedAmong(versions: readonly StoredVersion[]): Promise<ReadonlySet<number>> {
    const seqs = versions.map(({ seq }) => seq)
    return askedAgain(() => erasedAmong(this.#database, seqs))
  }

  #stateOf(snapshot: Snapshot): State | undefined {
    const state = stateOf(this.#database, snapshot)
    return state?.at !== undefined && this.#loaded?.greaterThan(state.at) === true ? undefined : state
  }
}
