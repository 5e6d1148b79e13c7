import type { ServerResponse } from 'node:http'
import type { WebHandler, WebOrigin } from '../auth/web.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { arrivalOf } from './arrived-body.ts'
import type { BodyBudget } from './body-budget.ts'
import { callerOf } from './caller.ts'
import { exposedHeaders, type Origins, originOf, preflightHeaders, type Sharing, sharingOf } from './cors.ts'
import type { DoorLimits } from './door-limits.ts'
import { type DoorErrors, type DoorProblem, oauthProblem } from './door-problems.ts'
import type { Exchange, Site } from './exchange.ts'
import { pageSecurity, type SecurityOptions } from './security-headers.ts'

/**
 * The doors beside the FHIR API: sign-in, one's own account, the authorization server, administration. Their handlers know nothing of limits, other origins
 * and headers of security; here is one function that sees to it, in the order *origin, count, body, handler*. Cookies mean something here and nowhere else.
 * @see auth.md 9, 15, 16
 */

export type Door = {
  /** A word of ours, for logs and metrics. */
  readonly name: string
  /** Each with all that lies below it. */
  readonly paths: readonly string[]
  readonly handler: WebHandler
  /** What comes by itself: a page for people, or JSON for programs. */
  readonly answers: 'page' | 'json'
}

export type DoorsParts = {
  readonly doors: readonly Door[]
  readonly doorLimits: DoorLimits
  readonly origins: Origins
  /** The page for whoever came with a browser and cannot go on. */
  readonly renderError: DoorErrors
}

type ServerParts = {
  readonly events: Events
  readonly metrics: Metrics
  readonly budget: BodyBudget
  readonly site: Site
  readonly proxies?: readonly string[]
  readonly security?: Pick<SecurityOptions, 'frameAncestors'>
}

/** Longest form or JSON. */
const bodyBytesMax = 64 * 1024
/** From the first byte of a request to the answer: a login waits for its turn to hash, a token for the keys of a client. */
const answerMs = 30_000
const userAgentMax = 512

/** Of the authorization server: where people come with a browser. */
const pagePaths = ['/oauth/auth', '/oauth/session', '/oauth/device/verify'] as const

