/** What pages withstand: forged forms, foreign text, open redirects, frames. @see auth.md 14, 17 (T5, T6, T7, T10, T26) */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formTarget } from '../../../src/auth/pages/answers.ts'
import { ownPath } from '../../../src/auth/pages/own-path.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor, goodPassword } from '../accounts-ground.ts'
import {
  type Answer,
  closingServers,
  formOf,
  openPages,
  type PagesGround,
  scopesOf,
  TestBrowser,
  uid,
  waiting,
  wordsOf,
} from './pages-ground.ts'

closingServers()
closingAccounts()

const engine = testEngines[0] as (typeof testEngines)[number]

const signedIn = async (world: PagesGround, username = 'siti.aminah'): Promise<TestBrowser> => {
  const browser = new TestBrowser(world.base)
  await browser.open('/login')
  await browser.send('/login', { username, password: goodPassword })
  return browser
}

/** Every form with which something happens, and what it would do. */
const forms: readonly (readonly [path: string, body: Readonly<Record<string, string>>])[] = [
  ['/login', { username: 'siti.aminah', password: goodPassword }],
  ['/login/code', { code: '123456' }],
  ['/login/enrol', { code: '123456' }],
  ['/login/password', { password: goodPassword, again: goodPassword }],
  ['/login/forgotten', { username: 'siti.aminah' }],
  [`/login/reset/${'a'.repeat(43)}`, { password: goodPassword, again: goodPassword }],
  [`/login/invitation/${'a'.repeat(43)}`, { username: 'new.name', password: goodPassword, again: goodPassword }],
  [`/login/email/${'a'.repeat(43)}`, {}],
  ['/login/language', { language: 'id' }],
  [`/login/${uid}`, { username: 'siti.aminah', password: goodPassword }],
  [`/login/${uid}/consent`, { allow: 'box1' }],
  [`/login/${uid}/patient`, { patient: '1' }],
  [`/login/${uid}/patients`, { text: 'siti' }],
  [`/login/${uid}/encounter`, { encounter: '1' }],
  [`/login/${uid}/refuse`, {}],
  [`/login/${uid}/again`, { code: '123456' }],
  [`/login/${uid}/continue`, {}],
  [`/login/${uid}/emergency`, { reason: 'ETREAT', words: 'a patient who cannot speak' }],
  [`/login/${uid}/without`, {}],
  ['/account/logout', {}],
  ['/account/stay', {}],
  ['/account/apps/withdraw', { grant: 'g1' }],
  ['/account/apps/open', { client: 'app-0001' }],
  ['/account/apps/patients', { client: 'app-0001', text: 'siti' }],
  ['/account/apps/patient', { client: 'app-0001', patient: '1' }],
  ['/account/apps/encounter', { client: 'app-0001', patient: '1', encounter: '1' }],
  ['/account/verify', { password: goodPassword }],
  ['/account/emergency/1', { reason: 'ETREAT', words: 'a patient who cannot speak' }],
  ['/account/security/password', { password: goodPassword, again: goodPassword }],
  ['/account/security/factor', { code: '123456' }],
  ['/account/security/factor/remove', {}],
  ['/account/security/backup-codes', {}],
  ['/account/security/email', { email: 'new@rumah.example' }],
  ['/account/security/end', { session: 's1' }],
  ['/account/security/end-all', {}],
  ['/account/security/disown', {}],
]

