import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { heldPermissions } from '../policy/held-permissions.ts'
import type { Principal } from '../policy/principal.ts'
import { wholeBody } from '../server/form-body.ts'
import { sendJson } from '../server/json-answer.ts'
import { demandStepUp } from '../step-up.ts'
import type { WebHandler, WebOrigin } from '../web.ts'
import { accessRoutes } from './access-routes.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { approvalRoutes } from './approval-routes.ts'
import { clientRoutes } from './client-routes.ts'
import { emergencyRoutes } from './emergency-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { meRoutes } from './me-routes.ts'
import { sendProblem } from './problem.ts'
import { providerRoutes } from './provider-routes.ts'
import { registrationTokenRoutes } from './registration-token-routes.ts'
import { roleRoutes } from './role-routes.ts'
import type { AdminRoute } from './routes.ts'
import { userRoutes } from './user-routes.ts'

/**
 * `/admin/*`: what administrators do, as JSON. A bearer token of an application of this house alone opens it, with the scope `__admin` and two factors; then
 * each route asks for a named permission. Cookies mean nothing here. @see auth.md 4.3, 9.1
 */
export const createAdmin = (parts: AdminParts): WebHandler => {
  const routes: readonly AdminRoute[] = [
    ...meRoutes,
    ...userRoutes,
    ...roleRoutes,
    ...clientRoutes,
    ...registrationTokenRoutes,
    ...keyRoutes,
    ...providerRoutes,
    ...approvalRoutes,
    ...accessRoutes,
    ...emergencyRoutes,
  ]
  return async (req, res, from) => {
    const answer = await answered(parts, routes, req, from).catch((error: unknown) => {
      // Bugs and a broken store are the door's to report; nobody is let in.
      res.setHeader('Cache-Control', 'no-store')
      throw error
    })
    if (answer.ok) return sendReply(res, answer.value)
    const { failure } = answer
    sendProblem(res, failure, { language: languageOf(req), requestId: from.requestId, realm: `${parts.address.base}/admin` })
  }
}

const answered = async (
  parts: AdminParts,
  routes: readonly AdminRoute[],
  req: IncomingMessage,
  from: WebOrigin,
): Promise<Outcome<AdminReply>> => {
  const url = new URL(req.url ?? '/', 'http://admin')
  const authenticated = await parts.authenticate(req.headers.authorization, from.address, req)
  if (!authenticated.ok) return authenticated
  const found = routeFor(routes, req.method ?? 'GET', url.pathname)
  if (!found.ok) return found
  const { route, path } = found.value
  const principal = await administrator(parts, authenticated.value, route)
  if (!principal.ok) return principal
  const permissions = heldPermissions(parts.roles, principal.value)
  const [permission] = route.permissions
  if (permission !== undefined && !route.permissions.some(name => permissions.has(name))) return fail('permission-needed', { permission })
  const fresh = route.fresh === true ? demandStepUp(principal.value, parts.ground.clock()) : ok(undefined)
  if (!fresh.ok) return fresh
  const body = await bodyOf(req)
  if (!body.ok) return body
  const origin = principal.value.clientId === undefined ? from : { ...from, client: principal.value.clientId }
  const call: AdminCall = { principal: principal.value, permissions, path, query: url.searchParams, body: body.value, from: origin }
  return route.run(parts, call)
}

/** Whoever asks is a person with an application of this house in hand. */
const administrator = async (
  { clients, ground }: AdminParts,
  principal: Principal,
  { own }: AdminRoute,
): Promise<Outcome<AdminCall['principal']>> => {
  const { accountId, clientId, scopes = [] } = principal
  const client = clientId === undefined ? undefined : await clients.find(clientId)
  if (accountId === undefined || client?.trust !== 'first-party') return fail('forbidden', {})
  if (own === true) return ok({ ...principal, accountId })
  if (principal.kind !== 'user') return fail('forbidden', {})
  if (!scopes.some(scope => scope.kind === 'plain' && scope.text === '__admin')) return fail('insufficient-scope', {})
  return principal.acr === 2 ? ok({ ...principal, accountId }) : stepUp(principal, ground.clock())
}

const stepUp = (principal: Principal, now: number): Outcome<never> => {
  const fresh = demandStepUp({ ...principal, acr: 1 }, now)
  return fresh.ok ? fail('forbidden', {}) : fresh
}

type Found = { readonly route: AdminRoute; readonly path: Readonly<Record<string, string>> }

const routeFor = (routes: readonly AdminRoute[], method: string, pathname: string): Outcome<Found> => {
  const matching = routes.flatMap(route => {
    const path = placesOf(route.path, pathname)
    return path === undefined ? [] : [{ route, path }]
  })
  if (matching.length === 0) return fail('unknown-instance', { what: 'path' })
  const exact = matching.filter(({ route }) => !route.path.includes('{'))
  const candidates = exact.length > 0 ? exact : matching
  const found = candidates.find(({ route }) => route.method === method)
  const allow = candidates.map(({ route }) => route.method)
  return found === undefined ? fail('method-not-allowed', { method: /^[A-Z]{1,10}$/.test(method) ? method : 'x' }, { allow }) : ok(found)
}

/** What stands in `{places}`; ids of ours alone can stand there. */
const placesOf = (pattern: string, pathname: string): Readonly<Record<string, string>> | undefined => {
  const [wanted, given] = [pattern.split('/'), pathname.split('/')]
  if (wanted.length !== given.length) return undefined
  const places: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? ''
    if (!part.startsWith('{')) {
      if (part !== text) return undefined
    } else if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) places[part.slice(1, -1)] = text
    else return undefined
  }
  return places
}

const bodyOf = async (req: IncomingMessage): Promise<Outcome<unknown>> => {
  if (req.method === 'GET' || req.method === 'HEAD') return ok(undefined)
  const bytes = await wholeBody(req)
  if (bytes === undefined) return fail('body-too-large', { max: 64 * 1024 })
  if (bytes.length === 0) return ok(undefined)
  if (!/^application\/json(?:;|$)/i.test(req.headers['content-type'] ?? ''))
    return fail('content-type-unknown', { available: 'application/json' })
  try {
    return ok(JSON.parse(bytes.toString('utf8')))
  } catch {
    return fail('bad-member', { member: 'body', rule: { rule: 'object-form', values: {} } })
  }
}

const sendReply = async (res: ServerResponse, { status = 200, body, csv }: AdminReply): Promise<void> => {
  const noStore = { 'Cache-Control': 'no-store' }
  if (csv === undefined) {
    if (body === undefined) return void res.writeHead(204, noStore).end()
    return sendJson(res, status, body, noStore)
  }
  res.writeHead(200, {
    ...noStore,
    'Content-Type': 'text/csv; charset=utf-8; header=present',
    'Content-Disposition': 'attachment; filename="access-review.csv"',
  })
  for await (const line of csv) {
    if (res.destroyed) return
    if (!res.write(line)) await drained(res)
  }
  res.end()
}

/** Or closed: then nobody waits for the rest. */
const drained = (res: ServerResponse): Promise<void> =>
  new Promise(done => {
    const go = (): void => {
      res.off('drain', go).off('close', go)
      done()
    }
    res.once('drain', go).once('close', go)
  })

/** The language of sentences: Bahasa Indonesia unless English is asked for first. */
const languageOf = (req: IncomingMessage): 'en' | 'id' => (/^\s*en\b/i.test(req.headers['accept-language'] ?? '') ? 'en' : 'id')
