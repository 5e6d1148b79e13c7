/** Services on their own: private_key_jwt and client_credentials. @see auth.md 7.6, annex A.7 */
import { describe, expect, test } from '@jest/globals'
import { SignJWT, UnsecuredJWT } from 'jose'
import type { Client } from '../../../src/auth/clients/client.ts'
import { testEngines } from '../../support/engines.ts'
import { closingAccounts } from '../accounts-ground.ts'
import {
  aKey,
  assertionClaims,
  assertionType,
  closingOauth,
  keepClient,
  type Oauth,
  openOauth,
  postForm,
  type TestKey,
  type Tokens,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

for (const engine of testEngines)
  describe(engine.name, () => {
    const withService = async (given: Partial<Client> = {}) => {
      const oauth = await openOauth(engine)
      const [rsa, ec] = await Promise.all([aKey('RS384', 'rsa-1'), aKey('ES384', 'ec-1')])
      const grants = [{ clause: 'Observation rs', reach: 'any' }]
      await keepClient(oauth, {
        id: 'service-1',
        type: 'backend',
        jwks: { keys: [rsa.jwk, ec.jwk] },
        scopesAllowed: ['system/*.rs', '__introspect'],
        grants,
        ...given,
      })
      return { oauth, rsa, ec }
    }

    const ask = async (oauth: Oauth, client_assertion: string, given: Readonly<Record<string, string>> = {}) => {
      const form = {
        grant_type: 'client_credentials',
        scope: 'system/*.rs',
        client_assertion,
        client_assertion_type: assertionType,
        ...given,
      }
      const response = await postForm(oauth, '/oauth/token', form)
      return { status: response.status, body: (await response.json()) as Tokens, response }
    }

    test('A.7 35: a correct request with either algorithm, in the words of v2 or v1, gives a token of a service', async () => {
      const { oauth, rsa, ec } = await withService()
      for (const [key, scope] of [
        [rsa, 'system/*.rs'],
        [ec, 'system/*.read'],
        [ec, 'system/Observation.rs'],
      ] as const) {
        const { status, body, response } = await ask(oauth, await key.sign(assertionClaims(oauth, 'service-1')), { scope })
        expect([status, body.token_type, body.expires_in, body.scope]).toEqual([200, 'Bearer', 300, scope])
        expect([body.refresh_token, body.id_token]).toEqual([undefined, undefined])
        expect([response.headers.get('cache-control'), response.headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
        const who = await oauth.authenticate(`Bearer ${body.access_token}`, '192.0.2.7')
        expect(who).toMatchObject({ ok: true, value: { kind: 'client', clientId: 'service-1', acr: 1, roles: [], launch: {} } })
        expect(who.ok && who.value.grants?.[0]?.grants.get('Observation')?.letters).toBe('rs')
      }
    })

    test('A.7 34: what is malformed is named', async () => {
      const { oauth, ec } = await withService()
      const assertion = () => ec.sign(assertionClaims(oauth, 'service-1'))
      const rows = [
        [await ask(oauth, await assertion(), { grant_type: 'nonsense' }), 400, 'unsupported_grant_type'],
        [await ask(oauth, await assertion(), { grant_type: 'authorization_code' }), 400, 'unauthorized_client'],
        [await ask(oauth, await assertion(), { client_assertion_type: 'nonsense' }), 400, 'invalid_request'],
        [await ask(oauth, 'nonsense'), 400, 'invalid_request'],
        [await ask(oauth, `${await assertion()}x`), 401, 'invalid_client'],
      ] as const
      for (const [{ status, body }, wanted, error] of rows) expect([status, body.error]).toEqual([wanted, error])
    })

    test('A.7 36: a scope is needed, and only what was agreed with the client is given', async () => {
      const { oauth, ec } = await withService()
      const scoped = async (scope: string) => ask(oauth, await ec.sign(assertionClaims(oauth, 'service-1')), { scope })
      for (const scope of ['', 'system/*.c', 'user/*.rs', 'patient/*.rs', 'openid', 'nonsense', '__admin']) {
        const { status, body } = await scoped(scope)
        expect([scope, status, body.error]).toEqual([scope, 400, 'invalid_scope'])
      }
      expect((await scoped('system/*.cruds system/Patient.rs openid launch')).body.scope).toBe('system/*.rs system/Patient.rs')
    })

    test('A.7 36: each assertion with a fault is refused alike', async () => {
      const { oauth, rsa, ec } = await withService({ jkuAllowed: ['https://service.example/jwks'] })
      const stranger = await aKey('ES384', 'ec-1')
      const now = Math.floor(Date.now() / 1000)
      const signed = (claims: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}, key: TestKey = ec) =>
        key.sign(assertionClaims(oauth, 'service-1', claims), header)
      const used = await signed()
      expect((await ask(oauth, used)).status).toBe(200)
      const none = new UnsecuredJWT(assertionClaims(oauth, 'service-1')).encode()
      const hmac = await new SignJWT(assertionClaims(oauth, 'service-1'))
        .setProtectedHeader({ alg: 'HS256', kid: 'ec-1' })
        .sign(Buffer.alloc(32, 1))
      const faulty: Readonly<Record<string, string>> = {
        expired: await signed({ exp: now - 60 }),
        'too long': await signed({ exp: now + 400 }),
        'no exp': await signed({ exp: undefined }),
        'no jti': await signed({ jti: undefined }),
        'other aud': await signed({ aud: 'https://other.example/oauth/token' }),
        'aud that is close': await signed({ aud: `${oauth.base}/oauth/token/` }),
        'other iss': await signed({ iss: 'somebody' }),
        'iss is not sub': await signed({ sub: 'service-1', iss: 'service-2' }),
        'other sub': await signed({ sub: 'somebody' }),
        reused: used,
        'unknown kid': await signed({}, { kid: 'ec-9' }),
        'no kid': await signed({}, { kid: undefined }),
        'kid of another type': await signed({}, { kid: 'rsa-1' }),
        'unregistered jku': await signed({}, { jku: 'https://evil.example/jwks' }),
        'another key': await signed({}, {}, stranger),
        'alg none': none,
        'alg HS256': hmac,
      }
      for (const [fault, assertion] of Object.entries(faulty)) {
        const { status, body } = await ask(oauth, assertion)
        expect([fault, status, body.error]).toEqual([fault, 401, 'invalid_client'])
      }
      const fine = [
        await signed({ aud: `${oauth.base}/oauth` }),
        await signed({ aud: [`${oauth.base}/oauth/token`, 'x'] }),
        await signed({}, { kid: 'rsa-1' }, rsa),
      ]
      for (const assertion of fine) expect((await ask(oauth, assertion)).status).toBe(200)
      expect((await ask(oauth, await signed({}, { jku: 'https://service.example/jwks' }))).status).toBe(200)
    })

    test('a service with addresses gets tokens at these alone', async () => {
      for (const [ipAllow, status] of [
        [['192.0.2.0/24'], 200],
        [['203.0.113.0/24'], 401],
      ] as const) {
        const { oauth, ec } = await withService({ ipAllow })
        const answer = await ask(oauth, await ec.sign(assertionClaims(oauth, 'service-1')))
        expect([answer.status, answer.body.error]).toEqual([status, status === 401 ? 'invalid_client' : undefined])
      }
    })

    test('A.7 36, 37: a set with one kid twice, or that cannot be had, lets nobody in', async () => {
      const { oauth, ec, rsa } = await withService()
      const assertion = (id: string) => ec.sign(assertionClaims(oauth, id))
      await keepClient(oauth, {
        id: 'service-2',
        type: 'backend',
        scopesAllowed: ['system/*.rs'],
        jwks: { keys: [ec.jwk, { ...rsa.jwk, kid: 'ec-1' }] },
      })
      await keepClient(oauth, { id: 'service-3', type: 'backend', scopesAllowed: ['system/*.rs'], jwksUri: 'https://away.example/jwks' })
      for (const id of ['service-2', 'service-3']) {
        const { status, body } = await ask(oauth, await assertion(id))
        expect([id, status, body.error]).toEqual([id, 401, 'invalid_client'])
      }
    })

    test('T25: an assertion for another host is refused, whatever the Host header says', async () => {
      const { oauth, ec } = await withService()
      const client_assertion = await ec.sign(assertionClaims(oauth, 'service-1', { aud: 'http://evil.example/oauth/token' }))
      const { request } = await import('node:http')
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const form = new URLSearchParams({
          grant_type: 'client_credentials',
          scope: 'system/*.rs',
          client_assertion,
          client_assertion_type: assertionType,
        })
        const { hostname, port } = new URL(oauth.base)
        const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'content-type': 'application/x-www-form-urlencoded' }
        const sent = request({ hostname, port, path: '/oauth/token', method: 'POST', headers }, res => {
          res.resume()
          resolve(res.statusCode)
        })
        sent.on('error', reject).end(form.toString())
      })
      expect(status).toBe(401)
    })
  })
