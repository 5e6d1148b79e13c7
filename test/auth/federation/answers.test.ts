import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { createProviderKeys, type ProviderKeys } from '../../../src/auth/federation/provider-keys.ts'
import { createRelyingParty } from '../../../src/auth/federation/relying-party.ts'
import { createOutgoing } from '../../../src/auth/outgoing/outgoing.ts'
import { federationStepMs, federationStepRecords } from '../../../src/auth/federation/federation-step.ts'
import { suspendProvider } from '../../../src/auth/federation/provider-administration.ts'
import { sessionsOf } from '../../../src/auth/sessions/sessions.ts'
import { testEngines } from '../../support/engines.ts'
import { closingAccounts, origin, valueOf } from '../accounts-ground.ts'
import { closingServers, waiting, wordsOf } from '../pages/pages-ground.ts'
import { closingDoors, type FederationGround, openFederation } from './federation-ground.ts'
import { closingProviders } from './outside-provider.ts'

closingAccounts()
closingServers()
closingProviders()
closingDoors()

const start = '/login/federation/sso'

/** Whoever comes is somebody new, with an account of their own. */
const open = async (engine: (typeof testEngines)[number], more: object = {}): Promise<FederationGround> => {
  const world = await openFederation(engine, { unknown: 'create', ...more })
  world.outside.people.set('u-1', { email: 'u-1@rumah.example', amr: ['mfa'] })
  world.outside.next = 'u-1'
  return world
}

const changed = (url: string, change: (query: URLSearchParams) => void): string => {
  const after = new URL(url)
  change(after.searchParams)
  return after.href
}

const refused = { status: 400, words: 'The answer of the identity provider cannot be accepted.' }
const over = { status: 400, words: 'or this sign-in was used before' }

