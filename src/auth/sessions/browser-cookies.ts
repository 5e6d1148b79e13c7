import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * The cookies that browsers keep for us: each a random value, or a word that is no secret. Over https their names begin with `__Host-`, so that no
 * other host of the domain can set them. @see auth.md 3
 */
export type BrowserCookie =
  /** The session. */
  | 'sid'
  /** A browser in which an account logged in before. */
  | 'device'
  /** A login under way. */
  | 'step'
  /** A login under way at an outside identity provider. */
  | 'provider'
  /** What forms are bound to. */
  | 'form'
  /** The language that was chosen here. */
  | 'language'

export const cookieName = (cookie: BrowserCookie, base: string): string => `${isHttps(base) ? '__Host-' : ''}simpul_${cookie}`

/** Undefined when the browser has none, or when it has several of that name: then somebody else set one. */
export const cookieOf = (req: Pick<IncomingMessage, 'headers'>, cookie: BrowserCookie, base: string): string | undefined => {
  const start = `${cookieName(cookie, base)}=`
  const found = (req.headers.cookie ?? '')
    .split(';', cookiesMax)
    .map(one => one.trim())
    .filter(one => one.startsWith(start))
  return found.length === 1 ? found[0]?.slice(start.length) : undefined
}

/** `ageMs`: absent, it goes with the browser; 0 takes it away. */
export const setCookie = (res: ServerResponse, cookie: BrowserCookie, value: string, base: string, ageMs?: number): void => {
  const age = ageMs === undefined ? '' : `; Max-Age=${Math.floor(ageMs / 1_000)}`
  const secure = isHttps(base) ? '; Secure' : ''
  res.appendHeader('Set-Cookie', `${cookieName(cookie, base)}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}${age}`)
}

export const dropCookie = (res: ServerResponse, cookie: BrowserCookie, base: string): void => setCookie(res, cookie, '', base, 0)

const cookiesMax = 100

const isHttps = (base: string): boolean => base.startsWith('https:')
