/** operate.md 3: what health says, to whom, and with which status. */

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { startHealth } from '../../src/http/health.ts'
import { createMetricsServer } from '../../src/http/metrics-server.ts'
import type { SharedState } from '../../src/nodes/shared.ts'
import type { StoreHealth } from '../../src/storage/port.ts'
import { freePort } from '../support/free-port.ts'
import { startHttp } from '../support/http-server.ts'

const parsed = ({ status, text }: { status: number; text: string }): [number, unknown] => [status, JSON.parse(text)]
const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)

describe('health', () => {
  test('of one of several processes is that of all, and it can tell its own apart', async () => {
    let others = false
    await using health = await startHealth({ check: async () => ({ ok: true }), together: () => others, clock: () => 0, version: '0.0.0' })
    expect([health.ready(), health.readyAlone(), health.report().status]).toEqual([false, true, 'down'])
    others = true
    expect([health.ready(), health.readyAlone(), health.report().status]).toEqual([true, true, 'ok'])
    health.drain()
    expect([health.ready(), health.readyAlone()]).toEqual([false, false])
  })

  const states: readonly (readonly [SharedState, status: string, redis: object])[] = [
    [{ name: 'not-configured' }, 'ok', { state: 'not-configured', since }],
    [{ name: 'ok', ms: 0.1234 }, 'ok', { state: 'ok', since, ms: 0.1 }],
    [{ name: 'fallback' }, 'degraded', { state: 'fallback', since }],
  ]
  for (const [shared, status, redis] of states) {
    test(`with Redis ${shared.name} is ${status}, and takes traffic`, async () => {
      await using server = await startHttp({ shared: () => shared })
      expect(parsed(await server.send({ path: '/health' }))).toEqual([200, { status, version: '0.0.0', time: since }])
      expect(parsed(await server.send({ path: '/health/redis' }))).toEqual([200, redis])
      expect((await server.send({ path: '/health/ready' })).status).toBe(200)
      expect(parsed(await server.send({ path: '/health/detailed' }))).toEqual([
        200,
        {
          status,
          version: '0.0.0',
          time: since,
          uptimeSeconds: expect.any(Number),
          draining: false,
          checks: { database: { state: 'ok', since, engine: 'none', ms: expect.any(Number) }, redis },
          load: {},
        },
      ])
    })
  }

  test('of a store that is down is a 503, in all that rests on it', async () => {
    await using server = await startHttp({ storeAnswers: () => false })
    expect(parsed(await server.send({ path: '/health/database' }))).toEqual([503, { state: 'down', since, engine: 'none' }])
    for (const path of ['/health', '/health/ready', '/health/detailed']) expect((await server.send({ path })).status).toBe(503)
    for (const path of ['/health/live', '/health/redis']) expect((await server.send({ path })).status).toBe(200)
  })

  test('in detail is for callers on this machine itself', async () => {
    await using server = await startHttp()
    for (const path of ['/health/database', '/health/redis', '/health/detailed', '/metrics']) {
      expect((await server.send({ path })).status).toBe(200)
      expect((await server.send({ path, headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(404)
    }
    expect((await server.send({ path: '/health', headers: { 'x-forwarded-for': '198.51.100.7' } })).status).toBe(200)
  })

  test('tells since when, what the store says of itself, and forgets the round trip of what does not answer', async () => {
    let answer: Omit<StoreHealth, 'ms'> = { ok: true, primary: true, schema: 3 }
    let now = 1_000
    await using health = await startHealth({ check: async () => answer, engine: 'some', clock: () => now, version: '1', everyMs: 10 })
    expect(health.database()).toEqual({
      state: 'ok',
      since: new Date(1_000).toISOString(),
      engine: 'some',
      ms: expect.any(Number),
      primary: true,
      schema: 3,
    })
    now = 2_000
    answer = { ok: false, primary: false }
    while (health.ready()) await sleep(5)
    now = 3_000
    await sleep(30)
    expect(health.database()).toEqual({ state: 'down', since: new Date(2_000).toISOString(), engine: 'some', primary: false })
    health.drain()
    expect(health.detailed().draining).toBe(true)
  })
})

describe('figures on a port of their own', () => {
  test('are there, and nothing else is', async () => {
    const metrics = createMetricsServer({ contentType: 'text/plain', scrape: async () => 'simpul_ready 1\n' })
    const port = await freePort()
    await metrics.listen('127.0.0.1', port)
    const at = `http://127.0.0.1:${port}`
    expect(await (await fetch(`${at}/metrics`)).text()).toBe('simpul_ready 1\n')
    expect((await fetch(`${at}/metrics`, { method: 'POST' })).status).toBe(404)
    expect((await fetch(`${at}/fhir/metadata`)).status).toBe(404)
    await metrics.close()
    await expect(fetch(`${at}/metrics`)).rejects.toThrow()
    await metrics.close()
  })
})

describe('a connection from nobody who may connect', () => {
  test('is closed unread, and told in one line', async () => {
    await using server = await startHttp({ mayConnect: address => address === '127.0.0.1' })
    expect((await server.send({ path: '/health' })).status).toBe(200)
    for (let n = 0; n < 3; n++) {
      const received = await new Promise<string>(resolve => {
        const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
        let text = ''
        socket.on('data', chunk => {
          text += String(chunk)
        })
        socket.on('error', () => undefined)
        socket.on('close', () => resolve(text))
        socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
      })
      expect(received).toBe('')
    }
    expect(server.lines.filter(({ event }) => event === 'connection-refused').length).toBe(1)
  })
})
