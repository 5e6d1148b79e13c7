import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import type { Deadline } from '../../base/deadline.ts'
import { defaultLimits } from '../../base/limits.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Definitions } from '../../fhir/definitions/definitions.ts'
import type { Query } from '../../search/tree.ts'
import { besideRowsMax } from '../beside-order.ts'
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
import { msOfSeq } from '../sequence.ts'
import { StoreUnusable } from '../unusable.ts'
import { BesideRows } from './beside-rows.ts'
import { SqliteBlobs } from './blobs.ts'
import { type Cells, cellsBuffer, cellsOf, cellsOfReader } from './cells.ts'
import { inOneState, openReaderConnection, readerCacheKiB, type Synchronous } from './connection.ts'
import { countsPerType } from './counters.ts'
import { DataVersion } from './data-version.ts'
import { Dictionary } from './dictionary.ts'
import { type Errand, loading } from './errand.ts'
import { History } from './history.ts'
import { migrations, migrationsAt } from './migrate.ts'
import { NewestCache } from './newest-cache.ts'
import { answerQuestion } from './question.ts'
import { Reader } from './reader.ts'
import type { Question } from './reader-messages.ts'
import { ReaderPool } from './reader-pool.ts'
import { RecordKeeper } from './records.ts'
import { RelationCache } from './relation-cache.ts'
import { RelationReader } from './relations.ts'
import { createSearch, type SqliteSearch } from './search.ts'
import { Snapshots, seqOf } from './snapshot.ts'
import { Walk } from './walk.ts'
import { lineToNobody } from './writer-absent.ts'
import { WriterLink } from './writer-link.ts'
import { lineThroughPipe } from './writer-pipe.ts'
import { lineToThread, startWriter } from './writer-thread.ts'

export type SqliteStoreOptions = {
  /** A file; WAL needs one. Its directory must exist. */
  readonly path: string
  readonly definitions: Definitions
  readonly clock: Clock
  readonly synchronous?: Synchronous
  /** How long pages may be read from a snapshot. */
  readonly cursorMinutes?: number
  /** The file may not grow beyond this; then writes fail `disk-full`. No bound without it but the disk's. */
  readonly bytesMax?: number
  /** All kinds of records that this store keeps. */
  readonly records?: readonly RecordDefinition[]
  /** The way to the process that writes, where several share the file (writer-host.ts); it was told the path and all the rest of it. */
  readonly writer?: Duplex
}

/** Searches expected to visit more entries run in a reader thread. */
const visitsMax = 5_000
/** And those that took longer on the HTTP thread than anybody thought start again there. */
const onThisThreadMs = 20
const healthMs = 5_000
/** Versions of one block to load. */
const loadedMax = 1_000
/** Names in one call to remove; each may be an instance of any number of versions. */
const removedMax = 10_000
const expiryEveryMs = 10_000

/** Opens the store, creating or upgrading the file. Throws when the file is newer than the program, damaged, not writable, or disagrees with `records`. */
export const openSqliteStore = async (options: SqliteStoreOptions): Promise<Store> => {
  const { path, clock, cursorMinutes = defaultLimits.cursorMinutes, records = [], writer: pipe } = options
  const { writer, cells } = pipe === undefined ? await startWriting(options) : writesThrough(pipe, clock)
  const db = openReaderConnection(path, readerCacheKiB.main)
  const data = new DataVersion(db, pipe === undefined)
  return new SqliteStore(path, db, writer, data, new Snapshots(db, cells, clock, cursorMinutes * 60_000), clock, records)
}

/**
 * Opens a store of which nothing is written here: the process that serves it goes on doing so. Throws `StoreUnusable` when it is not there, or lacks a
 * migration that only who writes can do.
 */
