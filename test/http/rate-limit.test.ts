/** operate.md 18.3, auth.md 16: one address asks so often and no more. */

import { request } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { type Received, type Sent, startHttp } from '../support/http-server.ts'

const limitHeaders = ({ headers }: Received) => [
  headers['ratelimit-policy'],
  headers.ratelimit,
  headers['x-ratelimit-limit'],
  headers['x-ratelimit-remaining'],
  headers['x-ratelimit-reset'],
]

const patient = '{"resourceType":"Patient"}'
const json = { 'content-type': 'application/fhir+json' }
const create: Sent = { method: 'POST', path: '/fhir/Patient', headers: json, body: patient }

describe('a rate limit', () => {
  test('stands on every answer until it is reached', async () => {
    await using server = await startHttp({ mostPerMinute: 3 })
    const first = await server.send({ path: '/fhir/Patient/1' })
    expect(first.status).toBe(200)
    expect(limitHeaders(first)).toEqual(['"read";q=3;w=60', '"read";r=2;t=60', '3', '2', '60'])
    const failed = await server.send({ path: '/fhir/Nonsense/1' })
    expect([failed.status, failed.headers['x-ratelimit-remaining']]).toEqual([404, '1'])
    expect((await server.send({ method: 'OPTIONS', path: '/fhir/Patient' })).headers['x-ratelimit-remaining']).toBe('0')
  })

  test('beyond it is a 429 that says when to come again, in the language of the client', async () => {
    await using server = await startHttp({ mostPerMinute: 1 })
    await server.send({ path: '/fhir/Patient/1' })
    const refused = await server.send({ path: '/fhir/Patient/1', headers: { 'accept-language': 'id' } })
    expect(refused.status).toBe(429)
    const seconds = Number(refused.headers['retry-after'])
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(limitHeaders(refused)).toEqual(['"read";q=1;w=60', `"read";r=0;t=${seconds}`, '1', '0', String(seconds)])
    expect(JSON.parse(refused.text)).toEqual({
      resourceType: 'OperationOutcome',
      issue: [
        {
          severity: 'error',
          code: 'throttled',
          details: {
            coding: [{ system: 'https://simpul.example/fhir/CodeSystem/outcome', code: 'throttled' }],
            text: `Lebih dari 1 permintaan per menit datang dari satu alamat; coba lagi dalam ${seconds} detik.`,
          },
          diagnostics: `More than 1 requests a minute came from one address; try again in ${seconds} seconds.`,
        },
      ],
    })
    expect((await server.send({ path: '/metrics' })).text).toContain('simpul_http_rate_limited_total{limit="read"} 1')
  })

  test('counts writes apart, half as many; a search by POST reads', async () => {
    await using server = await startHttp({ mostPerMinute: 3 })
    const statuses = [await server.send(create), await server.send(create), await server.send(create)].map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 429])
    const search = await server.send({
      method: 'POST',
      path: '/fhir/Patient/_search',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'name=budi',
    })
    expect([search.status, search.headers['x-ratelimit-remaining']]).toEqual([200, '2'])
  })

  test('refuses before a body is sent', async () => {
    await using server = await startHttp({ mostPerMinute: 1 })
    await server.send(create)
    const { status, continued } = await new Promise<{ status: number; continued: boolean }>((resolve, reject) => {
      let continued = false
      const headers = { ...json, 'content-length': '1000000', expect: '100-continue' }
      const asked = request({ host: '127.0.0.1', port: server.port, method: 'POST', path: '/fhir/Patient', headers, agent: false }, res => {
        resolve({ status: res.statusCode ?? 0, continued })
        asked.destroy()
      })
      asked.on('continue', () => {
        continued = true
      })
      asked.on('error', reject)
      asked.flushHeaders()
    })
    expect([status, continued]).toEqual([429, false])
  })

  test('counts callers behind our proxies one by one, and lets nobody else name an address', async () => {
    await using behind = await startHttp({ mostPerMinute: 1, proxies: ['127.0.0.0/8'] })
    const from = (address: string) => behind.send({ path: '/fhir/Patient/1', headers: { 'x-forwarded-for': address } })
    const statuses = [await from('198.51.100.7'), await from('198.51.100.8'), await from('198.51.100.7')].map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 429])
    await using open = await startHttp({ mostPerMinute: 1 })
    const claimed = (address: string) => open.send({ path: '/fhir/Patient/1', headers: { 'x-forwarded-for': address } })
    expect([(await claimed('198.51.100.7')).status, (await claimed('198.51.100.8')).status]).toEqual([200, 429])
  })

  test('is none of health and figures, nor of anybody when it is off', async () => {
    await using server = await startHttp({ mostPerMinute: 1 })
    for (const path of ['/health/live', '/health', '/metrics', '/nothing']) {
      const { headers, status } = await server.send({ path })
      expect([path, status === 429, headers.ratelimit]).toEqual([path, false, undefined])
    }
    await using off = await startHttp()
    expect(limitHeaders(await off.send({ path: '/fhir/Patient/1' }))).toEqual(Array(5).fill(undefined))
  })
})
