/** auth.md 15: every error of the authorization server says where it is explained, and it is explained there in both languages. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { oauthErrors } from '../../../src/auth/oauth-errors.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor } from '../accounts-ground.ts'
import { closingServers, openPages, TestBrowser, titleOf, wordsOf } from '../pages/pages-ground.ts'
import { authorizeUrl, Browser, closingOauth, keepClient, openOauth, postForm } from './oauth-ground.ts'

closingServers()
closingOauth()
closingAccounts()

for (const engine of testEngines)
  describe(`on ${engine.name}`, () => {
    test('of the library in a body, and of our own', async () => {
      const oauth = await openOauth(engine)
      await keepClient(oauth)
      const page = '/login/errors'
      for (const [path, form, error, uri] of [
        ['/oauth/token', { grant_type: 'authorization_code', client_id: 'nobody' }, 'invalid_client', `${oauth.base}${page}`],
        [
          '/oauth/token',
          { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'app-0001' },
          'invalid_grant',
          `${oauth.base}${page}`,
        ],
        ['/oauth/token', { grant_type: 'password', client_id: 'app-0001' }, 'unsupported_grant_type', `${oauth.base}${page}`],
        ['/oauth/introspect', { token: 'x' }, 'invalid_client', page],
      ] as const) {
        const body = (await (await postForm(oauth, path, form)).json()) as Record<string, unknown>
        expect([body.error, body.error_uri]).toEqual([error, `${uri}#${error}`])
      }
    })

    test('at the redirect URI, from the library and from who refuses; a code comes without', async () => {
      const oauth = await openOauth(engine)
      await keepClient(oauth, { redirectUris: ['https://app.example/callback', 'https://app.example/callback?error=mine'] })
      const login = await anAccount(oauth.accounts, 'dr-ani', [doctor])
      const backWith = async (pages: object, given: Readonly<Record<string, string>>) => {
        oauth.pages = { login, patient: '1', ...pages }
        return (await new Browser(oauth).walk(authorizeUrl(oauth, given).url)).location
      }
      const explained = (error: string) => [error, `${oauth.base}/login/errors#${error}`]
      const said = (location: URL | undefined) => ['error', 'error_uri'].map(name => location?.searchParams.getAll(name).at(-1) ?? null)
      expect(said(await backWith({}, { prompt: 'none' }))).toEqual(explained('login_required'))
      expect(said(await backWith({}, { code_challenge_method: 'plain' }))).toEqual(explained('invalid_request'))
      expect(said(await backWith({ ticks: () => 'no' }, {}))).toEqual(explained('access_denied'))
      expect(said(await backWith({}, {}))).toEqual([null, null])
      expect(said(await backWith({}, { redirect_uri: 'https://app.example/callback?error=mine' }))).toEqual(['mine', null])
    })

    test('on a page for anybody, in both languages', async () => {
      const { base } = await openPages(engine)
      const browser = new TestBrowser(base)
      for (const [language, at, title] of [
        ['id', 0, 'Kesalahan OAuth'],
        ['en', 1, 'OAuth errors'],
      ] as const) {
        await browser.open('/login/errors')
        const { status, path, text } = await browser.send('/login/language', { language })
        expect([status, path, titleOf(text).startsWith(title)]).toEqual([200, '/login/errors', true])
        for (const [error, words] of Object.entries(oauthErrors)) {
          expect(text).toContain(`id="${error}"`)
          expect(wordsOf(text)).toContain(words[at])
        }
      }
    })
  })

test('each error that our own code answers with is explained', () => {
  const root = resolve(import.meta.dirname, '../../../src')
  const sources = ['auth', 'http'].flatMap(room =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => readFileSync(join(root, room, name), 'utf8')),
  )
  const said = sources.flatMap(text => [...text.matchAll(/(?:sendOauthError\(\s*res,\s*\d+,\s*|\berror: |const error = )'([a-z_]+)'/g)])
  const unexplained = new Set(said.map(([, error = '']) => error).filter(error => !Object.hasOwn(oauthErrors, error)))
  // Of a style that is not there, which no application asks for by OAuth.
  expect([...unexplained]).toEqual(['not_found'])
})
