/** Devices without a browser of their own. @see RFC 8628; auth.md 7.7, 15 */
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { fakeOnly } from '../../support/fake-time.ts'
import { type LibraryRow, libraryRecords } from '../../../src/auth/server/library-rows.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor } from '../accounts-ground.ts'
import {
  Browser,
  closingOauth,
  keepClient,
  type Oauth,
  openOauth,
  postForm,
  redeem,
  refresh,
  authorizeUrl,
  type Tokens,
} from './oauth-ground.ts'

afterEach(() => void jest.useRealTimers())
closingOauth()
closingAccounts()

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const scope = 'openid offline_access launch/patient patient/*.rs'
const client_id = 'app-0001'

type Begun = {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
}
type Shown = {
  readonly is: string
  readonly xsrf?: string
  readonly wrong?: string
  readonly code?: string
  readonly typed?: string
  readonly client?: { readonly id: string }
}

for (const engine of testEngines)
  describe(engine.name, () => {
    const opened = async (given = {}) => {
      const oauth = await openOauth(engine)
      await keepClient(oauth, { deviceFlow: true, redirectUris: [], ...given })
      const account = await anAccount(oauth.accounts, 'dr-ani', [doctor])
      oauth.pages = { login: account, patient: '1' }
      return { oauth, account }
    }

    const begin = async (oauth: Oauth, given: Readonly<Record<string, string>> = {}) => {
      const answer = await postForm(oauth, '/oauth/device', { client_id, scope, ...given })
      return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Begun & { readonly error?: string } }
    }

    const poll = async (oauth: Oauth, device_code: string, given: Readonly<Record<string, string>> = {}) => {
      const answer = await postForm(oauth, '/oauth/token', { grant_type: deviceGrant, device_code, client_id, ...given })
      return { status: answer.status, body: (await answer.json()) as Tokens }
    }

    const verifyUrl = ({ base }: Oauth) => `${base}/oauth/device/verify`

    /** A form of the page in hand, as browsers send it, and where it ends. */
    const send = async (browser: Browser, form: Readonly<Record<string, string>>, origin = browser.oauth.base) => {
      const { response, url } = await browser.walk(verifyUrl(browser.oauth), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin },
        body: new URLSearchParams(form).toString(),
      })
      const text = await response.text()
      return { status: response.status, url, text, shown: text.startsWith('{') ? (JSON.parse(text) as Shown) : undefined }
    }

    const open = async (browser: Browser, query = ''): Promise<Shown> => {
      const response = await browser.fetch(`${verifyUrl(browser.oauth)}${query}`)
      return (await response.json()) as Shown
    }

    /** Types the code, confirms it, and goes through everything that follows. */
    const letIn = async (oauth: Oauth, user_code: string, browser = new Browser(oauth)) => {
      const { xsrf = '' } = await open(browser)
      const { shown } = await send(browser, { xsrf, user_code })
      return send(browser, { xsrf: shown?.xsrf ?? '', user_code, confirm: 'yes' })
    }

    test('somebody types the code, sees whom he lets in, signs in, chooses, agrees, and the device has its tokens', async () => {
      const { oauth } = await opened()
      const { status, headers, body } = await begin(oauth)
      expect([status, headers.get('cache-control'), body.expires_in]).toEqual([200, 'no-store', 600])
      expect(body.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
      expect([body.verification_uri, body.verification_uri_complete]).toEqual([
        verifyUrl(oauth),
        `${verifyUrl(oauth)}?user_code=${body.user_code}`,
      ])
      expect((await poll(oauth, body.device_code)).body.error).toBe('authorization_pending')
      const browser = new Browser(oauth)
      const first = await open(browser, `?user_code=${body.user_code}`)
      expect(first).toMatchObject({ is: 'code', typed: body.user_code })
      // As somebody types it: without the line, in small letters.
      const typed = body.user_code.replace('-', ' ').toLowerCase()
      const confirm = (await send(browser, { xsrf: first.xsrf ?? '', user_code: typed })).shown
      expect(confirm).toMatchObject({ is: 'confirm', code: body.user_code, client: { id: client_id } })
      expect((await poll(oauth, body.device_code)).body.error).toBe('authorization_pending')
      const done = await send(browser, { xsrf: confirm?.xsrf ?? '', user_code: body.user_code, confirm: 'yes' })
      expect(done.shown).toEqual({ is: 'done' })
      const tokens = await poll(oauth, body.device_code)
      expect([tokens.status, tokens.body]).toMatchObject([
        200,
        { patient: '1', scope, token_type: 'Bearer', refresh_token: expect.any(String) },
      ])
      expect(await oauth.authenticate(`Bearer ${tokens.body.access_token}`, '192.0.2.7')).toMatchObject({
        ok: true,
        value: { clientId: client_id, launch: { patient: '1' } },
      })
      const renewed = await refresh(oauth, tokens.body.refresh_token ?? '')
      expect([renewed.status, renewed.body.patient]).toEqual([200, '1'])
    })

    test('codes are good once: who comes second gets nothing, and ends what the first got', async () => {
      const { oauth } = await opened()
      const { body } = await begin(oauth)
      await letIn(oauth, body.user_code)
      const first = await poll(oauth, body.device_code)
      expect(await oauth.authenticate(`Bearer ${first.body.access_token}`, '192.0.2.7')).toMatchObject({ ok: true })
      expect((await poll(oauth, body.device_code)).body.error).toBe('invalid_grant')
      oauth.authenticate.forget()
      expect(await oauth.authenticate(`Bearer ${first.body.access_token}`, '192.0.2.7')).toMatchObject({ ok: false })
      const again = new Browser(oauth)
      const { xsrf = '' } = await open(again)
      expect((await send(again, { xsrf, user_code: body.user_code })).shown).toMatchObject({ is: 'code', wrong: 'used' })
    })

    test('of many polls at once one gets tokens at the most, and they are dead', async () => {
      const { oauth } = await opened()
      const { body } = await begin(oauth)
      await letIn(oauth, body.user_code)
      const all = await Promise.all(Array.from({ length: 10 }, () => poll(oauth, body.device_code)))
      const won = all.filter(({ status }) => status === 200)
      // The others may end the grant before the first has his answer.
      expect(won.length).toBeLessThanOrEqual(1)
      for (const { body: tokens } of won)
        expect(await oauth.authenticate(`Bearer ${tokens.access_token}`, '192.0.2.7')).toMatchObject({ ok: false })
      expect(new Set(all.filter(({ status }) => status !== 200).map(one => one.body.error))).toEqual(new Set(['invalid_grant']))
    })

    test('who refuses, at the code or at consent, ends it for the device', async () => {
      const { oauth } = await opened()
      const [one, two] = [(await begin(oauth)).body, (await begin(oauth)).body]
      const browser = new Browser(oauth)
      const { xsrf = '' } = await open(browser)
      expect((await send(browser, { xsrf, user_code: one.user_code, abort: 'yes' })).shown).toEqual({ is: 'refused' })
      expect((await poll(oauth, one.device_code)).body.error).toBe('access_denied')
      oauth.pages = { ...oauth.pages, ticks: () => 'no' }
      expect((await letIn(oauth, two.user_code)).shown).toEqual({ is: 'refused' })
      expect((await poll(oauth, two.device_code)).body.error).toBe('access_denied')
    })

    test('a device that asks too often is told to slow down, until somebody is done', async () => {
      const { oauth } = await opened()
      const polled: string[] = []
      let may = true
      oauth.parts.mayPoll = async code => {
        polled.push(code)
        return may
      }
      const { body } = await begin(oauth)
      expect((await poll(oauth, body.device_code)).body.error).toBe('authorization_pending')
      may = false
      const slow = await poll(oauth, body.device_code)
      expect([slow.status, slow.body.error]).toEqual([400, 'slow_down'])
      expect(polled.some(code => code.includes(body.device_code))).toBe(false)
      await letIn(oauth, body.user_code)
      expect((await poll(oauth, body.device_code)).status).toBe(200)
    })

    test('a code that nobody has, that is none, or that is missing lets nobody further, and may be typed again', async () => {
      const { oauth } = await opened()
      const { body } = await begin(oauth)
      const browser = new Browser(oauth)
      let { xsrf = '' } = await open(browser)
      for (const [user_code, wrong] of [
        ['BBBB-BBBB', 'unknown'],
        ['ABCD-EFGH', 'unknown'],
        ["' OR 1=1 --", 'unknown'],
        ['x'.repeat(5_000), 'unknown'],
        [body.device_code, 'unknown'],
        ['', 'missing'],
      ] as const) {
        const { shown } = await send(browser, { xsrf, user_code })
        expect([user_code.slice(0, 10), shown]).toMatchObject([user_code.slice(0, 10), { is: 'code', wrong }])
        xsrf = shown?.xsrf ?? ''
      }
      expect((await send(browser, { xsrf, user_code: body.user_code })).shown).toMatchObject({ is: 'confirm' })
    })

    test('forms of other pages, and of other browsers, do nothing', async () => {
      const { oauth } = await opened()
      const { body } = await begin(oauth)
      const [mine, other] = [new Browser(oauth), new Browser(oauth)]
      const { xsrf = '' } = await open(mine)
      await open(other)
      expect((await send(mine, { xsrf, user_code: body.user_code, confirm: 'yes' }, 'https://evil.example')).status).toBe(403)
      for (const [browser, form] of [
        [other, { xsrf, user_code: body.user_code, confirm: 'yes' }],
        [mine, { xsrf: 'x', user_code: body.user_code, confirm: 'yes' }],
      ] as const)
        expect((await send(browser, form)).shown).toMatchObject({ is: 'problem', problem: { status: 400 } })
      const nobody = await send(new Browser(oauth), { xsrf, user_code: body.user_code, abort: 'yes' })
      expect([nobody.status, nobody.text]).toEqual([400, 'page invalid_request'])
      expect((await new Browser(oauth).fetch(`${verifyUrl(oauth)}/${'x'.repeat(21)}`)).status).toBe(400)
      expect((await poll(oauth, body.device_code)).body.error).toBe('authorization_pending')
    })

    test('of two who confirm the same code one goes on', async () => {
      const { oauth } = await opened()
      const { body } = await begin(oauth)
      oauth.pages = {}
      const browsers = [new Browser(oauth), new Browser(oauth)]
      const forms = await Promise.all(browsers.map(async browser => ({ browser, xsrf: (await open(browser)).xsrf ?? '' })))
      const all = await Promise.all(forms.map(({ browser, xsrf }) => send(browser, { xsrf, user_code: body.user_code, confirm: 'yes' })))
      expect(all.filter(({ text }) => text === 'login page').length).toBe(1)
    })

    test('a client that did not register it, and one that nobody knows, begin nothing; nor does a launch or another server', async () => {
      const { oauth } = await opened()
      await keepClient(oauth, { id: 'app-0002' })
      const rows: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
        [{ client_id: 'app-0002' }, 'invalid_request'],
        [{ client_id: 'nobody-01' }, 'invalid_client'],
        [{ launch: 'x'.repeat(43), scope: 'launch patient/*.rs' }, 'invalid_request'],
        [{ aud: 'https://other.example/fhir' }, 'invalid_target'],
        [{ scope: 'system/*.rs' }, 'invalid_scope'],
      ]
      for (const [given, error] of rows) expect([given, (await begin(oauth, given)).body.error]).toEqual([given, error])
      expect((await begin(oauth, { aud: oauth.fhir })).status).toBe(200)
      expect((await poll(oauth, 'x'.repeat(43), { client_id: 'app-0002' })).body.error).toBe('unauthorized_client')
    })

    test('a code of another client is nobody’s', async () => {
      const { oauth } = await opened()
      await keepClient(oauth, { id: 'app-0002', deviceFlow: true })
      const { body } = await begin(oauth)
      await letIn(oauth, body.user_code)
      expect((await poll(oauth, body.device_code, { client_id: 'app-0002' })).body.error).toBe('invalid_grant')
    })

    test('a client of devices alone has no way by a browser, and one of both has both', async () => {
      const { oauth } = await opened()
      const asked = authorizeUrl(oauth)
      expect((await new Browser(oauth).walk(asked.url)).response.status).toBe(400)
      await keepClient(oauth, { deviceFlow: true })
      const { location } = await new Browser(oauth).walk(asked.url)
      expect((await redeem(oauth, location?.searchParams.get('code') ?? '', asked)).status).toBe(200)
    })

    test('T11: neither code is in the store, and what is there opens nothing', async () => {
      const { oauth } = await opened()
      const { body } = await begin(oauth)
      oauth.pages = {}
      await letIn(oauth, body.user_code)
      const rows = oauth.accounts.store.records<LibraryRow>(libraryRecords)
      const [kept] = (await rows.range('typed', { limit: 10 })).rows
      const text = JSON.stringify(kept)
      for (const secret of [body.device_code, body.user_code, body.user_code.replace('-', '')]) expect(text).not.toContain(secret)
      for (const device_code of [kept?.key ?? '', `#${kept?.key}`])
        expect((await poll(oauth, device_code)).body.error).toBe('invalid_grant')
    })

    test('an app that demands a key gets tokens bound to it', async () => {
      const { oauth } = await opened({ requireDpop: true })
      const { body } = await begin(oauth)
      await letIn(oauth, body.user_code)
      expect((await poll(oauth, body.device_code)).body.error).toBe('invalid_grant')
    })

    test('after ten minutes the device is told that it is late, and so is who types the code', async () => {
      const { oauth } = await opened()
      const { body } = await begin(oauth)
      fakeOnly(['Date'], Date.now() + 601_000)
      const late = await poll(oauth, body.device_code)
      expect([late.status, late.body.error]).toEqual([400, 'expired_token'])
      const browser = new Browser(oauth)
      const { xsrf = '' } = await open(browser)
      expect((await send(browser, { xsrf, user_code: body.user_code })).shown).toMatchObject({ is: 'code', wrong: 'expired' })
    })

    test('metadata say where devices begin', async () => {
      const { oauth } = await opened()
      const said = (await (await fetch(`${oauth.base}/oauth/.well-known/openid-configuration`)).json()) as Record<string, unknown>
      expect(said).toMatchObject({
        device_authorization_endpoint: `${oauth.base}/oauth/device`,
        grant_types_supported: expect.arrayContaining([deviceGrant]),
      })
    })
  })