describe('T6: a forged form is refused, and nothing happens', () => {
  const ways: readonly (readonly [
    name: string,
    forge: (token: string, base: string) => { readonly token?: string; readonly headers: Readonly<Record<string, string>> },
  ])[] = [
    ['without a token', (_, base) => ({ headers: { origin: base } })],
    ['with a token of nobody', (_, base) => ({ token: `1.${'a'.repeat(43)}`, headers: { origin: base } })],
    ['from another origin', token => ({ token, headers: { origin: 'https://evil.example' } })],
    ['from an origin that is hidden', token => ({ token, headers: { origin: 'null' } })],
    ['from a browser that says a sibling site', token => ({ token, headers: { origin: '', 'sec-fetch-site': 'same-site' } })],
  ]
  for (const [name, forge] of ways)
    test(name, async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      waiting(world, { prompt: 'consent' })
      const browser = await signedIn(world)
      const token = formOf((await browser.open('/account')).text, '/account/logout').find(([field]) => field === 'token')?.[1] ?? ''
      const cookies = new Map(browser.cookies)
      for (const [path, body] of forms) {
        const { token: sent, headers } = forge(token, world.base)
        const answer = await browser.ask(path, {
          body: new URLSearchParams({ ...body, ...(sent === undefined ? {} : { token: sent }) }).toString(),
          headers,
        })
        expect([path, answer.status, wordsOf(answer.text).includes('Formulir ini sudah tidak berlaku')]).toEqual([path, 403, true])
      }
      expect([...browser.cookies]).toEqual([...cookies])
      expect(world.told).toEqual([])
      expect((await browser.open('/account')).status).toBe(200)
    })

  test('a token of another browser, and one of before the login', async () => {
    const world = await openPages(engine)
    await anAccount(world.accounts, 'siti.aminah')
    const other = new TestBrowser(world.base)
    await other.open('/login')
    const token = formOf(other.here?.text ?? '', '/login').find(([field]) => field === 'token')?.[1] ?? ''
    const browser = new TestBrowser(world.base)
    await browser.open('/login')
    expect((await browser.sendOnly('/login', { username: 'siti.aminah', password: goodPassword, token })).status).toBe(403)
    await browser.open('/login')
    const early = formOf(browser.here?.text ?? '', '/login').find(([field]) => field === 'token')?.[1] ?? ''
    await browser.send('/login', { username: 'siti.aminah', password: goodPassword })
    expect((await browser.ask('/account/logout', { body: new URLSearchParams({ token: early }).toString() })).status).toBe(403)
  })

  test('other methods, other bodies and large ones lead nowhere', async () => {
    const world = await openPages(engine)
    const browser = new TestBrowser(world.base)
    expect((await browser.ask('/login/language')).status).toBe(405)
    expect((await browser.ask('/login', { body: '{}', headers: { 'content-type': 'application/json' } })).status).toBe(400)
    expect((await browser.ask('/login', { body: `username=${'a'.repeat(70_000)}` })).status).toBe(400)
    expect((await browser.ask('/login', { body: Array.from({ length: 1_100 }, (_, n) => `a${n}=`).join('&') })).status).toBe(400)
    expect((await browser.ask('/login/unheard-of')).status).toBe(404)
    expect((await browser.ask('/login/__proto__')).status).toBe(404)
  })
})

describe('T10: nobody is sent away', () => {
  const paths: readonly string[] = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/login/../../evil',
    '/account//evil.example',
    '/account/\u0000',
    '/account\r\nLocation: https://evil.example',
    '/accounts',
    '/oauth/auth',
    'javascript:alert(1)',
    '/account?next=https://evil.example',
    '/account#x',
    `/account/${'a'.repeat(600)}`,
    '',
  ]
  for (const path of paths) test(`${JSON.stringify(path.slice(0, 60))} becomes the account`, () => expect(ownPath(path)).toBe('/account'))

  test('whatever comes is a path of ours on this very host', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map(text => `/account/${text}`),
          fc.string().map(text => `/login?next=${text}`),
        ),
        text => {
          const url = new URL(ownPath(text), 'https://simpul.example')
          expect(url.origin).toBe('https://simpul.example')
          expect(url.pathname).toMatch(/^\/(?:account|login)(?:\/|$)/)
        },
      ),
    )
  })

  test('a login goes on to what was asked for, and to nothing else', async () => {
    const world = await openPages(engine)
    await anAccount(world.accounts, 'siti.aminah')
    const rows: readonly (readonly [string, string])[] = [
      ['/account/security', '/account/security'],
      ['https://evil.example/', '/account'],
    ]
    for (const [next, where] of rows) {
      const browser = new TestBrowser(world.base)
      await browser.open(`/login?next=${encodeURIComponent(next)}`)
      const answer = await browser.sendOnly('/login', { username: 'siti.aminah', password: goodPassword, next })
      expect(answer.headers.get('location')).toBe(where)
    }
  })
})

