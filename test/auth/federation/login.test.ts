import { describe, expect, test } from '@jest/globals'
import { accountRecords, type Account } from '../../../src/auth/accounts/account.ts'
import { disableAccount } from '../../../src/auth/accounts/administration.ts'
import { invite } from '../../../src/auth/accounts/invitation.ts'
import { linksOf } from '../../../src/auth/federation/provider-link.ts'
import { testEngines } from '../../support/engines.ts'
import { accountNow, anAccount, closingAccounts, doctor, origin, valueOf, withFactor } from '../accounts-ground.ts'
import { closingServers, titleOf, uid, waiting, wordsOf } from '../pages/pages-ground.ts'
import { closingDoors, type FederationGround, openFederation } from './federation-ground.ts'
import { closingProviders } from './outside-provider.ts'

closingAccounts()
closingServers()
closingProviders()
closingDoors()

const invited = async ({ pages }: FederationGround, email: string, roles = [doctor]): Promise<{ id: string; secret: string }> => {
  const made = valueOf(await invite(pages.accounts.parts.ground, { email, locale: 'en', roles }, 'cli', origin))
  if (made.is !== 'invited') throw new Error(made.is)
  return { id: made.account.id, secret: made.secret }
}

const start = '/login/federation/sso'

/** Somebody who came in by invitation. */
const linked = async (world: FederationGround, sub: string, email = `${sub}@rumah.example`): Promise<string> => {
  const { id, secret } = await invited(world, email)
  world.outside.people.set(sub, { email, ...world.outside.people.get(sub) })
  world.outside.next = sub
  const answer = await world.browser().login(`${start}?invitation=${secret}`)
  if (answer.status !== 303) throw new Error(answer.text)
  return id
}

