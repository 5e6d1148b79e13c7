/** EHR launch: an application started out of the record. @see auth.md 7.3, annex A.4 */
import { describe, expect, test } from '@jest/globals'
import { grantsOf } from '../../../src/auth/grants/grants.ts'
import { launchRecords } from '../../../src/auth/smart/launch-record.ts'
import { createLaunches } from '../../../src/auth/smart/launches.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor } from '../accounts-ground.ts'
import { openWithDoctor } from './doctor-ground.ts'
import {
  authorizeUrl,
  Browser,
  closingOauth,
  codeFor,
  keepClient,
  type Oauth,
  redeem,
  serve,
  sessionCookie,
  signIn,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

const ehr = { scope: 'launch openid fhirUser offline_access patient/*.rs' }

for (const engine of testEngines)
  describe(engine.name, () => {
    const withDoctor = async () => {
      const { oauth, account } = await openWithDoctor(engine)
      serve(oauth, '/smart/launches', createLaunches(oauth.parts))
      const { cookie } = await signIn(oauth, account)
      return { oauth, account, cookie }
    }

    const launch = async (
      oauth: Oauth,
      cookie: string,
      given: object = {},
      headers: Readonly<Record<string, string>> = { origin: oauth.base },
    ) => {
      const response = await fetch(`${oauth.base}/smart/launches`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie: `${sessionCookie}=${cookie}`, ...headers },
        body: JSON.stringify({ clientId: 'app-0001', patient: '1', ...given }),
      })
      return {
        status: response.status,
        body: (await response.json()) as { readonly launch: string; readonly url: string; readonly error?: string },
      }
    }

    const browserWith = (oauth: Oauth, cookie: string): Browser => {
      const browser = new Browser(oauth)
      browser.cookies.set(`${sessionCookie} /`, { path: '/', value: cookie })
      return browser
    }

    test('A.4 23, 24, 25: the launch URL names the FHIR base, and all context arrives without a picker', async () => {
      const { oauth, cookie } = await withDoctor()
      const shown: string[] = []
      oauth.pages = { seen: ({ prompt }) => shown.push(prompt) }
      const fhirContext = [{ reference: 'Encounter/2', role: 'https://simpul.example/role/compare' }]
      const context = {
        fhirContext,
        intent: 'reconcile',
        needPatientBanner: false,
        smartStyleUrl: `${oauth.base}/smart/styles/x.json`,
        tenant: 'rs-1',
      }
      const made = await launch(oauth, cookie, { encounter: '1', ...context })
      expect(made.status).toBe(201)
      const url = new URL(made.body.url)
      expect(`${url.origin}${url.pathname}`).toBe('https://app.example/launch')
      expect([url.searchParams.get('iss'), url.searchParams.get('launch')]).toEqual([oauth.fhir, made.body.launch])
      const asked = authorizeUrl(oauth, { ...ehr, launch: made.body.launch })
      const { status, body } = await redeem(oauth, await codeFor(browserWith(oauth, cookie), asked), asked)
      expect(status).toBe(200)
      expect(body).toMatchObject({
        patient: '1',
        encounter: '1',
        fhirContext,
        intent: 'reconcile',
        need_patient_banner: false,
        smart_style_url: `${oauth.base}/smart/styles/x.json`,
        tenant: 'rs-1',
        scope: ehr.scope,
      })
      expect(shown).toEqual(['login', 'consent'])
    })

    test('A.4 25: it is good once, for its client, while it lasts', async () => {
      const { oauth, cookie } = await withDoctor()
      await keepClient(oauth, { id: 'app-0002' })
      const { launch: value } = (await launch(oauth, cookie)).body
      const errorOf = async (given: Readonly<Record<string, string>>) =>
        (await browserWith(oauth, cookie).walk(authorizeUrl(oauth, { ...ehr, launch: value, ...given }).url)).location?.searchParams.get(
          'error',
        )
      expect(await errorOf({ client_id: 'app-0002' })).toBe('invalid_request')
      expect(await errorOf({ scope: 'openid patient/*.rs' })).toBe('invalid_scope')
      expect(await errorOf({})).toBeNull()
      expect(await errorOf({})).toBe('invalid_request')
      const old = (await launch(oauth, cookie)).body.launch
      const { secretHash } = await import('../../../src/auth/secrets.ts')
      const kept = await oauth.parts.ground.store.records(launchRecords).get(secretHash(old))
      await oauth.parts.ground.store.records(launchRecords).put({ ...kept?.value, expires: Date.now() - 1 })
      expect(await errorOf({ launch: old })).toBe('invalid_request')
    })

    test('A.4 25: of five agreements with the same launch at the same time one becomes access', async () => {
      const { oauth, account, cookie } = await withDoctor()
      const { launch: value } = (await launch(oauth, cookie)).body
      const browser = browserWith(oauth, cookie)
      oauth.pages = { ticks: () => 'wait' }
      const waiting: string[] = []
      for (let n = 0; n < 5; n++) waiting.push((await browser.walk(authorizeUrl(oauth, { ...ehr, launch: value }).url)).url)
      oauth.pages = {}
      const answers = await Promise.all(waiting.map(at => browser.fetch(at)))
      expect(answers.map(({ status }) => status)).toEqual(waiting.map(() => 303))
      expect(await grantsOf(oauth.parts.ground, account.id, account.epoch)).toHaveLength(1)
    })

    test('A.4 25: one that was used while somebody was at the screen is refused there', async () => {
      const { oauth, cookie } = await withDoctor()
      const { launch: value } = (await launch(oauth, cookie)).body
      const browser = browserWith(oauth, cookie)
      const waiting: string[] = []
      oauth.pages = { ticks: () => 'wait' }
      for (const asked of [authorizeUrl(oauth, { ...ehr, launch: value }), authorizeUrl(oauth, { ...ehr, launch: value })])
        waiting.push((await browser.walk(asked.url)).url)
      oauth.pages = {}
      const answers = []
      for (const at of waiting) answers.push((await browser.walk(at)).location?.searchParams)
      expect(answers.map(answer => [answer?.has('code'), answer?.get('error')])).toEqual([
        [true, null],
        [false, 'invalid_request'],
      ])
    })

    test('A.4 25: a launch of another user asks for that user', async () => {
      const { oauth, account, cookie } = await withDoctor()
      const other = await anAccount(oauth.accounts, 'dr-bagus', [doctor])
      const { launch: value } = (await launch(oauth, cookie)).body
      const again: unknown[] = []
      oauth.pages = { seen: interaction => again.push(interaction.again), login: account }
      const asked = authorizeUrl(oauth, { ...ehr, launch: value })
      const browser = browserWith(oauth, (await signIn(oauth, other)).cookie)
      const { body } = await redeem(oauth, await codeFor(browser, asked), asked)
      expect(body).toMatchObject({ patient: '1' })
      expect(again).toContain('other-user')
    })

    test('what the user may not see, and what does not belong together, starts nothing', async () => {
      const { oauth, cookie } = await withDoctor()
      await keepClient(oauth, { id: 'app-plain', launchUris: [] })
      await keepClient(oauth, { id: 'app-asleep', status: 'suspended' })
      const rows: readonly object[] = [
        { patient: '17' },
        { encounter: '2' },
        { encounter: '17' },
        { clientId: 'app-plain' },
        { clientId: 'app-asleep' },
        { clientId: 'app-gone' },
        { fhirContext: [{ reference: 'Observation/17' }] },
        { fhirContext: [{ reference: 'Patient/1' }] },
        { fhirContext: [{ reference: 'Nonsense/1' }] },
        { fhirContext: 'Observation/1' },
        { needPatientBanner: 'yes' },
        { patient: 1 },
      ]
      for (const given of rows) expect([given, (await launch(oauth, cookie, given)).status]).toEqual([given, 400])
      expect((await launch(oauth, cookie, {}, { origin: 'https://evil.example' })).status).toBe(401)
      expect((await launch(oauth, cookie, {}, {})).status).toBe(401)
      expect((await launch(oauth, 'x'.repeat(43))).status).toBe(401)
    })
  })