describe('what every page says to the browser', () => {
  const csp = (answer: Answer): Readonly<Record<string, string>> =>
    Object.fromEntries(
      (answer.headers.get('content-security-policy') ?? '')
        .split('; ')
        .map(one => [one.slice(0, one.indexOf(' ')), one.slice(one.indexOf(' ') + 1)]),
    )

  test('T7: no frames, no script but ours, nothing kept; forms go to us and to the application that waits', async () => {
    const world = await openPages(engine)
    const browser = new TestBrowser(world.base)
    const login = await browser.open('/login')
    expect(csp(login)).toEqual({
      'default-src': "'none'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'script-src': "'self'",
      'form-action': "'self'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
    })
    expect(login.headers.get('cache-control')).toBe('no-store')
    expect(login.headers.get('x-frame-options')).toBe('DENY')
    expect(login.headers.get('referrer-policy')).toBe('same-origin')
    const asked = await browser.open(waiting(world))
    expect(csp(asked)['form-action']).toBe(`'self' ${new URL(world.app).origin}`)
  })

  test('who may frame the pages is configured', async () => {
    const world = await openPages(engine, { parts: { frameAncestors: ['https://portal.example'] } })
    const login = await new TestBrowser(world.base).open('/login')
    expect(csp(login)['frame-ancestors']).toBe('https://portal.example')
    expect(login.headers.get('x-frame-options')).toBeNull()
  })

  const targets: readonly (readonly [string, string | undefined])[] = [
    ['https://app.example/back?x=1', 'https://app.example'],
    ['http://localhost:3000/back', 'http://localhost:3000'],
    ['http://[::1]:3000/back', 'http://[::1]:3000'],
    ['com.example.app:/back', 'com.example.app:'],
    ['https://app.example;script-src *', undefined],
    ['nothing', undefined],
  ]
  for (const [uri, target] of targets) test(`form-action for ${uri}`, () => expect(formTarget(uri)).toBe(target))

  test('T5: over https cookies are bound to this host, and no script reads them', async () => {
    const world = await openPages(engine, { base: 'https://simpul.example' })
    await anAccount(world.accounts, 'siti.aminah')
    const browser = new TestBrowser(world.base)
    const first = await browser.open('/login')
    const answer = await browser.ask('/login', {
      body: new URLSearchParams({
        ...Object.fromEntries(formOf(first.text, '/login')),
        username: 'siti.aminah',
        password: goodPassword,
      }).toString(),
      headers: { origin: 'https://simpul.example' },
    })
    const cookies = answer.headers.getSetCookie()
    expect(cookies.map(one => one.split('=')[0]).sort()).toEqual([
      '__Host-simpul_device',
      '__Host-simpul_form',
      '__Host-simpul_sid',
      '__Host-simpul_step',
    ])
    for (const one of cookies) expect(one).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Secure/)
    expect(cookies.find(one => one.startsWith('__Host-simpul_sid'))).not.toMatch(/Max-Age|Expires|Domain/)
  })

  test('a session cookie that is there twice counts as none', async () => {
    const world = await openPages(engine)
    await anAccount(world.accounts, 'siti.aminah')
    const browser = await signedIn(world)
    const twice = `simpul_sid=${'a'.repeat(43)}; simpul_sid=${browser.cookies.get('simpul_sid')}`
    expect((await browser.ask('/account', { headers: { cookie: twice } })).status).toBe(303)
  })
})

