/**
 * `openid-client` and `jose` as applications use them, against a whole server on both engines: an app with PKCE that a doctor opens, tokens renewed, asked
 * about and given back, and a service with keys of its own. @see auth.md 7, annex A.3 to A.8
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createRemoteJWKSet, exportJWK, type JWK, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { testEngines } from '../support/engines.ts'
import { TestBrowser, titleOf } from '../auth/pages/pages-ground.ts'
import { answer, authorizeBy, type Clinic, openClinic } from './clinic.ts'

type Algorithm = 'RS384' | 'ES384'

const keyPair = async (alg: Algorithm) => {
  const { publicKey, privateKey } =
    alg === 'RS384' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: `${alg}-1`, alg, use: 'sig' }
  const algorithm = alg === 'RS384' ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' } : { name: 'ECDSA', namedCurve: 'P-384' }
  const key = await crypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), algorithm, true, ['sign'])
  return { jwk, privateKey: { key, kid: `${alg}-1` } }
}

const scope = 'openid fhirUser profile offline_access launch/patient patient/*.rs'

for (const engine of testEngines)
  describe(`openid-client and jose (${engine.name})`, () => {
    let clinic: Clinic
    const keys = new Map<Algorithm, Awaited<ReturnType<typeof keyPair>>>()
    const keysOf = (alg: Algorithm) => keys.get(alg) as Awaited<ReturnType<typeof keyPair>>

    beforeAll(async () => {
      for (const alg of ['RS384', 'ES384'] as const) keys.set(alg, await keyPair(alg))
      clinic = await openClinic(engine, app => {
        const known = { development: true, redirectUris: [`${app}/callback`], offline: true, scopesAllowed: scope.split(' ') }
        const service = {
          type: 'backend',
          development: true,
          scopesAllowed: ['system/Observation.rs', 'system/Patient.rs', '__introspect'],
          grants: [{ clause: 'Observation,Patient rs', reach: 'any' }],
        }
        return {
          public: { ...known, name: 'Grafik', type: 'public' },
          secret: { ...known, name: 'Grafik dengan rahasia', type: 'symmetric' },
          keys: { ...known, name: 'Grafik dengan kunci', type: 'asymmetric', jwks: { keys: [...keys.values()].map(({ jwk }) => jwk) } },
          device: { ...known, name: 'Layar', type: 'public', redirectUris: [], deviceFlow: true },
          'resource-server': { name: 'Gerbang', type: 'resource-server' },
          ...Object.fromEntries(
            [...keys].flatMap(([alg, { jwk }]) => [
              [`inline ${alg}`, { ...service, name: `Layanan ${alg}`, jwks: { keys: [jwk] } }],
              [`by address ${alg}`, { ...service, name: `Layanan ${alg} jauh`, jwksUri: `${app}/jwks/${alg}` }],
            ]),
          ),
        }
      })
      for (const [alg, { jwk }] of keys)
        clinic.pages.set(`/jwks/${alg}`, (_req, res) =>
          res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify({ keys: [jwk] })),
        )
    }, 120_000)
    afterAll(async () => clinic?.[Symbol.asyncDispose]())

    const configured = (name: string, authentication?: openid.ClientAuth) => {
      const { id, secret } = clinic.client(name)
      return openid.discovery(new URL(clinic.issuer), id, secret === '' ? undefined : secret, authentication, {
        // Loopback without TLS.
        execute: [openid.allowInsecureRequests],
      })
    }

    /** From the authorization request to the tokens, as the library does it. */
    const authorized = async (config: openid.Configuration, options: openid.DPoPOptions = {}) => {
      const pkceCodeVerifier = openid.randomPKCECodeVerifier()
      const [expectedState, expectedNonce] = [randomUUID(), openid.randomNonce()]
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: `${clinic.app}/callback`,
        scope,
        aud: clinic.fhir,
        state: expectedState,
        nonce: expectedNonce,
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      })
      const back = await authorizeBy(clinic, url.href, clinic.patient)
      return openid.authorizationCodeGrant(
        config,
        back,
        { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true },
        undefined,
        options,
      )
    }
    const read = (path: string, token: string) => fetch(`${clinic.fhir}/${path}`, { headers: { authorization: `Bearer ${token}` } })

    const kinds: readonly (readonly [name: string, authentication: () => openid.ClientAuth | undefined])[] = [
      ['public', () => openid.None()],
      ['secret', () => openid.ClientSecretBasic()],
      ['keys', () => openid.PrivateKeyJwt(keysOf('RS384').privateKey)],
      ['keys', () => openid.PrivateKeyJwt(keysOf('ES384').privateKey)],
    ]
    for (const [n, [name, authentication]] of kinds.entries())
      test(`A.3 11, A.3 13, A.5 29, A.6 32: an app of kind ${name} (${n}) signs a patient in, reads, and renews`, async () => {
        const config = await configured(name, authentication())
        const tokens = await authorized(config)
        expect(tokens).toMatchObject({ patient: 'budi', scope, token_type: 'bearer', expires_in: 900 })
        expect(tokens.claims()).toMatchObject({ iss: clinic.issuer, sub: clinic.patient.account, fhirUser: `${clinic.fhir}/Patient/budi` })
        expect((await read('Patient/budi', tokens.access_token)).status).toBe(200)
        const without = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '')
        expect(without).toMatchObject({ patient: 'budi', scope })
        const withScope = await openid.refreshTokenGrant(config, without.refresh_token ?? '', { scope })
        expect(withScope.scope).toBe(scope)
        expect((await read('Condition?patient=budi', withScope.access_token)).status).toBe(200)
      }, 60_000)

    test('A.5 26, A.5 28, A.5 29: jose verifies the id token by the published keys, and takes no other audience', async () => {
      const config = await configured('public', openid.None())
      const { id_token = '' } = await authorized(config)
      const jwks = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? ''))
      const { id } = clinic.client('public')
      const { protectedHeader, payload } = await jwtVerify(id_token, jwks, { issuer: clinic.issuer, audience: id, algorithms: ['RS256'] })
      expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: expect.any(String) })
      expect(String(payload.sub).length).toBeLessThanOrEqual(255)
      await expect(jwtVerify(id_token, jwks, { audience: 'somebody-else' })).rejects.toThrow('unexpected "aud" claim value')
    }, 60_000)

    test('A.5 30: userinfo says the same of the user, and reading the user’s resource with this token works', async () => {
      const config = await configured('public', openid.None())
      const tokens = await authorized(config)
      const user = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '')
      expect(user).toMatchObject({ sub: clinic.patient.account, fhirUser: `${clinic.fhir}/Patient/budi` })
      expect((await fetch(String(user.fhirUser), { headers: { authorization: `Bearer ${tokens.access_token}` } })).status).toBe(200)
    }, 60_000)

    for (const [name, authentication] of kinds.slice(0, 3))
      test(`an app of kind ${name} gets tokens that are good with its key alone, uses and renews them`, async () => {
        const config = await configured(name, authentication())
        expect(config.serverMetadata().dpop_signing_alg_values_supported).toContain('ES256')
        const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
        const tokens = await authorized(config, { DPoP })
        expect(tokens).toMatchObject({ patient: 'budi', token_type: 'dpop' })
        const reading = async (token: string) =>
          (
            await openid.fetchProtectedResource(
              config,
              token,
              new URL(`${clinic.fhir}/Patient/budi?_elements=id`),
              'GET',
              null,
              undefined,
              { DPoP },
            )
          ).status
        expect(await reading(tokens.access_token)).toBe(200)
        const { sub } = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '', { DPoP })
        expect(sub).toBe(clinic.patient.account)
        const asBearer = await read('Patient/budi', tokens.access_token)
        expect([asBearer.status, asBearer.headers.get('www-authenticate')]).toEqual([
          401,
          expect.stringMatching(/^DPoP .*error="invalid_token"/),
        ])
        const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
        expect(renewed.token_type).toBe('dpop')
        expect(await reading(renewed.access_token)).toBe(200)
      }, 60_000)

    for (const bound of [false, true])
      test(`a device without a browser gets tokens${bound ? ', bound to its key,' : ''} once somebody typed its code`, async () => {
        const config = await configured('device', openid.None())
        const DPoP = bound ? { DPoP: openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256')) } : {}
        const begun = await openid.initiateDeviceAuthorization(config, { scope })
        expect(begun).toMatchObject({ expires_in: 600, verification_uri: `${clinic.issuer}/device/verify` })
        const polled = openid.pollDeviceAuthorizationGrant(config, begun, undefined, DPoP)
        const browser = new TestBrowser(clinic.base)
        await browser.open(begun.verification_uri_complete ?? '')
        await browser.send('/oauth/device/verify')
        let page = await browser.send('/oauth/device/verify')
        for (let n = 0; n < 8 && !titleOf(page.text).startsWith('The device is connected'); n++)
          page = await answer(browser, page, clinic.patient, 'Budi')
        const tokens = await polled
        expect(tokens).toMatchObject({ patient: 'budi', scope, token_type: bound ? 'dpop' : 'bearer' })
        expect(tokens.claims()).toMatchObject({ sub: clinic.patient.account })
        const resource = new URL(`${clinic.fhir}/Patient/budi`)
        expect((await openid.fetchProtectedResource(config, tokens.access_token, resource, 'GET', null, undefined, DPoP)).status).toBe(200)
        expect((await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, DPoP)).patient).toBe('budi')
      }, 60_000)

    test('A.8 39, A.8 40, A.12 52: a resource server asks what a token is good for, until it is given back', async () => {
      const app = await configured('secret', openid.ClientSecretBasic())
      const gate = await configured('resource-server', openid.ClientSecretBasic())
      const tokens = await authorized(app)
      expect(await openid.tokenIntrospection(gate, tokens.access_token)).toMatchObject({
        active: true,
        scope,
        client_id: clinic.client('secret').id,
        patient: 'budi',
        iss: clinic.issuer,
        sub: tokens.claims()?.sub,
        fhirUser: tokens.claims()?.fhirUser,
      })
      expect(await openid.tokenIntrospection(gate, 'invalid_token_value')).toEqual({ active: false })
      await openid.tokenRevocation(app, tokens.refresh_token ?? '')
      expect(await openid.tokenIntrospection(gate, tokens.access_token)).toEqual({ active: false })
      expect((await read('Patient/budi', tokens.access_token)).status).toBe(401)
      await expect(openid.refreshTokenGrant(app, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant', status: 400 })
    }, 60_000)

    for (const alg of ['RS384', 'ES384'] as const)
      for (const where of ['inline', 'by address'])
        test(`A.7 35, A.7 36: a service with ${alg} and keys ${where} gets a token of its own and reads with it`, async () => {
          const config = await configured(`${where} ${alg}`, openid.PrivateKeyJwt(keysOf(alg).privateKey))
          const tokens = await openid.clientCredentialsGrant(config, { scope: 'system/Observation.rs system/Condition.rs' })
          expect(tokens).toMatchObject({ scope: 'system/Observation.rs', token_type: 'bearer' })
          expect(tokens.expires_in).toBeLessThanOrEqual(300)
          expect(tokens).not.toHaveProperty('refresh_token')
          const found = (await (await read('Observation?patient=budi&_total=accurate', tokens.access_token)).json()) as { total: number }
          expect(found.total).toBe(6)
          expect((await read('Condition?patient=budi', tokens.access_token)).status).toBe(403)
          await expect(openid.clientCredentialsGrant(config)).rejects.toMatchObject({ error: 'invalid_scope', status: 400 })
        })

    test('A.7 36: a service with another’s key gets nothing', async () => {
      const config = await configured('inline RS384', openid.PrivateKeyJwt(keysOf('ES384').privateKey))
      await expect(openid.clientCredentialsGrant(config, { scope: 'system/Observation.rs' })).rejects.toMatchObject({
        error: 'invalid_client',
        status: 401,
      })
    })

    test('A.8 41: a service that may ask about tokens does so with its own', async () => {
      const service = await configured('inline ES384', openid.PrivateKeyJwt(keysOf('ES384').privateKey))
      const { access_token } = await openid.clientCredentialsGrant(service, { scope: '__introspect' })
      const about = await authorized(await configured('public', openid.None()))
      const answer = await fetch(`${clinic.issuer}/introspect`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access_token}` },
        body: new URLSearchParams({ token: about.access_token }),
      })
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ active: true, patient: 'budi' })])
    }, 60_000)
  })
