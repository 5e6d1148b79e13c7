/** Bearer tokens on the FHIR API. @see auth.md 8, 15, annex A.3 19, A.12 52, T25 */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { disableAccount } from '../../../src/auth/accounts/administration.ts'
import { secretHash } from '../../../src/auth/secrets.ts'
import { createLaunches } from '../../../src/auth/smart/launches.ts'
import { type LibraryRow, libraryRecords } from '../../../src/auth/server/library-rows.ts'
import { sqliteEngine, testEngines } from '../../support/engines.ts'
import { fakeOnly } from '../../support/fake-time.ts'
import { anAccount, closingAccounts, doctor, origin } from '../accounts-ground.ts'
import { openWithDoctor } from './doctor-ground.ts'
import {
  authorized,
  authorizeUrl,
  Browser,
  closingOauth,
  codeFor,
  keepClient,
  openOauth,
  postForm,
  redeem,
  refresh,
  serve,
} from './oauth-ground.ts'

afterEach(() => void jest.useRealTimers())
closingOauth()
closingAccounts()

for (const engine of testEngines)
  describe(engine.name, () => {
    test('without a token, with another scheme and with a token nobody has, the answer says what to do', async () => {
      const { oauth } = await openWithDoctor(engine)
      expect(await oauth.authenticate(undefined, '192.0.2.7')).toMatchObject({
        ok: false,
        failure: { kind: 'login-needed', challenge: {} },
      })
      for (const text of ['Basic abc', 'Bearer', 'Bearer x', `Bearer ${'x'.repeat(43)}`, 'bearer  a b'])
        expect([text, await oauth.authenticate(text, '192.0.2.8')]).toMatchObject([
          text,
          { failure: { kind: 'token-invalid', challenge: { error: 'invalid_token' } } },
        ])
    })

    test('20 unknown tokens a minute are answered, those of other addresses go on', async () => {
      const { oauth } = await openWithDoctor(engine)
      const ask = async (address: string) => {
        const who = await oauth.authenticate(`Bearer ${'x'.repeat(43)}`, address)
        return who.ok ? '' : who.failure.kind
      }
      const kinds: string[] = []
      for (let n = 0; n < 22; n++) kinds.push(await ask('192.0.2.9'))
      expect(kinds).toEqual([...Array(20).fill('token-invalid'), 'too-many-unknown-tokens', 'too-many-unknown-tokens'])
      expect(await ask('192.0.2.10')).toBe('token-invalid')
    })

    test('an answer is remembered, and forgotten as soon as somebody says that something ended', async () => {
      const { oauth, account } = await openWithDoctor(engine)
      const { tokens } = await authorized(oauth)
      const bearer = `Bearer ${tokens.access_token}`
      await oauth.authenticate(bearer, '192.0.2.7')
      expect(oauth.authenticate(bearer, '192.0.2.7')).not.toBeInstanceOf(Promise)
      await disableAccount(oauth.parts.ground, account.id, 'left', 'cli', origin)
      oauth.authenticate.forget()
      expect(await oauth.authenticate(bearer, '192.0.2.7')).toMatchObject({ failure: { kind: 'token-invalid' } })
    })

    test('A.12 52: a token of another audience, and codes, refresh tokens and sessions in its place, are refused', async () => {
      const { oauth } = await openWithDoctor(engine)
      const browser = new Browser(oauth)
      const { tokens } = await authorized(oauth, { scope: 'openid offline_access patient/*.rs' }, browser)
      const rows = oauth.parts.ground.store.records<LibraryRow>(libraryRecords)
      const kept = await rows.get(secretHash(tokens.access_token))
      if (kept?.value.payload === undefined) throw new Error('no row')
      const code = await codeFor(browser, authorizeUrl(oauth))
      for (const token of [tokens.refresh_token, code])
        expect(await oauth.authenticate(`Bearer ${token}`, '192.0.2.7')).toMatchObject({ failure: { kind: 'token-invalid' } })
      await rows.put({ ...kept.value, payload: { ...kept.value.payload, aud: 'https://other.example/fhir' } })
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ failure: { kind: 'token-invalid' } })
    })

    test('a client with addresses is taken from these alone, also while it is remembered', async () => {
      const { oauth } = await openWithDoctor(engine, { client: { ipAllow: ['192.0.2.0/24'] } })
      const { tokens } = await authorized(oauth)
      const from = (address: string) => oauth.authenticate(`Bearer ${tokens.access_token}`, address)
      expect(await from('198.51.100.1')).toMatchObject({ ok: false })
      expect(await from('192.0.2.7')).toMatchObject({ ok: true })
      expect(await from('198.51.100.1')).toMatchObject({ ok: false })
    })

    test('16: unknown tokens of one address count together, wherever they are brought', async () => {
      const oauth = await openOauth(engine)
      serve(oauth, '/smart/launches', createLaunches(oauth.parts))
      const bring = async (method: string, path: string) => {
        const headers = {
          authorization: `Bearer ${randomBytes(32).toString('base64url')}`,
          'content-type': 'application/x-www-form-urlencoded',
        }
        return fetch(`${oauth.base}${path}`, { method, headers, ...(method === 'POST' ? { body: 'token=x' } : {}) })
      }
      const doors = [
        ['GET', '/oauth/me'],
        ['POST', '/oauth/introspect'],
        ['POST', '/smart/launches'],
      ] as const
      for (let n = 0; n < 18; n++) {
        const [method, path] = doors[n % doors.length] as (typeof doors)[number]
        expect((await bring(method, path)).status).toBe(401)
      }
      const unknown = () => oauth.authenticate(`Bearer ${randomBytes(32).toString('base64url')}`, '192.0.2.7')
      for (const kind of ['token-invalid', 'token-invalid', 'too-many-unknown-tokens'])
        expect(await unknown()).toMatchObject({ failure: { kind } })
      for (const [method, path] of doors) {
        const refused = await bring(method, path)
        expect([path, refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
          path,
          429,
          '30',
          expect.objectContaining({ error: 'temporarily_unavailable' }),
        ])
      }
    })

    test('nor is such a client heard elsewhere: about itself, about tokens, and to start an app', async () => {
      const oauth = await openOauth(engine)
      const scope = 'openid __introspect __launch.create patient/*.rs'
      const given = { scopesAllowed: scope.split(' '), trust: 'first-party' as const }
      await keepClient(oauth, given)
      oauth.pages = { login: await anAccount(oauth.accounts, 'dr-ani', [doctor]), patient: '1' }
      const { tokens } = await authorized(oauth, { scope })
      serve(oauth, '/smart/launches', createLaunches(oauth.parts))
      const headers = { authorization: `Bearer ${tokens.access_token}` }
      const asked = async () => {
        const me = await fetch(`${oauth.base}/oauth/me`, { headers })
        const about = await postForm(oauth, '/oauth/introspect', { token: tokens.access_token }, headers)
        const launch = await fetch(`${oauth.base}/smart/launches`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ clientId: 'app-0001', patient: '1' }),
        })
        return [me.status, about.status, launch.status]
      }
      expect(await asked()).toEqual([200, 200, 201])
      await keepClient(oauth, { ...given, ipAllow: ['203.0.113.0/24'] })
      expect(await asked()).toEqual([401, 401, 401])
    })

    test('a store that is away is said to be away, and nobody is let in or thrown out for it', async () => {
      const { oauth } = await openWithDoctor(engine)
      const { tokens } = await authorized(oauth, { scope: 'openid offline_access patient/*.rs' })
      oauth.store.away = true
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({
        failure: { kind: 'accounts-away', retryAfterSeconds: 5 },
      })
      const refused = await refresh(oauth, tokens.refresh_token ?? '')
      expect([refused.status, refused.body.error, refused.response.headers.get('retry-after')]).toEqual([
        503,
        'temporarily_unavailable',
        '5',
      ])
      oauth.store.away = false
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ ok: true })
      expect((await refresh(oauth, tokens.refresh_token ?? '')).status).toBe(200)
    })

    test('T25: no header decides where links and redirects lead', async () => {
      const { oauth } = await openWithDoctor(engine)
      const { hostname, port, pathname, search } = new URL(authorizeUrl(oauth).url)
      const evil = ['evil.example', 'evil.example:80', 'localhost', `${hostname}:${port}@evil.example`, '[::1]', 'a'.repeat(255)]
      const names = [
        'host',
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-forwarded-port',
        'forwarded',
        'x-original-url',
        'x-rewrite-url',
        'x-forwarded-prefix',
      ]
      for (const name of names)
        for (const value of evil) {
          const headers = { accept: 'text/html', [name]: name === 'forwarded' ? `host=${value}` : value }
          const answer = await new Promise<{ readonly location: string; readonly all: string }>((resolve, reject) => {
            request({ hostname, port, path: `${pathname}${search}`, headers }, res => {
              res.resume()
              resolve({ location: res.headers.location ?? '', all: JSON.stringify(res.headers) })
            })
              .on('error', reject)
              .end()
          })
          expect([name, value, answer.location.startsWith(`${oauth.base}/login/`)]).toEqual([name, value, true])
          expect(answer.all).not.toContain('evil')
        }
    })
  })