for (const engine of testEngines)
  describe(`${engine.name}: signing in by an outside provider`, () => {
    test('the login page has a button for it, in both languages', async () => {
      const world = await openFederation(engine)
      const { ours } = world.browser()
      expect(wordsOf((await ours.open('/login')).text)).toContain('Sign in with SSO Rumah Sakit')
      await ours.send('/login/language', {}, ['language', 'id'])
      const page = (await ours.open('/login?next=%2Faccount%2Fapps')).text
      expect(wordsOf(page)).toContain('Masuk dengan SSO Rumah Sakit')
      expect(page).toContain('href="/login/federation/sso?next=%2Faccount%2Fapps"')
    })

    test('first by invitation, then by issuer and subject', async () => {
      const world = await openFederation(engine)
      const { outside, pages } = world
      const { id, secret } = await invited(world, 'sari@rumah.example')
      outside.people.set('u-1', { email: 'other@elsewhere.example' })
      outside.next = 'u-1'
      const first = world.browser()
      expect(wordsOf((await first.ours.open(`/login/invitation/${secret}`)).text)).toContain('Sign in with SSO Rumah Sakit')
      expect((await first.login(`${start}?invitation=${secret}&next=%2Faccount%2Fsecurity`)).headers.get('location')).toBe(
        '/account/security',
      )
      expect((await first.ours.open('/account')).status).toBe(200)
      expect(await accountNow(pages.accounts, id)).toMatchObject({ status: 'active', federated: true, email: 'sari@rumah.example' })
      const [link] = await linksOf(pages.accounts.parts.ground, id)
      expect(link?.value).toMatchObject({ issuer: outside.issuer, subject: 'u-1', how: 'invitation', account: id })
      // The invitation is used up, whoever comes with it.
      outside.next = 'u-2'
      expect((await world.browser().login(`${start}?invitation=${secret}`)).status).toBe(403)
    })

    test('a later login meets the account again, and our second factor follows where the provider asked for one', async () => {
      const world = await openFederation(engine)
      const { outside, pages } = world
      const id = await linked(world, 'u-1')
      const factor = await withFactor(pages.accounts, id)
      pages.accounts.clock.now = Date.now()
      const once = world.browser()
      const answer = await once.login(`${start}?next=%2Faccount%2Fapps`)
      expect(answer.headers.get('location')).toBe('/login/code?next=%2Faccount%2Fapps')
      await once.ours.open('/login/code?next=%2Faccount%2Fapps')
      pages.accounts.clock.now += 30_000
      expect((await once.ours.send('/login/code', { code: factor.code() })).path).toBe('/account/apps')
      outside.people.set('u-1', { amr: ['pwd', 'mfa'] })
      expect((await world.browser().login(start)).headers.get('location')).toBe('/account')
    })

    test('T29: the same address with another subject is linked to nobody', async () => {
      const world = await openFederation(engine)
      await anAccount(world.pages.accounts, 'dr.sari', [doctor])
      world.outside.people.set('thief', { email: 'dr.sari@rumah.example' })
      world.outside.next = 'thief'
      const walker = world.browser()
      const answer = await walker.login(start)
      expect([answer.status, titleOf(answer.text)]).toEqual([403, 'Error: You are not signed in · RS Sehat Sentosa'])
      expect(wordsOf(answer.text)).toContain('Your identity is not linked to an account here.')
      expect(walker.ours.cookies.has('simpul_sid')).toBe(false)
    })

    test('T29: in a directory of our own an address links once, and nobody else after', async () => {
      const world = await openFederation(engine, { directoryDomains: ['rumah.example'] })
      const { outside, pages } = world
      const account = await anAccount(pages.accounts, 'dr.sari', [doctor])
      outside.people.set('u-1', { email: 'dr.sari@rumah.example', emailVerified: false })
      outside.next = 'u-1'
      expect((await world.browser().login(start)).status).toBe(403)
      outside.people.set('u-1', { email: 'dr.sari@rumah.example' })
      expect((await world.browser().login(start)).status).toBe(303)
      outside.people.set('u-2', { email: 'dr.sari@rumah.example' })
      outside.next = 'u-2'
      expect((await world.browser().login(start)).status).toBe(403)
      expect((await linksOf(pages.accounts.parts.ground, account.id)).map(({ value }) => value.subject)).toEqual(['u-1'])
      const admin = await anAccount(pages.accounts, 'kepala', [{ role: 'admin', givenBy: 'cli' }])
      outside.people.set('u-3', { email: 'kepala@rumah.example' })
      outside.next = 'u-3'
      expect((await world.browser().login(start)).status).toBe(403)
      expect(await linksOf(pages.accounts.parts.ground, admin.id)).toEqual([])
    })

    test('only verified addresses of the domains that are let in', async () => {
      const world = await openFederation(engine, { emailDomains: ['rumah.example'], unknown: 'create' })
      for (const [sub, email, emailVerified, status] of [
        ['a', 'a@lain.example', true, 403],
        ['b', 'b@rumah.example', false, 403],
        ['c', 'c@rumah.example', true, 303],
      ] as const) {
        world.outside.people.set(sub, { email, emailVerified })
        world.outside.next = sub
        expect([sub, (await world.browser().login(start)).status]).toEqual([sub, status])
      }
    })

    test('a new account has no role but those of the map, which are read anew and go when they are missing', async () => {
      const roleMap = [
        { value: 'dokter', role: 'doctor', organization: 'Organization/1' },
        { value: 'perawat', role: 'nurse' },
      ]
      const world = await openFederation(engine, { unknown: 'create', roleMap })
      const { outside, pages } = world
      outside.next = 'u-1'
      const rolesNow = async (groups: readonly string[]): Promise<Account> => {
        outside.people.set('u-1', { email: 'u-1@rumah.example', groups, amr: ['mfa'] })
        expect((await world.browser().login(start)).status).toBe(303)
        const { rows } = await pages.accounts.store
          .records<Account>(accountRecords)
          .range('email', { from: ['u-1@rumah.example'], limit: 2 })
        expect(rows).toHaveLength(1)
        return rows[0]?.value as Account
      }
      expect((await rolesNow(['admin'])).roles).toEqual([])
      const asDoctor = await rolesNow(['dokter', 'tamu'])
      expect(asDoctor.roles).toEqual([{ role: 'doctor', organization: 'Organization/1', givenBy: 'idp:sso' }])
      const asNurse = await rolesNow(['perawat'])
      expect(asNurse.roles).toEqual([{ role: 'nurse', givenBy: 'idp:sso' }])
      expect(asNurse.epoch).toBeGreaterThan(asDoctor.epoch)
      expect((await rolesNow(['perawat'])).epoch).toBe(asNurse.epoch)
      const given = { role: 'receptionist', givenBy: 'somebody' }
      await pages.accounts.store.records<Account>(accountRecords).put({ ...asNurse, roles: [...asNurse.roles, given] })
      expect((await rolesNow([])).roles).toEqual([given])
    })

    test('an account that is disabled is not let in', async () => {
      const world = await openFederation(engine)
      const id = await linked(world, 'u-1')
      valueOf(await disableAccount(world.pages.accounts.parts.ground, id, 'left', 'admin', origin))
      const answer = await world.browser().login(start)
      expect([answer.status, wordsOf(answer.text)]).toEqual([403, expect.stringContaining('This account cannot be used.')])
    })

    test('an application that waits goes on where it was', async () => {
      const world = await openFederation(engine)
      await linked(world, 'u-1')
      for (const again of [undefined, 'login'] as const) {
        world.pages.told.splice(0)
        world.outside.people.set('u-1', { amr: ['mfa'] })
        const door = waiting(world.pages, again === undefined ? {} : { again })
        const walker = world.browser()
        expect((await walker.ours.open(door)).text).toContain(`href="${door}/federation/sso"`)
        const url = await walker.begin(`${door}/federation/sso`)
        expect(new URL(url).searchParams.get('prompt')).toBe(again === undefined ? null : 'login')
        const back = await walker.ours.ask(await walker.through(url))
        expect(back.headers.get('location')).toMatch(new RegExp(`^/login/${uid}/arrived\\?proof=`))
        expect((await walker.ours.ask(back.headers.get('location') ?? '')).headers.get('location')).toBe(door)
        expect(world.pages.told.map(([what]) => what)).toEqual(['loggedIn'])
        // The proof is of this login and this application alone.
        waiting(world.pages, { again: 'login' })
        expect((await world.browser().ours.ask(back.headers.get('location') ?? '')).status).toBe(403)
      }
    })
  })
