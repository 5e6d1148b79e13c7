import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { fail, ok, type Outcome } from '../../base/outcome.ts'
import { writeLastUpdated } from '../../fhir/model/stored-form.ts'
import type { Committed } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import type { Applied } from './commit.ts'
import type { Errand } from './errand.ts'
import { type EnginePlan, PlanPacker, planBytes } from './plan-tape.ts'
import type { Broken, FromWriter, ToWriter, WriterAnswer, WriterStart, WriterState } from './writer-messages.ts'

/** Plans that may wait, and what they may hold in memory. Beyond it writers are told to come again. */
const waitingPlansMax = 10_000
const waitingBytesMax = 256 * 1024 * 1024

type Waiting = {
  readonly bytes: number
  readonly held: (applied: Applied) => void
  readonly failed: (outcome: Failed) => void
  readonly reject: (error: Error) => void
}
type Failed = Extract<Outcome<never>, { ok: false }>
type Asking = { readonly resolve: (value: number) => void; readonly reject: (error: Error) => void }

/** The writer as the HTTP thread sees it: packs plans, sends what gathered in one turn of the event loop, and hears the answers. */
export class WriterThread {
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #packer = new PlanPacker()
  readonly #waiting = new Map<number, Waiting>()
  readonly #asking = new Map<number, Asking>()
  /** Called before commits are acknowledged: who remembers what was read must doubt it. */
  beforeAnswers: () => void = () => undefined
  #waitingBytes = 0
  #nextId = 1
  #alive = true
  #state: WriterState = { commits: 0, plans: 0, versions: 0, dead: 0, walBytes: 0 }

  private constructor(worker: Worker, clock: Clock) {
    this.#worker = worker
    this.#clock = clock
    worker.on('message', (message: FromWriter) => this.#hear(message))
    worker.on('error', () => this.#die())
    worker.on('exit', () => this.#die())
  }

  /** Opens the file, brings it to the newest schema and is ready to write. Rejects with what went wrong. */
  static async start(options: Omit<WriterStart, 'now'>, clock: Clock): Promise<WriterThread> {
    const workerData: WriterStart = { ...options, now: clock() }
    const worker = new Worker(new URL('./writer.ts', import.meta.url), { name: 'simpul-writer', workerData })
    await once(worker, 'message')
    return new WriterThread(worker, clock)
  }

  get alive(): boolean {
    return this.#alive
  }

  get queued(): number {
    return this.#waiting.size
  }

  get state(): WriterState {
    return this.#state
  }

  commit(plan: EnginePlan): Promise<Outcome<Committed>> {
    return this.#give(plan, applied => committed(plan, applied))
  }

  /** What the engine itself asks. `bytes`: those of a part of a blob, which are copied. */
  run(errand: Errand, plan: EnginePlan = nothing, bytes?: Uint8Array): Promise<Outcome<Applied>> {
    return this.#give(plan, applied => applied, errand, bytes)
  }

  #give<T>(plan: EnginePlan, answer: (applied: Applied) => T, errand?: Errand, part?: Uint8Array): Promise<Outcome<T>> {
    if (!this.#alive) return Promise.resolve(fail('no-store', {}))
    const bytes = planBytes(plan) + (part?.length ?? 0)
    if (this.#waiting.size >= waitingPlansMax || (this.#waiting.size > 0 && this.#waitingBytes + bytes > waitingBytesMax)) {
      return Promise.resolve(fail('overloaded', {}, { retryAfterSeconds: 1 }))
    }
    const id = this.#nextId++
    if (this.#packer.isEmpty) setImmediate(this.#send)
    this.#packer.add(id, plan, errand, part)
    this.#waitingBytes += bytes
    return new Promise((resolve, reject) =>
      this.#waiting.set(id, { bytes, held: applied => resolve(ok(answer(applied))), failed: resolve, reject }),
    )
  }

  horizon(): Promise<number> {
    return this.#ask(id => ({ kind: 'horizon', id, now: this.#clock() }))
  }

  ping(): Promise<number> {
    return this.#ask(id => ({ kind: 'ping', id }))
  }

  /** Snapshots, records or blobs may have expired: there may be something to sweep although nobody writes. */
  sweep(): void {
    if (this.#alive) this.#post({ kind: 'sweep', now: this.#clock() })
  }

  /** Waits for everything asked before, then for the file to be whole. */
  async close(): Promise<void> {
    if (!this.#alive) return
    this.#send()
    // Messages are heard in order, and plans in the writer's lanes are written before it closes.
    const gone = once(this.#worker, 'exit')
    this.#post({ kind: 'close' })
    await gone
  }

  readonly #send = (): void => {
    if (this.#packer.isEmpty || !this.#alive) return
    const packed = this.#packer.take()
    this.#post({ kind: 'plans', now: this.#clock(), packed }, [packed.texts.buffer])
  }

  #post(message: ToWriter, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, [...transfer])
  }

  #ask(message: (id: number) => ToWriter): Promise<number> {
    if (!this.#alive) return Promise.reject(new Error('The writer thread has ended'))
    this.#send()
    const id = this.#nextId++
    this.#post(message(id))
    return new Promise((resolve, reject) => this.#asking.set(id, { resolve, reject }))
  }

  #hear(message: FromWriter): void {
    if (message.kind === 'ready') return
    if (message.kind !== 'number') this.#state = message.state
    if (message.kind === 'answers') {
      this.beforeAnswers()
      for (const answer of message.answers) this.#answer(answer)
    }
    if (message.kind !== 'number') return
    const asking = this.#asking.get(message.id)
    this.#asking.delete(message.id)
    if ('broken' in message) asking?.reject(new Error(message.broken.message))
    else asking?.resolve(message.value)
  }

  #answer(answer: WriterAnswer): void {
    const waiting = this.#waiting.get(answer.id)
    if (waiting === undefined) return
    this.#waiting.delete(answer.id)
    this.#waitingBytes -= waiting.bytes
    if ('applied' in answer) waiting.held(answer.applied)
    else if (answer.broken.why === 'bug') waiting.reject(new Error(`A plan could not be written: ${answer.broken.message}`))
    else waiting.failed(failed(answer.broken))
  }

  /** Nobody will answer any more. */
  #die(): void {
    this.#alive = false
    for (const { failed } of this.#waiting.values()) failed(fail('no-store', {}))
    for (const { reject } of this.#asking.values()) reject(new Error('The writer thread has ended'))
    this.#waiting.clear()
    this.#asking.clear()
    this.#waitingBytes = 0
  }
}

/** A plan of an errand that writes no versions. */
const nothing: EnginePlan = { expects: [], guards: [], versions: [] }

const failed = ({ why }: Broken): Failed => (why === 'disk-full' ? fail('disk-full', {}) : fail('no-store', {}))

/** The port's answer; the caller's own texts get the instant too. */
const committed = (plan: EnginePlan, applied: Applied): Committed => {
  if (!applied.held) return applied
  const versions = plan.versions.map((version, at) => {
    const seq = applied.first + at
    const lastUpdated = msOfSeq(seq)
    if (version.lastUpdatedOffset >= 0) writeLastUpdated(version.text, version.lastUpdatedOffset, lastUpdated)
    return { seq, lastUpdated }
  })
  return {
    held: true,
    versions,
    counters: applied.counters,
    ...(plan.records === undefined || plan.records.length === 0 ? {} : { revision: applied.first }),
  }
}