export const createDoors = (
  parts: DoorsParts,
  server: ServerParts,
): ((url: string) => ((exchange: Exchange) => Promise<void>) | undefined) => {
  const { site, events, metrics, budget } = server
  const caller = callerOf(server.proxies)
  const ofPages = pageSecurity({ ...server.security, https: site.base.startsWith('https:') })
  const ownOrigin = new URL(site.base).origin

  /** True when the request was answered here, or must not go on. */
  const answeredByOrigin = async ({ req, res, method }: Exchange, sharing: Sharing | undefined, refuse: Refuse): Promise<boolean> => {
    const origin = originOf(req.headers.origin)
    if (sharing?.with === 'any') res.setHeader('Access-Control-Allow-Origin', '*')
    if (method === 'OPTIONS') {
      const mayAsk =
        sharing?.with === 'any'
          ? '*'
          : sharing !== undefined && origin !== undefined && (await parts.origins.ofAny(origin))
            ? origin
            : undefined
      if (mayAsk !== undefined && sharing !== undefined) setHeaders(res, preflightHeaders(mayAsk, sharing.methods))
      res.writeHead(204).end()
      return true
    }
    if (sharing?.with !== 'clients' || req.headers.origin === undefined || origin === ownOrigin) return false
    if (origin === undefined || !(await parts.origins.ofAny(origin))) {
      refuse({ what: 'origin', status: 400 })
      return true
    }
    // Of its own endpoints the authorization server says itself whether it is this client's origin.
    if (saysItself.has(pathOf(req.url as string))) return false
    setHeaders(res, ['Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', exposedHeaders])
    return false
  }

  const serve = async (door: Door, path: string, exchange: Exchange): Promise<void> => {
    const { req, res, method, requestId, correlation } = exchange
    exchange.door = door.name
    const arrival = arrivalOf(exchange, bodyBytesMax, budget)
    const isPage = door.answers === 'page' || isBelow(path, pagePaths)
    const address = caller(req)
    const userAgent = req.headers['user-agent']?.slice(0, userAgentMax)
    const from: WebOrigin = { address, requestId, ...(userAgent === undefined ? {} : { userAgent }) }
    setHeaders(res, [
      'X-Request-Id',
      correlation.requestId ?? requestId,
      'Cache-Control',
      'no-store',
      ...(isPage ? ofPages : site.security),
    ])
    res.once('finish', () => {
      exchange.bytesSent = Number(res.getHeader('Content-Length') ?? 0)
    })
    const refuse = (problem: DoorProblem): void => {
      exchange.failure = failures[problem.what]
      if (res.headersSent) return void res.destroy()
      if (!req.complete) res.setHeader('Connection', 'close')
      if (!isPage) return void oauthProblem(res, problem)
      // The page asks who is signed in; where even that cannot be known, there is the status alone.
      Promise.resolve(parts.renderError(req, res, problem, from)).catch(() => {
        if (!res.headersSent) res.writeHead(problem.status, { 'Content-Length': 0 }).end()
      })
    }
    if (await answeredByOrigin(exchange, sharingOf(path), refuse)) return
    const late = setTimeout(
      () => refuse(req.complete ? { what: 'away', status: 503, retryAfterSeconds: 5 } : { what: 'slow', status: 408 }),
      answerMs,
    )
    res.once('close', () => clearTimeout(late))
    const early = await parts.doorLimits.beforeBody({ path, method, req, address })
    if (early !== undefined) return refuse({ what: 'too-many', status: 429, retryAfterSeconds: early })
    if (req.headers.expect !== undefined) res.writeContinue()
    const body = await arrival
    if (!body.ok) return refuse(body.problem)
    const counted = { path, method, req, address, form: body.text }
    const tooOften = await parts.doorLimits.beforeHandler(counted)
    if (tooOften !== undefined) return refuse({ what: 'too-many', status: 429, retryAfterSeconds: tooOften })
    try {
      await door.handler(req, res, from)
    } catch (error) {
      // What was answered meanwhile, because it took too long, stays answered.
      if (res.writableEnded) return
      if (error instanceof StoreUnusable) return refuse({ what: 'away', status: 503, retryAfterSeconds: 5 })
      events.bugMet('http', error, requestId)
      metrics.bug('http')
      return refuse({ what: 'generic', status: 500 })
    }
    await parts.doorLimits.afterAnswer({ ...counted, status: res.statusCode })
  }

  return url => {
    const path = pathOf(url)
    const door = parts.doors.find(({ paths }) => isBelow(path, paths))
    return door === undefined ? undefined : exchange => serve(door, path, exchange)
  }
}

type Refuse = (problem: DoorProblem) => void

const saysItself: ReadonlySet<string> = new Set(['/oauth/token', '/oauth/revoke'])

const pathOf = (url: string): string => {
  const mark = url.indexOf('?')
  return mark === -1 ? url : url.slice(0, mark)
}

const isBelow = (path: string, places: readonly string[]): boolean =>
  places.some(place => path.startsWith(place) && (path.length === place.length || path[place.length] === '/'))

const setHeaders = (res: ServerResponse, flat: readonly string[]): void => {
  for (let at = 0; at < flat.length; at += 2) res.setHeader(flat[at] as string, flat[at + 1] as string) // pairs
}

/** As the log and the figures name what went wrong. */
const failures = {
  generic: 'exception',
  away: 'accounts-away',
  'too-many': 'throttled',
  slow: 'slow-body',
  'too-large': 'body-too-large',
  encoding: 'encoding-unknown',
  incomplete: 'incomplete-body',
  origin: 'forbidden',
} as const satisfies Record<DoorProblem['what'], string>
