/** A server that closes: nothing that was sent is lost, and clients learn that their connection ends (RFC 9112 9.6). */
import { Agent, request } from 'node:http'
import { expect, test } from '@jest/globals'
import { ok } from '../../src/base/outcome.ts'
import type { Perform } from '../../src/interactions/request.ts'
import { startHttp } from '../support/http-server.ts'

type Answer = { readonly status: number; readonly connection: string | undefined }

const ask = (port: number, agent: Agent): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, agent, path: '/fhir/Patient/1' }, answer => {
      answer.resume()
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection }))
    })
    asked.on('error', reject)
    asked.end()
  })

test('answers what is under way and the last request of each connection with Connection: close', async () => {
  const waiting: (() => void)[] = []
  let holds = false
  const perform: Perform = async () => {
    if (holds) await new Promise<void>(go => waiting.push(go))
    return ok({ status: 200, body: { kind: 'json', chunks: [Buffer.from('{}')] } })
  }
  const server = await startHttp({ perform, graceMs: 5000 })
  const [busy, idle] = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })]
  expect((await ask(server.port, busy)).connection).toBe('keep-alive')
  expect((await ask(server.port, idle)).connection).toBe('keep-alive')
  holds = true
  const underWay = ask(server.port, busy)
  while (waiting.length === 0) await new Promise(resolve => setImmediate(resolve))
  holds = false
  const closed = server[Symbol.asyncDispose]()
  // The connection that was idle sends one more.
  expect(await ask(server.port, idle)).toEqual({ status: 200, connection: 'close' })
  for (const go of waiting) go()
  expect(await underWay).toEqual({ status: 200, connection: 'close' })
  await closed
  await expect(ask(server.port, busy)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  busy.destroy()
  idle.destroy()
})
