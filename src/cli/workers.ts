import cluster, { type Worker } from 'node:cluster'
import type { Duplex } from 'node:stream'
import type { Events } from '../telemetry/events.ts'
import type { Figures } from '../telemetry/metrics.ts'
import { countsIn, figuresOfPrimary, joinedCounts, sumOf } from '../telemetry/sum.ts'
import { closeUntaken } from './dealt.ts'
import { beatMs, type ToPrimary, type ToWorker, writerDescriptor } from './together.ts'
import { simpulVersion } from './version.ts'

/** A worker that was not heard for so many beats is not ready, and after so many it does nothing any more. */
const silentBeats = { ready: 10, most: 30 }
/** Requests are given 25 s to finish; a worker that takes longer to end is ended. */
const stopMs = 35_000
const figuresMs = 2000
/** After a death the next start waits, from the first to the last of these, doubling. */
const againMs = { first: 100, most: 30_000 }
/** A worker that lived so long was no failed start. */
const settledMs = 60_000
/** Deaths in a row, none of which settled. Then the whole server ends, and says so. */
const deathsMax = 10

/** Ended workers whose counts are kept apart. */
const goneMax = 8

/** How a start ended: it listens; or the process ended first, with this exit code. */
export type Started = { readonly url: string; readonly invitation?: string } | { readonly code: number }

/** `refused`: the new one did not start, or is of another version than this process. `under way`: something else is. */
export type Renewed = 'all' | 'refused' | 'under way'

type Member = {
  readonly number: number
  readonly process: Worker
  readonly startedMs: number
  readonly started: PromiseWithResolvers<Started>
  readonly ended: PromiseWithResolvers<void>
  /** Not started anew when it ends before it listens: whoever wanted it is told. */
  readonly once: boolean
  listening: boolean
  ready: boolean
  version: string
  /** Why it is to end. */
  ending?: 'stopped' | 'hung'
  silentBeats: number
  /** The last that it told. */
  figures: Figures
}

export type WorkersOptions = {
  readonly startedAt: number
  readonly events: Events
  /** The way of a new worker to the process that writes. */
  readonly join?: (pipe: Duplex) => void
  /** A worker did not come back so often that there is no use in trying on. */
  readonly gaveUp: () => void
}

