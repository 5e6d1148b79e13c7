/**
 * The code of a device in a real Chromium, with script and without, narrow and wide, in both languages, from the code to the tokens.
 * `SIMPUL_SCREENSHOTS=1` takes the pictures of docs/images/sign-in anew. @see auth.md 7.7, 14
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createSigning } from '../../../src/auth/keys/signing.ts'
import { createDevicePages } from '../../../src/auth/pages/device-pages.ts'
import { createErrorPage } from '../../../src/auth/pages/error-page.ts'
import { createPages } from '../../../src/auth/pages/pages.ts'
import { createAuthorizationServer } from '../../../src/auth/server/authorization-server.ts'
import { ok } from '../../../src/base/outcome.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, goodPassword, patient } from '../accounts-ground.ts'
import { closingOauth, keepClient, type Oauth, openOauth, postForm, serve, type Tokens } from '../server/oauth-ground.ts'

closingOauth()
closingAccounts()

const executablePath = process.env.SIMPUL_TEST_CHROMIUM ?? '/usr/bin/chromium'
const there = existsSync(executablePath)
const pictures = process.env.SIMPUL_SCREENSHOTS === '1'
const folder = join(import.meta.dirname, '../../../docs/images/sign-in')
const pageFaults = readFileSync(join(import.meta.dirname, 'page-faults.js'), 'utf8')
const engine = testEngines[0] as (typeof testEngines)[number]

const opened = async (): Promise<Oauth> => {
  const oauth = await openOauth(engine)
  const { parts } = oauth.accounts
  const accounts = { ...parts, rules: { ...parts.rules, facility: 'RS Sehat Sentosa' } }
  await keepClient(oauth, { name: 'Layar Ruang Tunggu', publisher: 'PT Layar Sehat', deviceFlow: true, redirectUris: [] })
  await anAccount(oauth.accounts, 'siti.aminah', [patient])
  const visits = { accounts, address: oauth.parts.address, forms: createSigning(oauth.accounts.keyring, 'forms') }
  const server = createAuthorizationServer({
    ...oauth.parts,
    renderError: createErrorPage(visits),
    renderDevice: createDevicePages(visits),
  })
  const own = [{ id: '1', name: 'Siti Aminah', birthDate: '1987-04-23' }]
  const pages = createPages({
    ...visits,
    interactions: server.interactions,
    patients: {
      find: async () => ok(own),
      own: async () => ok(own),
      byId: async (_live, id) => ok(own.find(row => row.id === id)),
      encounters: async () => ok([]),
    },
    apps: { list: async () => [], withdraw: async () => ok(false) },
  })
  serve(oauth, '/login', pages.login)
  serve(oauth, '/account', pages.account)
  serve(oauth, '/oauth', server.handler)
  return oauth
}

const picture = async (page: Page, name: string): Promise<void> => {
  if (!pictures) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

const titles = {
  id: { code: 'Hubungkan perangkat', done: 'Perangkat terhubung', refused: 'Perangkat tidak dihubungkan' },
  en: { code: 'Connect a device', done: 'The device is connected', refused: 'The device is not connected' },
} as const

;(there ? describe : describe.skip)('in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  }, 60_000)
  afterAll(async () => browser.close())

  for (const locale of ['id', 'en'] as const)
    for (const width of [320, 1280])
      for (const script of [true, false])
        test(`a code is typed, confirmed and allowed: ${locale}, ${width} px, ${script ? 'with' : 'without'} script`, async () => {
          const oauth = await opened()
          const context = await browser.newContext({
            locale: locale === 'id' ? 'id-ID' : 'en-GB',
            viewport: { width, height: width < 600 ? 720 : 800 },
            javaScriptEnabled: script,
            deviceScaleFactor: 1,
          })
          const page = await context.newPage()
          const errors: string[] = []
          page.on('console', message => {
            if (message.type() === 'error' && !/status of 422/.test(message.text())) errors.push(message.text())
          })
          page.on('pageerror', error => errors.push(String(error)))
          const shot = async (name: string): Promise<void> => {
            if (script) expect([name, await page.evaluate(pageFaults)]).toEqual([name, []])
            expect([name, await page.locator('html').getAttribute('lang')]).toEqual([name, locale])
            if (script && (width === 1280 || (locale === 'id' && name === 'device-confirm')))
              await picture(page, `${name}-${locale}${width === 1280 ? '' : '-narrow'}`)
          }
          const begun = async () => {
            const answer = await postForm(oauth, '/oauth/device', { client_id: 'app-0001', scope: 'launch/patient patient/*.rs' })
            return (await answer.json()) as {
              readonly device_code: string
              readonly user_code: string
              readonly verification_uri: string
              readonly verification_uri_complete: string
            }
          }
          const heading = (): Promise<string> => page.locator('h1').innerText()
          const device = await begun()
          await page.goto(device.verification_uri)
          await page.locator('#user_code').fill('BBBB-BBBB')
          await page.locator('main button.first').click()
          await page.locator('#user_code-error').waitFor()
          await shot('device-wrong')
          await page.goto(device.verification_uri_complete)
          await page.getByRole('button', { name: locale === 'en' ? 'English' : 'Indonesia' }).click()
          expect(page.url()).toBe(device.verification_uri_complete)
          expect([await heading(), await page.locator('#user_code').inputValue()]).toEqual([titles[locale].code, device.user_code])
          await shot('device-code')
          await page.locator('main button.first').click()
          await page.locator('.codes').waitFor()
          expect(await page.locator('.codes').innerText()).toBe(device.user_code)
          await shot('device-confirm')
          await page.locator('main button.first').click()
          await page.locator('#username').fill('siti.aminah')
          await page.locator('#password').fill(goodPassword)
          await page.locator('main button.first').click()
          await page.locator('input[name=allow]').first().waitFor()
          // The account has a language of its own, and keeps the one that is chosen.
          if (locale === 'en') await page.getByRole('button', { name: 'English' }).click()
          await page.locator('input[name=allow]').first().waitFor()
          await page.locator('main button.first').click()
          await page.waitForURL(/\/oauth\/device\/verify\//)
          expect(await heading()).toBe(titles[locale].done)
          await shot('device-done')
          const form = {
            grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
            device_code: device.device_code,
            client_id: 'app-0001',
          }
          const tokens = (await (await postForm(oauth, '/oauth/token', form)).json()) as Tokens
          expect(tokens).toMatchObject({ patient: '1', token_type: 'Bearer' })
          const another = await begun()
          await page.goto(another.verification_uri_complete)
          await page.locator('main button.first').click()
          await page.locator('main button.second').click()
          await page.locator('h1', { hasText: titles[locale].refused }).waitFor()
          await shot('device-refused')
          expect(errors).toEqual([])
          await context.close()
        }, 120_000)
})
