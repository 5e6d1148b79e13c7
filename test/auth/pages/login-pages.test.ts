/** Sign-in through a browser without script, on both engines. @see auth.md 2, 3, 14 */
import { describe, expect, test } from '@jest/globals'
import { invite } from '../../../src/auth/accounts/invitation.ts'
import { sendDueMails } from '../../../src/auth/pages/mails/delivery.ts'
import type { OutgoingMail } from '../../../src/auth/pages/mails/mailer.ts'
import { publicAddress } from '../../../src/auth/web.ts'
import { ok } from '../../../src/base/outcome.ts'
import { testEngines } from '../../support/engines.ts'
import {
  anAccount,
  closingAccounts,
  doctor,
  goodPassword,
  origin,
  otherPassword,
  secretOf,
  valueOf,
  withFactor,
} from '../accounts-ground.ts'
import { stepAt, totpCode } from '../../../src/auth/factors/totp.ts'
import { closingServers, openPages, type PagesGround, TestBrowser, titleOf, waiting, wordsOf, uid } from './pages-ground.ts'

closingServers()
closingAccounts()

const protectedScopes = 'patient/Condition.rs patient/Condition.rs?_security=http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY'
const failed = 'The user name or password does not match, or the account is locked for a while.'

const logIn = async (browser: TestBrowser, username: string, password = goodPassword, path = '/login'): Promise<void> => {
  await browser.open(path)
  await browser.send('/login', { username, password })
}

/** What a mail program would have brought. */
const mailsOf = async ({ accounts, base }: PagesGround): Promise<readonly OutgoingMail[]> => {
  const mails: OutgoingMail[] = []
  const mailer = {
    send: async (mail: OutgoingMail) => {
      mails.push(mail)
      return ok(undefined)
    },
  }
  valueOf(await sendDueMails({ accounts: accounts.parts, address: publicAddress(base), mailer }))
  return mails
}

/** The key that stands on the page for those who cannot scan. */
const keyOn = (page: string): Buffer =>
  secretOf(`otpauth://totp/x?secret=${/class="secret">([^<]*)</.exec(page)?.[1]?.replaceAll(' ', '') ?? ''}`)

