/** Refresh tokens: rotation, reuse, what ends them. @see auth.md 7.5, 8, annex A.6 */
import { describe, expect, jest, test } from '@jest/globals'
import { disableAccount, logOutEverywhere, setRoles } from '../../../src/auth/accounts/administration.ts'
import { endGrant, endGrantsOfClient, grantsOf } from '../../../src/auth/grants/grants.ts'
import { logOut, sessionById } from '../../../src/auth/sessions/sessions.ts'
import { testEngines } from '../../support/engines.ts'
import { accountNow, closingAccounts, doctor, origin, valueOf } from '../accounts-ground.ts'
import { openWithDoctor } from './doctor-ground.ts'
import {
  aKey,
  assertionClaims,
  assertionType,
  authorized,
  authorizeUrl,
  Browser,
  closingOauth,
  codeFor,
  keepClient,
  postForm,
  redeem,
  refresh,
  secretFor,
} from './oauth-ground.ts'

closingOauth()
closingAccounts()

const offline = { scope: 'launch/patient openid offline_access patient/*.rs' }
const online = { scope: 'launch/patient openid online_access patient/*.rs' }

// Whole flows, one after the other, on a machine that does other things too.
jest.setTimeout(60_000)

for (const engine of testEngines)
  describe(engine.name, () => {
    const withDoctor = async (options = {}) => {
      const { oauth, account } = await openWithDoctor(engine, options)
      const known = async (token: string) => {
        oauth.authenticate.forget()
        const who = await oauth.authenticate(`Bearer ${token}`, '192.0.2.7')
        return who.ok ? 'known' : who.failure.kind
      }
      return { oauth, account, known }
    }

    test('A.6 32, 33: with and without scope, for all three kinds of clients, the context is said again and the new token works next', async () => {
      const { oauth } = await withDoctor()
      const key = await aKey('ES384', 'k1')
      await keepClient(oauth, { id: 'app-secret', type: 'symmetric', secrets: [secretFor(oauth, 'app-secret', 's'.repeat(43))] })
      await keepClient(oauth, { id: 'app-keys-1', type: 'asymmetric', jwks: { keys: [key.jwk] } })
      const authorization = `Basic ${Buffer.from(`app-secret:${'s'.repeat(43)}`).toString('base64')}`
      const proof = async () => ({
        client_assertion: await key.sign(assertionClaims(oauth, 'app-keys-1')),
        client_assertion_type: assertionType,
      })
      const kinds = [
        { id: 'app-0001', given: async () => ({}), headers: {} },
        { id: 'app-secret', given: async () => ({}), headers: { authorization } },
        { id: 'app-keys-1', given: proof, headers: {} },
      ]
      for (const { id, given, headers } of kinds) {
        const asked = authorizeUrl(oauth, { ...offline, client_id: id })
        const first = await redeem(oauth, await codeFor(new Browser(oauth), asked), asked, await given(), headers)
        const again = await refresh(oauth, first.body.refresh_token ?? '', await given(), headers)
        expect([id, again.status, again.body.scope, again.body.patient]).toEqual([id, 200, offline.scope, '1'])
        expect(again.response.headers.get('cache-control')).toContain('no-store')
        expect(again.response.headers.get('pragma')).toContain('no-cache')
        const scoped = await refresh(oauth, again.body.refresh_token ?? '', { scope: offline.scope, ...(await given()) }, headers)
        expect([id, scoped.status, scoped.body.scope, scoped.body.expires_in]).toEqual([id, 200, offline.scope, 900])
        expect(scoped.body.refresh_token).not.toBe(again.body.refresh_token)
      }
    })

    test('A.6 33: one refresh may narrow, the next may have all of the grant again, none more', async () => {
      const { oauth } = await withDoctor()
      const { tokens } = await authorized(oauth, offline)
      const narrow = await refresh(oauth, tokens.refresh_token ?? '', { scope: 'patient/*.rs' })
      expect(narrow.body.scope).toBe('patient/*.rs')
      const whole = await refresh(oauth, narrow.body.refresh_token ?? '')
      expect(whole.body.scope).toBe(offline.scope)
      const wider = await refresh(oauth, whole.body.refresh_token ?? '', { scope: 'patient/*.cruds' })
      expect([wider.status, wider.body.error]).toEqual([400, 'invalid_scope'])
    })

    test('A.6 33: a token used twice ends the grant, and its newest tokens with it', async () => {
      const { oauth, known } = await withDoctor()
      const { tokens } = await authorized(oauth, offline)
      const second = await refresh(oauth, tokens.refresh_token ?? '')
      expect(await known(second.body.access_token)).toBe('known')
      const reused = await refresh(oauth, tokens.refresh_token ?? '')
      expect([reused.status, reused.body.error, reused.body.error_description]).toEqual([400, 'invalid_grant', 'grant request is invalid'])
      expect(await known(second.body.access_token)).toBe('token-invalid')
      expect((await refresh(oauth, second.body.refresh_token ?? '')).body.error).toBe('invalid_grant')
      expect(oauth.facts.map(({ what }) => what)).toContain('grant-reused')
    })

    test('A.6 33: it belongs to its client', async () => {
      const { oauth, known } = await withDoctor()
      await keepClient(oauth, { id: 'app-0002' })
      const { tokens } = await authorized(oauth, offline)
      expect((await refresh(oauth, tokens.refresh_token ?? '', { client_id: 'app-0002' })).body.error).toBe('invalid_grant')
      expect(await known(tokens.access_token)).toBe('known')
    })

    test('A.6 32: an app without a secret may leave its name out, as fhirclient does; others may not', async () => {
      const { oauth, known } = await withDoctor()
      await keepClient(oauth, { id: 'app-secret', type: 'symmetric', secrets: [secretFor(oauth, 'app-secret', 's'.repeat(43))] })
      const { tokens } = await authorized(oauth, offline)
      const alone = async (refresh_token: string) => {
        const response = await postForm(
          oauth,
          '/oauth/token',
          { grant_type: 'refresh_token', refresh_token },
          { origin: 'https://app.example' },
        )
        const body = (await response.json()) as typeof tokens
        return { status: response.status, body, allowed: response.headers.get('access-control-allow-origin') }
      }
      const second = await alone(tokens.refresh_token ?? '')
      expect([second.status, second.body.scope, second.body.patient, second.allowed]).toEqual([
        200,
        offline.scope,
        '1',
        'https://app.example',
      ])
      expect((await alone('x'.repeat(43))).body.error).toBe('invalid_request')
      // Used twice: the grant is over, whoever it was.
      expect((await alone(tokens.refresh_token ?? '')).body.error).toBe('invalid_grant')
      expect(await known(second.body.access_token)).toBe('token-invalid')

      const asked = authorizeUrl(oauth, { ...offline, client_id: 'app-secret' })
      const authorization = `Basic ${Buffer.from(`app-secret:${'s'.repeat(43)}`).toString('base64')}`
      const secret = await redeem(oauth, await codeFor(new Browser(oauth), asked), asked, {}, { authorization })
      expect((await alone(secret.body.refresh_token ?? '')).status).toBe(400)
      expect((await refresh(oauth, secret.body.refresh_token ?? '', {}, { authorization })).status).toBe(200)
    })

    test('one lost answer may be asked for again within the grace, from the same address and once', async () => {
      const { oauth, known } = await withDoctor({ refreshGraceSeconds: 10 })
      const { tokens } = await authorized(oauth, offline)
      const first = await refresh(oauth, tokens.refresh_token ?? '')
      const again = await refresh(oauth, tokens.refresh_token ?? '')
      expect([first.status, again.status, await known(again.body.access_token)]).toEqual([200, 200, 'known'])
      const third = await refresh(oauth, tokens.refresh_token ?? '')
      expect([third.body.error, await known(again.body.access_token)]).toEqual(['invalid_grant', 'token-invalid'])
    })

    test('without a scope for it there is no refresh token, and none that outlives the session for a client that may not', async () => {
      const { oauth } = await withDoctor()
      expect((await authorized(oauth)).tokens).not.toHaveProperty('refresh_token')
      await keepClient(oauth, { id: 'app-near', offline: false })
      const { tokens } = await authorized(oauth, { ...offline, client_id: 'app-near' })
      expect([tokens.refresh_token, tokens.scope]).toEqual([undefined, 'launch/patient openid patient/*.rs'])
    })

    test('what ends access ends it at once, for tokens of both kinds', async () => {
      const ends: readonly (readonly [
        string,
        { offline: boolean; online: boolean },
        (about: Awaited<ReturnType<typeof both>>) => Promise<unknown>,
      ])[] = [
        ['log out', { offline: true, online: false }, async ({ oauth, session }) => logOut(oauth.parts.ground, session, origin)],
        [
          'log out everywhere',
          { offline: false, online: false },
          ({ oauth, account }) => logOutEverywhere(oauth.parts.ground, account.id, account.id, origin),
        ],
        [
          'account disabled',
          { offline: false, online: false },
          ({ oauth, account }) => disableAccount(oauth.parts.ground, account.id, 'left', 'cli', origin),
        ],
        [
          'other roles',
          { offline: false, online: false },
          ({ oauth, account }) => setRoles(oauth.parts.ground, account.id, [doctor], 'cli', origin),
        ],
        ['client suspended', { offline: false, online: false }, ({ oauth }) => keepClient(oauth, { status: 'suspended' })],
        [
          'withdrawn under Apps',
          { offline: false, online: false },
          ({ oauth, account }) =>
            endGrantsOfClient(
              oauth.parts.ground,
              { account: account.id, epoch: account.epoch, client: 'app-0001', by: account.id },
              origin,
            ),
        ],
      ]
      const both = async () => {
        const { oauth, known } = await withDoctor()
        const account = oauth.pages.login as NonNullable<typeof oauth.pages.login>
        const browser = new Browser(oauth)
        const one = await authorized(oauth, offline, browser)
        const other = await authorized(oauth, online, browser)
        const [grant] = await grantsOf(oauth.parts.ground, account.id, (await accountNow(oauth.accounts, account.id)).epoch)
        const session = await sessionById(oauth.parts.ground, grant?.session ?? '')
        if (session === undefined) throw new Error('no session')
        return { oauth, account, known, session, offline: one.tokens, online: other.tokens }
      }
      for (const [name, left, end] of ends) {
        const about = await both()
        expect([name, await about.known(about.offline.access_token), await about.known(about.online.access_token)]).toEqual([
          name,
          'known',
          'known',
        ])
        await end(about)
        const now = [await about.known(about.offline.access_token), await about.known(about.online.access_token)].map(
          one => one === 'known',
        )
        const refreshed = [
          (await refresh(about.oauth, about.offline.refresh_token ?? '')).status,
          (await refresh(about.oauth, about.online.refresh_token ?? '')).status,
        ].map(status => status === 200)
        expect([name, ...now, ...refreshed]).toEqual([name, left.offline, left.online, left.offline, left.online])
      }
    })

    test('revoking a token of either kind ends the whole grant; somebody else’s stays', async () => {
      const { oauth, known } = await withDoctor()
      await keepClient(oauth, { id: 'app-0002' })
      for (const kind of ['access_token', 'refresh_token'] as const) {
        const { tokens } = await authorized(oauth, offline)
        const token = tokens[kind] ?? ''
        expect((await postForm(oauth, '/oauth/revoke', { token, client_id: 'app-0002' })).status).toBe(200)
        expect(await known(tokens.access_token)).toBe('known')
        expect((await postForm(oauth, '/oauth/revoke', { token, client_id: 'app-0001' })).status).toBe(200)
        expect([kind, await known(tokens.access_token)]).toEqual([kind, 'token-invalid'])
        expect((await refresh(oauth, tokens.refresh_token ?? '')).body.error).toBe('invalid_grant')
      }
      expect((await postForm(oauth, '/oauth/revoke', { token: 'x'.repeat(43), client_id: 'app-0001' })).status).toBe(200)
    })

    test('grants are listed while they stand, and ended once', async () => {
      const { oauth, account } = await withDoctor()
      await authorized(oauth, offline)
      await authorized(oauth, online)
      const { ground } = oauth.parts
      const listed = await grantsOf(ground, account.id, account.epoch)
      expect(listed.map(({ kind, patient, client }) => [kind, patient, client])).toEqual([
        ['online', '1', 'app-0001'],
        ['offline', '1', 'app-0001'],
      ])
      const [first] = listed
      const end = () => endGrant(ground, first?.id ?? '', { by: account.id, reason: 'user' }, origin)
      expect([valueOf(await end()).length, valueOf(await end()).length]).toEqual([1, 0])
      expect((await grantsOf(ground, account.id, account.epoch)).map(({ kind }) => kind)).toEqual(['offline'])
      expect(await grantsOf(ground, account.id, account.epoch + 1)).toEqual([])
    })
  })