export const openSqliteReading = async (options: Pick<SqliteStoreOptions, 'path' | 'clock' | 'records'>): Promise<Store> => {
  const { path, clock, records = [] } = options
  if (!existsSync(path)) throw new StoreUnusable('refused', `There is no store at ${path}.`)
  await using migrations = migrationsAt(path, clock)
  if ((await migrations.status()).some(({ state }) => state === 'pending'))
    throw new StoreUnusable('refused', `The store at ${path} lacks migrations: "npx simpul migrate up" does them.`)
  const db = openReaderConnection(path, readerCacheKiB.main)
  const newest = db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM version')
  const writer = new WriterLink(
    lineToNobody(() => msOfSeq(newest.get()?.seq as number)),
    clock,
  )
  return new SqliteStore(path, db, writer, new DataVersion(db, false), new Snapshots(db, cellsOfReader(), clock, 0), clock, records)
}

type Writing = { readonly writer: WriterLink; readonly cells: Cells }

const startWriting = async ({ path, clock, synchronous = 'FULL', bytesMax, records = [] }: SqliteStoreOptions): Promise<Writing> => {
  const snapshots = cellsBuffer()
  const worker = await startWriter({ path, synchronous, snapshots, records, ...(bytesMax === undefined ? {} : { bytesMax }) }, clock)
  return { writer: new WriterLink(lineToThread(worker), clock), cells: cellsOf(snapshots) }
}

const writesThrough = (pipe: Duplex, clock: Clock): Writing => ({
  writer: new WriterLink(lineThroughPipe(pipe), clock),
  cells: cellsOfReader(),
})

/** Reads happen here, on the caller's thread; writes in the writer; expensive searches in reader threads. */
class SqliteStore implements Store {
  readonly engine = 'sqlite'
  readonly blobs: Blobs
  readonly #db: DatabaseSync
  readonly #writer: WriterLink
  readonly #pool: ReaderPool
  readonly #dictionary: Dictionary
  readonly #reader: Reader
  readonly #history: History
  readonly #relations: RelationReader
  readonly #clock: Clock
  readonly #walk: Walk
  readonly #search: SqliteSearch
  readonly #snapshots: Snapshots
  readonly #counts: ReturnType<typeof countsPerType>
  readonly #records: RecordKeeper
  readonly #blobs: SqliteBlobs
  readonly #besideRows: BesideRows
  readonly #expiry: NodeJS.Timeout