describe('T26: foreign text stays text', () => {
  const payloads: readonly string[] = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    '</title><svg onload=alert(1)>',
    '<!--',
    '{{7*7}}${7*7}',
    '&lt;b&gt;',
    '`onload=alert(1)`',
    '\u202Eevil',
    'javascript:alert(1)',
  ]
  const escaped = (text: string): string =>
    text
      .replace('\u202E', '')
      .replace(/[&<>"'`]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' })[sign] ?? '')

  /** The page with all words of the payload taken out: no markup may be left of it. */
  const checkPage = (page: string, payload: string): void => {
    const rest = page
      .replaceAll(escaped(payload), '')
      .replaceAll(escaped(encodeURIComponent(payload)), '')
      .replaceAll(escaped(new URL(encodeURIComponent(payload), 'http://x').pathname.slice(1)), '')
    expect(rest).not.toMatch(/alert\(1\)|onerror|onfocus|evil/)
    expect(page).not.toMatch(/<script(?! src="\/login\/assets\/pages\.[0-9a-f]{16}\.js" defer>)/)
    expect(rest).not.toMatch(/\s(?:on[a-z]+|style)\s*=/i)
    expect(rest).not.toMatch(/(?:href|src|action)="(?!\/|https?:|#)/i)
  }

  for (const payload of payloads)
    test(JSON.stringify(payload), async () => {
      const world = await openPages(engine, { facility: payload })
      const browser = new TestBrowser(world.base)
      const pages: string[] = []
      const see = async (path: string): Promise<void> => void pages.push((await browser.open(path)).text)
      await anAccount(world.accounts, 'dr.budi', [doctor])
      world.patients = [{ id: '1', name: payload, birthDate: payload, recordNumber: payload }]
      world.encounters = [{ id: '1', start: 0, what: payload }]
      world.apps = [
        {
          grant: payload,
          name: payload,
          publisher: payload,
          scopes: scopesOf(`patient/Observation.rs?code=${encodeURIComponent(payload)}`),
          patient: '1',
          since: 0,
        },
      ]
      const client = { name: payload, publisher: payload, termsUri: payload, policyUri: payload }
      const scopes = `openid launch/patient patient/Observation.rs?code=${encodeURIComponent(payload)} patient/Condition.rs?_tag=${encodeURIComponent(payload)}`
      const path = waiting(world, { client, scopes })
      await see(path)
      pages.push((await browser.send(path, { username: payload, password: payload })).text)
      await browser.send(path, { username: 'dr.budi', password: goodPassword })
      await see(path)
      pages.push((await browser.send(`${path}/patients`, { text: payload })).text)
      waiting(world, { client, scopes, prompt: 'select_encounter', patient: '1' })
      await see(path)
      waiting(world, { client, scopes, prompt: 'consent', patient: '1' })
      await see(path)
      await see('/account/apps')
      await see('/account')
      await see(`/login?next=${encodeURIComponent(payload)}&why=${encodeURIComponent(payload)}`)
      await see(`/account/security?done=${encodeURIComponent(payload)}&after=${encodeURIComponent(payload)}`)
      await see(`/account/verify?next=${encodeURIComponent(payload)}`)
      await see(`/account/emergency/${encodeURIComponent(payload)}`)
      await see(`/login/reset/${encodeURIComponent(payload)}`)
      for (const page of pages) checkPage(page, payload)
      expect(pages.join('')).toContain(escaped(payload))
      expect(world.told.filter(([what]) => what === 'thrown')).toEqual([])
    })
})

test('no page of ours holds a script or a style of its own', () => {
  const folder = join(import.meta.dirname, '../../../src/auth/pages')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(one => one.endsWith('.ts'))) {
    const text = readFileSync(join(folder, name), 'utf8')
    expect([name, /<style|\sstyle="|\son[a-z]+="|<script(?! src=)/.exec(name === 'html.ts' ? '' : text)?.[0]]).toEqual([name, undefined])
  }
})
