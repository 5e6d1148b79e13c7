import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { deserialize, serialize } from 'node:v8'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type Cells, cellsByAge, cellsOf } from './cells.ts'
import { Checkpoints } from './checkpoint.ts'
import { type Applied, Committer, type WaitingPlan } from './commit.ts'
import { openWriterConnection } from './connection.ts'
import { Lanes } from './lanes.ts'
import { migrate } from './migrate.ts'
import type { PackedPlans } from './plan-tape.ts'
import { makeRecordTables, type RecordTable, recordTable } from './record-tables.ts'
import { SequenceSource } from './sequence-source.ts'
import { Sweeper } from './sweep.ts'
import type { Broken, FromWriter, ToWriter, ToWriterThread, WriterAnswer, WriterStart, WriterState } from './writer-messages.ts'

/** How long nobody writes before the writer sweeps on its own. */
const restMs = 50
/** After a sweep that failed, of a full disk for example. */
const againMs = 5_000
/** Half of how many versions it then sweeps in one transaction: some tens of milliseconds. */
const sweptAlone = 128
/** How often it is asked whether records or blobs have outlived their time. */
const expiryEveryMs = 1_000

/** Whose plans are written: the thread that started this one, or another process. What it sent is counted, so that all counts add up. */
type Reader = { readonly say: (message: FromWriter) => void; readonly port: MessagePort; commits: number; plans: number; versions: number }

type Plan = WaitingPlan & { readonly from: Reader }

const newReader = (port: MessagePort, say: Reader['say']): Reader => ({ port, say, commits: 0, plans: 0, versions: 0 })

/**
 * The writer thread: the only one that writes. *Take the plans that wait, begin, check and write each, commit, answer, tidy up.*
 * It does not wait for company: a group is what gathered while the last one was on its way to the disk.
 */
class Writer {
  readonly #db: DatabaseSync
  readonly #readers = new Set<Reader>()
  readonly #lanes = new Lanes<Plan>()
  readonly #sequence: SequenceSource
  readonly #committer: Committer
  readonly #sweeper: Sweeper
  readonly #checkpoints: Checkpoints
  readonly #dataVersion: StatementSync
  readonly #noteSequence: StatementSync
  #seenDataVersion: number
  #turning = false
  #closed = false
  #resting: NodeJS.Timeout | undefined
  #lastCommitted: number
  #expiryLookMs = 0