  constructor(
    path: string,
    db: DatabaseSync,
    writer: WriterLink,
    data: DataVersion,
    snapshots: Snapshots,
    clock: Clock,
    records: readonly RecordDefinition[],
  ) {
    this.#db = db
    this.#writer = writer
    this.#snapshots = snapshots
    this.#pool = new ReaderPool(path)
    this.#dictionary = new Dictionary(db)
    writer.beforeAnswers = () => data.doubt()
    this.#reader = new Reader(db, this.#dictionary, new NewestCache(data))
    this.#clock = clock
    this.#relations = new RelationReader(db, this.#dictionary, new RelationCache(data))
    this.#history = new History(db, this.#dictionary, clock)
    this.#walk = new Walk(db, this.#dictionary)
    this.#search = createSearch(db, this.#dictionary)
    this.#counts = countsPerType(db)
    this.#records = new RecordKeeper(db, writer, clock, records)
    this.#blobs = new SqliteBlobs(db, writer)
    this.blobs = this.#blobs
    this.#besideRows = new BesideRows(db, clock, records)
    this.#expiry = setInterval(() => {
      this.#snapshots.expire(clock())
      this.#writer.sweep()
    }, expiryEveryMs).unref()
  }

  async newest(type: string, id: string): Promise<StoredVersion | undefined> {
    return this.#reader.newestRemembered(type, id)
  }

  async newestMany(keys: readonly Key[], at?: Snapshot): Promise<readonly (StoredVersion | undefined)[]> {
    const seq = at === undefined ? undefined : seqOf(at)
    return inOneState(this.#db, () =>
      keys.map(({ type, id }) => (seq === undefined ? this.#reader.newest(type, id) : this.#reader.newestAt(type, id, seq))),
    )
  }

  async version(type: string, id: string, versionId: number): Promise<StoredVersion | undefined> {
    return this.#reader.version(type, id, versionId)
  }

  async history(scope: HistoryScope, options: HistoryOptions): Promise<Outcome<HistoryPage>> {
    const seq = options.snapshot === undefined ? undefined : seqOf(options.snapshot)
    if (options.snapshot !== undefined && seq === undefined) return fail('expired-cursor', {})
    return this.#history.page(scope, options, seq)
  }

  async search(query: Query, options: SearchOptions): Promise<Outcome<SearchPage>> {
    const { access, count, snapshot, total, position, backward, deadline } = options
    const question: Question = {
      kind: 'search',
      query,
      access,
      now: this.#clock(),
      count,
      ...(total === undefined ? {} : { total }),
      ...(position === undefined ? {} : { position }),
      ...(backward === undefined ? {} : { backward }),
    }
    if (snapshot !== 'new') return (await this.#ask(question, snapshot, deadline)) as Outcome<SearchPage> // of the kind that was asked
    const { taken, here } = this.#snapshots.register(state => ({ taken: state, here: this.#askHere(question, deadline) }))
    const found = here ?? (await this.#askThread({ ...question, ...stateOf(taken) }, deadline))
    return found.ok ? ok({ ...(found.value as SearchPage), snapshot: taken }) : found
  }

  async count(query: Query, options: CountOptions): Promise<Outcome<Count>> {
    const { access, cap, snapshot, deadline } = options
    const question: Question = { kind: 'count', query, access, now: this.#clock(), ...(cap === undefined ? {} : { cap }) }
    return (await this.#ask(question, snapshot, deadline)) as Outcome<Count> // of the kind that was asked
  }

  async explain(query: Query, options: SearchOptions): Promise<Outcome<readonly string[]>> {
    return this.#search.explain(query, { access: options.access, count: options.count, now: this.#clock() })
  }

  async related(questions: readonly RelationQuestion[]): Promise<readonly boolean[]> {
    return this.#relations.related(questions, this.#clock())
  }

  async relationsOf(keys: readonly Key[]): Promise<readonly (readonly Relation[])[]> {
    return this.#relations.relationsOf(keys)
  }

  async references(
    seqs: readonly number[],
    type: string,
    param: string,
  ): Promise<readonly { readonly seq: number; readonly target: Key }[]> {
    return this.#reader.references(seqs, type, param)
  }

  async snapshot(): Promise<Snapshot> {
    return this.#snapshots.register(state => state)
  }

  horizon(): Promise<number> {
    return this.#writer.horizon()
  }

  async commit(plan: WritePlan): Promise<Outcome<Committed>> {
    checkRelations(plan.versions)
    const { records, ...rest } = plan
    return this.#writer.commit(records === undefined ? rest : { ...rest, records: this.#records.actions(records) })
  }

  records<V extends object>(definition: RecordDefinition): Records<V> {
    return this.#records.of(definition)
  }

  async load(versions: readonly LoadedVersion[]): Promise<Outcome<Loaded>> {
    if (versions.length > loadedMax) throw new RangeError(`At most ${loadedMax} versions are loaded at once`)
    if (versions.length === 0) return ok({ held: true })
    checkRelations(versions)
    const { plan, errand } = loading(versions)
    const done = await this.#writer.run(errand, plan)
    if (!done.ok) return done
    const result = done.value.held ? done.value.result : undefined
    return ok(
      result?.kind === 'refused'
        ? { held: false, refused: { ...result.refused, versionId: result.refused.versionId ?? 0 } }
        : { held: true },
    )
  }

  async remove(versions: readonly (Key & { readonly versionId?: number })[]): Promise<Outcome<Removed>> {
    if (versions.length > removedMax) throw new RangeError(`At most ${removedMax} versions or instances are named at once`)
    let removed = 0
    for (let items: typeof versions | undefined = versions; items !== undefined; ) {
      const errand: Errand = { kind: 'erase', items }
      const done = await this.#writer.run(errand)
      if (!done.ok) return done
      const result = done.value.held ? done.value.result : undefined
      if (result?.kind === 'refused') return ok({ held: false, refused: { type: result.refused.type, id: result.refused.id } })
      if (result?.kind !== 'erased') throw new Error('The writer answered something else than it was asked')
      removed += result.versions
      items = result.next === undefined ? undefined : items.slice(result.next)
    }
    const swept = await this.#blobs.sweepDropped()
    return swept.ok ? ok({ held: true, versions: removed }) : swept
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

  async loadBeside(rows: readonly LoadedBeside[]): Promise<Outcome<void>> {
    if (rows.length > besideRowsMax) throw new RangeError(`At most ${besideRowsMax} rows are loaded at once`)
    const done = await this.#writer.run({ kind: 'load-beside', rows })
    return done.ok ? ok(undefined) : done
  }

  async nextNumber(key: string): Promise<number> {
    const done = await this.commit({ expects: [], guards: [], versions: [], counters: [{ key }] })
    if (!done.ok || !done.value.held) throw new Error('The counter could not be advanced')
    return done.value.counters[0] as number
  }

  async counts(): Promise<Readonly<Record<string, number>>> {
    return Object.fromEntries(this.#counts.all().map(row => [row.name as string, row.live as number]))
  }

  statistics(): Statistics {
    const { commits, plans, versions, dead, walBytes } = this.#writer.state
    return { commits, plans, versions, queued: this.#writer.queued, deadEntries: dead, walBytes }
  }

  async health(): Promise<StoreHealth> {
    const started = performance.now()
    const answered = this.#writer.ping().then(
      () => true,
      () => false,
    )
    const reached = await Promise.race([answered, sleep(healthMs, false, { ref: false })])
    return { ok: reached && this.#writer.alive, ms: performance.now() - started, schema: migrations.length }
  }

  /** Closing again changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#db.isOpen) return
    clearInterval(this.#expiry)
    await this.#pool.close()
    this.#db.close()
    await this.#writer.close()
  }

  async #ask(question: Question, snapshot: Snapshot | undefined, deadline: Deadline | undefined): Promise<Outcome<SearchPage | Count>> {
    if (snapshot !== undefined && seqOf(snapshot) === undefined) return fail('expired-cursor', {})
    const asked = { ...question, ...stateOf(snapshot) }
    return this.#askHere(asked, deadline) ?? this.#askThread(asked, deadline)
  }

  /** Undefined when it is not cheap, or turns out not to be, and there is time to ask a reader thread. */
  #askHere(question: Question, deadline: Deadline | undefined): Outcome<SearchPage | Count> | undefined {
    const left = timeLeft(deadline)
    const isShort = left <= onThisThreadMs
    const outcome = answerQuestion(this.#search, { ...question, ms: Math.min(left, onThisThreadMs) }, isShort ? undefined : visitsMax)
    return outcome.ok || outcome.failure.kind !== 'too-costly' || isShort ? outcome : undefined
  }

  #askThread(question: Question, deadline: Deadline | undefined): Promise<Outcome<SearchPage | Count>> {
    const left = timeLeft(deadline)
    return this.#pool.ask(left === Infinity ? question : { ...question, ms: left })
  }
}

const stateOf = (snapshot: Snapshot | undefined): { readonly snapshotSeq?: number } => {
  const seq = snapshot === undefined ? undefined : seqOf(snapshot)
  return seq === undefined ? {} : { snapshotSeq: seq }
}

const timeLeft = (deadline: Deadline | undefined): number => {
  if (deadline === undefined) return Infinity
  return deadline.signal?.aborted === true ? 0 : deadline.endsAtMs - performance.now()
}
