import { createReadStream } from 'node:fs'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { type Figures, startMeter } from '../load.ts'
import type { Measured } from '../processes.ts'

const clients = 4

/** Synthea transaction bundles posted by four clients, as an application would send them. Operations are resources. */
export const importCell = async (server: Measured, file: string): Promise<Figures> => {
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]()
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const times: number[] = []
  const spent = startMeter(server)
  const started = performance.now()
  let resources = 0
  let errors = 0
  const client = async (): Promise<void> => {
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      const sent = performance.now()
      const { status, entries } = await post(server, agent, next.value)
      times.push(performance.now() - sent)
      if (status === 200) resources += entries
      else errors += 1
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  times.sort((a, b) => a - b)
  const seconds = (performance.now() - started) / 1000
  return {
    operations: resources,
    perSecond: resources / seconds,
    ...spent(resources),
    p50Ms: times[Math.floor(times.length / 2)] as number,
    p99Ms: times[Math.floor(times.length * 0.99)] as number,
    errors,
  }
}

const post = (server: Measured, agent: Agent, body: string): Promise<{ readonly status: number; readonly entries: number }> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      `${server.base}/fhir`,
      { method: 'POST', agent, headers: { 'content-type': 'application/fhir+json', 'content-length': Buffer.byteLength(body) } },
      answer => {
        let text = ''
        answer.setEncoding('latin1')
        answer.on('data', (part: string) => {
          text += part
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, entries: text.split('"status":"201').length - 1 }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
