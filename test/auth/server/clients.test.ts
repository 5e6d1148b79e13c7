/** Clients that were written by others, as they are: openid-client and jose. @see auth.md annex A.3, A.6, A.7 */
import { describe, expect, test } from '@jest/globals'
import { importJWK } from 'jose'
import * as client from 'openid-client'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor } from '../accounts-ground.ts'
import { aKey, Browser, closingOauth, keepClient, openOauth } from './oauth-ground.ts'

closingOauth()
closingAccounts()

for (const engine of testEngines)
  describe(engine.name, () => {
    const insecure = { execute: [client.allowInsecureRequests] }

    test('openid-client: discovery, code flow with PKCE, userinfo, refresh, revocation', async () => {
      const oauth = await openOauth(engine)
      await keepClient(oauth)
      oauth.pages = { login: await anAccount(oauth.accounts, 'dr-ani', [doctor]), patient: '1' }
      const config = await client.discovery(new URL(`${oauth.base}/oauth`), 'app-0001', undefined, client.None(), insecure)
      const pkceCodeVerifier = client.randomPKCECodeVerifier()
      const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: 'https://app.example/callback',
        scope: 'launch/patient openid fhirUser offline_access patient/*.rs',
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        nonce: expectedNonce,
        aud: oauth.fhir,
      })
      const { location } = await new Browser(oauth).walk(url.href)
      if (location === undefined) throw new Error('nobody came back')
      const tokens = await client.authorizationCodeGrant(config, location, {
        pkceCodeVerifier,
        expectedState,
        expectedNonce,
        idTokenExpected: true,
      })
      expect([tokens.patient, tokens.claims()?.fhirUser]).toEqual(['1', `${oauth.fhir}/Patient/1`])
      const me = await client.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '')
      expect(me.fhirUser).toBe(`${oauth.fhir}/Patient/1`)
      const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
      expect(next.patient).toBe('1')
      await client.tokenRevocation(config, next.access_token)
      oauth.authenticate.forget()
      expect(await oauth.authenticate(`Bearer ${next.access_token}`, '192.0.2.7')).toMatchObject({ ok: false })
    })

    for (const alg of ['RS384', 'ES384'] as const)
      test(`openid-client: a service with ${alg}, and introspection`, async () => {
        const oauth = await openOauth(engine)
        const key = await aKey(alg, 'k1')
        await keepClient(oauth, {
          id: 'service-1',
          type: 'backend',
          jwks: { keys: [key.jwk] },
          scopesAllowed: ['system/*.rs', '__introspect'],
        })
        const secret = await importJWK(key.secret, alg)
        if (secret instanceof Uint8Array) throw new Error('no key')
        const proof = client.PrivateKeyJwt({ key: secret, kid: 'k1' })
        const config = await client.discovery(new URL(`${oauth.base}/oauth`), 'service-1', undefined, proof, insecure)
        const tokens = await client.clientCredentialsGrant(config, { scope: 'system/*.rs' })
        expect([tokens.scope, tokens.expires_in]).toEqual(['system/*.rs', 300])
        expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ value: { kind: 'client' } })
      })
  })
