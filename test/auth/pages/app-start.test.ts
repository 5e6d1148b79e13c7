/**
 * The page *Apps* opens an application out of the record, through a browser without script; what may be launched says the launch itself.
 * @see auth.md 7.3, annex A.4
 */
import { describe, expect, test } from '@jest/globals'
import type { RoleAssignment } from '../../../src/auth/accounts/account.ts'
import { createSigning } from '../../../src/auth/keys/signing.ts'
import { createPages } from '../../../src/auth/pages/pages.ts'
import type { EncounterRow, PatientRow } from '../../../src/auth/pages/parts.ts'
import { sessionPrincipal } from '../../../src/auth/principal/person.ts'
import { secretHash } from '../../../src/auth/secrets.ts'
import { type Launch, launchRecords } from '../../../src/auth/smart/launch-record.ts'
import { ok } from '../../../src/base/outcome.ts'
import { createAppLaunches } from '../../../src/compose/app-launches.ts'
import { testEngines } from '../../support/engines.ts'
import { anAccount, closingAccounts, doctor, patient } from '../accounts-ground.ts'
import { aClient, closingOauth, keepClient, type Oauth, openOauth, serve, sessionCookie, signIn } from '../server/oauth-ground.ts'
import { type Answer, TestBrowser, wordsOf } from './pages-ground.ts'

closingOauth()
closingAccounts()

const ani: PatientRow = { id: '1', name: 'Ani Lestari', birthDate: '2019-02-03' }
const budi: PatientRow = { id: '2', name: 'Budi Lestari' }
const visits: readonly EncounterRow[] = [{ id: '1', what: 'Poli Anak' }]

type World = { readonly oauth: Oauth; readonly browser: TestBrowser; readonly account: string; own: readonly PatientRow[] }

