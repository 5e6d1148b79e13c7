/**
 * `fhirclient` in a real Chromium, on a page of another origin, against a whole server on both engines: a standalone launch in which a doctor chooses a patient
 * and agrees, a launch out of the record, and what an app does then. @see auth.md 7, 9.4, annex A.3, A.4
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { testEngines } from '../support/engines.ts'
import { type Clinic, openClinic, type Person } from './clinic.ts'

const executablePath = process.env.SIMPUL_TEST_CHROMIUM ?? '/usr/bin/chromium'
const there = existsSync(executablePath)
/** What is wrong with the page in hand: an expression that a browser evaluates. */
const pageFaults = readFileSync(join(import.meta.dirname, '../auth/pages/page-faults.js'), 'utf8')

test('there is a browser to test with', () => {
  if (!there) console.warn(`No Chromium at ${executablePath}: fhirclient was not tried in a browser (SIMPUL_TEST_CHROMIUM).`)
  expect(there || process.env.CI !== 'true').toBe(true)
})

/** What an app has to say of itself; a page is text to the server that serves it. */
const page = (script: string): string =>
  `<!doctype html><html lang="en"><title>Grafik</title><link rel="icon" href="data:,"><script src="/fhir-client.js"></script><script>${script}</script>`

const standaloneScope = 'openid fhirUser offline_access launch/patient patient/*.cruds'
const launchScope = 'openid fhirUser online_access launch patient/*.rs user/Practitioner.rs'

const someOf = there ? describe : describe.skip

