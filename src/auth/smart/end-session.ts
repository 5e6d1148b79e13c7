import type { ServerResponse } from 'node:http'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { formBody } from '../server/form-body.ts'
import { libraryCookies } from '../server/library-cookies.ts'
import { ownSession } from '../server/own-session.ts'
import type { AuthorizationServerParts } from '../server/server-parts.ts'
import { logOut } from '../sessions/sessions.ts'
import type { WebHandler } from '../web.ts'

/**
 * Logging out at the wish of an application. An id token of whoever is signed in shows that the wish is theirs; without one the browser is led to their own
 * pages, where they may. Then back to an address that the application registered, or to a page of ours that says so. @see OpenID Connect RP-Initiated Logout 1.0
 */
export const createEndSession =
  (parts: AuthorizationServerParts): WebHandler =>
  async (req, res, from) => {
    const { base } = parts.address
    const given = req.method === 'POST' ? await formBody(req) : new URL(req.url ?? '/', base).searchParams
    const hint = await hintOf(parts, given?.get('id_token_hint') ?? undefined)
    const live = await ownSession(parts, req)
    if (live !== undefined && hint?.sub !== live.account.key) return goTo(res, `${base}/account`)
    const client = hint === undefined ? undefined : await parts.clients.find(hint.client)
    if (live !== undefined) {
      const done = await logOut(parts.ground, live, { ...from, ...(client !== undefined && { client: client.id }) })
      if (!done.ok) return parts.renderError(req, res, { status: 503, error: 'temporarily_unavailable' }, from)
    }
    const back = given?.get('post_logout_redirect_uri') ?? undefined
    const isOurs = back !== undefined && client?.postLogoutRedirectUris?.includes(back) === true
    goTo(res, isOurs ? withState(back, given?.get('state') ?? undefined) : `${base}/login/goodbye`, [
      gone(parts.sessionCookie, base),
      gone(libraryCookies(parts.address).session, base),
    ])
  }

const withState = (uri: string, state: string | undefined): string => {
  const url = new URL(uri)
  if (state !== undefined) url.searchParams.set('state', state)
  return url.href
}

const goTo = (res: ServerResponse, location: string, cookies: readonly string[] = []): void =>
  void res
    .writeHead(303, {
      Location: location,
      'Cache-Control': 'no-store',
      'Content-Length': '0',
      ...(cookies.length > 0 && { 'Set-Cookie': [...cookies] }),
    })
    .end()

const gone = (name: string, base: string): string =>
  `${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax${base.startsWith('https:') ? '; Secure' : ''}`

/** Signed by a key that is still published; how old it is does not matter here. */
const hintOf = async (
  { signingKeys, address }: AuthorizationServerParts,
  token: string | undefined,
): Promise<{ readonly sub: string; readonly client: string } | undefined> => {
  if (token === undefined) return undefined
  try {
    const keys = { keys: [...signingKeys.publicJwks().keys] } as JSONWebKeySet
    const { payload } = await compactVerify(token, createLocalJWKSet(keys), { algorithms: ['RS256'] })
    const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
    const { iss, sub, aud } = claims as Readonly<Record<string, unknown>>
    return iss === address.issuer && typeof sub === 'string' && typeof aud === 'string' ? { sub, client: aud } : undefined
  } catch {
    return undefined
  }
}