/** The workers of one server: starts, watches, renews and ends them. Connections are dealt out to those that listen, in turn. */
export class Workers {
  readonly #options: WorkersOptions
  readonly #members = new Set<Member>()
  readonly #asked = new Map<number, (figures: Figures) => void>()
  readonly #waiting = new Set<NodeJS.Timeout>()
  readonly #beat: NodeJS.Timeout
  readonly #own: () => Promise<Figures>
  /** Counts of workers that ended. */
  #gone: readonly Figures[] = []
  #nextNumber = 1
  #nextId = 1
  #deaths = 0
  #deathsInRow = 0
  #toldReady = true
  #draining = false
  #renewing = false

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#own = figuresOfPrimary({ workers: () => this.#listening().length, deaths: () => this.#deaths })
    const { join } = options
    cluster.setupPrimary({ serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(join ? ['pipe' as const] : [])] })
    this.#beat = setInterval(() => this.#lookAfter(), beatMs)
  }

  /** `once`: when it ends before it listens, that is all. Else it is started anew. */
  start(once: boolean): Promise<Started> {
    return this.#start(once).started.promise
  }

  /** One after the other, each when the one that takes its place listens: the server serves meanwhile. */
  async renew(): Promise<Renewed> {
    if (this.#renewing || this.#draining) return 'under way'
    this.#renewing = true
    try {
      for (const old of this.#listening()) {
        if (this.#draining) return 'under way'
        const fresh = this.#start(true)
        const started = await fresh.started.promise
        if (!('url' in started) || fresh.version !== simpulVersion()) {
          await this.#end(fresh, 'stopped')
          return this.#draining ? 'under way' : 'refused'
        }
        await this.#end(old, 'stopped')
      }
      return 'all'
    } finally {
      this.#renewing = false
    }
  }

  /** Not ready from now on, and nobody is started any more. */
  drain(): void {
    this.#draining = true
    for (const timer of this.#waiting) clearTimeout(timer)
    for (const member of this.#members) this.#say(member, { kind: 'drain' })
    this.#tellReady()
  }

  /** Each finishes what is under way. */
  async stop(): Promise<void> {
    this.drain()
    await Promise.all([...this.#members].map(member => this.#end(member, 'stopped')))
    clearInterval(this.#beat)
  }

  #listening(): Member[] {
    return [...this.#members].filter(({ listening, ending }) => listening && ending === undefined)
  }

  #start(once: boolean): Member {
    const { join, startedAt } = this.#options
    const process = cluster.fork()
    closeUntaken(process)
    const member: Member = {
      number: this.#nextNumber++,
      process,
      startedMs: performance.now(),
      started: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      once,
      listening: false,
      ready: false,
      version: '',
      silentBeats: 0,
      figures: [],
    }
    this.#members.add(member)
    // The types know the five that every process has; this one was asked for in setupPrimary.
    join?.(process.process.stdio[writerDescriptor] as Duplex)
    process.on('message', (message: ToPrimary) => this.#hear(member, message))
    process.on('error', () => undefined) // a message that came too late: `exit` tells the rest
    process.once('exit', (code: number | null, signal: string | null) => this.#left(member, code, signal))
    this.#say(member, { kind: 'begin', startedAt, first: member.number === 1 })
    return member
  }

  #hear(member: Member, message: ToPrimary): void {
    member.silentBeats = 0
    if (message.kind === 'listening') this.#listens(member, message)
    else if (message.kind === 'scrape') void this.#scrape(member, message.id)
    else if (message.kind === 'beat') {
      member.ready = message.ready
      this.#tellReady()
    } else {
      member.figures = message.figures
      if (message.kind === 'figures') this.#asked.get(message.id)?.(message.figures)
    }
  }

  #listens(member: Member, { url, version, invitation }: Extract<ToPrimary, { kind: 'listening' }>): void {
    member.listening = true
    member.version = version
    const ms = Math.round(performance.now() - member.startedMs)
    this.#options.events.workerStarted({ worker: member.number, pid: member.process.process.pid ?? 0, ms })
    this.#say(member, { kind: 'ready', ready: this.#toldReady })
    this.#tellReady()
    member.started.resolve({ url, ...(invitation === undefined ? {} : { invitation }) })
  }

  #left(member: Member, code: number | null, signal: string | null): void {
    this.#members.delete(member)
    const { number: worker, process, ending } = member
    const how = { ...(code === null ? {} : { code }), ...(signal === null ? {} : { signal }) }
    this.#options.events.workerEnded({ worker, pid: process.process.pid ?? 0, why: ending ?? 'died', ...how })
    member.started.resolve({ code: code ?? 1 })
    member.ended.resolve()
    this.#tellReady()
    if (ending !== 'stopped') this.#again(member)
    this.#gone = [...this.#gone, countsIn(member.figures)]
    if (this.#gone.length > goneMax) void this.#joinGone()
  }

  /** Others may end meanwhile: they come after those that are joined. */
  async #joinGone(): Promise<void> {
    const gone = this.#gone
    const joined = await joinedCounts(gone)
    if (this.#gone.length >= gone.length) this.#gone = [joined, ...this.#gone.slice(gone.length)]
  }

  #again({ startedMs, listening, once }: Member): void {
    if (this.#draining) return
    this.#deaths++
    this.#deathsInRow = performance.now() - startedMs > settledMs ? 1 : this.#deathsInRow + 1
    if (once && !listening) return
    if (this.#deathsInRow >= deathsMax) this.#options.gaveUp()
    else this.#startLater()
  }

  #startLater(): void {
    const ms = Math.min(againMs.most, againMs.first * 2 ** (this.#deathsInRow - 1))
    const timer = setTimeout(() => {
      this.#waiting.delete(timer)
      this.#start(false)
    }, ms)
    this.#waiting.add(timer)
  }

  async #end(member: Member, why: 'stopped' | 'hung'): Promise<void> {
    member.ending ??= why
    this.#say(member, { kind: 'stop' })
    this.#tellReady()
    const patience = setTimeout(() => member.process.process.kill('SIGKILL'), stopMs)
    await member.ended.promise
    clearTimeout(patience)
  }

  /** Counted in our own beats, not in time: after a pause of the whole machine nobody is held for dead. */
  #lookAfter(): void {
    for (const member of this.#members) {
      if (++member.silentBeats > silentBeats.ready) member.ready = false
      if (member.silentBeats <= silentBeats.most || member.ending !== undefined) continue
      member.ending = 'hung'
      member.process.process.kill('SIGKILL')
    }
    this.#tellReady()
  }

  /** Ready while all that take connections are. */
  #tellReady(): void {
    const listening = this.#listening()
    const ready = !this.#draining && listening.length > 0 && listening.every(member => member.ready)
    if (ready === this.#toldReady) return
    this.#toldReady = ready
    for (const member of this.#members) this.#say(member, { kind: 'ready', ready })
  }

  async #scrape(asker: Member, id: number): Promise<void> {
    const members = [...this.#members].filter(({ listening }) => listening)
    const [own, ...parts] = await Promise.all([this.#own(), ...members.map(member => this.#figuresOf(member))])
    this.#say(asker, { kind: 'scraped', id, text: await sumOf([own as Figures, ...this.#gone, ...parts]) })
  }

  /** What it told last, when it does not answer now. */
  #figuresOf(member: Member): Promise<Figures> {
    const id = this.#nextId++
    return new Promise<Figures>(resolve => {
      const late = setTimeout(() => resolve(member.figures), figuresMs)
      this.#asked.set(id, figures => {
        clearTimeout(late)
        resolve(figures)
      })
      this.#say(member, { kind: 'tell', id })
    }).finally(() => this.#asked.delete(id))
  }

  #say({ process }: Member, message: ToWorker): void {
    if (process.isConnected()) process.send(message)
  }
}
