import { isIP } from 'node:net'
import { isLoopback } from '../../config/addresses.ts'
import type { Client } from './client.ts'

const charactersMax = 2_000

type Kind = Pick<Client, 'applicationType' | 'development'>

/**
 * Whether a browser may be sent there with a code: https; of a native client also http on a loopback address, and a private-use scheme with a dot; of a client
 * marked `development` also http on localhost. Compared as text afterwards, so it has no fragment, and no name or password. @see auth.md 10.1, RFC 8252 7
 */
export const isRedirectUri = (text: string, { applicationType, development }: Kind): boolean => {
  const url = cleanUrl(text)
  if (url === undefined) return false
  if (url.protocol === 'https:') return url.hostname !== ''
  if (url.protocol === 'http:') {
    const native = applicationType === 'native' && isLoopbackHost(url)
    return native || (development === true && (url.hostname === 'localhost' || isLoopbackHost(url)))
  }
  return applicationType === 'native' && /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/.test(url.protocol)
}

/** Where a browser or we are sent, by https; for development also http on this machine. */
export const isWebUrl = (text: string, { development }: Pick<Client, 'development'>): boolean => {
  const url = cleanUrl(text)
  if (url === undefined || url.hostname === '') return false
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && development === true && (url.hostname === 'localhost' || isLoopbackHost(url))
}

/** `https://host[:port]` exactly as browsers send it. */
export const isOriginOf = (text: string, client: Pick<Client, 'development'>): boolean =>
  isWebUrl(text, client) && new URL(text).origin === text

const cleanUrl = (text: string): URL | undefined => {
  if (text.length > charactersMax || !/^[\x21-\x7e]+$/.test(text) || text.includes('#') || text.includes('*')) return undefined
  const url = URL.parse(text)
  return url === null || url.username !== '' || url.password !== '' ? undefined : url
}

const isLoopbackHost = ({ hostname }: URL): boolean => {
  const address = hostname.replace(/^\[|\]$/g, '')
  return isIP(address) !== 0 && isLoopback(address)
}
