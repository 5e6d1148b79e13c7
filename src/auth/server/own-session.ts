import type { IncomingMessage } from 'node:http'
import { type LiveSession, findSession } from '../sessions/sessions.ts'
import { cookiesOf } from './library-cookies.ts'
import type { AuthorizationServerParts } from './server-parts.ts'

/** Our session, by the cookie that the browser sent. */
export const ownSession = async (
  { ground, sessionCookie }: Pick<AuthorizationServerParts, 'ground' | 'sessionCookie'>,
  req: IncomingMessage,
): Promise<LiveSession | undefined> => {
  const cookie = cookiesOf(req.headers.cookie).get(sessionCookie)
  return cookie === undefined ? undefined : findSession(ground, cookie)
}
