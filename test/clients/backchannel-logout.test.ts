/** A whole server tells an application that somebody signed out, and `jose` believes it. @see OpenID Connect Back-Channel Logout 1.0 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { TestBrowser } from '../auth/pages/pages-ground.ts'
import { testEngines } from '../support/engines.ts'
import { authorizeBy, type Clinic, openClinic } from './clinic.ts'

const scope = 'openid offline_access launch/patient patient/*.rs'

for (const engine of testEngines)
  describe(`the end of a session (${engine.name})`, () => {
    let clinic: Clinic
    beforeAll(async () => {
      clinic = await openClinic(engine, app => ({
        app: {
          name: 'Grafik',
          type: 'public',
          development: true,
          redirectUris: [`${app}/callback`],
          backchannelLogoutUri: `${app}/logout`,
          offline: true,
          scopesAllowed: scope.split(' '),
        },
      }))
    }, 120_000)
    afterAll(async () => clinic?.[Symbol.asyncDispose]())

    test('reaches the application by the server itself', async () => {
      const told = new Promise<string>(hear =>
        clinic.pages.set('/logout', async (req, res) => {
          const parts: Buffer[] = []
          for await (const part of req) parts.push(part as Buffer)
          res.writeHead(200).end()
          hear(new URLSearchParams(Buffer.concat(parts).toString()).get('logout_token') ?? '')
        }),
      )
      const { id } = clinic.client('app')
      const config = await openid.discovery(new URL(clinic.issuer), id, undefined, openid.None(), {
        // Loopback without TLS.
        execute: [openid.allowInsecureRequests],
      })
      expect(config.serverMetadata()).toMatchObject({ backchannel_logout_supported: true, backchannel_logout_session_supported: true })
      const pkceCodeVerifier = openid.randomPKCECodeVerifier()
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: `${clinic.app}/callback`,
        scope,
        aud: clinic.fhir,
        state: openid.randomState(),
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      })
      const browser = new TestBrowser(clinic.base)
      const back = await authorizeBy(clinic, url.href, clinic.patient, browser)
      const tokens = await openid.authorizationCodeGrant(config, back, {
        pkceCodeVerifier,
        expectedState: url.searchParams.get('state') ?? '',
        idTokenExpected: true,
      })
      const end = openid.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '' })
      await browser.open(end.href)
      const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? ''))
      const { payload } = await jwtVerify(await told, keys, { issuer: clinic.issuer, audience: id, typ: 'logout+jwt' })
      expect(payload).toMatchObject({ sub: clinic.patient.account, sid: decodeJwt(tokens.id_token ?? '').sid })
    }, 60_000)
  })
