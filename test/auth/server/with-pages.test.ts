/** The authorization server and the pages of sign-in together, through a browser without script. @see auth.md 7.2, annex A.3, A.4 */
import { describe, expect, test } from '@jest/globals'
import { createSigning } from '../../../src/auth/keys/signing.ts'
import { createErrorPage } from '../../../src/auth/pages/error-page.ts'
import { createPages } from '../../../src/auth/pages/pages.ts'
import { createAuthorizationServer } from '../../../src/auth/server/authorization-server.ts'
import { ok } from '../../../src/base/outcome.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor, goodPassword, patient, withFactor } from '../accounts-ground.ts'
import { formOf, titleOf } from '../pages/pages-ground.ts'
import { authorizeUrl, Browser, closingOauth, keepClient, openOauth, redeem, serve } from './oauth-ground.ts'

closingOauth()
closingAccounts()

/** Fills the form on the page in hand. */
const send = (
  browser: Browser,
  page: { readonly text: string; readonly url: string },
  action: string,
  values: Readonly<Record<string, string>> = {},
) => {
  const path = new URL(page.url).pathname
  const form = new URLSearchParams(formOf(page.text, `${path}${action}`))
  for (const [name, value] of Object.entries(values)) form.set(name, value)
  return walk(browser, `${new URL(page.url).origin}${path}${action}`, {
    method: 'POST',
    body: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(page.url).origin },
  })
}

const walk = async (browser: Browser, url: string, init: RequestInit = {}) => {
  const { response, location, url: at } = await browser.walk(url, init)
  return { text: await response.text(), url: at, location }
}

for (const engine of testEngines)
  describe(engine.name, () => {
    const withPages = async () => {
      const oauth = await openOauth(engine)
      await keepClient(oauth)
      const { accounts, address } = { accounts: oauth.accounts.parts, address: oauth.parts.address }
      const visits = { accounts, address, forms: createSigning(oauth.accounts.keyring, 'forms') }
      const server = createAuthorizationServer({ ...oauth.parts, renderError: createErrorPage(visits) })
      const patients = [{ id: '1', name: 'Siti Aminah', birthDate: '1987-04-23' }]
      const pages = createPages({
        ...visits,
        interactions: server.interactions,
        patients: {
          find: async () => ok(patients),
          own: async () => ok(patients),
          byId: async (_live, id) => ok(patients.find(row => row.id === id)),
          encounters: async () => ok([]),
        },
        apps: { list: async () => [], withdraw: async () => ok(false) },
      })
      serve(oauth, '/login', pages.login)
      serve(oauth, '/account', pages.account)
      serve(oauth, '/oauth', server.handler)
      return oauth
    }

    test('A.3 11: a patient signs in, agrees, and the application has a token', async () => {
      const oauth = await withPages()
      await anAccount(oauth.accounts, 'siti.aminah', [patient])
      const browser = new Browser(oauth)
      const asked = authorizeUrl(oauth)
      const login = await walk(browser, asked.url)
      expect(login.url).toMatch(/\/login\/[\w-]+$/)
      const consent = await send(browser, login, '', { username: 'siti.aminah', password: goodPassword })
      const allow = /action="([^"]*\/consent)"/.exec(consent.text)?.[1]
      expect([titleOf(consent.text), allow]).toEqual([expect.stringContaining('Growth Chart'), `${new URL(consent.url).pathname}/consent`])
      const done = await send(browser, consent, '/consent')
      expect(done.location?.origin).toBe('https://app.example')
      const { status, body } = await redeem(oauth, done.location?.searchParams.get('code') ?? '', asked)
      expect([status, body.patient]).toEqual([200, '1'])
      expect(body.scope).toContain('openid')
    })

    test('specially protected data is open to an application only when it was ticked', async () => {
      const rows: readonly (readonly [ticked: Readonly<Record<string, string>>, max: readonly string[]])[] = [
        [{}, ['N']],
        [{ allow: 'protected' }, ['R']],
      ]
      for (const [ticked, max] of rows) {
        const oauth = await withPages()
        await anAccount(oauth.accounts, 'siti.aminah', [patient])
        const browser = new Browser(oauth)
        const asked = authorizeUrl(oauth)
        const login = await walk(browser, asked.url)
        const consent = await send(browser, login, '', { username: 'siti.aminah', password: goodPassword })
        const path = new URL(consent.url).pathname
        const form = new URLSearchParams(formOf(consent.text, `${path}/consent`))
        for (const [name, value] of Object.entries(ticked)) form.append(name, value)
        const { origin } = new URL(consent.url)
        const headers = { 'content-type': 'application/x-www-form-urlencoded', origin }
        const done = await walk(browser, `${origin}${path}/consent`, { method: 'POST', body: form.toString(), headers })
        const { body } = await redeem(oauth, done.location?.searchParams.get('code') ?? '', asked)
        const principal = await oauth.authenticate(`Bearer ${body.access_token}`, '192.0.2.7')
        if (!principal.ok) throw new Error(principal.failure.kind)
        expect(principal.value.clearance.self.map(level => level.max)).toEqual(max)
      }
    })

    test('A.3 21: who refuses is sent back', async () => {
      const oauth = await withPages()
      await anAccount(oauth.accounts, 'siti.aminah', [patient])
      const browser = new Browser(oauth)
      const login = await walk(browser, authorizeUrl(oauth).url)
      const consent = await send(browser, login, '', { username: 'siti.aminah', password: goodPassword })
      const done = await send(browser, consent, '/consent', { refuse: 'yes' })
      expect(done.location?.searchParams.get('error')).toBe('access_denied')
    })

    test('a doctor signs in with a second factor and searches the patient', async () => {
      const oauth = await withPages()
      const account = await anAccount(oauth.accounts, 'dr-ani', [doctor])
      const { backupCodes } = await withFactor(oauth.accounts, account.id)
      const browser = new Browser(oauth)
      const asked = authorizeUrl(oauth)
      const login = await walk(browser, asked.url)
      const factor = await send(browser, login, '', { username: 'dr-ani', password: goodPassword })
      const picker = await sendTo(browser, factor, `${doorOf(factor.url)}/code`, { code: backupCodes[0] ?? '' })
      const found = await send(browser, picker, '/patients', { text: 'Siti' })
      const consent = await sendTo(browser, found, `${doorOf(found.url)}/patient`, { patient: '1' })
      const done = await sendTo(browser, consent, `${doorOf(consent.url)}/consent`)
      const { body } = await redeem(oauth, done.location?.searchParams.get('code') ?? '', asked)
      expect(body.patient).toBe('1')
      expect(await oauth.authenticate(`Bearer ${body.access_token}`, '192.0.2.7')).toMatchObject({
        value: { acr: 2, launch: { patient: '1' } },
      })
    })
  })

const doorOf = (url: string): string => /\/login\/[\w-]+/.exec(url)?.[0] ?? ''

const sendTo = (
  browser: Browser,
  page: { readonly text: string; readonly url: string },
  action: string,
  values: Readonly<Record<string, string>> = {},
) => {
  const { origin } = new URL(page.url)
  const form = new URLSearchParams(formOf(page.text, action))
  for (const [name, value] of Object.entries(values)) form.set(name, value)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin }
  return walk(browser, `${origin}${action}`, { method: 'POST', body: form.toString(), headers })
}