describe('time', () => {
  test('A.3 19, A.12 52: a code is good for 60 seconds, a token for 15 minutes, a session for its idle time', async () => {
    const oauth = await openOauth(sqliteEngine)
    await keepClient(oauth)
    oauth.pages = { login: await anAccount(oauth.accounts, 'dr-ani', [doctor]), patient: '1' }
    fakeOnly(['Date'])
    const later = (seconds: number) => jest.setSystemTime(Date.now() + seconds * 1000)
    const browser = new Browser(oauth)
    const late = authorizeUrl(oauth)
    const code = await codeFor(browser, late)
    later(61)
    expect((await redeem(oauth, code, late)).body.error).toBe('invalid_grant')
    const offline = await authorized(oauth, { scope: 'openid offline_access patient/*.rs' }, browser)
    const online = await authorized(oauth, { scope: 'openid online_access patient/*.rs' }, browser)
    later(901)
    for (const { tokens } of [offline, online])
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({
        failure: { kind: 'token-expired', challenge: { error: 'invalid_token' } },
      })
    const again = await refresh(oauth, online.tokens.refresh_token ?? '')
    expect(again.status).toBe(200)
    later(1000)
    expect((await refresh(oauth, again.body.refresh_token ?? '')).body.error).toBe('invalid_grant')
    expect((await refresh(oauth, offline.tokens.refresh_token ?? '')).status).toBe(200)
    later(86_400)
    const stale = await refresh(oauth, offline.tokens.refresh_token ?? '')
    expect(stale.body.error).toBe('invalid_grant')
  })

  test('an app in a browser alone keeps access for a day, one that keeps secrets for 90, unused for 30', async () => {
    const { offlineMs } = await import('../../../src/auth/server/make-grant.ts')
    const { aClient } = await import('./oauth-ground.ts')
    const days = (given: object) => offlineMs(aClient(given)) / 86_400_000
    expect([
      days({}),
      days({ applicationType: 'native' }),
      days({ type: 'symmetric' }),
      days({ requireDpop: true }),
      days({ refreshDays: 200 }),
      days({ refreshDays: 9999 }),
    ]).toEqual([1, 90, 90, 90, 200, 366])
  })
})
