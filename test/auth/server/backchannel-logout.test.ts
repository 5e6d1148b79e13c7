/** Applications hear that a session is over. @see OpenID Connect Back-Channel Logout 1.0; auth.md 3, 9.1 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { disableAccount, logOutEverywhere, setRoles } from '../../../src/auth/accounts/administration.ts'
import type { Fact } from '../../../src/auth/facts.ts'
import type { Outgoing } from '../../../src/auth/outgoing/outgoing.ts'
import { createOutgoing } from '../../../src/auth/outgoing/outgoing.ts'
import { type LogoutDeliveryParts, tellApplications } from '../../../src/auth/sessions/logout-delivery.ts'
import { type LogoutNotice, logoutNoticeRecords } from '../../../src/auth/sessions/logout-notice.ts'
import { findSession, logOut } from '../../../src/auth/sessions/sessions.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor, patient, valueOf } from '../accounts-ground.ts'
import { authorized, Browser, closingOauth, keepClient, type Oauth, openOauth, sessionCookie } from './oauth-ground.ts'

closingOauth()
closingAccounts()

/** An application that is told, and answers as a test says. */
type Application = { readonly url: string; readonly told: string[]; answer: (res: ServerResponse) => void }

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise(done => server.close(done))
  }
})

const anApplication = async (): Promise<Application> => {
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part as Buffer)
    app.told.push(new URLSearchParams(Buffer.concat(parts).toString()).get('logout_token') ?? '')
    app.answer(res)
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/logout`
  const app: Application = { url, told: [], answer: res => void res.writeHead(200).end() }
  return app
}

const scope = 'openid offline_access patient/*.rs'

for (const engine of testEngines)
  describe(engine.name, () => {
    const opened = async (uris: readonly (string | undefined)[]) => {
      const oauth = await openOauth(engine)
      for (const [n, backchannelLogoutUri] of uris.entries())
        await keepClient(oauth, {
          id: `app-000${n}`,
          development: true,
          ...(backchannelLogoutUri !== undefined && { backchannelLogoutUri }),
        })
      const account = await anAccount(oauth.accounts, 'dr-ani', [doctor])
      oauth.pages = { login: account, patient: '1' }
      return { oauth, account }
    }

    /** Rounds see the store's rows of now and a clock that is so much later. */
    const deliveryOf = (
      oauth: Oauth,
      { later = 0, outgoing = createOutgoing({ loopback: true }) }: { later?: number; outgoing?: Outgoing } = {},
    ) => {
      const { ground } = oauth.accounts.parts
      const parts: LogoutDeliveryParts = {
        ground: { ...ground, clock: () => ground.clock() + later },
        issuer: oauth.parts.address.issuer,
        clients: oauth.parts.clients,
        signingKeys: oauth.parts.signingKeys,
        outgoing,
      }
      return tellApplications(parts).then(valueOf)
    }

    const authorizedAt = (oauth: Oauth, client: string, browser = new Browser(oauth)) =>
      authorized(oauth, { client_id: client, scope, prompt: 'consent' }, browser)

    const logOutOf = async ({ accounts }: Oauth, browser: Browser): Promise<void> => {
      const { ground } = accounts.parts
      const live = await findSession(ground, browser.cookies.get(`${sessionCookie} /`)?.value ?? '')
      if (live === undefined) throw new Error('nobody is signed in')
      valueOf(await logOut(ground, live, { address: '192.0.2.7' }))
    }

    const told = ({ facts }: Oauth): readonly Fact[] => facts.filter(({ what }) => what === 'logout-told' || what === 'logout-not-told')

    test('who was signed in to them hears it once, signed, by the sid of the id token; others hear nothing', async () => {
      const [one, two] = [await anApplication(), await anApplication()]
      const { oauth, account } = await opened([one.url, two.url, undefined])
      const { tokens, browser } = await authorizedAt(oauth, 'app-0000')
      await authorizedAt(oauth, 'app-0000', browser)
      await authorizedAt(oauth, 'app-0002', browser)
      const elsewhere = await authorizedAt(oauth, 'app-0001')
      await logOutOf(oauth, browser)
      for (let n = 0; n < 3; n++) await deliveryOf(oauth)
      expect([one.told.length, two.told.length]).toEqual([1, 0])
      const jwks = createLocalJWKSet({ keys: [...oauth.parts.signingKeys.publicJwks().keys] } as JSONWebKeySet)
      const { payload, protectedHeader } = await jwtVerify(one.told[0] ?? '', jwks, {
        issuer: oauth.parts.address.issuer,
        audience: 'app-0000',
        typ: 'logout+jwt',
        algorithms: ['RS256'],
      })
      const { sid } = decodeJwt(tokens.id_token ?? '')
      expect(typeof sid).toBe('string')
      expect(payload).toMatchObject({
        sub: account.id,
        sid,
        jti: expect.any(String),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      })
      expect(payload).not.toHaveProperty('nonce')
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(120)
      expect(protectedHeader.kid).toEqual(expect.any(String))
      expect(told(oauth)).toEqual([{ what: 'logout-told', account: account.id, session: sid, client: 'app-0000' }])
      expect(decodeJwt(elsewhere.tokens.id_token ?? '').sid).not.toBe(sid)
    })

    for (const [how, end] of [
      ['everywhere', ({ accounts }: Oauth, id: string) => logOutEverywhere(accounts.parts.ground, id, id, { address: '' })],
      [
        'by an administrator',
        ({ accounts }: Oauth, id: string) => disableAccount(accounts.parts.ground, id, 'left', 'admin', { address: '' }),
      ],
      ['by other roles', ({ accounts }: Oauth, id: string) => setRoles(accounts.parts.ground, id, [patient], 'admin', { address: '' })],
    ] as const)
      test(`all sessions that end ${how} are told`, async () => {
        const [one, two] = [await anApplication(), await anApplication()]
        const { oauth, account } = await opened([one.url, two.url])
        await authorizedAt(oauth, 'app-0000')
        await authorizedAt(oauth, 'app-0000')
        await authorizedAt(oauth, 'app-0001')
        valueOf<unknown>(await end(oauth, account.id))
        await deliveryOf(oauth)
        await deliveryOf(oauth)
        expect([one.told.length, two.told.length]).toEqual([2, 1])
        expect(new Set(one.told.map(token => decodeJwt(token).sid)).size).toBe(2)
      })

    test('an application ends the session, and all that were signed in hear it', async () => {
      const [one, two] = [await anApplication(), await anApplication()]
      const { oauth } = await opened([one.url, two.url])
      const { tokens, browser } = await authorizedAt(oauth, 'app-0000')
      await authorizedAt(oauth, 'app-0001', browser)
      await browser.fetch(`${oauth.base}/oauth/session/end?${new URLSearchParams({ id_token_hint: tokens.id_token ?? '' })}`)
      await deliveryOf(oauth)
      expect([one.told.length, two.told.length]).toEqual([1, 1])
    })

    test('many nodes at once tell it once', async () => {
      const one = await anApplication()
      const { oauth } = await opened([one.url])
      const { browser } = await authorizedAt(oauth, 'app-0000')
      await logOutOf(oauth, browser)
      await Promise.all(Array.from({ length: 6 }, () => deliveryOf(oauth)))
      expect(one.told.length).toBe(1)
    })

    test('one that does not take it is tried five times in all, ever later, and then it is said that it was not told; the others heard', async () => {
      const [one, two] = [await anApplication(), await anApplication()]
      one.answer = res => void res.writeHead(500).end()
      const { oauth, account } = await opened([one.url, two.url])
      const { browser } = await authorizedAt(oauth, 'app-0000')
      await authorizedAt(oauth, 'app-0001', browser)
      await logOutOf(oauth, browser)
      const minutes = [0, 0.4, 0.6, 2, 3, 12, 14, 70, 80, 90, 300]
      const tries: number[] = []
      for (const minute of minutes) {
        await deliveryOf(oauth, { later: minute * 60_000 })
        tries.push(one.told.length)
      }
      expect(tries).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5])
      expect(two.told.length).toBe(1)
      expect(new Set(one.told.map(token => decodeJwt(token).jti)).size).toBe(5)
      expect(told(oauth).map(({ what, client, reason }) => ({ what, client, reason }))).toEqual([
        { what: 'logout-told', client: 'app-0001', reason: undefined },
        { what: 'logout-not-told', client: 'app-0000', reason: 'status-500' },
      ])
      expect((await oauth.parts.clients.health.of('app-0000')).troubles['logout-not-taken']?.count).toBe(5)
      expect(account.id).toBe(told(oauth)[0]?.account)
    })

    test('a round asks one that does not answer once, however much there is to tell', async () => {
      const asked: string[] = []
      const dead: Outgoing = async ({ url }) => {
        asked.push(url)
        return { ok: false, why: 'timeout' }
      }
      const { oauth, account } = await opened(['http://127.0.0.1:9/one', 'http://127.0.0.1:9/two'])
      for (let n = 0; n < 3; n++) for (const client of ['app-0000', 'app-0001']) await authorizedAt(oauth, client)
      valueOf(await logOutEverywhere(oauth.accounts.parts.ground, account.id, account.id, { address: '' }))
      await deliveryOf(oauth, { outgoing: dead })
      expect(asked.sort()).toEqual(['http://127.0.0.1:9/one', 'http://127.0.0.1:9/two'])
    })

    test('a node that dies over it leaves it to another', async () => {
      const one = await anApplication()
      const { oauth } = await opened([one.url])
      const { browser } = await authorizedAt(oauth, 'app-0000')
      await logOutOf(oauth, browser)
      const notices = oauth.accounts.parts.ground.store.records<LogoutNotice>(logoutNoticeRecords)
      const taken = valueOf(await notices.take('due', 50, 1, { to: [Date.now()] }))
      expect(taken.length).toBe(1)
      await new Promise(resolve => setTimeout(resolve, 20))
      await deliveryOf(oauth)
      expect(one.told.length).toBe(1)
    })

    test('nothing around this machine is told, nor one that is suspended', async () => {
      const [one, two] = [await anApplication(), await anApplication()]
      const { oauth } = await opened([one.url, two.url])
      const { browser } = await authorizedAt(oauth, 'app-0000')
      await authorizedAt(oauth, 'app-0001', browser)
      await keepClient(oauth, { id: 'app-0001', development: true, backchannelLogoutUri: two.url, status: 'suspended' })
      await logOutOf(oauth, browser)
      await deliveryOf(oauth, { outgoing: createOutgoing() })
      expect([one.told.length, two.told.length]).toEqual([0, 0])
      expect((await oauth.parts.clients.health.of('app-0000')).troubles['logout-not-taken']?.count).toBe(1)
    })
  })
