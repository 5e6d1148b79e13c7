/** Tokens that are good with the key of their holder alone. @see RFC 9449; auth.md 7.5, 8, 15 */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose'
import type { Sent } from '../../../src/auth/principal/dpop-proof.ts'
import { createLaunches } from '../../../src/auth/smart/launches.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor } from '../accounts-ground.ts'
import {
  aKey,
  assertionClaims,
  assertionType,
  authorizeUrl,
  Browser,
  closingOauth,
  codeFor,
  keepClient,
  type Oauth,
  openOauth,
  postForm,
  redeem,
  refresh,
  secretFor,
  serve,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

type Claims = Readonly<Record<string, unknown>>

/** The key of an application, and proofs of it. */
const aHolder = async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk: JWK = await exportJWK(publicKey)
  const proof = (claims: Claims, header: Claims = {}): Promise<string> =>
    new SignJWT({ jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
      .sign(privateKey)
  return { jwk, privateJwk: await exportJWK(privateKey), jkt: await calculateJwkThumbprint(jwk), proof }
}
type Holder = Awaited<ReturnType<typeof aHolder>>

const athOf = (token: string): string => createHash('sha256').update(token).digest('base64url')
const scope = 'openid offline_access patient/*.rs'
const address = '192.0.2.7'

for (const engine of testEngines)
  describe(engine.name, () => {
    const opened = async (given = {}) => {
      const oauth = await openOauth(engine)
      await keepClient(oauth, given)
      oauth.pages = { login: await anAccount(oauth.accounts, 'dr-ani', [doctor]), patient: '1' }
      return oauth
    }

    const atToken = ({ base }: Oauth, holder: Holder, claims: Claims = {}, header: Claims = {}) =>
      holder.proof({ htm: 'POST', htu: `${base}/oauth/token`, ...claims }, header)

    const bound = async (oauth: Oauth, holder: Holder, asking: Readonly<Record<string, string>> = {}) => {
      const asked = authorizeUrl(oauth, { scope, ...asking })
      const code = await codeFor(new Browser(oauth), asked)
      const { status, body } = await redeem(oauth, code, asked, {}, { dpop: await atToken(oauth, holder) })
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
      return body
    }

    const sentWith = async (oauth: Oauth, holder: Holder, token: string, claims: Claims = {}, header: Claims = {}): Promise<Sent> => ({
      method: 'GET',
      url: '/fhir/Patient/1?_elements=id',
      headers: { dpop: await holder.proof({ htm: 'GET', htu: `${oauth.fhir}/Patient/1`, ath: athOf(token), ...claims }, header) },
    })

    const ask = (oauth: Oauth, token: string, sent: Sent) => oauth.authenticate(`DPoP ${token}`, address, sent)

    test('a token that was asked for with a proof says so, opens the API with proofs of the same key, and is introspected with the key', async () => {
      const oauth = await opened()
      const holder = await aHolder()
      const tokens = await bound(oauth, holder)
      expect(tokens).toMatchObject({ token_type: 'DPoP', patient: '1' })
      for (let n = 0; n < 2; n++) {
        const who = await ask(oauth, tokens.access_token, await sentWith(oauth, holder, tokens.access_token))
        expect(who).toMatchObject({ ok: true, value: { kind: 'user', clientId: 'app-0001' } })
      }
      await keepClient(oauth, { id: 'gate-0001', type: 'resource-server', secrets: [secretFor(oauth, 'gate-0001', 'rahasia')] })
      const gate = { authorization: `Basic ${Buffer.from('gate-0001:rahasia').toString('base64')}` }
      const said = await postForm(oauth, '/oauth/introspect', { token: tokens.access_token }, gate)
      expect(await said.json()).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: holder.jkt } })
    })

    test('the same token as Bearer is refused, now and again, and so is one of nobody’s key as bound', async () => {
      const oauth = await opened()
      const holder = await aHolder()
      const { access_token } = await bound(oauth, holder)
      const refused = {
        kind: 'token-invalid',
        challengeScheme: 'DPoP',
        challenge: { error: 'invalid_token', algs: expect.stringContaining('ES256') },
      }
      for (let n = 0; n < 2; n++)
        expect(await oauth.authenticate(`Bearer ${access_token}`, address, await sentWith(oauth, holder, access_token))).toMatchObject({
          failure: refused,
        })
      const asked = authorizeUrl(oauth)
      const { body } = await redeem(oauth, await codeFor(new Browser(oauth), asked), asked)
      expect(body.token_type).toBe('Bearer')
      expect(await ask(oauth, body.access_token, await sentWith(oauth, holder, body.access_token))).toMatchObject({ failure: refused })
      expect(await oauth.authenticate(`Bearer ${body.access_token}`, address)).toMatchObject({ ok: true })
    })

    const now = () => Math.floor(Date.now() / 1000)
    // biome-ignore format: a table
    const faults: readonly (readonly [what: string, claims: Claims, header?: Claims])[] = [
      ['of another method', { htm: 'DELETE' }],
      ['of another resource', { htu: 'https://app.example/fhir/Patient/1' }],
      ['of another path', { htu: 'PATH' }],
      ['of another token', { ath: athOf('another') }],
      ['of no token', { ath: undefined }],
      ['that is old', { iat: now() - 3_600 }],
      ['of later', { iat: now() + 3_600 }],
      ['without a time', { iat: undefined }],
      ['without a name', { jti: undefined }],
      ['with an endless name', { jti: 'x'.repeat(300) }],
      ['that is another kind of JWT', {}, { typ: 'JWT' }],
      ['that has expired', { exp: now() - 60 }],
    ]
    test('a proof that was made for something else, or by somebody else, proves nothing', async () => {
      const oauth = await opened()
      const [holder, other] = [await aHolder(), await aHolder()]
      const { access_token } = await bound(oauth, holder)
      const refused = { kind: 'token-invalid', challengeScheme: 'DPoP', challenge: { error: 'invalid_dpop_proof' } }
      for (const [what, claims, header] of faults) {
        const given = claims.htu === 'PATH' ? { htu: `${oauth.fhir}/Patient/2` } : claims
        const sent = await sentWith(oauth, holder, access_token, given, header)
        expect([what, await ask(oauth, access_token, sent)]).toMatchObject([what, { failure: refused }])
      }
      const { headers, ...rest } = await sentWith(oauth, other, access_token)
      const withPrivate = await sentWith(oauth, holder, access_token, {}, { jwk: holder.privateJwk })
      const stolen = await sentWith(oauth, other, access_token, {}, { jwk: holder.jwk })
      const twice = await sentWith(oauth, holder, access_token)
      const sents: readonly (readonly [string, Sent])[] = [
        ['of another key', { ...rest, headers }],
        ['signed by another than it names', stolen],
        ['that gives the private key away', withPrivate],
        ['that is not there', { ...rest, headers: {} }],
        ['that is no JWT', { ...rest, headers: { dpop: 'x' } }],
        ['that is endless', { ...rest, headers: { dpop: 'x'.repeat(10_000) } }],
        [
          'that comes twice in one request',
          { ...twice, headers: { dpop: `${String(twice.headers.dpop)}, ${String(twice.headers.dpop)}` } },
        ],
      ]
      for (const [what, sent] of sents) expect([what, await ask(oauth, access_token, sent)]).toMatchObject([what, { failure: refused }])
    })

    test('of many equal proofs one counts, whoever is asked', async () => {
      const oauth = await opened()
      const holder = await aHolder()
      const { access_token } = await bound(oauth, holder)
      const sent = await sentWith(oauth, holder, access_token)
      const all = await Promise.all(Array.from({ length: 20 }, () => ask(oauth, access_token, sent)))
      expect(all.filter(({ ok }) => ok).length).toBe(1)
      // One that is dated ahead is remembered as long as it is fresh.
      const ahead = await sentWith(oauth, holder, access_token, { iat: now() + 290 })
      expect(await ask(oauth, access_token, ahead)).toMatchObject({ ok: true })
      expect(await ask(oauth, access_token, ahead)).toMatchObject({ ok: false })
    })

    test('unknown and expired tokens with a proof are answered as ever, and what ended is over', async () => {
      const oauth = await opened()
      const holder = await aHolder()
      const { access_token, refresh_token = '' } = await bound(oauth, holder)
      const nobody = 'x'.repeat(43)
      for (const text of [`DPoP ${nobody}`, 'DPoP', 'DPoP x', 'dpop  a b'])
        expect([text, await oauth.authenticate(text, '192.0.2.8', await sentWith(oauth, holder, nobody))]).toMatchObject([
          text,
          { failure: { kind: 'token-invalid', challenge: { error: 'invalid_token' } } },
        ])
      await postForm(oauth, '/oauth/revoke', { token: refresh_token, client_id: 'app-0001' })
      expect(await ask(oauth, access_token, await sentWith(oauth, holder, access_token))).toMatchObject({
        failure: { kind: 'token-invalid', challengeScheme: 'DPoP', challenge: { error: 'invalid_token' } },
      })
    })

    test('a store that is away lets nobody in', async () => {
      const oauth = await opened()
      const holder = await aHolder()
      const { access_token } = await bound(oauth, holder)
      const sent = await sentWith(oauth, holder, access_token)
      oauth.store.away = true
      expect(await ask(oauth, access_token, sent)).toMatchObject({ failure: { kind: 'accounts-away' } })
    })

    test('refresh tokens of an app that keeps no secret are bound, and renewed by its key alone', async () => {
      const oauth = await opened()
      const [holder, other] = [await aHolder(), await aHolder()]
      const { refresh_token = '' } = await bound(oauth, holder)
      expect((await refresh(oauth, refresh_token)).body).toMatchObject({ error: 'invalid_grant' })
      expect((await refresh(oauth, refresh_token, {}, { dpop: await atToken(oauth, other) })).body).toMatchObject({
        error: 'invalid_grant',
      })
      const renewed = await refresh(oauth, refresh_token, {}, { dpop: await atToken(oauth, holder) })
      expect(renewed.body).toMatchObject({ token_type: 'DPoP', patient: '1' })
      const { access_token } = renewed.body
      expect(await ask(oauth, access_token, await sentWith(oauth, holder, access_token))).toMatchObject({ ok: true })
    })

    test('an app that demands it gets nothing without; a code that names a key is redeemed by that key alone', async () => {
      const oauth = await opened({ requireDpop: true })
      const [holder, other] = [await aHolder(), await aHolder()]
      const asked = authorizeUrl(oauth, { scope })
      expect((await redeem(oauth, await codeFor(new Browser(oauth), asked), asked)).body.error).toBe('invalid_grant')
      expect((await bound(oauth, holder)).token_type).toBe('DPoP')
      const named = authorizeUrl(oauth, { scope, dpop_jkt: holder.jkt })
      const code = await codeFor(new Browser(oauth), named)
      expect((await redeem(oauth, code, named, {}, { dpop: await atToken(oauth, other) })).body.error).toBe('invalid_grant')
    })

    test('a proof that is not good is refused by name at the token endpoint, and one that came before gives nothing', async () => {
      const oauth = await opened()
      const holder = await aHolder()
      const asked = authorizeUrl(oauth, { scope })
      const code = await codeFor(new Browser(oauth), asked)
      for (const [claims, header] of [
        [{ htm: 'GET' }, {}],
        [{ htu: `${oauth.base}/oauth/auth` }, {}],
        [{ iat: now() - 3_600 }, {}],
        [{}, { typ: 'JWT' }],
        [{}, { jwk: holder.privateJwk }],
      ] as const) {
        const { status, body } = await redeem(oauth, code, asked, {}, { dpop: await atToken(oauth, holder, claims, header) })
        expect([status, body.error]).toEqual([400, 'invalid_dpop_proof'])
      }
      expect((await oauth.parts.clients.health.of('app-0001')).troubles['proof-refused']?.count).toBe(5)
      const dpop = await atToken(oauth, holder)
      expect((await redeem(oauth, code, asked, {}, { dpop })).status).toBe(200)
      const again = authorizeUrl(oauth, { scope })
      const { status, body } = await redeem(oauth, await codeFor(new Browser(oauth), again), again, {}, { dpop })
      expect([status, body.error]).toEqual([400, 'invalid_grant'])
    })

    test('of many equal proofs of a service one gets a token', async () => {
      const oauth = await opened()
      const [key, holder] = [await aKey('ES384', 'k1'), await aHolder()]
      await keepClient(oauth, {
        id: 'service-1',
        type: 'backend',
        jwks: { keys: [key.jwk] },
        scopesAllowed: ['system/*.rs'],
        requireDpop: true,
      })
      const service = async (headers: Readonly<Record<string, string>>) => {
        const client_assertion = await key.sign(assertionClaims(oauth, 'service-1'))
        const form = { grant_type: 'client_credentials', scope: 'system/*.rs', client_assertion, client_assertion_type: assertionType }
        return (await (await postForm(oauth, '/oauth/token', form, headers)).json()) as {
          readonly token_type?: string
          readonly error?: string
        }
      }
      expect((await service({})).error).toBe('invalid_grant')
      const dpop = await atToken(oauth, holder)
      const all = await Promise.all(Array.from({ length: 20 }, () => service({ dpop })))
      expect(all.filter(({ token_type }) => token_type === 'DPoP').length).toBe(1)
      expect(new Set(all.filter(({ token_type }) => token_type === undefined).map(({ error }) => error))).toEqual(
        new Set(['invalid_grant']),
      )
    })

    test('userinfo and launches take it with a proof, and not as Bearer', async () => {
      const oauth = await opened({
        trust: 'first-party',
        scopesAllowed: ['openid', '__launch.create', 'patient/*.rs', 'user/*.rs', 'offline_access'],
      })
      const holder = await aHolder()
      const { access_token } = await bound(oauth, holder, { scope: 'openid __launch.create user/*.rs' })
      const me = (headers: Readonly<Record<string, string>>) => fetch(`${oauth.base}/oauth/me`, { headers })
      const asBearer = await me({ authorization: `Bearer ${access_token}` })
      expect([asBearer.status, asBearer.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringMatching(/^DPoP .*error="invalid_token".*algs="ES256 /),
      ])
      const proof = (htm: string, path: string) => holder.proof({ htm, htu: `${oauth.base}${path}`, ath: athOf(access_token) })
      expect((await me({ authorization: `DPoP ${access_token}`, dpop: await proof('GET', '/oauth/me') })).status).toBe(200)
      const without = await me({ authorization: `DPoP ${access_token}` })
      expect([without.status, without.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringContaining('error="invalid_dpop_proof"'),
      ])
      serve(oauth, '/smart/launches', createLaunches(oauth.parts))
      const launch = async (headers: Readonly<Record<string, string>>) =>
        (
          await fetch(`${oauth.base}/smart/launches`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify({ clientId: 'app-0001', patient: '1' }),
          })
        ).status
      expect(await launch({ authorization: `Bearer ${access_token}` })).toBe(401)
      expect(await launch({ authorization: `DPoP ${access_token}`, dpop: await proof('POST', '/smart/launches') })).toBe(201)
    })

    test('access of an app in a browser lasts longer when it is bound to a key', async () => {
      const oauth = await opened()
      const holder = await aHolder()
      const until: (number | undefined)[] = []
      oauth.pages = { ...oauth.pages, seen: ({ prompt, offlineUntil }) => void (prompt === 'consent' && until.push(offlineUntil)) }
      await bound(oauth, holder)
      await bound(oauth, holder, { dpop_jkt: holder.jkt })
      const days = until.map(at => Math.round(((at ?? 0) - Date.now()) / 86_400_000))
      expect(days).toEqual([1, 90])
    })
  })