  constructor(db: DatabaseSync, snapshots: WriterStart['snapshots'], records: readonly RecordTable[]) {
    this.#db = db
    this.#lastCommitted = greatestSeq(db)
    this.#sequence = new SequenceSource(this.#lastCommitted)
    this.#committer = new Committer(db, this.#sequence, records)
    this.#sweeper = new Sweeper(db, this.#committer.values, this.#cells(snapshots))
    this.#checkpoints = new Checkpoints(db)
    this.#dataVersion = db.prepare('PRAGMA data_version')
    this.#noteSequence = db.prepare(
      "INSERT INTO setting(name, value) VALUES ('sequence', ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
    )
    this.#seenDataVersion = this.#readDataVersion()
  }

  #cells(snapshots: WriterStart['snapshots']): Cells {
    return snapshots instanceof SharedArrayBuffer ? cellsOf(snapshots) : cellsByAge(() => this.#sequence.now, snapshots.lifetimeMs)
  }

  /** Hears from another process from now on. What it sent before it ended is written; nobody hears the answer. */
  join(port: MessagePort): void {
    const reader = newReader(port, message => {
      const bytes = unpooled(serialize(message))
      port.postMessage(bytes, [bytes.buffer])
    })
    this.#readers.add(reader)
    port.on('message', (bytes: Uint8Array) => this.hear(deserialize(bytes) as ToWriter, reader)) // what the other side of the link sent
    port.on('close', () => this.#readers.delete(reader))
  }

  /** Hears from the thread that started this one. */
  listen(port: MessagePort): void {
    const reader = newReader(port, message => port.postMessage(message))
    this.#readers.add(reader)
    port.on('message', (message: ToWriterThread) => {
      if (message.kind === 'reader') this.join(message.port)
      else if (message.kind !== 'close') this.hear(message, reader)
      else this.#close()
    })
    reader.say({ kind: 'ready' })
  }

  hear(message: ToWriter, from: Reader): void {
    if (message.kind === 'plans') this.#enqueue(message.now, message.packed, from)
    else if (message.kind === 'horizon') this.#answer(message.id, from, () => this.#horizon(message.now))
    else if (message.kind === 'ping') this.#answer(message.id, from, () => 0)
    else this.#sweepAt(message.now)
  }

  #answer(id: number, to: Reader, find: () => number): void {
    try {
      to.say({ kind: 'number', id, value: find() })
    } catch (error) {
      to.say({ kind: 'number', id, broken: brokenBy(error) })
    }
  }

  #enqueue(now: number, packed: PackedPlans, from: Reader): void {
    this.#sequence.tell(now)
    const { tape, texts, guards, errands } = packed
    for (const plan of packed.plans) this.#lanes.add({ ...plan, tape, texts, guards, errands, from })
    this.#wake()
  }

  #wake(): void {
    if (this.#turning) return
    this.#turning = true
    setImmediate(this.#turn)
  }

  /** One group; between turns the event loop takes in what arrived meanwhile. */
  readonly #turn = (): void => {
    if (this.#closed) return
    const group = this.#lanes.next(performance.now())
    if (group.length > 0) this.#commitAndTell(group)
    const quiet = this.#lanes.isEmpty
    this.#tidy(() => this.#checkpoints.consider(quiet))
    if (quiet) this.#rest(restMs)
    else setImmediate(this.#turn)
  }

  /** Sweeping alone costs a commit of its own, which the next plan would have to wait for: so not in every gap between two plans. */
  #rest(ms: number): void {
    this.#turning = false
    clearTimeout(this.#resting)
    this.#tidy(() => {
      if (this.#sweeper.hasWork(this.#lastCommitted) || this.#hasExpired()) this.#resting = setTimeout(this.#sweepAlone, ms)
    })
  }

  /** Each reader hears of its own plans, in one message. */
  #commitAndTell(group: readonly Plan[]): void {
    const answers = this.#commit(group)
    for (const [reader, own] of Map.groupBy(answers, (_, at) => (group[at] as Plan).from))
      reader.say({ kind: 'answers', answers: own, state: this.#state(reader) })
  }

  /** Answers in the order of the group. */
  #commit(group: readonly Plan[]): readonly WriterAnswer[] {
    try {
      return this.#transaction(group)
    } catch (error) {
      this.#undo()
      if (group.length === 1) return [{ id: group[0]?.id as number, broken: brokenBy(error) }]
      // One bad plan harms only itself.
      return group.flatMap(plan => this.#commit([plan]))
    }
  }

  #transaction(group: readonly Plan[]): readonly WriterAnswer[] {
    this.#db.exec('BEGIN IMMEDIATE')
    this.#noticeOthers()
    const answers = group.map(plan => ({ id: plan.id, applied: this.#committer.apply(plan) }))
    this.#committer.finish()
    const superseded = this.#committer.takeSuperseded()
    this.#sweeper.sweep(this.#lastCommitted, superseded)
    this.#sweepExpired()
    const { beyondVersions, loaded, erased } = this.#committer.beside.takeHappened()
    if (beyondVersions) this.#noteSequence.run(this.#sequence.last)
    if (loaded > 0) this.#sweeper.expire(loaded)
    this.#db.exec('COMMIT')
    this.#sweeper.committed(superseded)
    if (loaded > 0 || erased) this.#sweeper.recount(this.#db)
    this.#lastCommitted = this.#sequence.last
    this.#count(group, answers)
    return answers
  }

  #undo(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    this.#committer.forget()
    this.#sweeper.rolledBack()
  }

  /** Another process wrote to the file (an import, a doctor): what is remembered of it may be wrong. */
  #noticeOthers(): void {
    const now = this.#readDataVersion()
    if (now === this.#seenDataVersion) return
    this.#seenDataVersion = now
    this.#committer.forget()
    this.#sweeper.recount(this.#db)
    this.#sequence.reset(Math.max(this.#sequence.last, greatestSeq(this.#db)))
  }

  /** Records and blobs that have outlived their time: looked for once a second, removed some at a time. */
  #sweepExpired(): void {
    if (!this.#isTimeToLook()) return
    this.#committer.beside.sweep()
    if (!this.#committer.beside.hasExpired()) this.#expiryLookMs = this.#sequence.now
  }

  #hasExpired(): boolean {
    return this.#isTimeToLook() && this.#committer.beside.hasExpired()
  }

  /** Also when the clock ran back. */
  #isTimeToLook(): boolean {
    return Math.abs(this.#sequence.now - this.#expiryLookMs) >= expiryEveryMs
  }

  #readDataVersion(): number {
    return this.#dataVersion.get()?.data_version as number
  }

  /** A commit counts for the first whose plan it holds. */
  #count(group: readonly Plan[], answers: readonly { readonly applied: Applied }[]): void {
    const [first] = group
    if (first !== undefined) first.from.commits++
    for (const [at, { from, versions }] of group.entries()) {
      from.plans++
      if (answers[at]?.applied.held) from.versions += versions
    }
  }

  #sweepAt(now: number): void {
    this.#sequence.tell(now)
    if (this.#sweeper.hasWork(this.#lastCommitted) || this.#hasExpired()) this.#sweepAlone()
  }

  readonly #sweepAlone = (): void => {
    if (this.#closed || this.#turning) return
    const done = this.#tidy(() => {
      this.#db.exec('BEGIN IMMEDIATE')
      this.#sweeper.sweep(this.#lastCommitted, sweptAlone)
      this.#sweepExpired()
      this.#db.exec('COMMIT')
      this.#sweeper.committed(0)
    })
    for (const reader of this.#readers) reader.say({ kind: 'state', state: this.#state(reader) })
    this.#rest(done ? 0 : againMs)
  }

  /** Failures here harm no plan: the same is tried again after the next group. */
  #tidy(tidy: () => void): boolean {
    try {
      tidy()
      return true
    } catch {
      this.#undo()
      return false
    }
  }

  /** Kept on disk too, so that a clock that runs back during a restart cannot break the promise. */
  #horizon(now: number): number {
    this.#sequence.tell(now)
    const horizon = this.#sequence.close()
    this.#noteSequence.run(this.#sequence.last)
    return horizon
  }

  #state({ commits, plans, versions }: Reader): WriterState {
    return { commits, plans, versions, dead: this.#sweeper.dead, walBytes: this.#checkpoints.bytes }
  }

  /** Writes what still waits, then leaves the file whole. */
  #close(): void {
    this.#closed = true
    clearTimeout(this.#resting)
    while (!this.#lanes.isEmpty) this.#commitAndTell(this.#lanes.next(performance.now()))
    this.#checkpoints.finish()
    this.#db.close()
    for (const { port } of this.#readers) port.close()
  }
}

const greatestSeq = (db: DatabaseSync): number =>
  db
    .prepare(
      "SELECT max(coalesce((SELECT max(seq) FROM version), 0), coalesce((SELECT value FROM setting WHERE name = 'sequence'), 0)) AS n",
    )
    .get()?.n as number

/** @see https://sqlite.org/rescode.html */
const fullCode = 13
const brokenStoreCodes = new Set([5, 6, 7, 8, 10, 11, 14, 26])

const brokenBy = (error: unknown): Broken => {
  const { errcode = 0, message = String(error) } = error as { errcode?: number; message?: string }
  const code = errcode & 0xff
  return { why: code === fullCode ? 'disk-full' : brokenStoreCodes.has(code) ? 'no-store' : 'bug', message }
}

/** Bytes that may be handed over: memory of their own, none of the pool that small buffers share. */
const unpooled = (bytes: Buffer): Uint8Array<ArrayBuffer> => {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length ? (bytes as Buffer<ArrayBuffer>) : new Uint8Array(bytes)
}

const start = (port: MessagePort, { path, synchronous, bytesMax, snapshots, records, now }: WriterStart): void => {
  const db = openWriterConnection(path, synchronous, bytesMax)
  migrate(db, now)
  const tables = records.map(recordTable)
  makeRecordTables(db, tables)
  new Writer(db, snapshots, tables).listen(port)
}

if (parentPort !== null) start(parentPort, workerData as WriterStart)
