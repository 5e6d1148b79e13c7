/** auth.md 9.4: which pages of other origins may read what. */

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '../../src/auth/policy/principal.ts'
import type { WebHandler } from '../../src/auth/web.ts'
import { fail, ok } from '../../src/base/outcome.ts'
import type { Origins } from '../../src/http/cors.ts'
import { type Received, startHttp, type TestServer } from '../support/http-server.ts'

const ours = 'https://aplikasi.rumahsakit.example'
const others = 'https://lain.rumahsakit.example'
const stranger = 'https://evil.example'

const clients: Readonly<Record<string, string>> = { 'klinik-aplikasi': ours, 'pasien-aplikasi': others }
const origins: Origins = {
  ofAny: async origin => Object.values(clients).includes(origin),
  ofClient: async (client, origin) => clients[client] === origin,
}

const asking: Principal = {
  kind: 'user',
  clientId: 'klinik-aplikasi',
  roles: [],
  tokenRef: 'sidik',
  launch: {},
  purpose: [],
  clearance: { anywhere: [], inCare: [], self: [], emergency: [] },
  emergencies: [],
  acr: 1,
}

const handler: WebHandler = async (_req, res) => void res.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
const exposed = 'ETag, Location, Content-Location, Last-Modified, WWW-Authenticate, Retry-After, X-Request-Id, X-Progress, Link'

let server: TestServer
beforeAll(async () => {
  server = await startHttp({
    signIn: {
      authenticate: authorization => (authorization === 'Bearer baik' ? ok(asking) : fail('token-invalid', {})),
      origins,
      discovery: () => '{"issuer":"x"}',
      doors: [
        { name: 'oauth', paths: ['/oauth', '/.well-known/oauth-authorization-server/oauth'], handler, answers: 'json' },
        { name: 'smart', paths: ['/smart', '/.well-known/brands.json'], handler, answers: 'json' },
        { name: 'login', paths: ['/login'], handler, answers: 'page' },
        { name: 'account', paths: ['/account'], handler, answers: 'page' },
        { name: 'admin', paths: ['/admin'], handler, answers: 'json' },
      ],
    },
  })
})
afterAll(() => server[Symbol.asyncDispose]())

const get = (path: string, origin: string, headers: Record<string, string> = {}): Promise<Received> =>
  server.send({ path, headers: { origin, ...headers } })
const preflight = (path: string, origin: string, method = 'GET'): Promise<Received> =>
  server.send({
    method: 'OPTIONS',
    path,
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
  })
const allowed = ({ headers }: Received): unknown => headers['access-control-allow-origin']

describe('the FHIR API', () => {
  const bearer = { authorization: 'Bearer baik' }

  test('A.3 18, A.5 31: lets the origins of the client that asks read, and names what they may see', async () => {
    const answer = await get('/fhir/Patient/1', ours, bearer)
    expect([answer.status, allowed(answer), answer.headers['access-control-expose-headers']]).toEqual([200, ours, exposed])
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
    expect(String(answer.headers.vary)).toContain('Origin')
  })

  // biome-ignore format: a table
  const strangers: readonly (readonly [what: string, origin: string])[] = [
    ['another client',          others],
    ['nobody',                  stranger],
    ['a page without origin',   'null'],
    ['every page at once',      '*'],
    ['a part of the name',      'https://aplikasi.rumahsakit.example.evil.example'],
    ['the same host over http', 'http://aplikasi.rumahsakit.example'],
  ]
  for (const [what, origin] of strangers)
    test(`does not let the origin of ${what} read`, async () => {
      expect(allowed(await get('/fhir/Patient/1', origin, bearer))).toBeUndefined()
    })

  test('lets any registered origin read why it was refused, for nobody is known yet', async () => {
    const refused = await get('/fhir/Patient/1', others, { authorization: 'Bearer buruk' })
    expect([refused.status, allowed(refused)]).toEqual([401, others])
    expect(allowed(await get('/fhir/Patient/1', stranger, { authorization: 'Bearer buruk' }))).toBeUndefined()
  })

  test('answers a preflight to the origin of any client in use', async () => {
    const answer = await preflight('/fhir/Patient/1', others, 'PUT')
    expect([answer.status, allowed(answer)]).toEqual([204, others])
    expect(answer.headers).toMatchObject({
      'access-control-allow-methods': 'GET, HEAD, PUT, PATCH, DELETE',
      'access-control-max-age': '600',
    })
    expect(String(answer.headers['access-control-allow-headers'])).toMatch(/Authorization.*If-Match.*Prefer/)
    for (const origin of [stranger, 'null']) expect(allowed(await preflight('/fhir/Patient/1', origin))).toBeUndefined()
  })

  test('A.1 6: the capabilities and the discovery document are for everybody', async () => {
    for (const path of ['/fhir/metadata', '/fhir/.well-known/smart-configuration']) {
      for (const origin of [ours, stranger, 'null']) {
        expect([path, allowed(await get(path, origin))]).toEqual([path, '*'])
        expect([path, allowed(await preflight(path, origin))]).toEqual([path, '*'])
      }
    }
  })
})