for (const engine of testEngines)
  someOf(`fhirclient in a browser (${engine.name})`, () => {
    let clinic: Clinic
    let browser: Browser
    const contexts: BrowserContext[] = []
    /** What browsers said where they came from, when an app was launched. */
    const referrers: (string | undefined)[] = []

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
      clinic = await openClinic(engine, app => ({
        app: {
          name: 'Grafik Tumbuh',
          publisher: 'Contoh Aplikasi',
          type: 'public',
          development: true,
          redirectUris: [`${app}/app`],
          launchUris: [`${app}/launch`],
          allowedOrigins: [app],
          scopesAllowed: [...new Set(`${standaloneScope} ${launchScope} launch/encounter`.split(' '))],
          offline: true,
        },
        direct: {
          name: 'Jadwal Imunisasi',
          type: 'public',
          development: true,
          redirectUris: [`${app}/app`],
          launchUris: [`${app}/elsewhere`],
          scopesAllowed: ['launch', 'patient/*.rs'],
        },
      }))
      const asks = (scope: string, more: object = {}) =>
        `FHIR.oauth2.authorize(${JSON.stringify({ clientId: clinic.client('app').id, scope, redirectUri: `${clinic.app}/app`, ...more })})`
      const scripts: Readonly<Record<string, string>> = {
        '/standalone': asks(standaloneScope, { iss: clinic.fhir }),
        '/launch': asks(launchScope),
        '/app': 'FHIR.oauth2.ready().then(client => { window.client = client }, error => { window.failed = String(error) })',
        '/elsewhere': '',
      }
      for (const [path, script] of Object.entries(scripts))
        clinic.pages.set(path, (req, res) => {
          if (path === '/launch' || path === '/elsewhere') referrers.push(req.headers.referer)
          res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(script))
        })
    }, 120_000)
    afterAll(async () => {
      for (const context of contexts) await context.close()
      await browser?.close()
      await clinic?.[Symbol.asyncDispose]()
    })

    const openWindow = async (): Promise<{ readonly context: BrowserContext; readonly window: Page; readonly errors: string[] }> => {
      const context = await browser.newContext({ locale: 'en-GB' })
      contexts.push(context)
      const window = await context.newPage()
      const errors: string[] = []
      window.on('console', message => void (message.type() === 'error' && errors.push(message.text())))
      window.on('pageerror', error => errors.push(String(error)))
      return { context, window, errors }
    }

    const signIn = async (window: Page, { username, password, backupCodes }: Person): Promise<void> => {
      await window.locator('#username').fill(username)
      await window.locator('#password').fill(password)
      await window.locator('main button.first').click()
      await window.locator('#code').fill(backupCodes.pop() ?? '')
      await window.locator('main button.first').click()
    }
    const allow = async (window: Page): Promise<void> => {
      await window.locator('input[name=allow]').first().waitFor()
      await window.locator('main button.first').click()
      await arrived(window)
    }
    const arrived = async (window: Page): Promise<void> => {
      await window.waitForURL(url => url.href.startsWith(`${clinic.app}/app`))
      await window.waitForFunction('window.client ?? window.failed')
      expect(await window.evaluate('window.failed')).toBeUndefined()
    }
    /** As the app's own code would. */
    const asApp = <T>(window: Page, script: string): Promise<T> => window.evaluate(`(async () => ${script})()`) as Promise<T>

    test('A.3 11, A.3 13, A.3 18, A.3 20, A.5 31, A.6 32: a doctor starts an app, chooses a patient and agrees; it reads, pages, creates and renews', async () => {
      const { window, errors } = await openWindow()
      await window.goto(`${clinic.app}/standalone`)
      await signIn(window, clinic.doctor)
      await window.locator('#text').fill('Budi')
      await window.locator('search button').click()
      await window.locator('.choice').first().waitFor()
      // Another patient of the same name has never been here.
      expect(await window.locator('.choice').count()).toBe(1)
      await window.locator('.choice').first().click()
      await allow(window)

      expect(await asApp(window, 'client.patient.id')).toBe('budi')
      expect(await asApp(window, 'client.patient.read()')).toMatchObject({ name: [{ text: 'Budi Santoso' }] })
      expect(await asApp(window, 'client.user.read()')).toMatchObject({ resourceType: 'Practitioner', id: 'sari' })
      const found = await asApp<readonly { readonly id: string }[]>(
        window,
        `client.request('Observation?patient=budi&category=vital-signs&_sort=_id&_count=2', { pageLimit: 0, flat: true })`,
      )
      expect(found.map(({ id }) => id)).toEqual(['berat-0', 'berat-1', 'berat-2', 'berat-3', 'berat-4'])
      const made = await asApp<{ readonly id: string; readonly meta: { readonly versionId: string } }>(
        window,
        `client.create({ resourceType: 'Observation', status: 'final', code: { text: 'Berat' }, subject: { reference: 'Patient/budi' } })`,
      )
      expect(made.meta.versionId).toBe('1')
      const [before, after] = await asApp<readonly string[]>(
        window,
        `[client.state.tokenResponse.access_token, (await client.refresh()).tokenResponse.access_token]`,
      )
      expect(after).not.toBe(before)
      expect(await asApp(window, `client.request('Observation/${made.id}')`)).toMatchObject({ id: made.id })
      expect(errors).toEqual([])
    }, 60_000)

    test('A.3 21: whoever refuses comes back to the app, which is told', async () => {
      const { window } = await openWindow()
      await window.goto(`${clinic.app}/standalone`)
      await signIn(window, clinic.doctor)
      await window.locator('#text').fill('Budi')
      await window.locator('search button').click()
      await window.locator('.choice').first().click()
      await window.locator('button[name=refuse]').click()
      await window.waitForURL(url => url.href.startsWith(`${clinic.app}/app`))
      expect(new URL(window.url()).searchParams.get('error')).toBe('access_denied')
    }, 60_000)

    test('A.4 23, A.4 24, A.4 25: a doctor opens the app out of the record; patient, encounter and banner arrive without a picker', async () => {
      const { context, window, errors } = await openWindow()
      await window.goto(`${clinic.base}/login`)
      await signIn(window, clinic.doctor)
      await window.waitForURL(`${clinic.base}/account`)
      const launched = await context.request.post(`${clinic.base}/smart/launches`, {
        headers: { origin: clinic.base },
        data: {
          clientId: clinic.client('app').id,
          patient: 'budi',
          encounter: 'kunjungan',
          intent: 'reconcile-medications',
          needPatientBanner: false,
          fhirContext: [{ reference: 'Observation/lab-1' }],
        },
      })
      expect(launched.status()).toBe(201)
      const { url, launch } = (await launched.json()) as { readonly url: string; readonly launch: string }
      expect([...new URL(url).searchParams]).toEqual([
        ['iss', clinic.fhir],
        ['launch', launch],
      ])
      await window.goto(url)
      await allow(window)
      expect(await asApp(window, '[client.patient.id, client.encounter.id]')).toEqual(['budi', 'kunjungan'])
      expect(await asApp(window, 'client.state.tokenResponse')).toMatchObject({
        need_patient_banner: false,
        intent: 'reconcile-medications',
        fhirContext: [{ reference: 'Observation/lab-1' }],
      })
      expect(await asApp(window, 'client.patient.read()')).toMatchObject({ id: 'budi' })
      expect(await asApp(window, 'client.encounter.read()')).toMatchObject({ id: 'kunjungan' })
      expect(errors).toEqual([])
      // Good once.
      await window.goto(url)
      await window.waitForURL(at => at.href.startsWith(`${clinic.app}/app?`))
      expect(new URL(window.url()).searchParams.get('error')).toBe('invalid_request')
    }, 60_000)

    test('A.4 23, A.4 24, A.4 25: a doctor opens the app from the page Apps, for a patient and a visit; nothing of it stands in an address of ours', async () => {
      const { window, errors } = await openWindow()
      const addresses: string[] = []
      window.on('framenavigated', frame => void addresses.push(frame.url()))
      await window.goto(`${clinic.base}/login`)
      await signIn(window, clinic.doctor)
      await window.waitForURL(`${clinic.base}/account`)
      await window.goto(`${clinic.base}/account/apps`)
      const sound = async (): Promise<void> => expect(await window.evaluate(pageFaults)).toEqual([])
      await sound()
      await window.getByRole('button', { name: 'Grafik Tumbuh' }).click()
      await window.locator('#text').fill('Budi')
      await sound()
      await window.locator('search button').click()
      await window.getByRole('button', { name: 'Budi Santoso' }).click()
      await window.locator('.choice[name=encounter]').waitFor()
      await sound()
      await window.locator('.choice[name=encounter]').click()
      await allow(window)
      expect(await asApp(window, '[client.patient.id, client.encounter.id]')).toEqual(['budi', 'kunjungan'])
      expect(await asApp(window, 'client.patient.read()')).toMatchObject({ id: 'budi' })
      expect(referrers.at(-1)).toBeUndefined()
      const ours = addresses.filter(at => at.startsWith(`${clinic.base}/account`))
      expect([ours.length > 3, ours.filter(at => /budi|kunjungan|launch=/i.test(at))]).toEqual([true, []])
      expect(errors).toEqual([])
    }, 60_000)

    test('A.4 23: a patient opens the app for himself, chooses nobody, and goes on without a visit', async () => {
      const { window, errors } = await openWindow()
      await window.goto(`${clinic.base}/login`)
      await window.locator('#username').fill(clinic.patient.username)
      await window.locator('#password').fill(clinic.patient.password)
      await window.locator('main button.first').click()
      await window.waitForURL(`${clinic.base}/account`)
      await window.goto(`${clinic.base}/account/apps`)
      await window.getByRole('button', { name: 'Grafik Tumbuh' }).click()
      await window.locator('main button.second').click()
      await allow(window)
      expect(await asApp(window, '[client.patient.id, client.encounter.id]')).toEqual(['budi', null])
      // Nothing to choose: the list itself leads to the app.
      await window.goto(`${clinic.base}/account/apps`)
      await window.getByRole('button', { name: 'Jadwal Imunisasi' }).click()
      await window.waitForURL(at => at.href.startsWith(`${clinic.app}/elsewhere?iss=`))
      expect([new URL(window.url()).searchParams.has('launch'), referrers.at(-1)]).toEqual([true, undefined])
      expect(errors).toEqual([])
    }, 60_000)

    test('a page of another origin reads nothing, even with a token', async () => {
      const { window } = await openWindow()
      await window.goto(`${clinic.app.replace('localhost', '127.0.0.1')}/elsewhere`)
      const asked = `fetch('${clinic.fhir}/Patient/budi', { headers: { authorization: 'Bearer x' } }).then(() => 'heard', error => error.name)`
      expect(await asApp(window, asked)).toBe('TypeError')
      expect(await asApp(window, `fetch('${clinic.fhir}/metadata').then(answer => answer.status)`)).toBe(200)
    }, 30_000)
  })