for (const engine of testEngines) {
  /** Somebody who is signed in at the page. Whom they see is what the authorization server's ground sees. */
  const start = async (role: RoleAssignment, own: readonly PatientRow[] = []): Promise<World> => {
    const oauth = await openOauth(engine)
    const { accounts, parts } = oauth
    const account = await anAccount(accounts, 'siti.aminah', [role])
    const { cookie } = await signIn(oauth, account)
    const visible = (row: PatientRow): boolean => oauth.seen.has(`Patient/${row.id}`)
    const world: World = { oauth, browser: new TestBrowser(oauth.base), account: account.id, own }
    const pages = createPages({
      accounts: accounts.parts,
      address: parts.address,
      forms: createSigning(accounts.keyring, 'forms'),
      patients: {
        find: async (_live, text) => ok([ani, budi].filter(row => visible(row) && row.name.includes(text))),
        own: async () => ok(world.own),
        byId: async (_live, id) => ok([ani, budi].find(row => row.id === id && visible(row))),
        encounters: async (_live, id) => ok(id === '1' ? visits : []),
      },
      apps: { list: async () => [], withdraw: async () => ok(false) },
      launches: createAppLaunches({ launching: parts, principalOf: live => sessionPrincipal(parts, live) }),
    })
    serve(oauth, '/login', pages.login)
    serve(oauth, '/account', pages.account)
    world.browser.cookies.set(sessionCookie, cookie)
    return world
  }

  const words = ({ browser }: World): string => wordsOf(browser.here?.text ?? '')
  const formAction = ({ headers }: Answer): string | undefined =>
    /form-action ([^;]*)/.exec(headers.get('content-security-policy') ?? '')?.[1]
  const openApp = ({ browser }: World): Promise<Answer> => browser.sendOnly('/account/apps/open', {}, ['client', 'app-0001'])

  /** Where the browser was sent, and what is kept of it. */
  const launchOf = async (
    { oauth }: World,
    { status, headers }: Answer,
  ): Promise<{ readonly url: URL; readonly launch: Launch | undefined }> => {
    expect([status, headers.get('referrer-policy'), headers.get('cache-control')]).toEqual([303, 'no-referrer', 'no-store'])
    const url = new URL(headers.get('location') ?? '')
    expect([url.origin, url.pathname, url.searchParams.get('iss')]).toEqual(['https://app.example', '/launch', oauth.fhir])
    const kept = await oauth.parts.ground.store.records<Launch>(launchRecords).get(secretHash(url.searchParams.get('launch') ?? ''))
    return { url, launch: kept?.value }
  }

  describe(`opening an app on ${engine.name}`, () => {
    test('A.4 23, A.4 25: staff choose the app, a patient and a visit; the browser goes to the app with a launch for all three', async () => {
      const world = await start(doctor)
      const { oauth, browser } = world
      await keepClient(oauth, { publisher: 'PT Aplikasi Sehat' })
      const list = await browser.open('/account/apps')
      for (const one of ['Buka aplikasi', 'Growth Chart', 'Dibuat oleh PT Aplikasi Sehat.', 'belum diverifikasi'])
        expect(words(world)).toContain(one)
      expect(formAction(list)).toBe("'self'")
      const empty = await openApp(world)
      expect([empty.status, words(world), formAction(empty)]).toEqual([
        200,
        expect.stringContaining('Aplikasi Growth Chart akan dibuka untuk satu pasien.'),
        "'self' https://app.example",
      ])
      const short = await browser.sendOnly('/account/apps/patients', { text: 'An' })
      expect([short.status, words(world)]).toEqual([422, expect.stringContaining('Masukkan minimal 3 huruf.')])
      await browser.sendOnly('/account/apps/patients', { text: 'Lestari' })
      expect(words(world)).toContain('Ditemukan: 2')
      const encounters = await browser.sendOnly('/account/apps/patient', {}, ['patient', '1'])
      expect([words(world), formAction(encounters)]).toEqual([expect.stringContaining('Poli Anak'), "'self' https://app.example"])
      expect(words(world)).toContain('Data yang dibuka: Ani Lestari')
      const { launch } = await launchOf(world, await browser.sendOnly('/account/apps/encounter', {}, ['encounter', '1']))
      expect(launch).toMatchObject({ client: 'app-0001', account: world.account, patient: '1', encounter: '1' })
    })

    test('no visit is chosen where the app asks for none, where there is none, and where somebody goes on without', async () => {
      const asksNone = await start(doctor)
      await keepClient(asksNone.oauth, { scopesAllowed: ['launch', 'patient/*.rs'] })
      await asksNone.browser.open('/account/apps')
      await openApp(asksNone)
      await asksNone.browser.sendOnly('/account/apps/patients', { text: 'Ani' })
      const first = await launchOf(asksNone, await asksNone.browser.sendOnly('/account/apps/patient', {}, ['patient', '1']))
      expect(first.launch).toMatchObject({ patient: '1' })

      const world = await start(doctor)
      const { browser } = world
      await keepClient(world.oauth)
      await browser.open('/account/apps')
      await openApp(world)
      await browser.sendOnly('/account/apps/patients', { text: 'Lestari' })
      const { text: found } = browser.here ?? { text: '' }
      expect((await launchOf(world, await browser.sendOnly('/account/apps/patient', {}, ['patient', '2']))).launch).toMatchObject({
        patient: '2',
      })
      browser.here = { status: 200, headers: new Headers(), text: found, path: '/account/apps/patients' }
      await browser.sendOnly('/account/apps/patient', {}, ['patient', '1'])
      const without = await launchOf(world, await browser.sendOnly('/account/apps/encounter', { encounter: '' }))
      expect([without.launch?.patient, without.launch?.encounter]).toEqual(['1', undefined])
    })

    test('a patient opens it at once; who represents others chooses among them, and searches nobody', async () => {
      const world = await start(patient, [ani])
      const { oauth, browser } = world
      await keepClient(oauth, { scopesAllowed: ['launch', 'patient/*.rs'] })
      expect(formAction(await browser.open('/account/apps'))).toBe("'self' https://app.example")
      expect((await launchOf(world, await openApp(world))).launch).toMatchObject({ account: world.account, patient: '1' })
      world.own = [ani, budi]
      await browser.open('/account/apps')
      await openApp(world)
      expect([words(world), browser.here?.text.includes('/account/apps/patients')]).toEqual([
        expect.stringContaining('Data Budi Lestari (saya wakili)'),
        false,
      ])
      const { text } = browser.here ?? { text: '' }
      expect((await launchOf(world, await browser.sendOnly('/account/apps/patient', {}, ['patient', '2']))).launch).toMatchObject({
        patient: '2',
      })
      const token = /name="token" value="([^"]*)"/.exec(text)?.[1] ?? ''
      const body = new URLSearchParams({ token, client: 'app-0001', text: 'Lestari' }).toString()
      const searched = await browser.ask('/account/apps/patients', { body })
      expect([searched.status, wordsOf(searched.text).includes('Ani')]).toEqual([403, false])
      world.own = []
      await browser.open('/account/apps')
      expect(wordsOf((await openApp(world)).text)).toContain('Tidak ada pasien yang cocok atau dapat Anda akses.')
    })

    test('an app that is suspended, has no launch address, may not be launched, or has nothing for this person is not there', async () => {
      const rows: readonly Parameters<typeof aClient>[0][] = [
        { status: 'suspended' },
        { status: 'draft' },
        { launchUris: [] },
        { scopesAllowed: ['launch/patient', 'patient/*.rs'] },
        { scopesAllowed: ['launch', 'user/Organization.c'] },
      ]
      const world = await start(patient, [ani])
      const { oauth, browser } = world
      await keepClient(oauth, { id: 'app-0002' })
      await browser.open('/account/apps')
      const { text } = browser.here ?? { text: '' }
      const token = /name="token" value="([^"]*)"/.exec(text)?.[1] ?? ''
      for (const [n, given] of rows.entries()) {
        const id = `gone-000${n}`
        await keepClient(oauth, { ...given, id, name: 'Tidak ada di sini' })
        expect([n, wordsOf((await browser.open('/account/apps')).text).includes('Tidak ada di sini')]).toEqual([n, false])
        const answer = await browser.ask('/account/apps/open', { body: new URLSearchParams({ token, client: id }).toString() })
        expect([n, answer.status, wordsOf(answer.text)]).toEqual([
          n,
          404,
          expect.stringContaining('Aplikasi ini tidak dapat dibuka sekarang.'),
        ])
      }
    })

    test('a patient or a visit that cannot be seen any more, or is of somebody else, is refused on a page, and nothing is launched', async () => {
      const world = await start(doctor)
      const { oauth, browser } = world
      await keepClient(oauth)
      await browser.open('/account/apps')
      await openApp(world)
      await browser.sendOnly('/account/apps/patients', { text: 'Lestari' })
      const found = browser.here
      await browser.sendOnly('/account/apps/patient', {}, ['patient', '1'])
      const wrong = await browser.sendOnly('/account/apps/encounter', { encounter: '2' })
      expect([wrong.status, words(world)]).toEqual([422, expect.stringContaining('Tautan pembukaan aplikasi sudah tidak berlaku.')])
      oauth.seen.delete('Patient/1')
      browser.here = found
      const hidden = await browser.sendOnly('/account/apps/patient', {}, ['patient', '1'])
      expect([hidden.status, words(world)]).toEqual([422, expect.stringContaining('Pasien ini tidak dapat dibuka. Pilih yang lain.')])
      browser.here = found
      const odd = await browser.sendOnly('/account/apps/patient', {}, ['patient', '../1'])
      expect(odd.status).toBe(422)
    })

    test('both languages, and nobody who is not signed in', async () => {
      const world = await start(doctor)
      const { oauth, browser } = world
      await keepClient(oauth, { verifiedPublisher: true })
      await browser.open('/account/apps')
      await browser.send('/login/language', { next: '/account/apps' }, ['language', 'en'])
      for (const one of ['Open an app', 'Simpul has verified this maker.', 'The app opens for one patient.'])
        expect(words(world)).toContain(one)
      const stranger = new TestBrowser(oauth.base)
      const answer = await stranger.open('/account/apps')
      expect([answer.path, wordsOf(answer.text).includes('Growth Chart')]).toEqual(['/login?next=%2Faccount%2Fapps', false])
    })
  })
}
