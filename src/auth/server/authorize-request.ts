import type { IncomingMessage } from 'node:http'
import { type LiveSession, sessionByLibraryUid } from '../sessions/sessions.ts'
import type { PublicAddress } from '../web.ts'
import { cookiesOf, libraryCookies, withoutCookie } from './library-cookies.ts'
import { libraryRow } from './library-rows.ts'
import type { AuthorizationServerParts } from './server-parts.ts'

/**
 * The parameters as the library should see them: one spelling of our base, `resource` in place of `aud` and the reverse, and an agreement asked for where access
 * should outlive the session, or the library drops that scope. What comes twice stays so, to be refused there. @see auth.md 7.1
 */
export const authorizeParameters = (given: URLSearchParams, { fhir }: PublicAddress): URLSearchParams => {
  const params = new URLSearchParams(given)
  for (const name of ['aud', 'resource']) if (only(params, name) === `${fhir}/`) params.set(name, fhir)
  const resource = only(params, 'resource')
  if (resource !== undefined && !params.has('aud')) params.set('aud', resource)
  if (resource !== undefined && resource === only(params, 'aud')) params.delete('resource')
  const prompt = only(params, 'prompt')
  const prompts = (prompt ?? '').split(' ').filter(one => one !== '')
  const asksOffline = only(params, 'scope')?.split(' ').includes('offline_access') === true
  const isPlain = prompt !== undefined || !params.has('prompt')
  if (asksOffline && isPlain && !prompts.includes('consent') && !prompts.includes('none'))
    params.set('prompt', [...prompts, 'consent'].join(' '))
  return params
}

/** The one value; undefined for none and for several. */
const only = (params: URLSearchParams, name: string): string | undefined => {
  const values = params.getAll(name)
  return values.length === 1 ? values[0] : undefined
}

/**
 * The library's session counts only as long as ours does, and only for the one who is signed in with this browser now: its cookie is taken away otherwise,
 * and the library begins anew. @see auth.md 3
 */
export const dropStaleSession = async (
  parts: AuthorizationServerParts,
  req: IncomingMessage,
  own: LiveSession | undefined,
): Promise<void> => {
  const { session: name } = libraryCookies(parts.address)
  const header = req.headers.cookie ?? ''
  const cookie = cookiesOf(header).get(name)
  if (cookie === undefined) return
  const row = await libraryRow(parts.ground.store, cookie)
  const uid = row?.value.uid
  if (row?.value.payload?.accountId === undefined || uid === undefined) return
  const tied = own === undefined ? undefined : await sessionByLibraryUid(parts.ground, uid)
  if (tied === undefined || tied.session.key !== own?.session.key) req.headers.cookie = withoutCookie(header, name)
}

/** Whether the browser has a session of the library that is there. */
export const hasLibrarySession = async ({ ground, address }: AuthorizationServerParts, req: IncomingMessage): Promise<boolean> => {
  const cookie = cookiesOf(req.headers.cookie).get(libraryCookies(address).session)
  return cookie !== undefined && (await libraryRow(ground.store, cookie))?.value.model === 'Session'
}
