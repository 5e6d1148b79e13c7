/** One's own account: apps, security, sessions, history, emergency access, language. @see auth.md 2.4, 2.5, 3, 12.5, 14 */
import { describe, expect, test } from '@jest/globals'
import { stepAt, totpCode } from '../../../src/auth/factors/totp.ts'
import { factorsOf } from '../../../src/auth/factors/factor-set.ts'
import { assetPaths } from '../../../src/auth/pages/assets.ts'
import { sendDueMails } from '../../../src/auth/pages/mails/delivery.ts'
import type { OutgoingMail } from '../../../src/auth/pages/mails/mailer.ts'
import { logIn } from '../../../src/auth/login.ts'
import { sessionsOf } from '../../../src/auth/sessions/sessions.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { fail, ok } from '../../../src/base/outcome.ts'
import { testEngines } from '../../support/engines.ts'
import {
  accountNow,
  anAccount,
  closingAccounts,
  doctor,
  goodPassword,
  origin,
  otherPassword,
  patient,
  secretOf,
  valueOf,
  withFactor,
} from '../accounts-ground.ts'
import { closingServers, openPages, type PagesGround, scopesOf, TestBrowser, waiting, wordsOf } from './pages-ground.ts'

closingServers()
closingAccounts()

type SignedIn = { readonly world: PagesGround; readonly browser: TestBrowser; readonly id: string; readonly code: () => string }

