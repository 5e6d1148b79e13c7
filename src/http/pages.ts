import { fail } from '../base/outcome.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Exchange } from './exchange.ts'
import type { Health } from './health.ts'
import { sendFailure, sendText } from './respond.ts'

/** What is served beside the FHIR API: health, metrics, the start page. Anything else is a 404 like below [base]. */

export type PagesParts = { readonly health: Health; readonly metrics: Metrics; readonly startPage?: () => string }

type Page = (exchange: Exchange) => void | Promise<void>

const loopback = /^(?:127\.|::1$|::ffff:127\.)/

export const createPages = ({ health, metrics, startPage }: PagesParts): ((exchange: Exchange, url: string) => void | Promise<void>) => {
  const state =
    (good: () => boolean): Page =>
    exchange => {
      const status = good() ? 200 : 503
      return sendText(exchange, status, 'application/health+json', JSON.stringify({ status: status === 200 ? 'ok' : 'down' }))
    }
  const pages: Readonly<Record<string, Page>> = {
    __proto__: null as never,
    '/health': exchange => {
      const report = health.report()
      return sendText(exchange, report.status === 'ok' ? 200 : 503, 'application/health+json', JSON.stringify(report))
    },
    '/health/live': state(health.live),
    '/health/ready': state(health.ready),
    '/metrics': async exchange => {
      // On the main port the figures are for callers on this machine; a port of their own comes with operations.
      if (!loopback.test(exchange.req.socket.remoteAddress ?? '')) return sendFailure(exchange, fail('unknown-path', {}).failure)
      return sendText(exchange, 200, metrics.contentType, await metrics.scrape())
    },
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

/** The page carries its own style and no script. */
const pageHeaders = [
  'Content-Security-Policy',
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Referrer-Policy',
  'no-referrer',
]
