import type { IncomingMessage } from 'node:http'
import { defaultAccountRules } from '../accounts/account.ts'
import type { Origin } from '../ground.ts'
import { findSession, type LiveSession, noteRequest } from '../sessions/sessions.ts'
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

/** A request of the browser moves the idle end on, by the time that it was made with. What gets in the way is no harm: the next one counts. */
export const noteVisit = async ({ ground }: Pick<AuthorizationServerParts, 'ground'>, live: LiveSession, from: Origin): Promise<void> => {
  const { expires, endsAt, seenAt } = live.session.value
  if (expires < endsAt) await noteRequest(ground, { ...defaultAccountRules, idleMinutes: (expires - seenAt) / 60_000 }, live, from)
}
