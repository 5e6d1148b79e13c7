import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { activateClient, clientById } from '../../../src/auth/clients/administration.ts'
import { createDynamicRegistration, type RegistrationParts } from '../../../src/auth/clients/dynamic-registration.ts'
import { initialTokens, makeInitialToken, removeInitialToken } from '../../../src/auth/clients/registration-tokens.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { type TestEngine, testEngines } from '../../support/engines.ts'
import { testRoles } from '../../support/roles.ts'
import { closingAccounts, openAccounts, origin, valueOf } from '../accounts-ground.ts'

/** Applications that register themselves. @see auth.md 10.2; RFC 7591, RFC 7592 */

closingAccounts()
const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise(done => server.close(done))
  }
})

const metadata = {
  client_name: 'Grafik Tumbuh',
  redirect_uris: ['https://grafik.example/cb'],
  launch_uris: ['https://grafik.example/launch'],
  allowed_origins: ['https://grafik.example'],
  post_logout_redirect_uris: ['https://grafik.example/bye'],
  backchannel_logout_uri: 'https://grafik.example/logout',
  dpop_bound_access_tokens: true,
  token_endpoint_auth_method: 'none',
  scope: 'launch/patient patient/*.rs openid',
  software_version: '1',
}

const opened = async (engine: TestEngine, more: Partial<RegistrationParts> = {}) => {
  const accounts = await openAccounts(engine)
  const { ground } = accounts.parts
  const handler = createDynamicRegistration({
    ground,
    address: publicAddress('https://rumah.example'),
    rules: { definitions: testDefinitions(), roles: testRoles(), production: false },
    ...more,
  })
  const server = createServer((req, res) => void handler(req, res, { address: '192.0.2.9', requestId: 'r' }))
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth/register`
  const ask = async (method: string, path: string, token: string | undefined, body?: unknown) => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: JSON.parse(text) as Readonly<Record<string, unknown>> }
  }
  const token = async (uses = 5, scopes: readonly string[] = ['launch/patient', 'patient/*.rs', 'openid', 'offline_access']) =>
    valueOf(await makeInitialToken(ground, { name: 'Uji', scopes, uses, days: 7 }, 'siti', origin)).secret
  return { ...accounts, ground, ask, token }
}

for (const engine of testEngines)
  describe(engine.name, () => {
    test('an application registers itself with a token, as a draft that gets nothing', async () => {
      const { ask, token, ground } = await opened(engine)
      const secret = await token()
      const made = await ask('POST', '', secret, metadata)
      expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
      expect(made.json).toMatchObject({
        client_name: 'Grafik Tumbuh',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['https://grafik.example/cb'],
        launch_uris: ['https://grafik.example/launch'],
        post_logout_redirect_uris: ['https://grafik.example/bye'],
        backchannel_logout_uri: 'https://grafik.example/logout',
        dpop_bound_access_tokens: true,
        scope: 'launch/patient patient/*.rs openid',
        registration_client_uri: `https://rumah.example/oauth/register/${String(made.json.client_id)}`,
      })
      expect(made.json).not.toHaveProperty('client_secret')
      const kept = await clientById(ground, String(made.json.client_id))
      expect(kept?.value).toMatchObject({ status: 'draft', trust: 'self-registered', createdBy: expect.stringMatching(/^registration:/) })
      expect(JSON.stringify(kept?.value)).not.toContain(secret)
    })

    test('one with a secret gets it once; a service brings keys', async () => {
      const { ask, token } = await opened(engine)
      const secret = await token(5, ['system/*.rs', 'patient/*.rs'])
      const app = await ask('POST', '', secret, { ...metadata, token_endpoint_auth_method: 'client_secret_post' })
      expect(app.json.client_secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(app.json.client_secret_expires_at).toBeGreaterThan(Number(app.json.client_id_issued_at))
      const service = await ask('POST', '', secret, {
        client_name: 'Penyalur',
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['client_credentials'],
        jwks_uri: 'https://penyalur.example/jwks',
        scope: 'system/Observation.rs',
      })
      expect(service.json).toMatchObject({ grant_types: ['client_credentials'], scope: 'system/Observation.rs' })
      expect((await ask('GET', `/${String(app.json.client_id)}`, String(app.json.registration_access_token))).json).not.toHaveProperty(
        'client_secret',
      )
    })

    test('a device without a browser needs no place to go back to', async () => {
      const { ask, token } = await opened(engine)
      const grant_types = ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token']
      const made = await ask('POST', '', await token(), {
        ...metadata,
        redirect_uris: [],
        grant_types,
        scope: 'patient/*.rs offline_access',
      })
      expect([made.status, [...(made.json.grant_types as string[])].sort()]).toEqual([
        201,
        ['refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'].sort(),
      ])
    })

    test('nobody gets more than the token allows', async () => {
      const { ask, token } = await opened(engine)
      const secret = await token(5, ['patient/Observation.rs'])
      expect((await ask('POST', '', secret, { ...metadata, scope: 'patient/*.cruds user/*.rs __admin openid' })).json.scope).toBe(
        'patient/Observation.rs',
      )
      expect((await ask('POST', '', secret, { ...metadata, scope: undefined })).json.scope).toBe('patient/Observation.rs')
    })

    test('T31: a token is used as often as it says, and no more often by many at once', async () => {
      const { ask, token, ground } = await opened(engine)
      const secret = await token(2)
      const made = await Promise.all(Array.from({ length: 6 }, () => ask('POST', '', secret, metadata)))
      expect(made.map(({ status }) => status).sort()).toEqual([201, 201, 401, 401, 401, 401])
      const [kept] = await initialTokens(ground, 10)
      expect(kept?.usesLeft).toBe(0)
    })

    test('without a token, with an old one, and with one that was taken back, nobody registers', async () => {
      const { ask, token, ground, clock } = await opened(engine)
      const [old, taken] = [await token(), await token()]
      const hash = (await initialTokens(ground, 10)).map(one => one.hash)
      expect(hash).toHaveLength(2)
      for (const secret of [undefined, 'x', 'A'.repeat(43)]) expect((await ask('POST', '', secret, metadata)).status).toBe(401)
      for (const one of hash) expect(valueOf(await removeInitialToken(ground, one, 'siti', origin))).toBe(true)
      expect((await ask('POST', '', taken, metadata)).status).toBe(401)
      const late = await token()
      clock.now += 7 * 86_400_000
      expect((await ask('POST', '', late, metadata)).json).toEqual({ error: 'invalid_token', error_uri: '/login/errors#invalid_token' })
      expect((await ask('POST', '', old, metadata)).headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    })

    for (const [what, change, error] of [
      ['a redirect URI that is none', { redirect_uris: ['http://x.example/'] }, 'invalid_redirect_uri'],
      ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
      ['no name', { client_name: undefined }, 'invalid_client_metadata'],
      ['a way to authenticate that there is not', { token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata'],
      ['a grant that is not offered', { grant_types: ['authorization_code', 'password'] }, 'invalid_client_metadata'],
      ['an answer that is not offered', { response_types: ['token'] }, 'invalid_client_metadata'],
      ['tokens bound to certificates', { tls_client_certificate_bound_access_tokens: true }, 'invalid_client_metadata'],
      ['requests pushed ahead', { require_pushed_authorization_requests: true }, 'invalid_client_metadata'],
      ['a launch URI that is none', { launch_uris: ['x'] }, 'invalid_client_metadata'],
    ] as const)
      test(`with ${what} nothing is registered`, async () => {
        const { ask, token, ground } = await opened(engine)
        const secret = await token()
        const answer = await ask('POST', '', secret, { ...metadata, ...change })
        expect([answer.status, answer.json.error]).toEqual([400, error])
        expect((await initialTokens(ground, 1))[0]?.usesLeft).toBe(5)
      })

    test('an application changes itself with a token that is replaced each time, until somebody lets it in', async () => {
      const { ask, token, ground } = await opened(engine)
      const made = await ask('POST', '', await token(), metadata)
      const path = `/${String(made.json.client_id)}`
      const own = String(made.json.registration_access_token)
      const changed = await ask('PUT', path, own, { ...metadata, client_name: 'Grafik Dua', scope: 'patient/*.cruds' })
      expect(changed.json).toMatchObject({ client_name: 'Grafik Dua', scope: 'patient/*.rs' })
      expect((await ask('GET', path, own)).status).toBe(401)
      const next = String(changed.json.registration_access_token)
      expect((await ask('GET', '/someoneElse', next)).status).toBe(401)
      valueOf(await activateClient(ground, String(made.json.client_id), { by: 'siti' }, origin))
      expect((await ask('PUT', path, next, metadata)).status).toBe(403)
      expect((await ask('GET', path, next)).status).toBe(200)
    })

    test('who asks too often waits', async () => {
      const { ask, token } = await opened(engine, { mayRegister: async () => ({ allowed: false, resetMs: 90_500 }) })
      const answer = await ask('POST', '', await token(), metadata)
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '91'])
    })
  })