describe('A.1 1, A.1 2: the discovery document', () => {
  for (const accept of ['application/json', 'application/fhir+json', '*/*', 'text/html', 'image/png', ''])
    test(`is JSON for Accept: ${accept || '(none)'}`, async () => {
      const { status, headers, text } = await server.send({
        path: '/fhir/.well-known/smart-configuration?x=1',
        headers: accept === '' ? {} : { accept },
      })
      expect([status, headers['content-type'], text]).toEqual([200, 'application/json', '{"issuer":"x"}'])
    })

  test('answers HEAD without a body, and takes nothing', async () => {
    const path = '/fhir/.well-known/smart-configuration'
    const head = await server.send({ method: 'HEAD', path })
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await server.send({ method: 'POST', path, body: '' })).status).toBe(405)
    expect((await server.send({ path: '/fhir/.well-known/other' })).status).toBe(404)
  })
})

describe('a door', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [path: string, mayRead: string | undefined, mayAsk: string | undefined])[] = [
    ['/oauth/jwks',                                    '*',       '*'],
    ['/oauth/.well-known/openid-configuration',        '*',       '*'],
    ['/.well-known/oauth-authorization-server/oauth',  '*',       '*'],
    ['/.well-known/brands.json',                       '*',       '*'],
    ['/smart/styles/abc.json',                         '*',       '*'],
    ['/oauth/me',                                      ours,      ours],
    // Which client it is, and whether this origin is its own, the authorization server finds out.
    ['/oauth/token',                                   undefined, ours],
    ['/oauth/revoke',                                  undefined, ours],
    ['/oauth/auth',                                    undefined, undefined],
    ['/oauth/introspect',                              undefined, undefined],
    ['/oauth/register',                                undefined, undefined],
    ['/smart/launches',                                undefined, undefined],
    ['/login',                                         undefined, undefined],
    ['/account/apps',                                  undefined, undefined],
    ['/admin/me',                                      undefined, undefined],
  ]
  for (const [path, mayRead, mayAsk] of rows)
    test(`${path} is shared with ${mayAsk ?? 'nobody'}`, async () => {
      expect(allowed(await get(path, ours))).toBe(mayRead)
      expect(allowed(await preflight(path, ours, 'POST'))).toBe(mayAsk)
    })

  test('that clients share does not hear pages of strangers at all', async () => {
    for (const path of ['/oauth/token', '/oauth/revoke', '/oauth/me'])
      for (const origin of [stranger, 'null']) {
        const answer = await get(path, origin)
        expect([answer.status, allowed(answer), JSON.parse(answer.text).error]).toEqual([400, undefined, 'invalid_request'])
        expect(allowed(await preflight(path, origin, 'POST'))).toBeUndefined()
      }
  })

  test('hears our own pages, which need no leave', async () => {
    expect((await get('/oauth/token', 'http://127.0.0.1:8080')).status).toBe(200)
  })
})
