/** Where browsers are led, and with which cookies. @see auth.md 3, 7.1, 10.1, T5, T10 */
import { describe, expect, test } from '@jest/globals'
import { sqliteEngine } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor } from '../accounts-ground.ts'
import { authorizeUrl, Browser, closingOauth, codeFor, keepClient, openOauth, redeem } from './oauth-ground.ts'

closingOauth()
closingAccounts()

const opened = async () => {
  const oauth = await openOauth(sqliteEngine)
  oauth.pages = { login: await anAccount(oauth.accounts, 'dr-ani', [doctor]), patient: '1' }
  return oauth
}

describe('T10: redirect addresses', () => {
  test('are taken as they were registered, letter by letter', async () => {
    const oauth = await opened()
    await keepClient(oauth)
    const close = [
      'https://app.example/callback?x=1',
      'https://app.example/callback#x',
      'https://app.example/callback/../evil',
      'https://app.example/Callback',
      'https://APP.example/callback',
      'https://app.example:443/callback',
      'https://app.example@evil.example/callback',
      'https://app.example.evil.example/callback',
      'https://evil.example/callback',
      'http://app.example/callback',
      '//app.example/callback',
      'javascript:alert(1)',
      'data:text/html,x',
      '',
    ]
    for (const redirect_uri of close) {
      const { location, response } = await new Browser(oauth).walk(authorizeUrl(oauth, { redirect_uri }).url)
      expect([redirect_uri, location?.href, response.status]).toEqual([redirect_uri, undefined, 400])
    }
    expect(oauth.problems).toHaveLength(close.length)
  })

  test('of native applications may be a loopback with any port, or a scheme of their own; Inferno’s is fine in development', async () => {
    const oauth = await opened()
    const inferno = 'http://localhost:4567/inferno/oauth2/static/redirect'
    await keepClient(oauth, {
      id: 'app-native',
      applicationType: 'native',
      redirectUris: ['http://127.0.0.1/callback', 'example.app:/callback'],
    })
    await keepClient(oauth, { id: 'app-inferno', development: true, redirectUris: [inferno] })
    const rows = [
      ['app-native', 'http://127.0.0.1:51004/callback'],
      ['app-native', 'example.app:/callback'],
      ['app-inferno', inferno],
    ] as const
    for (const [client_id, redirect_uri] of rows) {
      const asked = authorizeUrl(oauth, { client_id, redirect_uri })
      const browser = new Browser(oauth)
      const { location } = await browser.walk(asked.url)
      expect(location?.href.startsWith(redirect_uri)).toBe(true)
      expect((await redeem(oauth, location?.searchParams.get('code') ?? '', asked, { client_id, redirect_uri })).status).toBe(200)
    }
    for (const redirect_uri of ['http://127.0.0.1:51004/other', 'http://localhost.evil.example/callback', 'example.app:/other']) {
      const { location } = await new Browser(oauth).walk(authorizeUrl(oauth, { client_id: 'app-native', redirect_uri }).url)
      expect([redirect_uri, location?.href]).toEqual([redirect_uri, undefined])
    }
  })
})

test('T5: over https the cookies of the library are secure, out of reach of scripts and of neighbours', async () => {
  const oauth = await openOauth(sqliteEngine, { publicBase: 'https://simpul.example' })
  await keepClient(oauth)
  const url = new URL(authorizeUrl(oauth, { aud: 'https://simpul.example/fhir' }).url)
  const response = await fetch(url, { redirect: 'manual' })
  expect(response.headers.get('location')).toMatch(/^https:\/\/simpul\.example\/login\/[\w-]+$/)
  const cookies = response.headers.getSetCookie()
  expect(cookies.length).toBeGreaterThan(1)
  for (const cookie of cookies)
    expect(cookie.toLowerCase()).toMatch(/; samesite=lax.*; secure.*; httponly|; secure.*; httponly|; httponly.*secure/)
})

test('two authorizations at the same time in one browser have interactions of their own', async () => {
  const oauth = await opened()
  await keepClient(oauth)
  const browser = new Browser(oauth)
  const asked = [authorizeUrl(oauth), authorizeUrl(oauth)] as const
  const codes = [await codeFor(browser, asked[0]), await codeFor(browser, asked[1])]
  expect(new Set(codes).size).toBe(2)
})
