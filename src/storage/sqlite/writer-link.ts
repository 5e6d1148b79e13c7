import type { Clock } from '../../base/clock.ts'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { writeLastUpdated } from '../../fhir/model/stored-form.ts'
import type { Committed } from '../port.ts'
import { msOfSeq } from '../sequence.ts'
import type { Applied } from './commit.ts'
import type { Errand } from './errand.ts'
import { type EnginePlan, PlanPacker, planBytes } from './plan-tape.ts'
import type { Broken, FromWriter, ToWriter, WriterAnswer, WriterState } from './writer-messages.ts'

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

/** The way to the writer and back: to a thread of this process (writer-thread.ts), or to another process (writer-pipe.ts). */
export type WriterLine = {
  /** Messages arrive in order. `transfer`: memory that is the receiver's from now on. */
  post(message: ToWriter, transfer?: readonly ArrayBuffer[]): void
  /** Said once: who hears what comes back, and that nothing will come any more. */
  listen(hear: (message: FromWriter) => void, gone: () => void): void
  /** Resolves when the other end has let go. */
  close(): Promise<void>
}

/** The writer as those see it who read: packs plans, sends what gathered in one turn of the event loop, and hears the answers. */
export class WriterLink {
  readonly #line: WriterLine
  readonly #clock: Clock
  readonly #packer = new PlanPacker()
  readonly #waiting = new Map<number, Waiting>()
  readonly #asking = new Map<number, Asking>()
  /** Called before commits are acknowledged: who remembers what was read must doubt it. */
  beforeAnswers: () => void = () => undefined
  #waitingBytes = 0
  #nextId = 1
  #alive = true
  #answeredAll: (() => void) | undefined
  #state: WriterState = { commits: 0, plans: 0, versions: 0, dead: 0, walBytes: 0 }

  constructor(line: WriterLine, clock: Clock) {
    this.#line = line
    this.#clock = clock
    line.listen(
      message => this.#hear(message),
      () => this.#die(),
    )
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
    if (this.#alive) this.#line.post({ kind: 'sweep', now: this.#clock() })
  }

  /** Waits for everything asked before, then lets go of the writer. */
  async close(): Promise<void> {
    if (!this.#alive) return
    if (!this.#isIdle)
      await new Promise<void>(resolve => {
        this.#answeredAll = resolve
      })
    if (this.#alive) await this.#line.close()
  }

  get #isIdle(): boolean {
    return this.#waiting.size === 0 && this.#asking.size === 0
  }

  readonly #send = (): void => {
    if (this.#packer.isEmpty || !this.#alive) return
    const packed = this.#packer.take()
    this.#line.post({ kind: 'plans', now: this.#clock(), packed }, [packed.texts.buffer])
  }

  #ask(message: (id: number) => ToWriter): Promise<number> {
    if (!this.#alive) return Promise.reject(new Error(ended))
    this.#send()
    const id = this.#nextId++
    this.#line.post(message(id))
    return new Promise((resolve, reject) => this.#asking.set(id, { resolve, reject }))
  }

  #hear(message: FromWriter): void {
    if (message.kind === 'ready') return
    if (message.kind === 'number') this.#answerNumber(message)
    else this.#state = message.state
    if (message.kind === 'answers') {
      this.beforeAnswers()
      for (const answer of message.answers) this.#answer(answer)
    }
    if (this.#isIdle) this.#answeredAll?.()
  }

  #answerNumber(message: Extract<FromWriter, { kind: 'number' }>): void {
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
    for (const { reject } of this.#asking.values()) reject(new Error(ended))
    this.#waiting.clear()
    this.#asking.clear()
    this.#waitingBytes = 0
    this.#answeredAll?.()
  }
}

const ended = 'The writer has ended'

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
