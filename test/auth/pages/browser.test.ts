/**
 * Sign-in and consent in a real Chromium, with script and without, narrow and wide, in both languages: no console errors, nothing wider than the window,
 * labels, headings and targets as WCAG 2.2 AA asks. `SIMPUL_SCREENSHOTS=1` takes the pictures of docs/images/sign-in anew. @see auth.md 14
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor, goodPassword, withFactor } from '../accounts-ground.ts'
import { closingServers, openPages, type PagesGround, scopesOf, uid, waiting } from './pages-ground.ts'

closingServers()
closingAccounts()

const executablePath = process.env.SIMPUL_TEST_CHROMIUM ?? '/usr/bin/chromium'
const there = existsSync(executablePath)
const pictures = process.env.SIMPUL_SCREENSHOTS === '1'
const folder = join(import.meta.dirname, '../../../docs/images/sign-in')
/** What is wrong with the page in hand: an expression that a browser evaluates. */
const pageFaults = readFileSync(join(import.meta.dirname, 'page-faults.js'), 'utf8')
const engine = testEngines[0] as (typeof testEngines)[number]

test('there is a browser to test with', () => {
  if (!there) console.warn(`No Chromium at ${executablePath}: the pages of sign-in were not tried in a browser (SIMPUL_TEST_CHROMIUM).`)
  expect(there || process.env.CI !== 'true').toBe(true)
})

let browser: Browser
const contexts: BrowserContext[] = []

const openWindow = async (
  locale: 'id' | 'en',
  width: number,
  script: boolean,
  dark = false,
): Promise<{ readonly page: Page; readonly errors: string[] }> => {
  const context = await browser.newContext({
    locale: locale === 'id' ? 'id-ID' : 'en-GB',
    viewport: { width, height: width < 600 ? 720 : 800 },
    javaScriptEnabled: script,
    colorScheme: dark ? 'dark' : 'light',
    deviceScaleFactor: 1,
  })
  contexts.push(context)
  const page = await context.newPage()
  const errors: string[] = []
  // A form that is refused answers 422, which the console counts as an error of the network.
  page.on('console', message => {
    if (message.type() === 'error' && !/status of 4(?:22|03)/.test(message.text())) errors.push(message.text())
  })
  page.on('pageerror', error => errors.push(String(error)))
  return { page, errors }
}

/** Chromium cannot run scripts of a test where script is off, so that what is looked at is looked at with it. */
const check = async (page: Page, script: boolean): Promise<void> => {
  if (script)
    expect([page.url().replace(/^.*?\/(?=login|account)/, '/'), await page.evaluate(pageFaults)]).toEqual([expect.any(String), []])
}

