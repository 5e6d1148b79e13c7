/** auth.md 15, 16: what surrounds every request to sign-in, to the authorization server and to administration. */

import { connect } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import type { WebHandler, WebOrigin } from '../../src/auth/web.ts'
import type { Door } from '../../src/http/doors.ts'
import { StoreUnusable } from '../../src/storage/unusable.ts'
import { startHttp } from '../support/http-server.ts'

const KiB = 1024
const form = { 'content-type': 'application/x-www-form-urlencoded' }

const echo: WebHandler = async (req, res) => {
  let body = ''
  for await (const chunk of req) body += chunk
  res.writeHead(200, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) }).end(body)
}
const door = (handler: WebHandler, more: Partial<Door> = {}): Door => ({
  name: 'oauth',
  paths: ['/oauth'],
  handler,
  answers: 'json',
  ...more,
})

describe('a door', () => {
  test('is for its paths and all below, and for no neighbour', async () => {
    await using server = await startHttp({ signIn: { doors: [door(echo, { paths: ['/oauth', '/account'] })] } })
    // biome-ignore format: a table
    const rows: readonly (readonly [path: string, status: number])[] = [
      ['/oauth', 200], ['/oauth/', 200], ['/oauth/token', 200], ['/oauth?x=1', 200], ['/account/apps', 200],
      ['/oauthx', 404], ['/accounts', 404], ['/fhir/oauth', 404], ['/x/oauth', 404],
    ]
    for (const [path, status] of rows) expect([path, (await server.send({ path })).status]).toEqual([path, status])
  })

  test('does not exist where sign-in is off', async () => {
    await using server = await startHttp()
    for (const path of ['/oauth/auth', '/login', '/account', '/fhir/.well-known/smart-configuration'])
      expect((await server.send({ path })).status).toBe(404)
  })

  test('knows where the request came from, and under which id it is logged', async () => {
    let known: WebOrigin | undefined
    const handler: WebHandler = async (_req, res, from) => {
      known = from
      res.end()
    }
    await using server = await startHttp({ proxies: ['127.0.0.1'], signIn: { doors: [door(handler)] } })
    const headers = { 'x-forwarded-for': '192.0.2.7', 'user-agent': 'x'.repeat(600), 'x-forwarded-host': 'evil.example' }
    const answer = await server.send({ path: '/oauth/auth', headers })
    expect(known).toEqual({ address: '192.0.2.7', userAgent: 'x'.repeat(512), requestId: expect.any(String) })
    expect(answer.headers['x-request-id']).toBe(known?.requestId)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('is logged by its name: no path, for a link in it may open an account', async () => {
    await using server = await startHttp({ signIn: { doors: [door(echo, { name: 'login', paths: ['/login'], answers: 'page' })] } })
    await server.send({ path: '/login/invitation/rahasia-sekali?code=lain', headers: { cookie: 'simpul_sid=kue' } })
    expect(server.lines.filter(({ event }) => event === 'request')).toMatchObject([{ door: 'login', method: 'GET', status: 200 }])
    expect(JSON.stringify(server.lines)).not.toMatch(/rahasia|kue|invitation/)
  })
})

describe('a body', () => {
  test('of 64 KiB reaches its handler whole, unread', async () => {
    await using server = await startHttp({ signIn: { doors: [door(echo)] } })
    const body = 'a'.repeat(64 * KiB)
    const answer = await server.send({ method: 'POST', path: '/oauth/token', headers: form, body })
    expect([answer.status, answer.text === body]).toEqual([200, true])
    const chunked = { ...form, 'transfer-encoding': 'chunked' }
    expect((await server.send({ method: 'POST', path: '/oauth/token', headers: chunked, body })).text === body).toBe(true)
  })

  // biome-ignore format: a table
  const rows: readonly (readonly [what: string, headers: Record<string, string>, body: string, status: number])[] = [
    ['that is announced as larger',         form,                                               'a'.repeat(64 * KiB + 1), 413],
    ['that turns out to be larger',         { ...form, 'transfer-encoding': 'chunked' },        'a'.repeat(64 * KiB + 1), 413],
    ['that is compressed',                  { ...form, 'content-encoding': 'gzip' },            'a',                      415],
  ]
  for (const [what, headers, body, status] of rows)
    test(`${what} never reaches it`, async () => {
      let reached = false
      const handler: WebHandler = async (_req, res) => {
        reached = true
        res.end()
      }
      await using server = await startHttp({ signIn: { doors: [door(handler)] } })
      const answer = await server.send({ method: 'POST', path: '/oauth/token', headers, body })
      expect([answer.status, JSON.parse(answer.text).error, reached]).toEqual([status, 'invalid_request', false])
    })

  test('of a client that leaves never reaches it either', async () => {
    let reached = 0
    const handler: WebHandler = async (_req, res) => {
      reached += 1
      res.end()
    }
    await using server = await startHttp({ signIn: { doors: [door(handler)] } })
    const socket = connect(server.port, '127.0.0.1')
    socket.write('POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
    await new Promise(resolve => setTimeout(resolve, 50))
    socket.destroy()
    expect((await server.send({ path: '/oauth/token' })).status).toBe(200)
    expect(reached).toBe(1)
  })

  test('that waits to be asked for is asked for', async () => {
    await using server = await startHttp({ signIn: { doors: [door(echo)] } })
    const bytes = 'POST /oauth/token HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc'
    const answer = await server.sendBytes(bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
    expect(answer.endsWith('abc')).toBe(true)
  })
})

describe('a handler that breaks', () => {
  const breaking =
    (error: Error): WebHandler =>
    async () => {
      throw error
    }
  const bug = new TypeError('Rahasia 3171234567890001')
  const away = new StoreUnusable('unreachable', 'mongodb://rahasia')
  // biome-ignore format: a table
  const rows: readonly (readonly [what: string, error: Error, path: string, status: number, says: string])[] = [
    ['by a bug, for a program',                      bug,  '/oauth/token',         500, 'server_error'],
    ['by a bug, for a browser',                      bug,  '/oauth/auth',          500, '<p>generic</p>'],
    ['by a bug, for a browser at the end',           bug,  '/oauth/session/end',   500, '<p>generic</p>'],
    ['since the store is away, for a program',       away, '/oauth/token',         503, 'temporarily_unavailable'],
    ['since the store is away, for a browser',       away, '/oauth/device/verify', 503, '<p>away</p>'],
  ]
  for (const [what, error, path, status, says] of rows)
    test(`${what} answers ${status} and tells nothing`, async () => {
      await using server = await startHttp({ signIn: { doors: [door(breaking(error))] } })
      const answer = await server.send({ path })
      expect(answer.status).toBe(status)
      expect(answer.text).toContain(says)
      expect(answer.text + JSON.stringify(server.lines)).not.toMatch(/Rahasia|rahasia/)
      expect(server.lines.filter(({ event }) => event === 'bug')).toHaveLength(error === bug ? 1 : 0)
    })

  test('after it began to answer cuts the connection', async () => {
    const handler: WebHandler = async (_req, res) => {
      res.writeHead(200, { 'content-length': 10 }).write('half')
      throw bug
    }
    await using server = await startHttp({ signIn: { doors: [door(handler)] } })
    await expect(server.send({ path: '/oauth/token' })).rejects.toThrow()
  })
})

describe('T25: a foreign Host', () => {
  test('changes nothing that a handler is told, nor any address that we say', async () => {
    await using server = await startHttp({ signIn: { doors: [door(echo)] } })
    for (const host of ['evil.example', 'evil.example:443', '127.0.0.1@evil.example', 'evil.example/../x']) {
      const { headers, status } = await server.send({
        path: '/fhir/Patient/1',
        headers: { host, 'x-forwarded-host': host, forwarded: `host="${host}"` },
      })
      expect(status).toBe(401)
      expect(JSON.stringify(headers)).not.toContain('evil.example')
    }
  })
})