for (const engine of testEngines)
  describe(`${engine.name}: answers of a provider`, () => {
    const rows: readonly (readonly [string, (query: URLSearchParams) => void])[] = [
      ['another state', query => query.set('state', 'A'.repeat(43))],
      ['no state', query => query.delete('state')],
      ['two states', query => query.append('state', 'x')],
      ['another issuer', query => query.set('iss', 'https://another.example')],
      ['no issuer', query => query.delete('iss')],
      ['another code', query => query.set('code', 'made-up')],
      ['two codes', query => query.append('code', 'made-up')],
    ]
    for (const [name, change] of rows)
      test(`${name} lets nobody in`, async () => {
        const world = await open(engine)
        const walker = world.browser()
        const back = await walker.through(await walker.begin(start))
        const answer = await walker.ours.ask(changed(back, change))
        expect([answer.status, wordsOf(answer.text)]).toEqual([refused.status, expect.stringContaining(refused.words)])
        expect(walker.ours.cookies.has('simpul_sid')).toBe(false)
      })

    test('another nonce lets nobody in', async () => {
      const world = await open(engine)
      const walker = world.browser()
      const url = changed(await walker.begin(start), query => query.set('nonce', 'another-nonce-of-somebody'))
      const answer = await walker.ours.ask(await walker.through(url))
      expect([answer.status, wordsOf(answer.text)]).toEqual([refused.status, expect.stringContaining(refused.words)])
    })

    test('an answer counts once, in its own browser, for ten minutes', async () => {
      const world = await open(engine)
      const { accounts } = world.pages
      const walker = world.browser()
      const back = await walker.through(await walker.begin(start))
      const cookie = walker.ours.cookies.get('simpul_provider') ?? ''
      const other = await world.browser().ours.ask(back)
      expect([other.status, wordsOf(other.text)]).toEqual([over.status, expect.stringContaining(over.words)])
      expect((await walker.ours.ask(back)).status).toBe(303)
      expect(walker.ours.cookies.has('simpul_provider')).toBe(false)
      walker.ours.cookies.set('simpul_provider', cookie)
      expect((await walker.ours.ask(back)).status).toBe(400)
      const late = world.browser()
      const tooLate = await late.through(await late.begin(start))
      accounts.clock.now += federationStepMs
      expect((await late.ours.ask(tooLate)).status).toBe(400)
    })

    test('of twenty answers at once one counts', async () => {
      const world = await open(engine)
      const walker = world.browser()
      const url = new URL(await walker.through(await walker.begin(start)))
      const token = walker.ours.cookies.get('simpul_provider') ?? ''
      const browser = { origin }
      const answers = await Promise.all(Array.from({ length: 20 }, () => world.federation.finish('sso', token, url.searchParams, browser)))
      expect(answers.map(answer => valueOf(answer).is).filter(is => is === 'answered')).toHaveLength(1)
    })

    test('what is kept of a login under way opens nothing', async () => {
      const world = await open(engine)
      const walker = world.browser()
      const url = new URL(await walker.begin(start))
      const { rows } = await world.pages.accounts.store.records(federationStepRecords).range('key', { limit: 10 })
      const kept = JSON.stringify(rows.map(({ value }) => value))
      expect(rows).toHaveLength(1)
      expect(kept).not.toContain(walker.ours.cookies.get('simpul_provider'))
      expect([url.searchParams.get('code_challenge_method'), url.searchParams.get('response_type')]).toEqual(['S256', 'code'])
      expect(url.searchParams.get('redirect_uri')).toBe(`${world.pages.base}/login/federation/sso/callback`)
    })

    test('who is refused there reads it, and can begin again', async () => {
      const world = await open(engine)
      world.outside.refusing = true
      const walker = world.browser()
      const answer = await walker.login(start)
      expect([answer.status, wordsOf(answer.text)]).toEqual([403, expect.stringContaining('The identity provider did not let you in')])
      world.outside.refusing = false
      expect((await walker.login(start)).status).toBe(303)
    })

    test('a provider that is away loses nothing: the application waits on', async () => {
      const world = await open(engine)
      const door = waiting(world.pages)
      const walker = world.browser()
      const back = await walker.through(await walker.begin(`${door}/federation/sso`))
      await world.outside.close()
      const answer = await walker.ours.ask(back)
      expect([answer.status, wordsOf(answer.text)]).toEqual([503, expect.stringContaining('cannot be reached')])
      expect(answer.text).toContain(`href="${door}"`)
      world.pages.accounts.clock.now += 3_600_000
      expect((await walker.ours.ask(`${door}/federation/sso`)).status).toBe(503)
      expect((await walker.ours.open(door)).status).toBe(200)
      world.pages.accounts.clock.now = Date.now()
      await world.outside.open()
      expect((await walker.login(`${door}/federation/sso`)).status).toBe(303)
      expect(world.pages.told.filter(([what]) => what === 'thrown')).toEqual([])
    })

    test('T10: it leads to a page of ours alone', async () => {
      const world = await open(engine)
      for (const next of [
        'https://evil.example/',
        '//evil.example',
        '/\\evil.example',
        '/login/../fhir',
        'javascript:alert(1)',
        '/fhir/Patient',
      ]) {
        const answer = await world.browser().login(`${start}?next=${encodeURIComponent(next)}`)
        expect([next, answer.headers.get('location')]).toEqual([next, '/account'])
      }
    })

    test('T15: addresses around this machine are not gone to', async () => {
      const world = await open(engine)
      const outgoing = createOutgoing()
      const { clock } = world.pages.accounts.parts.ground
      const party = createRelyingParty({ outgoing, keys: async () => undefined, clock, loopback: true })
      const opened = await world.providers.open('sso')
      if (opened === undefined) throw new Error('not there')
      const before = world.outside.asked.length
      expect(
        await party.authorizationUrl(opened, { redirectUri: 'https://rumah.example/cb', state: 's', nonce: 'n', verifier: 'v'.repeat(43) }),
      ).toEqual({
        is: 'away',
      })
      expect(world.outside.asked).toHaveLength(before)
    })

    test('an id token counts by a key that the provider publishes alone', async () => {
      const world = await open(engine)
      const { clock } = world.pages.accounts.parts.ground
      const outgoing = createOutgoing({ loopback: true })
      const published = createProviderKeys({ outgoing, clock })
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const another = { keys: [{ ...publicKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'outside-1' }] }
      const opened = await world.providers.open('sso')
      if (opened === undefined) throw new Error('not there')
      const claimsBy = async (keys: ProviderKeys): Promise<string> => {
        const party = createRelyingParty({ outgoing, keys, clock, loopback: true })
        const redirectUri = `${world.pages.base}/login/federation/sso/callback`
        const asked = { redirectUri, state: 'state-of-the-test', nonce: 'nonce-of-the-test', verifier: 'v'.repeat(43) }
        const url = await party.authorizationUrl(opened, asked)
        const back = new URL(await world.browser().through(url.is === 'said' ? url.value : ''))
        return (await party.claims(opened, back.searchParams, asked)).is
      }
      expect(await claimsBy(published)).toBe('said')
      expect(await claimsBy(async () => another)).toBe('forged')
      expect(await claimsBy(async () => undefined)).toBe('away')
    })

    test('keys are remembered for ten minutes, and asked for once more where one is missing', async () => {
      const world = await open(engine)
      const { accounts } = world.pages
      const keys = createProviderKeys({ outgoing: createOutgoing({ loopback: true }), clock: accounts.parts.ground.clock })
      const url = `${world.outside.issuer}/jwks`
      const asked = async (kid: string): Promise<number> => {
        await keys(url, kid)
        return world.outside.asked.filter(path => path === '/jwks').length
      }
      expect([await asked('outside-1'), await asked('outside-1'), await asked('new')]).toEqual([1, 1, 1])
      accounts.clock.now += 10_000
      expect([await asked('outside-1'), await asked('new'), await asked('new')]).toEqual([1, 2, 2])
      accounts.clock.now += 10 * 60_000
      expect(await asked('outside-1')).toBe(3)
    })

    test('discovery is remembered for an hour', async () => {
      const world = await open(engine)
      const discoveries = (): number => world.outside.asked.filter(path => path.endsWith('openid-configuration')).length
      await world.browser().login(start)
      await world.browser().login(start)
      expect(discoveries()).toBe(1)
      world.pages.accounts.clock.now += 3_600_000
      await world.browser().begin(start)
      expect(discoveries()).toBe(2)
    })

    test('a provider that is suspended is not there, and the sessions that it began end', async () => {
      const world = await open(engine)
      const walker = world.browser()
      await walker.login(start)
      expect((await walker.ours.ask('/account')).status).toBe(200)
      valueOf(await suspendProvider(world.pages.accounts.parts.ground, 'sso', 'admin', origin))
      expect((await walker.ours.ask('/account')).status).toBe(303)
      expect((await walker.ours.ask(start)).status).toBe(404)
      expect((await walker.ours.ask('/login/federation/nobody')).status).toBe(404)
    })
  })

