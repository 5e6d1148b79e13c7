import type { IncomingMessage } from 'node:http'
import { isIP, SocketAddress } from 'node:net'
import { isLoopback, within } from '../config/addresses.ts'

/** Who calls, as far as an address tells. What a request says of itself is believed only from our own proxies, and in doubt not from them. */

/** Headers that say a request was passed on by somebody. */
const passedOn = ['x-forwarded-for', 'forwarded', 'x-forwarded-host', 'x-real-ip', 'via'] as const

/** A caller on this machine itself: what a proxy on this machine passes on comes from elsewhere. */
export const isLocal = ({ socket, headers }: IncomingMessage): boolean =>
  isLoopback(socket.remoteAddress ?? '') && passedOn.every(name => headers[name] === undefined)

/** Hops that are looked at, from ours outwards; who has passed more is counted as the last of them. */
const hopsMax = 16

/**
 * The address that a request is counted under. From one of `proxies` it is the nearest address in `X-Forwarded-For` or `Forwarded` that is not
 * one of them. Where these say nothing readable, or two things, it is the proxy's own: then many share one count, and nobody escapes it.
 */
export const callerOf = (proxies: readonly string[] = []): ((req: IncomingMessage) => string) => {
  const isOurs = within(proxies)
  return ({ socket, headers }) => {
    const peer = plain(socket.remoteAddress ?? '')
    if (proxies.length === 0 || !isOurs(peer)) return peer
    const { 'x-forwarded-for': list, forwarded } = headers
    const byList = nearest(hopsOfList(list), peer, isOurs)
    const byForwarded = nearest(hopsOfForwarded(forwarded), peer, isOurs)
    if (list === undefined) return byForwarded
    return forwarded === undefined || byList === byForwarded ? byList : peer
  }
}

/** `hops` from the nearest outwards; undefined stands for one that is no address. */
const nearest = (hops: readonly (string | undefined)[], peer: string, isOurs: (address: string) => boolean): string => {
  let last = peer
  for (const hop of hops) {
    if (hop === undefined) return last
    last = hop
    if (!isOurs(hop)) return hop
  }
  return last
}

const hopsOfList = (header: string | readonly string[] | undefined): readonly (string | undefined)[] =>
  header === undefined
    ? []
    : String(header)
        .split(',')
        .slice(-hopsMax)
        .toReversed()
        .map(hop => addressIn(hop.trim()))

/** @see https://www.rfc-editor.org/rfc/rfc7239 */
const hopsOfForwarded = (header: string | readonly string[] | undefined): readonly (string | undefined)[] =>
  header === undefined
    ? []
    : String(header)
        .split(',')
        .slice(-hopsMax)
        .toReversed()
        .map(element => {
          const named = element.split(';').filter(pair => /^\s*for\s*=/i.test(pair))
          const value = named.length === 1 ? (named[0] as string).slice((named[0] as string).indexOf('=') + 1).trim() : ''
          return addressIn(/^"[^"\\]*"$/.test(value) ? value.slice(1, -1) : value)
        })

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; undefined for anything else, `unknown` and hidden names too. */
const addressIn = (text: string): string | undefined => {
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? (/^([\d.]+):\d{1,5}$/.exec(text)?.[1] || text)
  return isIP(bare) === 0 || bare.includes('%') ? undefined : plain(bare)
}

/** An IPv4 address written as IPv6 is the IPv4 address, and an IPv6 address has one spelling. */
const plain = (address: string): string => {
  if (isIP(address) !== 6) return address
  const { address: canonical } = new SocketAddress({ address: address.replace(/%.*$/, ''), family: 'ipv6' })
  return /^::ffff:([\d.]+)$/.exec(canonical)?.[1] ?? canonical
}

/** What a limit counts: an IPv4 address, or the network of an IPv6 one, since a caller has all of its 2^64 addresses. */
export const countedAs = (address: string): string => {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array<string>(gap).fill('0'), ...after].slice(0, 4).join(':')
}
