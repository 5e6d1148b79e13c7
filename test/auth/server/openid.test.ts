/** OpenID Connect, discovery, introspection, userinfo, the end of a session. @see auth.md 9, annex A.1, A.5, A.8 */
import { describe, expect, test } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { capabilitySecurity } from '../../../src/auth/capability-security.ts'
import { authorizationEndpoints, smartConfiguration } from '../../../src/auth/smart/discovery.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { testEngines } from '../../support/engines.ts'
import { closingAccounts } from '../accounts-ground.ts'
import { openWithDoctor } from './doctor-ground.ts'
import {
  aKey,
  assertionClaims,
  assertionType,
  authorized,
  authorizeUrl,
  Browser,
  closingOauth,
  keepClient,
  postForm,
  refresh,
  secretFor,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

describe('the discovery document', () => {
  const address = publicAddress('https://simpul.example')
  const document = JSON.parse(smartConfiguration({ address, registration: false, scopes: ['openid', 'patient/*.rs'] }))

  test('A.1 3, 4, 5, 9: has what SMART asks for, and no plain challenge', () => {
    expect(document).toMatchObject({
      issuer: 'https://simpul.example/oauth',
      jwks_uri: 'https://simpul.example/oauth/jwks',
      authorization_endpoint: 'https://simpul.example/oauth/auth',
      token_endpoint: 'https://simpul.example/oauth/token',
      introspection_endpoint: 'https://simpul.example/oauth/introspect',
      code_challenge_methods_supported: ['S256'],
    })
    expect(document.grant_types_supported).toContain('authorization_code')
    expect(document.token_endpoint_auth_methods_supported).toContain('private_key_jwt')
    expect(document.token_endpoint_auth_signing_alg_values_supported).toEqual(expect.arrayContaining(['RS384', 'ES384']))
    for (const capability of document.capabilities) expect(typeof capability).toBe('string')
  })

  test('A.1 8: CapabilityStatement says the same of all six endpoints', () => {
    for (const registration of [false, true]) {
      const said = JSON.parse(smartConfiguration({ address, registration, scopes: [] }))
      const [oauthUris] = capabilitySecurity(authorizationEndpoints(address, registration)).extension ?? []
      expect(Object.fromEntries((oauthUris?.extension ?? []).map(({ url, valueUri }) => [url, valueUri]))).toEqual({
        authorize: said.authorization_endpoint,
        token: said.token_endpoint,
        introspect: said.introspection_endpoint,
        manage: said.management_endpoint,
        revoke: said.revocation_endpoint,
        ...(registration && { register: said.registration_endpoint }),
      })
    }
  })
})

for (const engine of testEngines)
  describe(engine.name, () => {
    const withDoctor = async () => {
      const opened = await openWithDoctor(engine)
      opened.oauth.pages.encounter = '1'
      return opened
    }

    test('A.5 27, 28: metadata and keys are where they should be', async () => {
      const { oauth } = await withDoctor()
      for (const path of ['/oauth/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/oauth']) {
        const response = await fetch(`${oauth.base}${path}`)
        expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
        expect(await response.json()).toMatchObject({
          issuer: `${oauth.base}/oauth`,
          authorization_endpoint: `${oauth.base}/oauth/auth`,
          token_endpoint: `${oauth.base}/oauth/token`,
          jwks_uri: `${oauth.base}/oauth/jwks`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
        })
      }
      const { keys } = (await (await fetch(`${oauth.base}/oauth/jwks`)).json()) as { readonly keys: readonly Record<string, unknown>[] }
      expect(keys.map(({ kty, alg, use }) => [kty, alg, use])).toEqual([['RSA', 'RS256', 'sig']])
      for (const secret of ['d', 'p', 'q']) expect(keys[0]).not.toHaveProperty(secret)
    })

    test('A.5 26, 29, 30: the id token is signed by a published key and names the user', async () => {
      const { oauth, account } = await withDoctor()
      const { tokens } = await authorized(oauth, { nonce: 'n-0S6', scope: 'openid fhirUser profile offline_access patient/*.rs' })
      const verified = await jwtVerify(tokens.id_token ?? '', createRemoteJWKSet(new URL(`${oauth.base}/oauth/jwks`)), {
        issuer: `${oauth.base}/oauth`,
        audience: 'app-0001',
      })
      expect(verified.protectedHeader).toMatchObject({ alg: 'RS256', kid: expect.any(String) })
      const { iat = 0, exp = 0, ...claims } = verified.payload
      expect(claims).toMatchObject({
        sub: account.id,
        nonce: 'n-0S6',
        acr: 'urn:simpul:acr:2',
        amr: ['pwd', 'otp'],
        auth_time: expect.any(Number),
        fhirUser: `${oauth.fhir}/Patient/1`,
        name: 'dr-ani',
      })
      expect(exp - iat).toBe(900)
      expect(JSON.stringify(claims)).not.toContain('patient"')
      const who = await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')
      expect(who.ok && [who.value.fhirUser, who.value.scopes?.some(scope => scope.kind === 'plain' && scope.text === 'fhirUser')]).toEqual([
        'Patient/1',
        true,
      ])
      const again = await refresh(oauth, tokens.refresh_token ?? '')
      expect(again.body.id_token).toBeDefined()
    })

    test('without openid there is no id token, without fhirUser it says nothing of the user’s resource', async () => {
      const { oauth } = await withDoctor()
      expect((await authorized(oauth, { scope: 'patient/*.rs' })).tokens).not.toHaveProperty('id_token')
      const { tokens } = await authorized(oauth, { scope: 'openid patient/*.rs' })
      expect(Buffer.from(tokens.id_token?.split('.')[1] ?? '', 'base64url').toString()).not.toMatch(/fhirUser|"name"/)
    })

    test('keys rotate behind the same mount: tokens of before stay good, new ones have the new key', async () => {
      const { oauth } = await withDoctor()
      const before = await authorized(oauth, { scope: 'openid offline_access patient/*.rs' })
      oauth.server.renew()
      const after = await refresh(oauth, before.tokens.refresh_token ?? '')
      expect(after.status).toBe(200)
      expect(await oauth.authenticate(`Bearer ${before.tokens.access_token}`, '192.0.2.7')).toMatchObject({ ok: true })
    })

    test('A.8 39, 40, 41: introspection tells resource servers what the token response told, and nobody else', async () => {
      const { oauth, account } = await withDoctor()
      const key = await aKey('ES384', 'k1')
      await keepClient(oauth, {
        id: 'service-1',
        type: 'backend',
        jwks: { keys: [key.jwk] },
        scopesAllowed: ['system/*.rs', '__introspect'],
      })
      await keepClient(oauth, {
        id: 'resource-server-1',
        type: 'resource-server',
        secrets: [secretFor(oauth, 'resource-server-1', 'r'.repeat(43))],
      })
      const form = {
        grant_type: 'client_credentials',
        scope: '__introspect',
        client_assertion: await key.sign(assertionClaims(oauth, 'service-1')),
        client_assertion_type: assertionType,
      }
      const service = (await (await postForm(oauth, '/oauth/token', form)).json()) as { readonly access_token: string }
      const askers: readonly Readonly<Record<string, string>>[] = [
        { authorization: `Bearer ${service.access_token}` },
        { authorization: `Basic ${Buffer.from(`resource-server-1:${'r'.repeat(43)}`).toString('base64')}` },
        // As RFC 6749 2.3.1 has it, and `openid-client` does.
        { authorization: `Basic ${Buffer.from(`resource%2Dserver%2D1:${'r'.repeat(43)}`).toString('base64')}` },
      ]
      const scope = 'launch/patient launch/encounter openid fhirUser offline_access patient/*.rs'
      const { tokens } = await authorized(oauth, { scope })
      for (const headers of askers) {
        const about = async (token: string) => (await postForm(oauth, '/oauth/introspect', { token }, headers)).json()
        const response = await postForm(oauth, '/oauth/introspect', { token: tokens.access_token }, headers)
        expect(response.status).toBe(200)
        expect(await response.json()).toEqual({
          active: true,
          scope,
          client_id: 'app-0001',
          exp: expect.any(Number),
          iat: expect.any(Number),
          token_type: 'Bearer',
          aud: oauth.fhir,
          patient: '1',
          encounter: '1',
          iss: `${oauth.base}/oauth`,
          sub: account.id,
          fhirUser: `${oauth.fhir}/Patient/1`,
        })
        expect(await about('invalid_token_value')).toEqual({ active: false })
        expect(await about(tokens.refresh_token ?? '')).toEqual({ active: false })
      }
      const nobody: readonly Readonly<Record<string, string>>[] = [
        {},
        { authorization: `Bearer ${tokens.access_token}` },
        { authorization: 'Bearer nonsense' },
        { authorization: `Basic ${Buffer.from('resource-server-1:wrong').toString('base64')}` },
      ]
      for (const headers of nobody)
        expect((await postForm(oauth, '/oauth/introspect', { token: tokens.access_token }, headers)).status).toBe(401)
    })

    test('userinfo says who is signed in, for tokens with openid', async () => {
      const { oauth, account } = await withDoctor()
      const { tokens } = await authorized(oauth, { scope: 'openid fhirUser patient/*.rs' })
      const me = (token: string) => fetch(`${oauth.base}/oauth/me`, { headers: { authorization: `Bearer ${token}` } })
      expect(await (await me(tokens.access_token)).json()).toEqual({ sub: account.id, fhirUser: `${oauth.fhir}/Patient/1` })
      expect((await me('x'.repeat(43))).status).toBe(401)
      expect((await me((await authorized(oauth, { scope: 'patient/*.rs' })).tokens.access_token)).status).toBe(403)
    })

    test('an application ends the session of whoever holds its id token, and gets the browser back where it registered', async () => {
      const { oauth } = await withDoctor()
      await keepClient(oauth, { postLogoutRedirectUris: ['https://app.example/bye'] })
      const { tokens, browser } = await authorized(oauth, { scope: 'openid online_access patient/*.rs' })
      const end = (given: Readonly<Record<string, string>>) =>
        browser.fetch(`${oauth.base}/oauth/session/end?${new URLSearchParams(given)}`)
      expect((await end({})).headers.get('location')).toBe(`${oauth.base}/account`)
      expect((await end({ id_token_hint: `${tokens.id_token}x` })).headers.get('location')).toBe(`${oauth.base}/account`)
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ ok: true })
      const given = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: 'https://app.example/bye', state: 's1' }
      expect((await end(given)).headers.get('location')).toBe('https://app.example/bye?state=s1')
      oauth.authenticate.forget()
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ ok: false })
      expect((await end({ ...given, post_logout_redirect_uri: 'https://evil.example/' })).headers.get('location')).toBe(
        `${oauth.base}/login/goodbye`,
      )
      oauth.pages = {}
      expect(await (await browser.walk(authorizeUrl(oauth).url)).response.text()).toBe('login page')
      expect(new Browser(oauth).visited).toEqual([])
    })
  })