for (const engine of testEngines)
  describe(`${engine.name}: back-channel logout`, () => {
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }

    const signedIn = async (more: object = {}) => {
      const world = await open(engine, { logout: true, ...more })
      const walkers = [world.browser(), world.browser()] as const
      for (const walker of walkers) expect((await walker.login(start)).status).toBe(303)
      const { door } = world
      const { store, parts } = world.pages.accounts
      const [account] = (await store.records<{ id: string }>({ name: 'account', key: 'id' }).range('key', { limit: 1 })).rows
      const sessions = await sessionsOf(parts.ground, account?.key ?? '')
      const now = Math.floor(Date.now() / 1000)
      const claims = { iss: world.outside.issuer, aud: 'simpul', iat: now, exp: now + 120, events }
      const tell = async (token: string, id = 'sso'): Promise<number> =>
        (await fetch(`${door}/${id}`, { method: 'POST', body: new URLSearchParams({ logout_token: token }) })).status
      const alive = async () => Promise.all(walkers.map(async ({ ours }) => (await ours.ask('/account')).status === 200))
      return { world, claims, tell, alive, sids: sessions.map(({ outside }) => outside?.sid ?? ''), door }
    }

    test('who leaves at the provider leaves here', async () => {
      const world = await open(engine, { logout: true })
      const [leaving, staying] = [world.browser(), world.browser()]
      for (const walker of [leaving, staying]) expect((await walker.login(start)).status).toBe(303)
      const { issuer } = world.outside
      await leaving.theirs.open('/session/end')
      expect((await leaving.theirs.sendOnly(`${issuer}/session/end/confirm`, { logout: 'yes' })).status).toBeLessThan(400)
      expect((await leaving.ours.ask('/account')).status).toBe(303)
      expect((await staying.ours.ask('/account')).status).toBe(200)
    })

    test('ends the session of its sid, and no other', async () => {
      const { world, claims, tell, alive, sids } = await signedIn()
      expect(new Set(sids).size).toBe(2)
      expect(await tell(await world.outside.sign({ ...claims, jti: 'j-1', sid: sids[0] }))).toBe(200)
      expect((await alive()).filter(is => is)).toHaveLength(1)
    })

    test('without a sid it ends all that its subject has from there', async () => {
      const { world, claims, tell, alive } = await signedIn()
      expect(await tell(await world.outside.sign({ ...claims, jti: 'j-2', sub: 'u-1' }))).toBe(200)
      expect(await alive()).toEqual([false, false])
    })

    test('a token that is not right ends nothing', async () => {
      const { world, claims, tell, alive, sids, door } = await signedIn()
      const [sid] = sids
      const bad: readonly (readonly [string, object])[] = [
        ['of another issuer', { iss: 'https://another.example' }],
        ['for somebody else', { aud: 'another' }],
        ['with a nonce', { nonce: 'n' }],
        ['without the event', { events: {} }],
        ['old', { iat: claims.iat - 3_600 }],
        ['expired', { exp: claims.iat - 600 }],
        ['without a number', { jti: undefined }],
        ['of nobody', { sid: undefined }],
      ]
      for (const [name, change] of bad)
        expect([name, await tell(await world.outside.sign({ ...claims, jti: `bad ${name}`, sid, ...change }))]).toEqual([name, 400])
      const good = await world.outside.sign({ ...claims, jti: 'j-3', sid: 'another session' })
      expect(await tell(`${good.slice(0, -4)}AAAA`)).toBe(400)
      const [, payload] = good.split('.')
      expect(await tell(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`)).toBe(400)
      expect(await tell('nothing')).toBe(400)
      expect(await tell(good, 'another')).toBe(400)
      expect((await fetch(`${door}/sso`)).status).toBe(405)
      // Of two that are the same one counts.
      expect([await tell(good), await tell(good)]).toEqual([200, 400])
      expect(await alive()).toEqual([true, true])
    })

    test('a provider that may not end sessions ends none', async () => {
      const { world, claims, tell, alive, sids } = await signedIn({ logout: false })
      expect(await tell(await world.outside.sign({ ...claims, jti: 'j-4', sid: sids[0] }))).toBe(400)
      expect(await alive()).toEqual([true, true])
    })
  })
