/** auth.md 16: how often who may ask. */

import { describe, expect, test } from '@jest/globals'
import type { Principal, RateClass } from '../../src/auth/policy/principal.ts'
import type { WebHandler } from '../../src/auth/web.ts'
import { ok } from '../../src/base/outcome.ts'
import { createDoorLimits } from '../../src/http/door-limits.ts'
import { createTokenLimits, readsPerMinute } from '../../src/http/token-limits.ts'
import { shareInProcess } from '../../src/nodes/in-process.ts'
import type { Limit, Shared } from '../../src/nodes/shared.ts'
import { startHttp } from '../support/http-server.ts'

const principal = (tokenRef: string, rateClass?: RateClass): Principal => ({
  kind: 'user',
  roles: [],
  tokenRef,
  launch: {},
  purpose: [],
  clearance: { anywhere: [], inCare: [], self: [], emergency: [] },
  emergencies: [],
  acr: 1,
  ...(rateClass === undefined ? {} : { rateClass }),
})

/** Limits, with what they are, and counters that are used up after two uses whatever they say. */
const small = (): { readonly shared: Pick<Shared, 'counter'>; readonly limits: Limit[] } => {
  const limits: Limit[] = []
  const shared = shareInProcess()
  const counter = (limit: Limit) => {
    limits.push(limit)
    return shared.counter({ ...limit, most: 2 })
  }
  return { shared: { counter }, limits }
}

