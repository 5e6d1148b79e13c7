import { fail } from '../base/outcome.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { isLocal } from './caller.ts'
import type { Exchange } from './exchange.ts'
import type { Health } from './health.ts'
import { sendFailure, sendText } from './respond.ts'

/** What is served beside the FHIR API: health, metrics, the start page. Anything else is a 404 like below [base]. */

export type PagesParts = {
  readonly health: Health
  readonly metrics: Metrics
  readonly metricsApart?: boolean
  readonly startPage?: () => string
}

type Page = (exchange: Exchange) => void | Promise<void>

export const createPages = ({
  health,
  metrics,
  metricsApart,
  startPage,
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
    ...(startPage === undefined
      ? {}
      : ({ '/': exchange => sendText(exchange, 200, 'text/html; charset=utf-8', startPage(), pageHeaders) } satisfies Record<
          string,
          Page
        >)),
  }
  return (exchange, url) => {
    const mark = url.indexOf('?')
    const page = pages[mark === -1 ? url : url.slice(0, mark)]
    if (page === undefined) return sendFailure(exchange, fail('unknown-path', {}).failure)
    if (exchange.method === 'GET' || exchange.method === 'HEAD') return page(exchange)
    return sendFailure(exchange, fail('method-not-allowed', { method: exchange.method }, { allow: ['GET', 'HEAD'] }).failure)
  }
}

const sendReport = (exchange: Exchange, good: boolean, report: object): void | Promise<void> =>
  sendText(exchange, good ? 200 : 503, 'application/health+json', JSON.stringify(report))

/** The page carries its own style and no script. */
const pageHeaders = [
  'Content-Security-Policy',
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Referrer-Policy',
  'no-referrer',
]
