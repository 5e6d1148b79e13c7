import { fail } from '../base/outcome.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { isLocal } from './caller.ts'
import { discoveryPath } from './challenge.ts'
import { preflightHeaders, sharingOf } from './cors.ts'
import type { Exchange } from './exchange.ts'
import type { Health } from './health.ts'
import { sendFailure, sendStatus, sendText } from './respond.ts'
import { basePath } from './target.ts'

/** What is served beside the FHIR API: health, metrics, the start page. Anything else is a 404 like below [base]. */

export type PagesParts = {
  readonly health: Health
  readonly metrics: Metrics
  readonly metricsApart?: boolean
  readonly startPage?: () => string
  /** Text of the SMART discovery document; absent where sign-in is off. */
  readonly discovery?: (() => string) | undefined
}

type Page = (exchange: Exchange) => void | Promise<void>

export const createPages = ({
  health,
  metrics,
  metricsApart,
  startPage,
  discovery,
}: PagesParts): ((exchange: Exchange, url: string) => void | Promise<void>) => {
  const state =
    (good: () => boolean): Page =>
    exchange =>
      sendReport(exchange, good(), { status: good() ? 'ok' : 'down' })
  /** For callers on this machine, until there are permissions: to others it is not there. */
  const ownMachine =
    (page: Page): Page =>
    exchange =>
      isLocal(exchange.req) ? page(exchange) : sendFailure(exchange, fail('unknown-path', {}).failure)
  const pages: Readonly<Record<string, Page>> = {
    __proto__: null as never,
    '/health': exchange => {
      const report = health.report()
      return sendReport(exchange, report.status !== 'down', report)
    },
    '/health/live': state(health.live),
    '/health/ready': state(health.ready),
    '/health/detailed': ownMachine(exchange => {
      const report = health.detailed()
      return sendReport(exchange, report.status !== 'down', report)
    }),
    '/health/database': ownMachine(exchange => {
      const report = health.database()
      return sendReport(exchange, report.state === 'ok', report)
    }),
    '/health/redis': ownMachine(exchange => sendReport(exchange, true, health.redis())),
    ...(metricsApart === true
      ? {}
      : ({
          '/metrics': ownMachine(async exchange => sendText(exchange, 200, metrics.contentType, await metrics.scrape())),
        } satisfies Record<string, Page>)),
    ...(discovery === undefined
      ? {}
      : ({
          [`${basePath}${discoveryPath}`]: exchange => sendText(open(exchange), 200, 'application/json', discovery()),
        } satisfies Record<string, Page>)),
    ...(startPage === undefined ? {} : ({ '/': exchange => sendStartPage(exchange, startPage()) } satisfies Record<string, Page>)),
  }
  return (exchange, url) => {
    const mark = url.indexOf('?')
    const path = mark === -1 ? url : url.slice(0, mark)
    const page = pages[path]
    if (page === undefined) return sendFailure(exchange, fail('unknown-path', {}).failure)
    const sharing = exchange.method === 'OPTIONS' ? sharingOf(path) : undefined
    if (sharing !== undefined) return sendStatus(exchange, 204, preflightHeaders('*', sharing.methods))
    if (exchange.method === 'GET' || exchange.method === 'HEAD') return page(exchange)
    return sendFailure(exchange, fail('method-not-allowed', { method: exchange.method }, { allow: ['GET', 'HEAD'] }).failure)
  }
}

const sendReport = (exchange: Exchange, good: boolean, report: object): void | Promise<void> =>
  sendText(exchange, good ? 200 : 503, 'application/health+json', JSON.stringify(report))

const open = (exchange: Exchange): Exchange => {
  exchange.isPublic = true
  return exchange
}

const sendStartPage = (exchange: Exchange, html: string): void | Promise<void> => {
  exchange.security = [...startPageSecurity, ...strictTransport(exchange.security)]
  return sendText(exchange, 200, 'text/html; charset=utf-8', html)
}

/** Whether browsers are to insist on https stands with the headers of every answer. */
const strictTransport = (security: readonly string[]): readonly string[] => {
  const at = security.indexOf('Strict-Transport-Security')
  return at === -1 ? [] : security.slice(at, at + 2)
}

/** The page carries its own style and no script. */
const startPageSecurity = [
  'Content-Security-Policy',
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Referrer-Policy',
  'no-referrer',
  'X-Content-Type-Options',
  'nosniff',
]
