import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { isLoopback } from '../../config/addresses.ts'
import { isOpenInternet } from './open-internet.ts'

/**
 * Requests to addresses that somebody else chose: keys of clients, identity providers, receivers of notifications. They reach the open internet and what was
 * named, nothing around this machine; the name is resolved once, every address of it is looked at, and the connection goes to one of those (a name that is
 * resolved again a moment later may lead elsewhere). Redirects are not followed. @see auth.md 10.1, 17 T15
 */
export type Outgoing = (request: OutgoingRequest) => Promise<OutgoingAnswer>

export type OutgoingRequest = {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For everything, from the resolving of the name to the last byte. */
  readonly timeoutMs: number
  readonly bodyBytesMax: number
}

export type OutgoingAnswer =
  | { readonly ok: true; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
  /** `refused`: no address to go to, by its form or by where it leads. `too-large`: the answer. */
  | { readonly ok: false; readonly why: 'refused' | 'unreachable' | 'timeout' | 'too-large' }

export type OutgoingRules = {
  /** Addresses outside the open internet that may be reached, by https. */
  readonly allowed?: (address: string) => boolean
  /** For development: this machine may be reached, also by http. */
  readonly loopback?: boolean
  /** Certificates (PEM) to believe in beside the usual ones. */
  readonly ca?: readonly string[]
  /** All addresses of a name; those of the system unless given. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
}

export const createOutgoing = (rules: OutgoingRules = {}): Outgoing => {
  const resolve = rules.resolve ?? addressesOf
  return async request => {
    const url = urlOf(request.url)
    if (url === undefined) return { ok: false, why: 'refused' }
    const signal = AbortSignal.timeout(request.timeoutMs)
    try {
      const name = url.hostname.replace(/^\[|\]$/g, '')
      const addresses = isIP(name) === 0 ? await orAborted(resolve(name), signal) : [name]
      if (addresses.length === 0) return { ok: false, why: 'unreachable' }
      if (!addresses.every(address => mayReach(url, address, rules))) return { ok: false, why: 'refused' }
      return await send(url, addresses, request, rules, signal)
    } catch {
      return { ok: false, why: signal.aborted ? 'timeout' : 'unreachable' }
    }
  }
}

/** One that can be gone to at all: https or http, without a name and password in it. */
const urlOf = (text: string): URL | undefined => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined
}

const mayReach = ({ protocol }: URL, address: string, { allowed, loopback }: OutgoingRules): boolean => {
  if (loopback === true && isLoopback(address)) return true
  return protocol === 'https:' && (isOpenInternet(address) || allowed?.(address) === true)
}

const addressesOf = async (name: string): Promise<readonly string[]> => (await lookup(name, { all: true })).map(({ address }) => address)

/** Resolving cannot be called off; it is left to itself. */
const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    promise,
    once(signal, 'abort').then(() => {
      throw new Error('It took too long')
    }),
  ])

const send = (
  url: URL,
  addresses: readonly string[],
  { method = 'GET', headers, body, bodyBytesMax }: OutgoingRequest,
  { ca }: OutgoingRules,
  signal: AbortSignal,
): Promise<OutgoingAnswer> =>
  new Promise((done, failed) => {
    const pinned = addresses.map(address => ({ address, family: isIP(address) }))
    const options = {
      method,
      signal,
      // A connection of its own: one that is kept was opened under what held then.
      agent: false as const,
      headers: { ...headers, 'accept-encoding': 'identity', ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
      autoSelectFamily: true,
      lookup: (_: string, __: object, found: (error: null, addresses: { address: string; family: number }[]) => void) =>
        found(null, pinned),
      ...(ca === undefined ? {} : { ca: [...ca] }),
    }
    const asked = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, answer => {
      const parts: Buffer[] = []
      let bytes = 0
      answer.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes <= bodyBytesMax) return void parts.push(part)
        answer.destroy()
        done({ ok: false, why: 'too-large' })
      })
      answer.on('end', () => done({ ok: true, status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }))
      answer.on('error', failed)
    })
    asked.on('error', failed)
    asked.end(body)
  })