for (const engine of testEngines)
  describe(`sign-in on ${engine.name}`, () => {
    test('a patient signs in, sees the account, and signs out', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      const browser = new TestBrowser(world.base)
      expect(titleOf((await browser.open('/account')).text)).toBe('Sign in to RS Sehat Sentosa · RS Sehat Sentosa')
      await browser.send('/login', { username: 'Siti.Aminah ', password: goodPassword })
      // The account's language, whatever the browser's is.
      expect(wordsOf(browser.here?.text ?? '')).toContain('Selamat datang, siti.aminah')
      const before = browser.cookies.get('simpul_sid')
      await browser.send('/account/logout')
      expect(wordsOf(browser.here?.text ?? '')).toContain('You have signed out')
      expect(browser.cookies.get('simpul_sid')).toBeUndefined()
      browser.cookies.set('simpul_sid', before ?? '')
      expect((await browser.ask('/account')).headers.get('location')).toMatch(/^\/login\?why=/)
    })

    test('a wrong password, an unknown name and a locked account read the same', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      const browser = new TestBrowser(world.base)
      const page = async (username: string, password: string): Promise<string> => {
        await browser.open('/login')
        const answer = await browser.send('/login', { username, password })
        expect(answer.status).toBe(422)
        return wordsOf(answer.text)
      }
      const wrong = await page('siti.aminah', otherPassword)
      expect(wrong).toContain(failed)
      expect(await page('nobody.here', otherPassword)).toBe(wrong)
      for (let n = 0; n < 4; n++) await page('siti.aminah', otherPassword)
      expect(await page('siti.aminah', goodPassword)).toBe(wrong)
      world.accounts.clock.now += 31 * 60_000
      await logIn(browser, 'siti.aminah')
      expect(browser.here?.status).toBe(200)
      expect(wordsOf(browser.here?.text ?? '')).toContain('Selamat datang')
    })

    test('T5: the value of the cookie changes at login and at step-up, and old values are dead', async () => {
      const world = await openPages(engine)
      const account = await anAccount(world.accounts, 'siti.aminah')
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      const first = browser.cookies.get('simpul_sid')
      await withFactor(world.accounts, account.id)
      world.accounts.clock.now += 60_000
      await browser.open('/login')
      expect(browser.cookies.get('simpul_sid')).toBe(first)
      const factor = await withFactorAgain(world, account.id)
      await browser.open('/account/verify?next=/account/security')
      await browser.send('/account/verify', { code: factor })
      expect(browser.here?.path).toBe('/account/security')
      const second = browser.cookies.get('simpul_sid')
      expect(second).not.toBe(first)
      const thief = new TestBrowser(world.base)
      thief.cookies.set('simpul_sid', first ?? '')
      expect((await thief.ask('/account')).status).toBe(303)
    })

    test('a second factor is asked for, wrong codes are said, a backup code works once', async () => {
      const world = await openPages(engine)
      const account = await anAccount(world.accounts, 'siti.aminah')
      const { code, backupCodes } = await withFactor(world.accounts, account.id)
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      expect(browser.here?.path).toBe('/login/code?next=%2Faccount')
      expect(wordsOf(browser.here?.text ?? '')).toContain('Enter the 6 digits from your authenticator app.')
      const wrong = await browser.send('/login/code', { code: '000000' })
      expect([wrong.status, wordsOf(wrong.text)]).toEqual([422, expect.stringContaining('The code is wrong or was used before.')])
      expect(wrong.text).toContain('aria-invalid="true"')
      await browser.send('/login/code', { code: code() })
      expect(browser.here?.path).toBe('/account')
      await browser.send('/account/logout')
      await logIn(browser, 'siti.aminah')
      await browser.open('/login/code?backup=1')
      await browser.send('/login/code', { code: (backupCodes[0] ?? '').toLowerCase() })
      expect(browser.here?.path).toBe('/account')
      await browser.send('/account/logout')
      await logIn(browser, 'siti.aminah')
      const again = await browser.send('/login/code', { code: backupCodes[0] ?? '' })
      expect(again.status).toBe(422)
    })

    test('staff set up an authenticator app at the second login, and see the backup codes once', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'dr.budi', [doctor])
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'dr.budi')
      expect(wordsOf(browser.here?.text ?? '')).toContain('Pada waktu masuk berikutnya langkah ini wajib')
      await browser.send('/account/logout')
      await logIn(browser, 'dr.budi')
      expect(browser.here?.path).toContain('/login/enrol')
      const page = browser.here?.text ?? ''
      expect(page).toMatch(/<svg class="qr"[^>]*role="img" aria-label="QR code/)
      expect(wordsOf(page)).toContain('Scan this QR code, then enter the code it shows. Keep the backup codes in a safe place.')
      const wrong = await browser.send('/login/enrol', { code: '000000' })
      expect([wrong.status, wrong.text.includes('class="qr"')]).toEqual([422, false])
      const done = await browser.send('/login/enrol', { code: totpCode(keyOn(page), stepAt(world.accounts.clock.now)) })
      expect(done.status).toBe(200)
      const codes = [...done.text.matchAll(/<li>([0-9A-Z]{5}-[0-9A-Z]{5})<\/li>/g)]
      expect(codes).toHaveLength(10)
      expect((await browser.open('/account')).status).toBe(200)
      expect((await browser.open('/account/security')).text).toContain('Kode cadangan tersisa: 10')
    })

    test('a password that is too old is replaced before anything else', async () => {
      const world = await openPages(engine)
      const account = await anAccount(world.accounts, 'dr.budi', [doctor])
      const { code } = await withFactor(world.accounts, account.id)
      world.accounts.clock.now += 91 * 86_400_000
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'dr.budi')
      await browser.send('/login/code', { code: code() })
      expect(wordsOf(browser.here?.text ?? '')).toContain('Your password is older than 90 days. Choose a new one.')
      const unlike = await browser.send('/login/password', { password: otherPassword, again: goodPassword })
      expect([unlike.status, wordsOf(unlike.text)]).toEqual([422, expect.stringContaining('The two passwords are not the same.')])
      const weak = await browser.send('/login/password', { password: 'short', again: 'short' })
      expect(wordsOf(weak.text)).toContain('This password cannot be used: it has fewer than 12 characters')
      await browser.send('/login/password', { password: otherPassword, again: otherPassword })
      expect(browser.here?.path).toBe('/account')
    })

    test('a forgotten password is replaced by a link, once; nobody learns whether a name exists', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      await mailsOf(world)
      const browser = new TestBrowser(world.base)
      const asks = async (username: string): Promise<readonly [string, readonly string[]]> => {
        await browser.open('/login/forgotten')
        world.accounts.calls()
        const answer = await browser.sendOnly('/login/forgotten', { username })
        const calls = world.accounts.calls()
        expect(answer.headers.get('location')).toBe('/login/forgotten/sent')
        return [wordsOf((await browser.open('/login/forgotten/sent')).text), calls]
      }
      const unknown = await asks('nobody.here')
      expect(await mailsOf(world)).toEqual([])
      expect(await asks('siti.aminah')).toEqual(unknown)
      const [mail] = await mailsOf(world)
      expect([mail?.to, mail?.subject]).toEqual(['siti.aminah@rumah.example', 'Buat kata sandi baru'])
      const path = new URL(/http\S+/.exec(mail?.text ?? '')?.[0] ?? '').pathname
      expect((await browser.open(path)).status).toBe(200)
      await browser.send(path, { password: otherPassword, again: otherPassword })
      expect(wordsOf(browser.here?.text ?? '')).toContain('The new password is saved. Please sign in.')
      expect((await browser.open(path)).status).toBe(410)
      await logIn(browser, 'siti.aminah', otherPassword)
      expect(browser.here?.path).toBe('/account')
      expect((await mailsOf(world)).map(({ subject }) => subject)).toEqual(
        expect.arrayContaining(['Kata sandi Anda sudah diganti', 'Masuk dari perangkat baru']),
      )
    })

    test('asked too often, the answer is the same and no mail goes', async () => {
      const world = await openPages(engine, { parts: { mayAskReset: async () => false } })
      await anAccount(world.accounts, 'siti.aminah')
      await mailsOf(world)
      const browser = new TestBrowser(world.base)
      await browser.open('/login/forgotten')
      expect((await browser.send('/login/forgotten', { username: 'siti.aminah' })).path).toBe('/login/forgotten/sent')
      expect(await mailsOf(world)).toEqual([])
    })

    test('asked by every name of one account, it is one account that is counted; a name that is nobody’s by itself', async () => {
      const subjects: string[] = []
      const mayAskReset = async (_address: string, subject: string) => subjects.push(subject) <= 2
      const world = await openPages(engine, { parts: { mayAskReset } })
      const { id } = await anAccount(world.accounts, 'siti.aminah')
      await mailsOf(world)
      const browser = new TestBrowser(world.base)
      for (const username of ['siti.aminah', ' SITI.Aminah ', 'siti.aminah@rumah.example', 'Siti.Aminah@Rumah.example', 'nobody.here']) {
        await browser.open('/login/forgotten')
        await browser.send('/login/forgotten', { username })
      }
      expect(subjects.slice(0, 4)).toEqual([id, id, id, id])
      expect(subjects[4]).not.toBe(id)
      expect(await mailsOf(world)).toHaveLength(2)
    })

    test('an invitation is accepted once, and what is wrong stands beside its field', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'taken.name')
      const invited = valueOf(
        await invite(world.accounts.parts.ground, { email: 'adm@rumah.example', locale: 'en', roles: [] }, 'cli', origin),
      )
      if (invited.is !== 'invited') throw new Error(invited.is)
      const path = `/login/invitation/${invited.secret}`
      const browser = new TestBrowser(world.base)
      expect(wordsOf((await browser.open(path)).text)).toContain('Welcome to RS Sehat Sentosa')
      const rows: readonly (readonly [string, string, string])[] = [
        ['a', goodPassword, 'A user name is 3 to 64 small letters'],
        ['taken.name', goodPassword, 'Somebody else has this user name.'],
        ['new.name', 'password', 'This password cannot be used'],
      ]
      for (const [username, password, words] of rows) {
        const answer = await browser.send(path, { username, password, again: password })
        expect([answer.status, wordsOf(answer.text)]).toEqual([422, expect.stringContaining(words)])
        expect(answer.text).toContain(`value="${username}"`)
      }
      await browser.send(path, { username: 'new.name', password: goodPassword, again: goodPassword })
      expect(wordsOf(browser.here?.text ?? '')).toContain('Your account is ready. Please sign in.')
      expect((await browser.open(path)).status).toBe(410)
    })

    test('an idle session says so, and leads back to where it was', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      world.accounts.clock.now += 31 * 60_000
      await browser.open('/account/security')
      expect(browser.here?.path).toMatch(/^\/login\?why=ended&next=%2Faccount%2Fsecurity$/)
      expect(wordsOf((await browser.open('/login?why=session')).text)).toContain('Your session ended after 30 minutes without activity.')
    })

    test('for an application: login, patient, consent, in one go', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      world.own = [
        { id: '1', name: 'Siti Aminah' },
        { id: '2', name: 'Anak Siti' },
      ]
      const path = waiting(world)
      const browser = new TestBrowser(world.base)
      await browser.open(path)
      expect(wordsOf(browser.here?.text ?? '')).toContain('to continue to Grafik Tumbuh')
      await browser.send(path, { username: 'siti.aminah', password: goodPassword })
      expect(wordsOf(browser.here?.text ?? '')).toContain('Pilih pasien')
      expect(wordsOf(browser.here?.text ?? '')).toContain('Data Anak Siti (saya wakili)')
      await browser.send(`${path}/patient`, {}, ['patient', '2'])
      expect(wordsOf(browser.here?.text ?? '')).toContain('Data yang dibuka: Anak Siti')
      await browser.send(`${path}/consent`)
      expect(world.told.map(([what]) => what)).toEqual(['loggedIn', 'patient', 'allowed'])
      expect(world.told.at(-1)?.[1]).toEqual(['patient/Patient.rs', 'patient/Observation.cruds', 'openid', 'fhirUser', 'launch/patient'])
    })

    test('A.3 21: who refuses, at consent or at the choice of a patient, goes back to the application without anything', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      world.own = [
        { id: '1', name: 'Siti Aminah' },
        { id: '2', name: 'Anak Siti' },
      ]
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      const path = waiting(world, { prompt: 'consent', patient: '1' })
      await browser.open(path)
      expect((await browser.sendOnly(`${path}/consent`, {}, ['refuse', 'yes'])).headers.get('location')).toBe(`${world.app}?code=c`)
      waiting(world, { prompt: 'select_patient' })
      await browser.open(path)
      await browser.sendOnly(`${path}/refuse`)
      expect(world.told).toEqual([
        ['refused', undefined],
        ['refused', undefined],
      ])
    })

    test('specially protected data is asked for, unticked, and what was ticked is told', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      world.own = [{ id: '1', name: 'Siti Aminah' }]
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      const rows: readonly (readonly [ticked: readonly string[], protectedData: boolean])[] = [
        [['box1'], false],
        [['box1', 'protected'], true],
        [['box1', 'box2'], true],
      ]
      for (const [allow, protectedData] of rows) {
        const path = waiting(world, { prompt: 'consent', patient: '1', asksProtected: true, scopes: protectedScopes })
        await browser.open(path)
        expect(wordsOf(browser.here?.text ?? '')).toContain(
          'Data yang dilindungi khusus (misalnya kesehatan jiwa, HIV) tidak dicentang. Centang hanya bila perlu.',
        )
        await browser.send(`${path}/consent`, { allow })
        expect(world.told.at(-1)?.[1]).toMatchObject({ protectedData })
      }
    })

    test('nothing ticked is said, and a patient or a visit that was not offered is not taken', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      world.own = [{ id: '1', name: 'Siti Aminah' }]
      world.encounters = [{ id: 'e1', start: 0 }]
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      const path = waiting(world, { prompt: 'consent', patient: '1' })
      await browser.open(path)
      const nothing = await browser.send(`${path}/consent`, { allow: [] })
      expect([nothing.status, wordsOf(nothing.text)]).toEqual([
        422,
        expect.stringContaining('Pilih paling sedikit satu, atau tekan Tolak.'),
      ])
      await browser.open(`${path}/patient`)
      const stranger = await browser.send(`${path}/patient`, { patient: 'stranger' })
      expect([stranger.status, wordsOf(stranger.text)]).toEqual([
        422,
        expect.stringContaining('Pasien ini tidak dapat dibuka. Pilih yang lain.'),
      ])
      waiting(world, { prompt: 'select_encounter', patient: '1' })
      await browser.open(path)
      expect((await browser.send(`${path}/encounter`, { encounter: 'e2' })).status).toBe(422)
      expect(world.told).toEqual([])
    })

    test('staff search with three characters at least, and what they search for stands in no address', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'dr.budi', [doctor])
      world.patients = [{ id: '1', name: 'Budi Santoso' }]
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'dr.budi')
      const path = waiting(world, { prompt: 'select_patient' })
      await browser.open(path)
      const short = await browser.send(`${path}/patients`, { text: ' bu ' })
      expect([short.status, wordsOf(short.text)]).toEqual([422, expect.stringContaining('Masukkan minimal 3 huruf.')])
      const none = await browser.send(`${path}/patients`, { text: 'wulan' })
      expect(wordsOf(none.text)).toContain('Tidak ada pasien yang cocok atau dapat Anda akses.')
      await browser.send(`${path}/patients`, { text: 'santoso' })
      expect(browser.here?.path).toBe(`${path}/patients`)
      expect(world.searches).toEqual(['wulan', 'santoso'])
      await browser.send(`${path}/patient`, {}, ['patient', '1'])
      expect(world.told).toEqual([['patient', '1']])
    })

    test('a session that lives is enough for an application, but not when a login of now is asked for', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      await browser.ask(waiting(world, { again: 'login' }))
      expect(wordsOf(browser.here?.text ?? '')).toContain('Aplikasi ini meminta Anda masuk sekali lagi.')
      expect(world.told).toEqual([])
      await browser.ask(waiting(world, { again: 'other-user' }))
      expect(wordsOf(browser.here?.text ?? '')).toContain('Masuk dengan akun pengguna itu.')
      await browser.ask(waiting(world))
      expect(world.told.map(([what]) => what)).toEqual(['loggedIn'])
    })

    test('somebody else who signs in for an application ends the session that was there', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'siti.aminah')
      await anAccount(world.accounts, 'anak.siti')
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      const before = browser.cookies.get('simpul_sid') ?? ''
      const path = waiting(world, { again: 'other-user' })
      await browser.open(path)
      await browser.send(path, { username: 'anak.siti', password: goodPassword })
      const old = new TestBrowser(world.base)
      old.cookies.set('simpul_sid', before)
      expect((await old.ask('/account')).status).toBe(303)
    })

    test('a step-up that an application asks for takes a code of now', async () => {
      const world = await openPages(engine)
      const account = await anAccount(world.accounts, 'siti.aminah')
      const { code } = await withFactor(world.accounts, account.id)
      const browser = new TestBrowser(world.base)
      await logIn(browser, 'siti.aminah')
      await browser.send('/login/code', { code: code() })
      world.accounts.clock.now += 6 * 60_000
      const path = waiting(world, { again: 'factor' })
      await browser.open(path)
      expect(wordsOf(browser.here?.text ?? '')).toContain('Pastikan ini Anda')
      const wrong = await browser.send(`${path}/again`, { code: '000000' })
      expect(wrong.status).toBe(422)
      await browser.send(`${path}/again`, { code: code() })
      expect(world.told.map(([what]) => what)).toEqual(['loggedIn'])
    })

    test('notices come before the application, and go on by a form that is only good for this login', async () => {
      const world = await openPages(engine)
      await anAccount(world.accounts, 'dr.budi', [doctor])
      const path = waiting(world, { scopes: 'openid user/Observation.rs' })
      const browser = new TestBrowser(world.base)
      await browser.open(path)
      await browser.send(path, { username: 'dr.budi', password: goodPassword })
      expect(wordsOf(browser.here?.text ?? '')).toContain('Sebelum Anda melanjutkan')
      expect(world.told).toEqual([])
      const forged = await browser.sendOnly(`${path}/continue`, { arrived: `1.${'a'.repeat(43)}` })
      expect(forged.status).toBe(403)
      await browser.open(path)
      expect(world.told.map(([what]) => what)).toEqual(['loggedIn'])
    })

    test('an interaction that is over, of another browser or never was is a page, not a redirect', async () => {
      const world = await openPages(engine)
      const answer = await new TestBrowser(world.base).open(`/login/${uid}`)
      expect([answer.status, wordsOf(answer.text)]).toEqual([
        400,
        expect.stringContaining('This sign-in is over. Go back to the app and start again.'),
      ])
    })
  })

/** Another code of the factor, from its next step. */
const withFactorAgain = async (world: PagesGround, account: string): Promise<string> => (await withFactor(world.accounts, account)).code()
