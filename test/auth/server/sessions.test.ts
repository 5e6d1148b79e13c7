/** How authorization hangs on our sessions. @see auth.md 3, 7.2, T16, T17, T11 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { logOutEverywhere } from '../../../src/auth/accounts/administration.ts'
import { accountStoreRecords } from '../../../src/auth/records.ts'
import { isWithin } from '../../../src/auth/scopes/narrow.ts'
import { readScopes } from '../../../src/auth/server/asked-scopes.ts'
import { findSession, logOut } from '../../../src/auth/sessions/sessions.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor, origin } from '../accounts-ground.ts'
import { openWithDoctor } from './doctor-ground.ts'
import {
  aClient,
  authorized,
  authorizeUrl,
  Browser,
  closingOauth,
  codeFor,
  keepClient,
  openOauth,
  redeem,
  refresh,
  sessionCookie,
  signIn,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

for (const engine of testEngines)
  describe(engine.name, () => {
    test('T17: two tabs of one browser open two patients, and neither becomes the other', async () => {
      const { oauth } = await openWithDoctor(engine)
      const browser = new Browser(oauth)
      const [one, other] = [authorizeUrl(oauth, { state: 'one' }), authorizeUrl(oauth, { state: 'two' })]
      const first = await codeFor(browser, one)
      oauth.pages = { ...oauth.pages, patient: '2' }
      const second = await codeFor(browser, other)
      const answers = [await redeem(oauth, first, one), await redeem(oauth, second, other)]
      expect(answers.map(({ body }) => body.patient)).toEqual(['1', '2'])
      for (const [at, { body }] of answers.entries())
        expect(await oauth.authenticate(`Bearer ${body.access_token}`, '192.0.2.7')).toMatchObject({
          value: { launch: { patient: `${at + 1}` } },
        })
    })

    test('T17: also when both wait at the screen at the same time', async () => {
      const { oauth } = await openWithDoctor(engine)
      const browser = new Browser(oauth)
      await authorized(oauth, {}, browser)
      const picked: string[] = []
      const pages = oauth.pages
      oauth.pages = {}
      const waiting = []
      for (const patient of ['1', '2']) {
        const asked = authorizeUrl(oauth)
        waiting.push({ patient, asked, at: (await browser.walk(asked.url)).url })
      }
      for (const { patient, asked, at } of waiting.toReversed()) {
        oauth.pages = { ...pages, patient }
        const { location } = await browser.walk(at)
        const { body } = await redeem(oauth, location?.searchParams.get('code') ?? '', asked)
        picked.push(`${patient} ${body.patient}`)
      }
      expect(picked).toEqual(['2 2', '1 1'])
    })

    test('who is signed in is not asked to sign in again, until the session ends', async () => {
      const { oauth, account } = await openWithDoctor(engine)
      const shown: string[] = []
      oauth.pages = { ...oauth.pages, seen: ({ prompt }) => shown.push(prompt) }
      const browser = new Browser(oauth)
      await authorized(oauth, {}, browser)
      shown.length = 0
      await authorized(oauth, {}, browser)
      expect(shown).toEqual(['select_patient', 'consent'])
      const cookie = browser.cookies.get(`${sessionCookie} /`)?.value ?? ''
      const live = await findSession(oauth.parts.ground, cookie)
      if (live === undefined) throw new Error('no session')
      await logOut(oauth.parts.ground, live, origin)
      shown.length = 0
      await authorized(oauth, {}, browser)
      expect(shown[0]).toBe('login')
      await logOutEverywhere(oauth.parts.ground, account.id, account.id, origin)
      oauth.pages = {}
      expect(await (await browser.walk(authorizeUrl(oauth).url)).response.text()).toBe('login page')
    })

    test('somebody else who signs in with this browser is not taken for the one before', async () => {
      const { oauth } = await openWithDoctor(engine)
      const browser = new Browser(oauth)
      await authorized(oauth, {}, browser)
      const other = await anAccount(oauth.accounts, 'dr-bagus', [doctor])
      browser.cookies.set(`${sessionCookie} /`, { path: '/', value: (await signIn(oauth, other)).cookie })
      const { tokens } = await authorized(oauth, {}, browser)
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ value: { accountId: other.id } })
    })

    test('prompt=login, max_age and acr_values ask for a proof of now', async () => {
      const { oauth, account } = await openWithDoctor(engine)
      const browser = new Browser(oauth)
      oauth.pages = { ...oauth.pages, amr: ['pwd'] }
      await authorized(oauth, {}, browser)
      const rows = [
        [{ prompt: 'login' }, 'login'],
        [{ acr_values: 'urn:simpul:acr:2' }, 'factor'],
        [{ max_age: '0' }, 'login'],
      ] as const
      for (const [given, wanted] of rows) {
        const again: unknown[] = []
        oauth.pages = { patient: '1', seen: ({ prompt, again: how }) => prompt === 'login' && again.push(how) }
        expect(await (await browser.walk(authorizeUrl(oauth, given).url)).response.text()).toBe('login page')
        expect([given, again]).toEqual([given, [wanted]])
      }
      oauth.pages = { patient: '1', login: account, amr: ['pwd', 'otp'] }
      const { tokens } = await authorized(oauth, { acr_values: 'urn:simpul:acr:2', max_age: '300' }, browser)
      expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ value: { acr: 2 } })
    })

    test('a login of this interaction is enough for prompt=login and max_age=0, and the next request asks anew', async () => {
      const { oauth } = await openWithDoctor(engine)
      const browser = new Browser(oauth)
      await authorized(oauth, {}, browser)
      for (const given of [{ prompt: 'login' }, { max_age: '0' }, { prompt: 'login', max_age: '0' }, { max_age: '0' }]) {
        const shown: string[] = []
        oauth.pages = { ...oauth.pages, seen: ({ prompt, again }) => shown.push(again === undefined ? prompt : `${prompt} again`) }
        await authorized(oauth, given, browser)
        expect([given, shown]).toEqual([given, ['login again', 'select_patient', 'consent']])
      }
      const silent = await browser.walk(authorizeUrl(oauth, { max_age: '0', prompt: 'none' }).url)
      expect(silent.location?.searchParams.get('error')).toBe('login_required')
    })

    test('our own applications in the hands of staff need no agreement, and may ask in silence without a patient', async () => {
      const { oauth } = await openWithDoctor(engine, { client: { trust: 'first-party' } })
      const shown: string[] = []
      oauth.pages = { ...oauth.pages, seen: ({ prompt }) => shown.push(prompt) }
      const browser = new Browser(oauth)
      const first = await authorized(oauth, { scope: 'openid user/*.cruds' }, browser)
      expect([shown, first.tokens.scope]).toEqual([['login'], 'openid user/*.cruds'])
      const silent = await authorized(oauth, { scope: 'openid user/*.rs', prompt: 'none' }, browser)
      expect(silent.tokens.scope).toBe('openid user/*.rs')
      const withPatient = await browser.walk(authorizeUrl(oauth, { scope: 'openid patient/*.rs', prompt: 'none' }).url)
      expect(withPatient.location?.searchParams.get('error')).toBe('interaction_required')
      shown.length = 0
      expect((await authorized(oauth, { scope: 'openid patient/*.rs' }, browser)).tokens.patient).toBe('1')
      expect(shown).toEqual(['select_patient'])
      shown.length = 0
      await authorized(oauth, { scope: 'openid offline_access user/*.rs' }, browser)
      expect(shown).toEqual(['consent'])
    })

    test('an interaction belongs to its browser, and to whoever began it', async () => {
      const { oauth } = await openWithDoctor(engine)
      oauth.pages = {}
      const asked = authorizeUrl(oauth)
      const at = (await new Browser(oauth).walk(asked.url)).url
      expect((await new Browser(oauth).fetch(at)).status).toBe(404)
    })

    test('T11: a dump of the store holds no token, code, cookie or launch that could be used', async () => {
      const { oauth } = await openWithDoctor(engine)
      const browser = new Browser(oauth)
      const done = await authorized(oauth, { scope: 'openid offline_access patient/*.rs' }, browser)
      const next = await refresh(oauth, done.tokens.refresh_token ?? '')
      const spare = await codeFor(browser, authorizeUrl(oauth))
      oauth.pages = {}
      await browser.walk(authorizeUrl(oauth).url)
      const secrets = [
        done.tokens.access_token,
        done.tokens.refresh_token,
        next.body.access_token,
        next.body.refresh_token,
        spare,
        done.code,
      ]
      const cookies = [...browser.cookies].filter(([name]) => !name.includes('.sig')).map(([, { value }]) => value)
      let dump = ''
      for (const definition of accountStoreRecords)
        dump += JSON.stringify((await oauth.accounts.store.records(definition).range('key', { limit: 1000 })).rows)
      expect(dump).toContain('AuthorizationCode')
      expect(cookies.length).toBeGreaterThan(2)
      for (const secret of [...secrets, ...cookies]) expect(dump.includes(secret ?? '-')).toBe(false)
    })
  })

describe('T16: scopes', () => {
  test('what a token has was asked, is registered, can be used by the roles and was ticked', async () => {
    const [engine] = testEngines
    if (engine === undefined) return
    const oauth = await openOauth(engine)
    const account = await anAccount(oauth.accounts, 'dr-ani', [doctor])
    const browser = new Browser(oauth)
    oauth.pages = { login: account, patient: '1' }
    await keepClient(oauth)
    await authorized(oauth, {}, browser)
    const pool = [
      'openid',
      'fhirUser',
      'user/*.cruds',
      'user/*.rs',
      'user/Observation.rs',
      'user/Condition.cruds',
      'user/Account.cruds',
      'patient/*.rs',
      'patient/Observation.rs?category=laboratory',
      'system/*.rs',
      '__admin',
      'nonsense',
    ]
    const lists = fc.subarray(pool, { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(lists, lists, lists, async (asked, registered, ticked) => {
        const client = await keepClient(oauth, { scopesAllowed: registered })
        oauth.pages = { login: account, patient: '1', ticks: () => ticked }
        const request = authorizeUrl(oauth, { scope: asked.join(' ') })
        const { location } = await browser.walk(request.url)
        const code = location?.searchParams.get('code')
        if (code === null || code === undefined) return
        const { body } = await redeem(oauth, code, request)
        const read = (scopes: readonly string[]) => readScopes(oauth.parts, aClient(), scopes.join(' '))
        const given = read(body.scope.split(' '))
        expect(given.length).toBeGreaterThan(0)
        for (const bound of [asked, client.scopesAllowed, ticked]) expect(isWithin(given, read(bound))).toBe(true)
        expect(body.scope).not.toMatch(/system|__admin|nonsense|Account/)
      }),
      { numRuns: 25 },
    )
  })
})
