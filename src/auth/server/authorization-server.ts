// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does before the library is loaded
import './long-term-runtime.ts'
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Provider } from 'oidc-provider'
import { noteUse } from '../grants/grants.ts'
import { proofSecondsMax } from '../principal/dpop-proof.ts'
import { isFirstUse } from '../principal/first-use.ts'
import { secretHash } from '../secrets.ts'
import { oauthMetadata } from '../smart/discovery.ts'
import { createEndSession } from '../smart/end-session.ts'
import { createIntrospection } from '../smart/introspection.ts'
import { createUserinfo } from '../smart/userinfo.ts'
import type { WebHandler, WebOrigin } from '../web.ts'
import { away } from './adapter.ts'
import { authorizeParameters, dropStaleSession, hasLibrarySession } from './authorize-request.ts'
import { noteClients } from './client-notes.ts'
import { explainError } from './error-answer.ts'
import { shownOf } from './device-flow.ts'
import { formBody } from './form-body.ts'
import { createInteractions } from './interactions.ts'
import { sendJson, sendOauthError } from './json-answer.ts'
import { libraryConfiguration } from './library-configuration.ts'
import { noteVisit, ownSession } from './own-session.ts'
import { comesFromOurPage } from './own-page.ts'
import { namePublicClient } from './public-refresh.ts'
import { noteOrigin, originOf } from './request-origin.ts'
import type { AuthorizationServer, AuthorizationServerParts } from './server-parts.ts'

/**
 * The authorization server: oidc-provider behind doors of ours. What the library has not, or has otherwise, is answered in front of it: metadata, authorization
 * by POST, introspection, userinfo, the end of a session. @see auth.md 7, 8, 9, annex B
 */
export const createAuthorizationServer = (parts: AuthorizationServerParts): AuthorizationServer => {
  let library = createLibrary(parts)
  const renew = (): void => {
    library = createLibrary(parts)
  }
  parts.signingKeys.onChange(renew)

  const authorize: WebHandler = async (req, res, from) => {
    const url = new URL(req.url ?? '/', parts.address.base)
    if (req.method === 'POST') return redirectWithQuery(parts, req, res, from)
    const mode = url.searchParams.get('response_mode')
    if (mode !== null && mode !== 'query') {
      return parts.renderError(req, res, { status: 400, error: 'invalid_request', description: 'response_mode is not supported' }, from)
    }
    if (url.pathname === authorizePath) req.url = `${authorizePath}?${authorizeParameters(url.searchParams, parts.address)}`
    const live = await ownSession(parts, req)
    if (live !== undefined) await noteVisit(parts, live, from)
    await dropStaleSession(parts, req, live)
    return askLibrary(req, res, from)
  }

  const askLibrary: WebHandler = async (req, res) => {
    const inside: IncomingMessage & { originalUrl?: string } = req
    inside.originalUrl = req.url ?? '/'
    if (req.url === tokenPath) await namePublicClient(parts, req)
    inside.url = below(req.url ?? '/')
    fixAddress(req, parts.address.base)
    await library.callback(req, res)
  }

  /** Where somebody brings the code of a device: who is signed in counts as at authorization. A code in the address is only filled in. */
  const verify: WebHandler = async (req, res, from) => {
    const url = new URL(req.url ?? '/', parts.address.base)
    const typed = url.searchParams.get('user_code')
    if (req.method === 'POST' && !comesFromOurPage(req, parts.address.base))
      return parts.renderError(req, res, { status: 403, error: 'invalid_request', description: 'the form is of another page' }, from)
    if (url.pathname === verifyPath) req.url = verifyPath
    const live = await ownSession(parts, req)
    if (live !== undefined) await noteVisit(parts, live, from)
    await dropStaleSession(parts, req, live)
    // The library breaks over an answer to a page that nobody was shown.
    if ((req.method === 'POST' || url.pathname !== verifyPath) && !(await hasLibrarySession(parts, req)))
      return parts.renderError(req, res, { status: 400, error: 'invalid_request', about: 'expired' }, from)
    await askLibrary(req, res, from)
    const shown = shownOf(req)
    if (shown !== undefined && !res.headersSent)
      await parts.renderDevice(req, res, shown.is === 'code' && typed !== null ? { ...shown, typed } : shown, from)
  }

  const metadata = JSON.stringify(oauthMetadata(parts))
  const openMetadata: WebHandler = async (_req, res) => sendJson(res, 200, metadata)
  const ours: Readonly<Record<string, WebHandler>> = {
    [`${mount}/.well-known/openid-configuration`]: openMetadata,
    [`${mount}/.well-known/oauth-authorization-server`]: openMetadata,
    [`/.well-known/oauth-authorization-server${mount}`]: openMetadata,
    [`${mount}/introspect`]: createIntrospection(parts),
    [`${mount}/me`]: createUserinfo(parts),
    [`${mount}/session/end`]: createEndSession(parts),
  }

  const handler: WebHandler = async (req, res, from) => {
    noteOrigin(req, from)
    const [path = '/'] = (req.url ?? '/').split('?')
    const allowed = Object.hasOwn(methods, path) ? methods[path] : undefined
    if (allowed !== undefined && !allowed.split(', ').includes(req.method ?? ''))
      return sendOauthError(res, 405, 'invalid_request', 'the method is not supported', { Allow: allowed })
    const own = Object.hasOwn(ours, path) ? ours[path] : undefined
    if (own !== undefined) return own(req, res, from)
    if (path === verifyPath || path.startsWith(`${verifyPath}/`)) return verify(req, res, from)
    return path === authorizePath || path.startsWith(`${authorizePath}/`) ? authorize(req, res, from) : askLibrary(req, res, from)
  }

  const interactions = createInteractions(parts, () => library.provider)
  return { handler, interactions, renew }
}