describe('a token', () => {
  test('is counted by the class of its application, and writes half as much as it reads', () => {
    const { shared, limits } = small()
    createTokenLimits({ shared, limited: () => undefined })
    expect(readsPerMinute).toEqual({ interactive: 1200, backend: 6000, 'patient-app': 300 })
    expect(limits.map(({ name, most, windowSeconds }) => [name, most, windowSeconds])).toEqual([
      ['interactive-read', 1200, 60],
      ['interactive-write', 600, 60],
      ['backend-read', 6000, 60],
      ['backend-write', 3000, 60],
      ['patient-app-read', 300, 60],
      ['patient-app-write', 150, 60],
    ])
  })

  test('beyond its limit is told when to come again; another token is not', async () => {
    const limited: string[] = []
    const tokenLimits = createTokenLimits({ shared: small().shared, limited: name => limited.push(name) })
    let token = 'satu'
    await using server = await startHttp({ signIn: { authenticate: () => ok(principal(token, 'patient-app')), tokenLimits } })
    const read = () => server.send({ path: '/fhir/Patient/1' })
    expect((await read()).headers).toMatchObject({ 'ratelimit-policy': '"patient-app-read";q=300;w=60', 'x-ratelimit-limit': '300' })
    await read()
    const refused = await read()
    expect([refused.status, JSON.parse(refused.text).issue[0].code]).toEqual([429, 'throttled'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    const write = { method: 'DELETE', path: '/fhir/Patient/1' }
    expect((await server.send(write)).status).toBe(200)
    token = 'dua'
    expect((await read()).status).toBe(200)
    expect(limited).toEqual(['patient-app-read'])
  })

  test('without a class is one that people work with, and what is no application is not counted', async () => {
    const limits = createTokenLimits({ shared: small().shared, limited: () => undefined })
    expect((await limits(principal('satu'), 'GET', '/Patient'))?.headers[1]).toMatch(/^"interactive-read"/)
    expect(await limits({ ...principal('satu'), kind: 'internal' }, 'GET', '/Patient')).toBeUndefined()
  })
})

describe('a door', () => {
  test('is counted as the table says', () => {
    const { shared, limits } = small()
    createDoorLimits({ shared, limited: () => undefined })
    expect(limits.map(({ name, most, windowSeconds }) => `${name} ${most} in ${windowSeconds} s`).sort()).toEqual([
      'authorize 60 in 60 s',
      'device 60 in 60 s',
      'device-codes 20 in 600 s',
      'introspect 1200 in 60 s',
      'login 20 in 600 s',
      'provider 300 in 60 s',
      'token 120 in 120 s',
      'token-failures 10 in 60 s',
      'token-strangers 60 in 60 s',
    ])
  })

  let status = 200
  const handler: WebHandler = async (req, res) => {
    let body = ''
    for await (const chunk of req) body += chunk
    res.writeHead(status, { 'content-type': 'text/plain' }).end(body)
  }
  const serve = () =>
    startHttp({
      proxies: ['127.0.0.1'],
      signIn: {
        doorLimits: createDoorLimits({ shared: small().shared, limited: () => undefined }),
        doors: [
          { name: 'oauth', paths: ['/oauth'], handler, answers: 'json' },
          { name: 'login', paths: ['/login'], handler, answers: 'page' },
        ],
      },
    })
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const basic = (name: string): string => `Basic ${Buffer.from(`${name}:rahasia`).toString('base64')}`
  const assertion = (sub: string): string => `x.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.y`

  test('for authorization counts each address, and beyond it is a page', async () => {
    await using server = await serve()
    const ask = (address: string) => server.send({ path: '/oauth/auth?x=1', headers: from(address) })
    await ask('192.0.2.1')
    await ask('192.0.2.1')
    const refused = await ask('192.0.2.1')
    expect([refused.status, refused.headers['content-type'], refused.text]).toEqual([429, 'text/html', '<p>too-many</p>'])
    expect((await ask('192.0.2.2')).status).toBe(200)
  })

  // biome-ignore format: a table
  const clients: readonly (readonly [how: string, headers: (name: string) => Record<string, string>, body: (name: string) => string])[] = [
    ['by Basic',        name => ({ authorization: basic(name) }), () => 'grant_type=refresh_token'],
    ['in the form',     () => ({}),                               name => `grant_type=authorization_code&client_id=${name}`],
    ['in an assertion', () => ({}),                               name => `client_assertion=${assertion(name)}`],
  ]
  for (const [how, headers, body] of clients)
    test(`for tokens counts each client that says who it is ${how}`, async () => {
      await using server = await serve()
      const ask = (name: string, address = '192.0.2.1') =>
        server.send({ method: 'POST', path: '/oauth/token', headers: { ...form, ...from(address), ...headers(name) }, body: body(name) })
      const first = await ask('aplikasi-satu')
      // The body is still there for its handler.
      expect([first.status, first.text]).toEqual([200, body('aplikasi-satu')])
      await ask('aplikasi-satu')
      const refused = await ask('aplikasi-satu')
      expect([refused.status, JSON.parse(refused.text).error]).toEqual([429, 'temporarily_unavailable'])
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
      expect((await ask('aplikasi-dua')).status).toBe(200)
      // Whoever knows its id cannot use up its share from elsewhere.
      expect((await ask('aplikasi-satu', '192.0.2.9')).status).toBe(200)
    })

  test('for login counts forms that were refused, and no others', async () => {
    await using server = await serve()
    const ask = () => server.send({ method: 'POST', path: '/login/uid', headers: { ...form, ...from('192.0.2.1') }, body: 'a=b' })
    status = 303
    for (let n = 0; n < 5; n++) expect((await ask()).status).toBe(303)
    status = 422
    expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([422, 422, 429])
    status = 200
    expect((await server.send({ path: '/login/uid', headers: from('192.0.2.1') })).status).toBe(200)
    expect((await server.send({ method: 'POST', path: '/login', headers: { ...form, ...from('192.0.2.2') }, body: '' })).status).toBe(200)
  })

  test('for codes of devices counts those that nobody has, and no others', async () => {
    await using server = await serve()
    const ask = (address = '192.0.2.1') =>
      server.send({ method: 'POST', path: '/oauth/device/verify', headers: { ...form, ...from(address) }, body: 'user_code=BBBB-BBBB' })
    for (let n = 0; n < 5; n++) expect((await ask()).status).toBe(200)
    status = 422
    const asked = [await ask(), await ask(), await ask()]
    expect(asked.map(one => one.status)).toEqual([422, 422, 429])
    expect([asked[2]?.headers['content-type'], (await ask('192.0.2.2')).status]).toEqual(['text/html', 422])
    status = 200
    const begin = (address = '192.0.2.1') =>
      server.send({ method: 'POST', path: '/oauth/device', headers: { ...form, ...from(address) }, body: 'client_id=alat-satu' })
    expect([(await begin()).status, (await begin()).status, (await begin()).status, (await begin('192.0.2.2')).status]).toEqual([
      200, 200, 429, 200,
    ])
  })

  test('for tokens counts failures apart, but not a device that waits for its user', async () => {
    await using server = await startHttp({
      signIn: {
        doorLimits: createDoorLimits({
          shared: {
            counter: limit => shareInProcess().counter(limit.name === 'token-failures' ? { ...limit, most: 2 } : limit),
          },
          limited: () => undefined,
        }),
        doors: [{ name: 'oauth', paths: ['/oauth'], handler, answers: 'json' }],
      },
    })
    const ask = (body: string) => server.send({ method: 'POST', path: '/oauth/token', headers: form, body })
    status = 400
    const polling = 'client_id=alat-satu&grant_type=urn:ietf:params:oauth:grant-type:device_code'
    for (let n = 0; n < 4; n++) expect((await ask(polling)).status).toBe(400)
    const failing = 'client_id=aplikasi-satu&grant_type=refresh_token'
    expect([(await ask(failing)).status, (await ask(failing)).status, (await ask(failing)).status]).toEqual([400, 400, 429])
    status = 200
  })

  test('for tokens counts by address who is no client of ours, by however many names', async () => {
    const limited: string[] = []
    await using server = await startHttp({
      proxies: ['127.0.0.1'],
      signIn: {
        doorLimits: createDoorLimits({
          shared: { counter: limit => shareInProcess().counter(limit.name === 'token-strangers' ? { ...limit, most: 2 } : limit) },
          limited: name => limited.push(name),
        }),
        doors: [{ name: 'oauth', paths: ['/oauth'], handler, answers: 'json' }],
      },
    })
    const ask = async (name: string, address = '192.0.2.1') =>
      (await server.send({ method: 'POST', path: '/oauth/token', headers: { ...form, ...from(address) }, body: `client_id=${name}` }))
        .status
    status = 400
    for (let n = 0; n < 3; n++) expect(await ask(`aplikasi-${n}`)).toBe(400)
    status = 401
    expect([await ask('satu'), await ask('dua'), await ask('tiga'), await ask('satu', '192.0.2.2')]).toEqual([401, 401, 429, 401])
    expect(limited).toEqual(['token-strangers'])
    status = 200
  })
})
