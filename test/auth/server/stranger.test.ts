/** Who asks the authorization server what no application should: methods, parameters and headers that are not there, and the same answer twice. */
import { describe, expect, test } from '@jest/globals'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, patient } from '../accounts-ground.ts'
import {
  aKey,
  assertionClaims,
  assertionType,
  authorizeUrl,
  Browser,
  closingOauth,
  keepClient,
  openOauth,
  postForm,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

for (const engine of testEngines)
  describe(engine.name, () => {
    test('9.1: a path takes its methods alone, and the root of the server is a page like any other that is not there', async () => {
      const oauth = await openOauth(engine)
      // biome-ignore format: a table
      const rows: readonly (readonly [path: string, refused: readonly string[], allow: string])[] = [
        ['/oauth/auth',                                   ['PUT', 'DELETE', 'PATCH'],         'GET, HEAD, POST'],
        ['/oauth/token',                                  ['GET', 'PUT', 'DELETE', 'PATCH'],  'POST'],
        ['/oauth/revoke',                                 ['GET', 'PUT', 'DELETE'],           'POST'],
        ['/oauth/introspect',                             ['GET', 'PUT', 'DELETE'],           'POST'],
        ['/oauth/me',                                     ['PUT', 'DELETE'],                  'GET, POST'],
        ['/oauth/jwks',                                   ['POST', 'PUT', 'DELETE'],          'GET, HEAD'],
        ['/oauth/session/end',                            ['PUT', 'DELETE', 'HEAD'],          'GET, POST'],
        ['/oauth/.well-known/openid-configuration',       ['POST', 'PUT', 'DELETE'],          'GET, HEAD'],
        ['/.well-known/oauth-authorization-server/oauth', ['POST', 'PUT', 'DELETE'],          'GET, HEAD'],
      ]
      for (const [path, methods, allow] of rows)
        for (const method of methods) {
          const { status, headers } = await fetch(`${oauth.base}${path}`, { method, redirect: 'manual' })
          expect([method, path, status, headers.get('allow')]).toEqual([method, path, 405, allow])
        }
      for (const path of ['/oauth', '/oauth/', '/oauth?x=1', '/oauth//', '/oauth/nothing'])
        expect([path, (await fetch(`${oauth.base}${path}`)).status]).toEqual([path, 404])
    })

    test('7.1: state is needed, and its absence is told to the application', async () => {
      const oauth = await openOauth(engine)
      await keepClient(oauth)
      const url = new URL(authorizeUrl(oauth).url)
      for (const state of [undefined, '']) {
        if (state === undefined) url.searchParams.delete('state')
        else url.searchParams.set('state', state)
        const { location } = await new Browser(oauth).walk(url.href)
        expect([state, location?.searchParams.get('error'), location?.searchParams.get('error_description')]).toEqual([
          state,
          'invalid_request',
          'state is missing',
        ])
      }
    })

    test('15: who comes without a token to userinfo is told the way in and of no error', async () => {
      const oauth = await openOauth(engine)
      const challenge = async (headers: Readonly<Record<string, string>>) =>
        (await fetch(`${oauth.base}/oauth/me`, { headers })).headers.get('www-authenticate')
      expect(await challenge({})).toBe(`Bearer realm="${oauth.base}/oauth"`)
      expect(await challenge({ authorization: 'Bearer x' })).toBe(`Bearer realm="${oauth.base}/oauth", error="invalid_token"`)
    })

    test('T14: an assertion that says something must be understood is refused, also where the library would understand it', async () => {
      const oauth = await openOauth(engine)
      const key = await aKey('RS384', 'rsa-1')
      const grants = [{ clause: 'Observation rs', reach: 'any' }]
      await keepClient(oauth, { id: 'service-1', type: 'backend', jwks: { keys: [key.jwk] }, scopesAllowed: ['system/*.rs'], grants })
      const ask = async (header: Readonly<Record<string, unknown>>) => {
        const client_assertion = await key.sign(assertionClaims(oauth, 'service-1'), header)
        const form = { grant_type: 'client_credentials', scope: 'system/*.rs', client_assertion_type: assertionType, client_assertion }
        return (await postForm(oauth, '/oauth/token', form)).status
      }
      expect(await ask({})).toBe(200)
      expect(await ask({ crit: ['b64'], b64: true })).toBe(401)
    })

    test('T31: of many requests that come with the answer to one interaction, one gets a code', async () => {
      const oauth = await openOauth(engine)
      await keepClient(oauth)
      oauth.pages = { login: await anAccount(oauth.accounts, 'siti.aminah', [patient]), patient: '1' }
      oauth.represented.set('Patient/1', ['1'])
      const browser = new Browser(oauth)
      let at: string | null = authorizeUrl(oauth).url
      for (let steps = 0; steps < 9 && at !== null; steps++) {
        const here: string = at
        const isAnswer = /\/oauth\/auth\/[\w-]+$/.test(here)
        const answers: readonly Response[] = await Promise.all(Array.from({ length: isAnswer ? 8 : 1 }, () => browser.fetch(here)))
        const on = answers.flatMap(({ headers }) => headers.get('location') ?? [])
        expect([here, on.length]).toEqual([here, 1])
        at = on[0]?.startsWith(oauth.base) === true ? on[0] : null
        if (at === null) expect(on[0]).toMatch(/^https:\/\/app\.example\/callback\?code=/)
      }
      expect(at).toBeNull()
    })
  })
