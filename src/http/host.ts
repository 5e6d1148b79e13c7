import type { IncomingMessage } from 'node:http'

/** Whether a request is for none of `hosts`. */
export const hostIsForeign = ({ url = '/', headers }: IncomingMessage, hosts: readonly string[]): boolean =>
  !hosts.includes(withoutPort(authorityOf(url) ?? headers.host ?? '').toLowerCase())

/** Of an absolute target the host stands in it, and the header is to be ignored (RFC 9112, 3.2.2). */
const authorityOf = (url: string): string | undefined => (url.startsWith('/') ? undefined : /^https?:\/\/([^/?#]*)/i.exec(url)?.[1])

const withoutPort = (host: string): string => host.replace(/:\d{1,5}$/, '')