const mount = '/oauth'
const authorizePath = `${mount}/auth`
const tokenPath = `${mount}/token`
const verifyPath = `${mount}/device/verify`

/** Other methods are refused here: the library takes the path for none then, and documents would answer to all. */
const methods: Readonly<Record<string, string>> = {
  [authorizePath]: 'GET, HEAD, POST',
  [tokenPath]: 'POST',
  [`${mount}/revoke`]: 'POST',
  [`${mount}/device`]: 'POST',
  [verifyPath]: 'GET, POST',
  [`${mount}/jwks`]: 'GET, HEAD',
  [`${mount}/session/end`]: 'GET, POST',
  [`${mount}/.well-known/openid-configuration`]: 'GET, HEAD',
  [`${mount}/.well-known/oauth-authorization-server`]: 'GET, HEAD',
  [`/.well-known/oauth-authorization-server${mount}`]: 'GET, HEAD',
}

/** As the library sees an address of ours; the mount itself is its root. */
const below = (url: string): string => {
  const rest = url.slice(mount.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

type Library = { readonly provider: Provider; readonly callback: (req: IncomingMessage, res: ServerResponse) => Promise<void> }

/** An instance with the keys of now; requests in flight finish on the one before. */
const createLibrary = (parts: AuthorizationServerParts): Library => {
  const provider = new Provider(parts.address.issuer, libraryConfiguration(parts))
  provider.proxy = true
  // Ours may have two, and they are nowhere in the library's memory.
  Object.assign(provider.Client.prototype, {
    async compareClientSecret(this: { readonly clientId: string }, given: string): Promise<boolean> {
      const client = await parts.clients.find(this.clientId)
      const secrets = client === undefined ? [] : await parts.clients.secretsOf(client)
      const asked = Buffer.from(secretHash(given))
      return secrets.some(secret => timingSafeEqual(Buffer.from(secretHash(secret)), asked))
    },
  })
  // The library asks first and notes afterwards, which lets two at once through.
  Object.assign(provider.ReplayDetection, {
    async unique(by: string, jti: string, exp: number): Promise<boolean> {
      const first = await isFirstUse(parts.ground, [by, jti], (exp + proofSecondsMax) * 1000).catch(error => Promise.reject(away(error)))
      if (!first.ok) throw away()
      return first.value
    },
  })
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.status === 503) ctx.set('Retry-After', '5')
    explainError(ctx, parts.address.base)
    if (ctx.oidc?.route !== 'token') return
    finishTokenAnswer(ctx)
    const grant = ctx.oidc.entities.RotatedRefreshToken?.grantId
    // The tokens are made: an answer that is lost for a note would cost the whole grant.
    if (ctx.status === 200 && grant !== undefined) await noteUse(parts.ground, grant).catch(() => undefined)
  })
  const failed = (ctx: { readonly req: IncomingMessage }, error: unknown): void => parts.failed?.(error, originOf(ctx.req).requestId)
  provider.on('server_error', failed)
  noteClients(provider, parts.clients.health)
  // It says nothing on the console: what went wrong is told by the event.
  provider.silent = true
  return { provider, callback: provider.callback() }
}

type TokenAnswer = {
  body?: unknown
  oidc?: { readonly entities: { readonly AccessToken?: { readonly extra?: object | undefined } | undefined } }
  set(name: string, value: string): void
}

/** The launch context stands beside the tokens; and one answer of the library gets the name that RFC 6749 has for it. */
const finishTokenAnswer = (ctx: TokenAnswer): void => {
  ctx.set('Pragma', 'no-cache')
  const { body } = ctx
  if (typeof body !== 'object' || body === null) return
  if ('access_token' in body) ctx.body = { ...ctx.oidc?.entities.AccessToken?.extra, ...body }
  else if ('error_description' in body && body.error_description === notAllowed) {
    ctx.body = { error: 'unauthorized_client', error_description: notAllowed }
  }
}

const notAllowed = 'requested grant type is not allowed for this client'

/** The library makes addresses of these headers: they say what is configured, whatever the request said. @see auth.md 1, T25 */
const fixAddress = (req: IncomingMessage, base: string): void => {
  const { host, protocol } = new URL(base)
  req.headers.host = host
  req.headers['x-forwarded-proto'] = protocol.slice(0, -1)
  for (const name of ['x-forwarded-host', 'x-forwarded-for', 'x-forwarded-port', 'forwarded', ':authority']) delete req.headers[name]
}

/** Authorization by POST: the same as a query, by a redirect that changes the method. */
const redirectWithQuery = async (
  parts: AuthorizationServerParts,
  req: IncomingMessage,
  res: ServerResponse,
  from: WebOrigin,
): Promise<void> => {
  const form = await formBody(req)
  if (form === undefined)
    return parts.renderError(req, res, { status: 400, error: 'invalid_request', description: 'a form is needed' }, from)
  res.writeHead(303, { Location: `${parts.address.issuer}/auth?${form}`, 'Content-Length': '0', 'Cache-Control': 'no-store' }).end()
}
