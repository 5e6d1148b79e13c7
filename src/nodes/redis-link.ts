import { Redis } from 'ioredis'
import type { SharedState } from './shared.ts'

/** What the link tells when it turns: `lastedMs` is how long the state before lasted, `code` why it was left, where something said so. */
export type LinkTurn = { readonly state: 'ok' | 'fallback'; readonly lastedMs: number; readonly code?: string }

export type LinkOptions = {
  /** Proves that Redis does what it is needed for: a server that answers but cannot write is away. */
  readonly probe: () => Promise<unknown>
  readonly turned: (turn: LinkTurn) => void
}

/** An answer that takes longer is none: the caller goes on without. */
const commandDefaultMs = 250
const connectMs = 2000
/** A connection that is silent although asked is dead, whatever TCP says. */
const silentMs = 5000
const probeEveryMs = 1000
const backOffMs = { least: 50, most: 2000 }

/** A connection that never keeps anybody waiting: no queue while it is away, no command sent again, bounded pauses between tries. */
export const openConnection = (url: string, commandMs = commandDefaultMs): Redis => {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectMs,
    disconnectTimeout: commandMs,
    commandTimeout: commandMs,
    socketTimeout: silentMs,
    disableClientInfo: true,
    retryStrategy: times => backOff(times),
  })
  client.on('error', () => undefined) // the state tells; without a listener the library prints
  client.connect().catch(() => undefined) // it goes on trying
  return client
}

/** Doubles up to the bound; the random half keeps nodes from coming back all at once. */
const backOff = (times: number): number => {
  const pause = Math.min(backOffMs.most, backOffMs.least * 2 ** Math.min(times - 1, 16))
  return Math.round(pause / 2 + (Math.random() * pause) / 2)
}

/** The connection that commands go over, and whether it may be used now. */
export class RedisLink {
  readonly client: Redis
  readonly #options: LinkOptions
  readonly #probing: NodeJS.Timeout
  #usable: boolean | undefined = undefined
  #turnedMs = performance.now()
  #ms: number | undefined = undefined
  #code: string | undefined = undefined
  #closed = false

  constructor(options: LinkOptions, client: Redis) {
    this.#options = options
    this.client = client
    client.on('error', error => {
      this.#code = codeOf(error) ?? this.#code
    })
    client.on('ready', () => void this.#probe())
    client.on('close', () => this.doubt())
    this.#probing = setInterval(() => void this.#probe(), probeEveryMs)
    this.#probing.unref()
  }

  get usable(): boolean {
    return this.#usable === true
  }

  get state(): SharedState {
    return { name: this.usable ? 'ok' : 'fallback', ...(this.#ms === undefined || !this.usable ? {} : { ms: this.#ms }) }
  }

  /** A command failed: nothing more is asked until a probe succeeds. */
  doubt(error?: unknown): void {
    this.#turn(false, codeOf(error) ?? this.#code)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#probing)
    this.client.disconnect()
  }

  async #probe(): Promise<void> {
    if (this.client.status !== 'ready') return
    const started = performance.now()
    try {
      await this.#options.probe()
      this.#ms = performance.now() - started
      this.#code = undefined
      this.#turn(true, undefined)
    } catch (error) {
      this.doubt(error)
    }
  }

  #turn(usable: boolean, code: string | undefined): void {
    if (this.#closed || this.#usable === usable) return
    const now = performance.now()
    const lastedMs = now - this.#turnedMs
    this.#usable = usable
    this.#turnedMs = now
    this.#options.turned({ state: usable ? 'ok' : 'fallback', lastedMs, ...(code === undefined ? {} : { code }) })
  }
}

/** `ECONNREFUSED`, or the first word of what Redis answered (`OOM`, `NOAUTH`); never a sentence, which may quote a command. */
const codeOf = (error: unknown): string | undefined => {
  if (!Error.isError(error)) return undefined
  const { code } = error as Error & { readonly code?: unknown }
  if (typeof code === 'string' && /^[A-Z_]{1,32}$/.test(code)) return code
  if (/timed out/.test(error.message)) return 'TIMEOUT'
  return /^([A-Z]{2,32})\b/.exec(error.message)?.[1]
}
