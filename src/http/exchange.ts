import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deadline } from '../base/deadline.ts'
import type { FailureKind } from '../base/failure-kinds.ts'
import type { Prefer, Principal } from '../interactions/request.ts'
import type { Correlation } from './headers.ts'
import { type Format, plain } from './negotiate.ts'
import type { Match } from './routes.ts'

/** What every answer says of the server that gives it. */
export type Site = {
  /** Public address of the API, without a slash at the end. */
  readonly base: string
  /** Headers of security of what is no page, as flat pairs. */
  readonly security: readonly string[]
}

/** One request and its answer: what the steps of the pipeline learn on the way. */
export class Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly method: string
  /** Our own id of the request. */
  readonly requestId: string
  readonly site: Site
  /** Headers of security of the answer. */
  security: readonly string[]
  readonly startedMs = performance.now()
  correlation: Correlation
  match: Match | undefined = undefined
  /** Which of the doors beside the FHIR API was asked for. */
  door: string | undefined = undefined
  /** Who asks, once that is known. */
  principal: Principal | undefined = undefined
  /** Everybody may have the answer: it may be kept a minute, and any script may read it. */
  isPublic = false
  /** The origin whose scripts may read the answer. */
  allowOrigin: string | undefined = undefined
  format: Format = plain
  prefer: Prefer | undefined = undefined
  waitMs: number | undefined = undefined
  /** What the answer says of a limit that the request was counted under. */
  rateLimit: readonly string[] | undefined = undefined
  /** Set when the answer was a failure. */
  failure: FailureKind | undefined = undefined
  bytesSent = 0
  /** Bytes of the body that are held in memory. */
  bytesHeld = 0
  #gone: AbortController | undefined = undefined

  constructor(req: IncomingMessage, res: ServerResponse, requestId: string, correlation: Correlation, site: Site) {
    this.req = req
    this.res = res
    this.method = req.method ?? 'GET'
    this.requestId = requestId
    this.correlation = correlation
    this.site = site
    this.security = site.security
  }

  /** Aborted when the client hangs up. Made when somebody asks: most requests are over before anybody would. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController()
      if (this.clientLeft) this.#gone.abort()
    }
    return this.#gone.signal
  }

  get clientLeft(): boolean {
    return this.res.destroyed && !this.res.writableFinished
  }

  /** The connection closed before the answer was out. */
  abandon(): void {
    this.#gone?.abort()
  }

  /** From now on; a client may ask for less time, never for more. */
  deadline(ms: number): Deadline {
    const endsAtMs = performance.now() + Math.min(ms, this.waitMs ?? ms)
    return new ExchangeDeadline(endsAtMs, this)
  }
}

class ExchangeDeadline implements Deadline {
  readonly endsAtMs: number
  readonly #exchange: Exchange

  constructor(endsAtMs: number, exchange: Exchange) {
    this.endsAtMs = endsAtMs
    this.#exchange = exchange
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }
}
