import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib'
import type { Limits } from '../base/limits.ts'
import { type Failure, fail, type Outcome, ok } from '../base/outcome.ts'
import type { BodyBudget } from './body-budget.ts'
import type { Exchange } from './exchange.ts'

/**
 * The bytes of a body, decompressed, within limits of size and time. Sizes count decompressed bytes; what expands more than 100 times
 * after its first MiB is a bomb, whatever it would come to.
 */

type BodyLimits = Pick<Limits, 'expansionMax' | 'bodyIdleMs' | 'bodyMs'>

const MiB = 1024 * 1024
const noBytes = new Uint8Array(0)

/** False for requests that carry no body, an empty one included. */
export const hasBody = (req: IncomingMessage): boolean =>
  req.headers['transfer-encoding'] !== undefined || (req.headers['content-length'] !== undefined && req.headers['content-length'] !== '0')

/**
 * Fails `body-too-large`, `expands-too-much`, `slow-body`, `overloaded` (all bodies together are too large), `bad-compression`, `encoding-unknown`, and `incomplete-body` when the client
 * left. After a failure the rest of the body is still on its way: the connection can serve no other request.
 */
export const readBody = (exchange: Exchange, bytesMax: number, limits: BodyLimits, budget: BodyBudget): Promise<Outcome<Uint8Array>> => {
  const { req, res } = exchange
  const decoder = decoderOf(req.headers['content-encoding'])
  if (!decoder.ok) return Promise.resolve(decoder)
  const announced = Number(req.headers['content-length'] ?? 0)
  if (decoder.value === undefined && announced > bytesMax) return Promise.resolve(fail('body-too-large', { max: bytesMax }))
  if (req.headers.expect !== undefined) res.writeContinue()
  return new Promise(resolve => {
    new BodyReading(exchange, bytesMax, limits, budget, resolve).start(decoder.value)
  })
}

type Decoder = 'gzip' | 'deflate' | 'br' | 'zstd'
const decoders: Readonly<Record<string, Decoder | undefined>> = {
  __proto__: null as never,
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
}

const decoderOf = (header: string | undefined): Outcome<Decoder | undefined> => {
  const name = header?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return ok(undefined)
  const decoder = decoders[name]
  return decoder === undefined ? fail('encoding-unknown', {}, { location: ['http.Content-Encoding'] }) : ok(decoder)
}

/** Clients disagree on whether `deflate` has the zlib frame around it; the first byte tells. */
const decompressor = (decoder: Decoder, firstByte: number): Transform => {
  if (decoder === 'gzip') return createGunzip()
  if (decoder === 'br') return createBrotliDecompress()
  if (decoder === 'zstd') return createZstdDecompress()
  return (firstByte & 0x0f) === 8 ? createInflate() : createInflateRaw()
}

/** One body under way: collects chunks until the end or the first failure, whichever comes first. */
class BodyReading {
  readonly #exchange: Exchange
  readonly #req: IncomingMessage
  readonly #budget: BodyBudget
  readonly #bytesMax: number
  readonly #limits: BodyLimits
  readonly #resolve: (outcome: Outcome<Uint8Array>) => void
  readonly #chunks: Uint8Array[] = []
  readonly #startedMs = performance.now()
  readonly #idle: NodeJS.Timeout
  #received = 0
  #bytes = 0
  #decompress: Transform | undefined
  #settled = false

  constructor(
    exchange: Exchange,
    bytesMax: number,
    limits: BodyLimits,
    budget: BodyBudget,
    resolve: (outcome: Outcome<Uint8Array>) => void,
  ) {
    this.#exchange = exchange
    this.#req = exchange.req
    this.#budget = budget
    this.#bytesMax = bytesMax
    this.#limits = limits
    this.#resolve = resolve
    this.#idle = setTimeout(() => this.#fail(fail('slow-body', {}).failure), limits.bodyIdleMs)
  }

  start(decoder: Decoder | undefined): void {
    const req = this.#req
    req.on('data', (chunk: Uint8Array) => this.#receive(chunk, decoder))
    req.on('end', () => {
      clearTimeout(this.#idle)
      if (this.#decompress === undefined) this.#finish()
      else this.#decompress.end()
    })
    // Also after the end: then what is still being decompressed goes on.
    req.on('close', () => {
      if (!req.complete) this.#fail(fail('incomplete-body', {}).failure)
    })
    req.on('error', () => this.#fail(fail('incomplete-body', {}).failure))
  }

  #receive(chunk: Uint8Array, decoder: Decoder | undefined): void {
    if (this.#settled) return
    this.#received += chunk.length
    this.#idle.refresh()
    // A body that keeps trickling would never be idle: in all it has its base time plus a second for each MiB.
    if (performance.now() - this.#startedMs > this.#limits.bodyMs + (this.#received / MiB) * 1000)
      return void this.#fail(fail('slow-body', {}).failure)
    if (decoder === undefined) return void this.#take(chunk)
    this.#decompress ??= this.#startDecompressing(decoder, chunk[0] ?? 0)
    if (this.#decompress.write(chunk)) return
    // While the rest waits for us it is not the client that is slow.
    this.#req.pause()
    this.#decompress.once('drain', () => {
      if (this.#settled) return
      this.#idle.refresh()
      this.#req.resume()
    })
  }

  #startDecompressing(decoder: Decoder, firstByte: number): Transform {
    const decompress = decompressor(decoder, firstByte)
    decompress.on('data', (chunk: Uint8Array) => this.#take(chunk))
    decompress.on('end', () => this.#finish())
    decompress.on('error', () => this.#fail(fail('bad-compression', {}).failure))
    return decompress
  }

  #take(chunk: Uint8Array): void {
    if (this.#settled) return
    this.#bytes += chunk.length
    if (this.#decompress !== undefined && !this.#req.complete) this.#idle.refresh()
    const { expansionMax } = this.#limits
    if (this.#bytes > this.#bytesMax) return void this.#fail(fail('body-too-large', { max: this.#bytesMax }).failure)
    if (this.#decompress !== undefined && this.#bytes > MiB && this.#bytes > this.#received * expansionMax) {
      return void this.#fail(fail('expands-too-much', { max: expansionMax }).failure)
    }
    if (!this.#budget.take(chunk.length)) return void this.#fail(fail('overloaded', {}, { retryAfterSeconds: 1 }).failure)
    this.#exchange.bytesHeld += chunk.length
    this.#chunks.push(chunk)
  }

  #finish(): void {
    this.#settle(
      ok(this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : this.#chunks.length === 0 ? noBytes : Buffer.concat(this.#chunks)),
    )
  }

  #fail(failure: Failure): void {
    this.#settle({ ok: false, failure })
  }

  #settle(outcome: Outcome<Uint8Array>): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#idle)
    this.#decompress?.destroy()
    if (!outcome.ok) this.#letGo()
    this.#resolve(outcome)
  }

  /** What came so far is of no use; the rest is read and thrown away. */
  #letGo(): void {
    this.#chunks.length = 0
    this.#budget.give(this.#exchange.bytesHeld)
    this.#exchange.bytesHeld = 0
  }
}