const picture = async (page: Page, name: string): Promise<void> => {
  if (!pictures) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

const patients = [
  { id: '1', name: 'Budi Santoso', birthDate: '1987-04-23', recordNumber: '00-12-34-56', gender: 'male' as const },
  { id: '2', name: 'Budi Hartono', birthDate: '1961-11-02', recordNumber: '00-98-76-54', gender: 'male' as const },
]

const scopes =
  'openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory patient/Condition.rs patient/MedicationRequest.cruds patient/Condition.rs?_security=http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY'

type World = { readonly world: PagesGround; readonly code: () => string }

const openWorld = async (): Promise<World> => {
  const world = await openPages(engine, { facility: 'RS Sehat Sentosa' })
  const account = await anAccount(world.accounts, 'dr.wulan', [doctor])
  const { code } = await withFactor(world.accounts, account.id)
  world.patients = patients
  world.apps = [
    {
      grant: 'g1',
      name: 'Grafik Tumbuh',
      publisher: 'PT Aplikasi Sehat',
      scopes: scopesOf('patient/Observation.rs'),
      patient: '1',
      since: world.accounts.clock.now,
    },
  ]
  return { world, code }
}

/** English and Indonesian by the button, for the account keeps what is chosen. */
const languageButton = { id: 'Indonesia', en: 'English' } as const

;(there ? describe : describe.skip)('in Chromium', () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  }, 60_000)
  afterAll(async () => {
    for (const context of contexts) await context.close()
    await browser.close()
  })

  for (const locale of ['id', 'en'] as const)
    for (const width of [320, 1280])
      for (const script of [true, false])
        test(`login, code, patient and consent: ${locale}, ${width} px, ${script ? 'with' : 'without'} script`, async () => {
          const { world, code } = await openWorld()
          const { page, errors } = await openWindow(locale, width, script)
          const wide = width === 1280 && script
          const shot = async (name: string): Promise<void> => {
            await check(page, script)
            if (wide || (script && locale === 'id' && ['login', 'consent'].includes(name)))
              await picture(page, `${name}-${locale}${wide ? '' : '-narrow'}`)
          }
          await page.goto(
            `${world.base}${waiting(world, { scopes, asksProtected: true, offlineUntil: world.accounts.clock.now + 90 * 86_400_000, uiLocales: locale })}`,
          )
          await shot('login')
          await page.locator('#username').fill('dr.wulan')
          await page.locator('#password').fill('not the password')
          await page.locator('main button.first').click()
          await page.locator('.notice.bad').waitFor()
          await check(page, script)
          await page.locator('#password').fill(goodPassword)
          await page.locator('main button.first').click()
          await page.locator('#code').waitFor()
          await shot('code')
          await page.locator('#code').fill(code())
          await page.locator('main button.first').click()
          await page.locator('#text').waitFor()
          if (locale === 'en') await page.getByRole('button', { name: languageButton[locale] }).click()
          await page.locator('#text').fill('budi')
          await page.locator('search button').click()
          await page.locator('.choice').first().waitFor()
          await shot('picker')
          await page.locator('.choice').first().click()
          await page.locator('input[name=allow]').first().waitFor()
          await shot('consent')
          expect(await page.locator('html').getAttribute('lang')).toBe(locale)
          await page.locator('input[name=allow]').first().uncheck()
          await page.locator('main button.first').click()
          await page.waitForURL(`${world.app}?code=c`)
          expect(world.told.map(([what]) => what)).toEqual(['loggedIn', 'patient', 'allowed'])
          await page.goto(`${world.base}/account/security`)
          await shot('security')
          for (const path of ['/account', '/account/apps', '/account/security/password', '/account/emergency/1']) {
            await page.goto(`${world.base}${path}`)
            await check(page, script)
          }
          expect(errors).toEqual([])
        }, 120_000)

  for (const [locale, width, script] of [
    ['id', 1280, true],
    ['en', 1280, true],
    ['id', 320, true],
    ['en', 320, false],
  ] as const)
    test(`emergency access for an application, by keyboard: ${locale}, ${width} px, ${script ? 'with' : 'without'} script`, async () => {
      const { world, code } = await openWorld()
      const { page, errors } = await openWindow(locale, width, script)
      await page.goto(`${world.base}/login`)
      await page.locator('#username').fill('dr.wulan')
      await page.locator('#password').fill(goodPassword)
      await page.locator('main button.first').click()
      await page.locator('#code').fill(code())
      await page.locator('main button.first').click()
      await page.waitForURL(`${world.base}/account`)
      waiting(world, { prompt: 'emergency', patient: '1', scopes: 'openid launch patient/*.rs', uiLocales: locale })
      await page.goto(`${world.base}/login/${uid}`)
      if (locale === 'en') await page.getByRole('button', { name: languageButton[locale] }).click()
      await page.locator('#words').waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe(locale)
      await check(page, script)
      if (script) await picture(page, `emergency-${locale}${width === 1280 ? '' : '-narrow'}`)
      const fill = async (words: string): Promise<void> => {
        await page.locator('main').focus()
        await page.keyboard.press('Tab')
        await page.keyboard.press('Space')
        await page.keyboard.press('Tab')
        await page.keyboard.press('ControlOrMeta+A')
        await page.keyboard.type(words)
        await page.keyboard.press('Tab')
        await page.keyboard.press('Enter')
      }
      // Spaces the browser counts, and the server does not.
      await fill(`gawat${' '.repeat(20)}`)
      await page.locator('#words-error').waitFor()
      await check(page, script)
      await fill('Pasien tidak sadar di UGD, riwayat obat diperlukan.')
      await page.locator('input[name=allow]').first().waitFor()
      expect([world.told.at(-1), world.emergency?.patient]).toEqual([['emergency', true], '1'])
      waiting(world, { prompt: 'emergency', patient: '1', scopes: 'openid launch patient/*.rs' })
      await page.goto(`${world.base}/login/${uid}`)
      await page.locator('button[formaction$="/without"]').click()
      await page.locator('input[name=allow]').first().waitFor()
      expect(world.told.at(-1)).toEqual(['emergency', false])
      expect(errors).toEqual([])
    }, 120_000)

  test('an authenticator app is set up, in the dark', async () => {
    const { world, code } = await openWorld()
    const { page, errors } = await openWindow('id', 1280, true, true)
    await page.goto(`${world.base}/login?next=/account/security/factor`)
    await page.locator('#username').fill('dr.wulan')
    await page.locator('#password').fill(goodPassword)
    await page.locator('main button.first').click()
    await page.locator('#code').fill(code())
    await page.locator('main button.first').click()
    await page.locator('.qr').waitFor()
    await check(page, true)
    await picture(page, 'enrolment-id-dark')
    expect(errors).toEqual([])
  }, 60_000)

  test('script adds comfort: a password is shown on demand, and a kind of data stands in for all', async () => {
    const { world } = await openWorld()
    const { page, errors } = await openWindow('en', 1280, true)
    await page.goto(`${world.base}/login`)
    await page.locator('#password').fill('visible words')
    await page.getByRole('button', { name: 'Show' }).click()
    expect(await page.locator('#password').getAttribute('type')).toBe('text')
    await page.locator('#password').fill(goodPassword)
    await anAccount(world.accounts, 'siti.aminah')
    await page.locator('#username').fill('siti.aminah')
    await page.locator('main button.first').click()
    await page.locator('h1').waitFor()
    waiting(world, { prompt: 'consent', scopes: 'patient/*.rs', patient: '1' })
    await page.goto(`${world.base}/login/${uid}`)
    await page.locator('summary').click()
    await page.locator('input[data-instead-of]').first().check()
    expect(await page.locator('#box1').isChecked()).toBe(false)
    await page.locator('main button.first').click()
    await page.waitForURL(`${world.app}?code=c`)
    expect(world.told.at(-1)).toEqual(['allowed', ['patient/Patient.rs']])
    expect(errors).toEqual([])
  }, 60_000)

  test('two minutes before the end of a session the page asks; the button stays signed in', async () => {
    const { world } = await openWorld()
    await anAccount(world.accounts, 'siti.aminah')
    const { page, errors } = await openWindow('en', 1280, true)
    await page.clock.install()
    await page.goto(`${world.base}/login`)
    await page.locator('#username').fill('siti.aminah')
    await page.locator('#password').fill(goodPassword)
    await page.locator('main button.first').click()
    await page.waitForURL(`${world.base}/account`)
    await page.clock.fastForward(28 * 60_000 + 5_000)
    await Promise.all([page.waitForEvent('load'), page.locator('#idle button').click()])
    world.accounts.clock.now += 31 * 60_000
    await page.clock.fastForward(31 * 60_000)
    await page.waitForURL(/\/login\?why=session/)
    expect(errors).toEqual([])
  }, 60_000)
})
