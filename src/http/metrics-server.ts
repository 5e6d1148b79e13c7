import { createServer } from 'node:http'
import type { Metrics } from '../telemetry/metrics.ts'

/** `/metrics` on a port of its own, so that no proxy of the API can reach it. Anything else is a 404. */

export type MetricsServer = {
  /** Rejects when the port is taken. */
  readonly listen: (host: string, port: number) => Promise<void>
  readonly close: () => Promise<void>
}

const connectionsMax = 20

export const createMetricsServer = (
  metrics: Pick<Metrics, 'contentType' | 'scrape'>,
  mayConnect: (address: string) => boolean = () => true,
): MetricsServer => {
  const server = createServer({ headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 60_000 }, async (req, res) => {
    const isScrape = (req.method === 'GET' || req.method === 'HEAD') && req.url === '/metrics'
    if (!isScrape) return void res.writeHead(404, { 'Content-Length': 0 }).end()
    try {
      const text = await metrics.scrape()
      res.writeHead(200, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' }).end(text)
    } catch {
      // A figure that cannot be read: Prometheus knows a 500 as a failed scrape.
      res.writeHead(500, { 'Content-Length': 0 }).end()
    }
  })
  server.maxConnections = connectionsMax
  server.on('connection', socket => {
    if (!mayConnect(socket.remoteAddress ?? '')) socket.destroy()
  })
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          resolve()
        })
      }),
    close: () =>
      new Promise(resolve => {
        if (!server.listening) return resolve()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