for (const engine of testEngines) {
  const start = async (roles = [patient], factor = true): Promise<SignedIn> => {
    const world = await openPages(engine)
    const account = await anAccount(world.accounts, 'siti.aminah', roles)
    const { code } = factor ? await withFactor(world.accounts, account.id) : { code: () => '' }
    const browser = new TestBrowser(world.base)
    await browser.open('/login')
    await browser.send('/login', { username: 'siti.aminah', password: goodPassword })
    if (factor) await browser.send('/login/code', { code: code() })
    expect(browser.here?.path).toBe('/account')
    return { world, browser, id: account.id, code }
  }

  describe(`the account on ${engine.name}`, () => {
    test('apps with access are shown with what they may, and can be withdrawn', async () => {
      const { world, browser } = await start()
      world.patients = [{ id: '1', name: 'Siti Aminah' }]
      world.apps = [
        {
          grant: 'g1',
          name: 'Grafik Tumbuh',
          publisher: 'PT Aplikasi Sehat',
          scopes: scopesOf('openid patient/Observation.rs'),
          patient: '1',
          since: world.accounts.clock.now,
          offlineUntil: world.accounts.clock.now + 86_400_000,
        },
        { grant: 'g2', name: 'Lain', scopes: scopesOf('patient/Condition.rs'), since: world.accounts.clock.now },
      ]
      const page = wordsOf((await browser.open('/account/apps')).text)
      for (const words of [
        'Aplikasi dengan akses ke data saya',
        'Grafik Tumbuh',
        'Dibuat oleh PT Aplikasi Sehat',
        'Data yang dibuka: Siti Aminah',
        'Melihat hasil pemeriksaan dan pengukuran',
        'Sampai 22 November 2026',
        'Akses hanya selama Anda masuk',
      ])
        expect(page).toContain(words)
      await browser.send('/account/apps/withdraw')
      expect(wordsOf(browser.here?.text ?? '')).toContain('Akses aplikasi sudah dicabut.')
      expect(world.apps.map(({ grant }) => grant)).toEqual(['g2'])
    })

    test('the password changes after a fresh proof; other sessions end, this one goes on', async () => {
      const { world, browser, id, code } = await start()
      await logIn(world.accounts.parts, { name: 'siti.aminah', password: goodPassword }, { origin })
      world.accounts.clock.now += 6 * 60_000
      await browser.open('/account/security/password')
      expect(browser.here?.path).toBe('/account/verify?next=%2Faccount%2Fsecurity%2Fpassword')
      await browser.send('/account/verify', { code: code() })
      expect(browser.here?.path).toBe('/account/security/password')
      const weak = await browser.send('/account/security/password', { password: 'siti.aminah.123', again: 'siti.aminah.123' })
      expect([weak.status, wordsOf(weak.text)]).toEqual([422, expect.stringContaining('isinya memuat nama pengguna')])
      await browser.send('/account/security/password', { password: otherPassword, again: otherPassword })
      expect(wordsOf(browser.here?.text ?? '')).toContain('Kata sandi sudah diganti. Sesi lain sudah berakhir.')
      const { epoch } = await accountNow(world.accounts, id)
      expect((await sessionsOf(world.accounts.parts.ground, id)).filter(one => one.epoch === epoch)).toHaveLength(1)
    })

    test('another phone is set up, backup codes are made anew, and the factor of a patient can be turned off', async () => {
      const { world, browser, id } = await start()
      const page = await browser.open('/account/security/factor')
      const key = secretOf(`otpauth://totp/x?secret=${/class="secret">([^<]*)</.exec(page.text)?.[1]?.replaceAll(' ', '') ?? ''}`)
      const done = await browser.send('/account/security/factor', { code: totpCode(key, stepAt(world.accounts.clock.now)) })
      const codesOf = (text: string): readonly string[] =>
        [...text.matchAll(/<li>([0-9A-Z]{5}-[0-9A-Z]{5})<\/li>/g)].map(one => one[1] ?? '')
      expect(codesOf(done.text)).toHaveLength(10)
      await browser.open('/account/security')
      const anew = await browser.send('/account/security/backup-codes')
      expect(codesOf(anew.text)).toHaveLength(10)
      expect(codesOf(anew.text)).not.toEqual(codesOf(done.text))
      await browser.open('/account/security')
      await browser.send('/account/security/factor/remove')
      expect(wordsOf(browser.here?.text ?? '')).toContain('Verifikasi dua langkah sudah dimatikan.')
      expect(await factorsOf(world.accounts.parts.ground, id)).toBeUndefined()
    })

    test('staff cannot turn their factor off', async () => {
      const { browser } = await start([doctor])
      expect((await browser.open('/account/security')).text).not.toContain('factor/remove')
      const token = /name="token" value="([^"]*)"/.exec(browser.here?.text ?? '')?.[1] ?? ''
      const answer = await browser.ask('/account/security/factor/remove', { body: new URLSearchParams({ token }).toString() })
      expect(answer.headers.get('location')).toBe('/account/security?done=needed')
    })

    test('another e-mail address counts once its link came back, and the old one is told', async () => {
      const { world, browser, id } = await start()
      await browser.open('/account/security/email')
      const wrong = await browser.send('/account/security/email', { email: 'nothing' })
      expect([wrong.status, wordsOf(wrong.text)]).toEqual([422, expect.stringContaining('Ini bukan alamat e-mail.')])
      await browser.send('/account/security/email', { email: 'baru@rumah.example' })
      const mails: { readonly to: string; readonly text: string; readonly subject: string }[] = []
      const mailer = {
        send: async (mail: { readonly to: string; readonly text: string; readonly subject: string }) => (mails.push(mail), ok(undefined)),
      }
      valueOf(await sendDueMails({ accounts: world.accounts.parts, address: publicAddress(world.base), mailer }))
      expect(mails.find(({ subject }) => subject.includes('akan diganti'))?.to).toBe('siti.aminah@rumah.example')
      const link = mails.find(({ to }) => to === 'baru@rumah.example')
      const path = new URL(/http\S+/.exec(link?.text ?? '')?.[0] ?? '').pathname
      await browser.open(path)
      expect((await accountNow(world.accounts, id)).email).toBe('siti.aminah@rumah.example')
      expect(wordsOf((await browser.send(path)).text)).toContain('Alamat e-mail Anda sudah diganti.')
      expect((await accountNow(world.accounts, id)).email).toBe('baru@rumah.example')
    })

    test('sessions are shown; one of them ends alone, and none of another account does', async () => {
      const { world, browser } = await start([patient], false)
      const other = new TestBrowser(world.base, { 'user-agent': 'Mozilla/5.0 Chrome/140.0' })
      await other.open('/login')
      await other.send('/login', { username: 'siti.aminah', password: goodPassword })
      const stranger = await anAccount(world.accounts, 'orang.lain')
      await logIn(world.accounts.parts, { name: 'orang.lain', password: goodPassword }, { origin })
      const [theirs] = await sessionsOf(world.accounts.parts.ground, stranger.id)
      const page = wordsOf((await browser.open('/account/security')).text)
      for (const words of ['Firefox', 'Chrome', 'Browser ini', 'perangkat baru', '192.0.2.7']) expect(page).toContain(words)
      await browser.send('/account/security/end', { session: theirs?.id ?? '' })
      expect(await sessionsOf(world.accounts.parts.ground, stranger.id)).toHaveLength(1)
      await browser.send('/account/security/end')
      expect(wordsOf(browser.here?.text ?? '')).toContain('Sesi sudah diakhiri.')
      expect((await other.ask('/account')).status).toBe(303)
      expect((await browser.ask('/account')).status).toBe(200)
    })

    test('"sign out on all devices" and "this was not me" end everything; the latter asks for a new password', async () => {
      const { world, browser, code } = await start()
      await browser.open('/account/security')
      await browser.send('/account/security/end-all')
      expect(wordsOf(browser.here?.text ?? '')).toContain('All sessions on all devices have ended.')
      await browser.send('/login', { username: 'siti.aminah', password: goodPassword })
      world.accounts.clock.now += 30_000
      await browser.send('/login/code', { code: code() })
      await browser.open('/account/security')
      await browser.send('/account/security/disown')
      expect(wordsOf(browser.here?.text ?? '')).toContain('All sessions have ended. Sign in, then choose a new password.')
      await browser.send('/login', { username: 'siti.aminah', password: goodPassword })
      world.accounts.clock.now += 30_000
      await browser.send('/login/code', { code: code() })
      expect(wordsOf(browser.here?.text ?? '')).toContain('The password has to be changed before you go on.')
    })

    test('the history is shown in pages, and only one’s own', async () => {
      const { browser, world } = await start([patient], false)
      for (let n = 0; n < 25; n++) {
        world.accounts.clock.now += 31 * 60_000
        await logIn(world.accounts.parts, { name: 'siti.aminah', password: otherPassword }, { origin })
      }
      await browser.open('/login')
      await browser.send('/login', { username: 'siti.aminah', password: goodPassword })
      const first = await browser.open('/account/security')
      expect(first.text.match(/<tr><td>/g)).toHaveLength(20)
      const older = /href="(\/account\/security\?after=[^"]*)"/.exec(first.text)?.[1] ?? ''
      const second = await browser.open(older)
      expect(second.text.match(/<tr><td>/g)).toHaveLength(7)
    })

    test('a few backup codes and an old password are told at home', async () => {
      const world = await openPages(engine)
      const account = await anAccount(world.accounts, 'dr.budi', [doctor])
      const { backupCodes } = await withFactor(world.accounts, account.id)
      world.accounts.clock.now += 80 * 86_400_000
      for (const code of backupCodes.slice(0, 8)) {
        const browser = new TestBrowser(world.base)
        await browser.open('/login')
        await browser.send('/login', { username: 'dr.budi', password: goodPassword })
        await browser.send('/login/code', { code })
        if (code !== backupCodes[7]) continue
        const page = wordsOf(browser.here?.text ?? '')
        expect(page).toContain('Kode cadangan Anda kurang dari 3.')
        expect(page).toContain('Kata sandi Anda berakhir dalam 10 hari.')
      }
    })

    test('emergency access asks for two factors of now, a reason and words, and shows until when', async () => {
      const { world, browser, code } = await start([doctor])
      world.patients = [{ id: '1', name: 'Tersembunyi' }]
      world.accounts.clock.now += 6 * 60_000
      await browser.open('/account/emergency/1')
      expect(browser.here?.path).toContain('/account/verify')
      await browser.send('/account/verify', { code: code() })
      const page = wordsOf(browser.here?.text ?? '')
      expect(page).toContain(
        'Data pasien ini dibatasi. Akses darurat dicatat, dilaporkan kepada petugas pelindungan data, dan diberitahukan kepada pasien.',
      )
      expect(page).not.toContain('Tersembunyi')
      const short = await browser.send('/account/emergency/1', { reason: 'ETREAT', words: 'gawat' })
      expect([short.status, wordsOf(short.text)]).toEqual([422, expect.stringContaining('Tulis alasan dengan paling sedikit 20 karakter.')])
      const words = 'pasien tidak sadar di IGD'
      await browser.open('/account/emergency/unknown')
      const unknown = await browser.send('/account/emergency/unknown', { reason: 'ETREAT', words })
      expect([unknown.status, wordsOf(unknown.text)]).toEqual([404, expect.stringContaining('Akses darurat tidak dapat dibuka.')])
      await browser.open('/account/emergency/1')
      await browser.send('/account/emergency/1', { reason: 'ETREAT', words })
      expect(wordsOf(browser.here?.text ?? '')).toMatch(/Akses darurat aktif sampai \d\d[.:]\d\d WIB/)
      for (const prompt of ['select_patient', 'consent'] as const) {
        const page = await browser.open(waiting(world, { prompt, patient: '1' }))
        expect([page.status, wordsOf(page.text)]).toEqual([
          200,
          expect.stringMatching(/^Langsung ke isi Akses darurat aktif sampai \d\d[.:]\d\d WIB/),
        ])
      }
    })

    test('times are those of the installation, and say so', async () => {
      const world = await openPages(engine, { zone: 'Asia/Jayapura' })
      await anAccount(world.accounts, 'siti.aminah')
      const browser = new TestBrowser(world.base)
      await browser.open('/login')
      await browser.send('/login', { username: 'siti.aminah', password: goodPassword })
      expect(wordsOf((await browser.open('/account/security')).text)).toContain('21 Nov 2026, 17.00 WIT')
      const texts: string[] = []
      const mailer = { send: async ({ text }: OutgoingMail) => (texts.push(text), ok(undefined)) }
      valueOf(await sendDueMails({ accounts: world.accounts.parts, address: publicAddress(world.base), mailer }))
      expect(texts.filter(text => text.includes('pada 21 Nov 2026, 17.00 WIT'))).toHaveLength(1)
    })

    for (const [language, words] of [
      ['id', 'Anda sudah keluar'],
      ['en', 'You have signed out'],
    ] as const)
      test(`whom an application signed out reads so (${language})`, async () => {
        const world = await openPages(engine)
        const page = await new TestBrowser(world.base, { 'accept-language': language }).open('/login/goodbye')
        expect([page.status, wordsOf(page.text)]).toEqual([200, expect.stringContaining(words)])
        expect(page.text).toContain(`<html lang="${language}">`)
      })

    test('a patient who was told of emergency access finds it in the account, with when and why', async () => {
      const { world, browser } = await start([patient])
      await browser.open('/account')
      expect(browser.here?.text).not.toContain('/account/emergencies')
      await browser.open('/account/emergencies')
      expect(wordsOf(browser.here?.text ?? '')).toContain(
        'Data Anda belum pernah dibuka dengan akses darurat, atau Anda belum diberi tahu.',
      )
      world.opened = [{ openedAt: Date.UTC(2026, 10, 20, 3, 5), reason: 'ETREAT' }]
      await browser.open('/account')
      expect(browser.here?.text).toContain('href="/account/emergencies"')
      await browser.open('/account/emergencies')
      expect(wordsOf(browser.here?.text ?? '')).toMatch(/20 Nov 2026,? (pukul )?10[.:]05 WIB: Penanganan darurat/)
    })

    test('emergency access of who has no second factor begins with setting one up', async () => {
      const { browser } = await start([doctor], false)
      await browser.open('/account/emergency/p.1')
      expect(browser.here?.path).toBe('/account/security/factor?next=%2Faccount%2Femergency%2Fp.1')
      expect(browser.here?.text).toContain('name="next" value="/account/emergency/p.1"')
    })

    test('the language of the account changes with the switch', async () => {
      const { world, browser, id } = await start()
      await browser.open('/account/security')
      await browser.send('/login/language', {}, ['language', 'en'])
      expect([browser.here?.path, wordsOf(browser.here?.text ?? '')]).toEqual([
        '/account/security',
        expect.stringContaining('Account security'),
      ])
      expect((await accountNow(world.accounts, id)).locale).toBe('en')
    })

    test('a mail that does not go is tried again, later and later, and once more goes once', async () => {
      const { world } = await start()
      let tries = 0
      const mailer = { send: async () => (++tries < 3 ? fail('accounts-away', {}) : ok(undefined)) }
      const round = async (): Promise<number> =>
        valueOf(await sendDueMails({ accounts: world.accounts.parts, address: publicAddress(world.base), mailer }))
      expect(await round()).toBe(0)
      expect(await round()).toBe(0)
      expect(tries).toBe(1)
      world.accounts.clock.now += 31_000
      expect(await round()).toBe(0)
      world.accounts.clock.now += 31_000
      expect(await round()).toBe(0)
      world.accounts.clock.now += 31_000
      expect([await round(), await round(), tries]).toEqual([1, 0, 3])
    })
  })
}

test('stylesheet, script and mark may be kept for ever; other names are not there', async () => {
  const world = await openPages(testEngines[0] as (typeof testEngines)[number])
  const browser = new TestBrowser(world.base)
  for (const path of Object.values(assetPaths)) {
    const answer = await browser.ask(path)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect(answer.headers.getSetCookie()).toEqual([])
  }
  expect((await browser.ask('/login/assets/pages.css')).status).toBe(404)
  expect((await browser.ask('/login/assets/../assets.ts')).status).toBe(404)
})
