/** Getting in, and being kept out. @see auth.md 2, 3, 17 (T1 to T5, T31) */
import { describe, expect, test } from '@jest/globals'
import { needsFactor } from '../../src/auth/accounts/account.ts'
import { disableAccount, resetFactors, setRoles, unlockAccount } from '../../src/auth/accounts/administration.ts'
import { invite } from '../../src/auth/accounts/invitation.ts'
import { stepAt, totpCode } from '../../src/auth/factors/totp.ts'
import { lockedUntil } from '../../src/auth/lockout/attempts.ts'
import { createSpraying, failuresAMinute } from '../../src/auth/lockout/spraying.ts'
import { failuresMax, lockMs } from '../../src/auth/lockout/tally.ts'
import { giveCode, giveNewPassword, logIn, logInFromOutside } from '../../src/auth/login.ts'
import type { Browser, LoggedIn, LoginAnswer } from '../../src/auth/login-answers.ts'
import { beginEnrolment, finishEnrolment } from '../../src/auth/login-enrolment.ts'
import { stepMs } from '../../src/auth/login-steps.ts'
import { lastLogin, loginHistory } from '../../src/auth/sessions/login-history.ts'
import { acrOf, factorAt, type Session } from '../../src/auth/sessions/session.ts'
import { findSession, sessionsOf } from '../../src/auth/sessions/sessions.ts'
import type { Outcome } from '../../src/base/outcome.ts'
import { testEngines } from '../support/engines.ts'
import {
  type Accounts,
  accountNow,
  anAccount,
  closingAccounts,
  doctor,
  goodPassword,
  openAccounts,
  origin,
  otherPassword,
  patient,
  secretOf,
  valueOf,
  withFactor,
} from './accounts-ground.ts'

closingAccounts()

const browser: Browser = { origin }
const enter = ({ parts }: Accounts, name: string, password = goodPassword, from: Browser = browser): Promise<Outcome<LoginAnswer>> =>
  logIn(parts, { name, password }, from)
const loggedIn = (answer: LoginAnswer): LoggedIn => {
  if (answer.is !== 'session') throw new Error(answer.is)
  return answer
}
const tokenOf = (answer: LoginAnswer): string => {
  if (answer.is !== 'needed') throw new Error(answer.is)
  return answer.token
}
const whats = ({ facts }: LoginAnswer): readonly string[] => facts.map(({ what }) => what)

/** What a browser is told: values that are secret or new each time left out. */
const shown = (answer: LoginAnswer): unknown => {
  const { facts: _, ...told } = answer
  return Object.keys({ ...told, facts: undefined })
    .sort()
    .concat(answer.is)
}

for (const engine of testEngines) {
  describe(`${engine.name}: logging in`, () => {
    test('a patient gets in with name and password, in any case, or with the e-mail address', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      for (const name of ['budi', ' BUDI ', 'Budi@Rumah.example']) {
        const answer = loggedIn(valueOf(await enter(accounts, name)))
        const live = await findSession(accounts.parts.ground, answer.cookie)
        expect(live?.account.key).toBe(account.id)
        expect(live?.session.key).toBe(answer.session.id)
        expect([acrOf(answer.session.amr), factorAt(answer.session.amr)]).toEqual([1, undefined])
        expect(answer.enrolSoon).toBe(false)
        expect(whats(answer)).toEqual(['login'])
      }
    })

    test('neither cookie is kept by the store', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const answer = loggedIn(valueOf(await enter(accounts, 'budi')))
      for await (const rows of accounts.store.beside()) {
        const text = JSON.stringify(rows)
        expect(text).not.toContain(answer.cookie)
        expect(text).not.toContain(answer.device)
        expect(text).not.toContain(goodPassword)
        expect(text).not.toContain('Firefox/143')
      }
    })

    test('an e-mail address of two accounts is the name of neither', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      valueOf(await invite(accounts.parts.ground, { email: 'budi@rumah.example', locale: 'id', roles: [patient] }, 'cli', origin))
      expect(valueOf(await enter(accounts, 'budi@rumah.example')).is).toBe('refused')
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('session')
    })

    test('names that nobody has are refused alike: same answer, same calls of the store, same hashes', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const disabled = await anAccount(accounts, 'lama')
      valueOf(await disableAccount(accounts.parts.ground, disabled.id, 'left', 'cli', origin))
      valueOf(
        await invite(accounts.parts.ground, { email: 'baru@x.example', username: 'baru', locale: 'id', roles: [patient] }, 'cli', origin),
      )
      const device = loggedIn(valueOf(await enter(accounts, 'budi'))).device
      const strangers = [
        { name: 'budi', password: 'wrong wrong wrong' },
        { name: 'nobody', password: goodPassword },
        { name: 'nobody@rumah.example', password: goodPassword },
        { name: 'lama', password: goodPassword },
        { name: 'baru', password: goodPassword },
        { name: '', password: '' },
        { name: 'x\u0000y', password: 'x' },
        { name: 'n'.repeat(5000), password: 'p'.repeat(5000) },
      ]
      const work = async (typed: { name: string; password: string }, from: Browser) => {
        accounts.calls()
        const before = accounts.parts.hashing.hashes
        const answer = valueOf(await logIn(accounts.parts, typed, from))
        return { answer: shown(answer), is: answer.is, calls: accounts.calls(), hashes: accounts.parts.hashing.hashes - before }
      }
      for (const from of [browser, { origin, device: 'A'.repeat(43) }]) {
        const first = await work(strangers[0] as (typeof strangers)[number], from)
        const others: unknown[] = []
        expect(first.is).toBe('refused')
        expect(first.hashes).toBe(1)
        expect(first.calls).toEqual([
          'range account',
          ...(from.device === undefined ? [] : ['get device_cookie']),
          'get login_attempts',
          'put login_attempts',
          'commit login_event login_attempts',
        ])
        for (const stranger of strangers.slice(1)) others.push(await work(stranger, from))
        for (const other of others) expect(other).toEqual(first)
      }
      // And once they are locked, too. A second and a third browser came before.
      const locked = async (name: string) => {
        for (let n = 0; n < failuresMax; n++) await work({ name, password: 'wrong wrong wrong' }, browser)
        return work({ name, password: goodPassword }, browser)
      }
      expect(await locked('budi')).toEqual(await locked('nobody'))
      expect(valueOf(await enter(accounts, 'budi', goodPassword, { origin, device })).is).toBe('session')
    })

    test('five failures lock, also for the right password, for 30 minutes, and another name not', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      await anAccount(accounts, 'wati')
      const facts: string[][] = []
      for (let n = 0; n < failuresMax; n++)
        facts.push([...whats(valueOf(await enter(accounts, n % 2 === 0 ? 'budi' : 'budi@rumah.example', 'wrong')))])
      expect(facts).toEqual([['login-failed'], ['login-failed'], ['login-failed'], ['login-failed'], ['login-failed', 'locked']])
      expect(await lockedUntil(accounts.parts.ground, account.id)).toBe(accounts.clock.now + lockMs)
      const answer = valueOf(await enter(accounts, 'budi'))
      expect([answer.is, answer.facts[0]?.reason]).toEqual(['refused', 'locked'])
      expect(valueOf(await enter(accounts, 'wati')).is).toBe('session')
      accounts.clock.now += lockMs
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('session')
    })

    test('an administrator unlocks', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      for (let n = 0; n < failuresMax; n++) await enter(accounts, 'budi', 'wrong')
      valueOf(await unlockAccount(accounts.parts.ground, account.id, 'admin', origin))
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('session')
    })

    test('four failures are forgiven by a success, and told', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      for (let round = 0; round < 2; round++) {
        for (let n = 0; n < failuresMax - 1; n++) await enter(accounts, 'budi', 'wrong')
        const answer = loggedIn(valueOf(await enter(accounts, 'budi')))
        expect(answer.facts[0]).toMatchObject({ what: 'login', failuresBefore: 4, newDevice: true })
      }
    })

    test('of 50 wrong passwords at once no more than five are tried', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const before = accounts.parts.hashing.hashes
      const done = await Promise.all(Array.from({ length: 50 }, (_, n) => enter(accounts, 'budi', `guess number ${n}`)))
      for (const one of done) expect(one.ok ? one.value.is : one.failure.kind).toMatch(/^(refused|overloaded)$/)
      const tried = done.filter(one => one.ok && one.value.facts.some(({ reason }) => reason === 'password')).length
      expect(tried).toBeLessThanOrEqual(failuresMax)
      expect(accounts.parts.hashing.hashes - before).toBeLessThanOrEqual(50)
      for (let n = tried; n < failuresMax; n++) await enter(accounts, 'budi', 'wrong')
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('refused')
    })

    test('who locks an account from elsewhere does not keep out the browser that is known', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const known: Browser = { origin, device: loggedIn(valueOf(await enter(accounts, 'budi'))).device }
      for (let n = 0; n < failuresMax + 3; n++) await enter(accounts, 'budi', 'wrong')
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('refused')
      const answer = loggedIn(valueOf(await enter(accounts, 'budi', goodPassword, known)))
      expect([answer.newDevice, answer.device]).toEqual([false, known.device])
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('refused')
      for (let n = 0; n < failuresMax; n++) await enter(accounts, 'budi', 'wrong', known)
      expect(valueOf(await enter(accounts, 'budi', goodPassword, known)).is).toBe('refused')
    })

    test('one browser knows several accounts by one cookie; a value that we never gave is not taken over', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      await anAccount(accounts, 'wati')
      const planted = 'P'.repeat(43)
      const first = loggedIn(valueOf(await enter(accounts, 'budi', goodPassword, { origin, device: planted })))
      expect(first.device).not.toBe(planted)
      const second = loggedIn(valueOf(await enter(accounts, 'wati', goodPassword, { origin, device: first.device })))
      expect([second.device, second.newDevice]).toEqual([first.device, true])
      const third = loggedIn(valueOf(await enter(accounts, 'budi', goodPassword, { origin, device: first.device })))
      expect(third.newDevice).toBe(false)
    })

    test('the password is hashed anew once the pepper changed', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      valueOf(await accounts.keyring.rotate('pepper'))
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('session')
      const after = await accountNow(accounts, account.id)
      expect([after.password?.pepper, after.epoch, after.passwordHistory.length]).toEqual(['pepper-2', account.epoch, 1])
      expect(after.passwordHistory[0]).toEqual(after.password)
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('session')
    })

    test('every attempt is in the history, which its owner sees for 90 days', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      await enter(accounts, 'budi', 'wrong')
      accounts.clock.now += 1000
      await enter(accounts, 'budi')
      const page = await loginHistory(accounts.parts.ground, account.id, 1)
      expect(page.logins).toMatchObject([{ result: 'success', method: 'pwd', userAgent: origin.userAgent, deviceKnown: false }])
      const rest = await loginHistory(accounts.parts.ground, account.id, 10, page.next)
      expect(rest.logins).toMatchObject([{ result: 'failure', reason: 'password', address: '192.0.2.1' }])
      expect(rest.next).toBeUndefined()
      expect(await lastLogin(accounts.parts.ground, account.id)).toBe(accounts.clock.now)
      accounts.clock.now += 91 * 86_400_000
      expect((await loginHistory(accounts.parts.ground, account.id, 10)).logins).toEqual([])
    })

    test('one password tried on many names is told as spraying, and slows down browsers that are not known', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const waits: number[] = []
      const spraying = createSpraying(
        () => accounts.clock.now,
        async ms => void waits.push(ms),
      )
      for (let n = 0; n < failuresAMinute; n++) spraying.failed(`name-${n}`)
      const parts = { ...accounts.parts, spraying }
      const { device } = loggedIn(valueOf(await logIn(parts, { name: 'budi', password: goodPassword }, browser)))
      expect(waits).toEqual([])
      expect(whats(valueOf(await logIn(parts, { name: 'wati', password: goodPassword }, browser)))).toEqual(['login-failed', 'spraying'])
      await logIn(parts, { name: 'budi', password: goodPassword }, browser)
      await logIn(parts, { name: 'budi', password: goodPassword }, { origin, device })
      expect(waits.length).toBe(1)
    })

    test('what is written beside each step stands with it', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const seen: string[] = []
      const ground = {
        ...accounts.parts.ground,
        beside: (facts: readonly { readonly what: string }[]) => {
          seen.push(...facts.map(({ what }) => what))
          return [{ record: 'login_step', put: { hash: `beside-${seen.length}` } }]
        },
      }
      const answer = valueOf(await logIn({ ...accounts.parts, ground }, { name: 'budi', password: goodPassword }, browser))
      expect(answer.is).toBe('session')
      expect(seen).toEqual(['login'])
      expect(await accounts.store.records({ name: 'login_step', key: 'hash' }).get('beside-1')).toBeDefined()
    })
  })

  describe(`${engine.name}: the second factor`, () => {
    test('staff without one get in once, and then have to set one up', async () => {
      const accounts = await openAccounts(engine)
      const { parts, clock } = accounts
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      expect(needsFactor(account)).toBe(true)
      expect(loggedIn(valueOf(await enter(accounts, 'dr.sari'))).enrolSoon).toBe(true)
      const second = valueOf(await enter(accounts, 'dr.sari'))
      expect(second).toMatchObject({ is: 'needed', needed: 'enrol' })
      const token = tokenOf(second)
      const begun = valueOf(await beginEnrolment(parts, token))
      if (begun.is !== 'begun') throw new Error(begun.is)
      expect(valueOf(await finishEnrolment(parts, token, '000000', browser)).is).toBe('wrong-code')
      const code = totpCode(secretOf(begun.enrolment.uri), stepAt(clock.now))
      const done = loggedIn(valueOf(await finishEnrolment(parts, token, code, browser)))
      expect([done.backupCodes?.length, acrOf(done.session.amr), done.enrolSoon]).toEqual([10, 2, false])
      expect(whats(done)).toEqual(['factor-enrolled', 'login'])
      expect(valueOf(await finishEnrolment(parts, token, code, browser)).is).toBe('expired')
      expect(valueOf(await enter(accounts, 'dr.sari'))).toMatchObject({ is: 'needed', needed: 'factor' })
    })

    test('of two first logins at once one is let pass', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'dr.sari', [doctor])
      const done = await Promise.all([enter(accounts, 'dr.sari'), enter(accounts, 'dr.sari'), enter(accounts, 'dr.sari')])
      expect(done.map(one => valueOf(one).is).sort()).toEqual(['needed', 'needed', 'session'])
    })

    test('a code or a backup code opens, each once, and the session says with what', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code, backupCodes } = await withFactor(accounts, account.id)
      const begin = async () => tokenOf(valueOf(await enter(accounts, 'dr.sari')))
      const first = loggedIn(valueOf(await giveCode(accounts.parts, await begin(), code(), browser)))
      expect([acrOf(first.session.amr), factorAt(first.session.amr)]).toEqual([2, accounts.clock.now])
      expect(first.session.amr.map(({ method }) => method)).toEqual(['pwd', 'otp'])
      expect(valueOf(await giveCode(accounts.parts, await begin(), code(), browser)).is).toBe('wrong-code')
      const second = loggedIn(valueOf(await giveCode(accounts.parts, await begin(), (backupCodes[0] ?? '').toLowerCase(), browser)))
      expect(second.session.amr.map(({ method }) => method)).toEqual(['pwd', 'backup'])
      expect(valueOf(await giveCode(accounts.parts, await begin(), backupCodes[0] ?? '', browser)).is).toBe('wrong-code')
    })

    test('wrong codes count with wrong passwords, and the right password between them does not help', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      await enter(accounts, 'dr.sari', 'wrong')
      for (let n = 0; n < 4; n++) {
        const token = tokenOf(valueOf(await enter(accounts, 'dr.sari')))
        expect(valueOf(await giveCode(accounts.parts, token, '000000', browser)).is).toBe('wrong-code')
      }
      expect(valueOf(await enter(accounts, 'dr.sari')).is).toBe('refused')
      accounts.clock.now += lockMs
      const token = tokenOf(valueOf(await enter(accounts, 'dr.sari')))
      expect(valueOf(await giveCode(accounts.parts, token, code(), browser)).is).toBe('session')
    })

    test('a lock also holds for a login that was half done', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      const token = tokenOf(valueOf(await enter(accounts, 'dr.sari')))
      for (let n = 0; n < failuresMax; n++) await giveCode(accounts.parts, token, '000000', browser)
      expect(valueOf(await giveCode(accounts.parts, token, code(), browser)).is).toBe('refused')
    })

    test('of 50 parallel uses of one code in 50 logins one wins, and of one login too', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code, backupCodes } = await withFactor(accounts, account.id)
      const tokens: string[] = []
      for (let n = 0; n < 10; n++) tokens.push(tokenOf(valueOf(await enter(accounts, 'dr.sari'))))
      const wins = (done: readonly Outcome<LoginAnswer>[]) => done.filter(one => one.ok && one.value.is === 'session').length
      const otherLogins = await Promise.all(
        Array.from({ length: 50 }, (_, n) => giveCode(accounts.parts, tokens[n % 10] ?? '', code(), browser)),
      )
      expect(wins(otherLogins)).toBe(1)
      accounts.clock.now += lockMs
      const token = tokenOf(valueOf(await enter(accounts, 'dr.sari')))
      const oneLogin = await Promise.all(
        Array.from({ length: 50 }, (_, n) => giveCode(accounts.parts, token, backupCodes[n % 10] ?? '', browser)),
      )
      expect(wins(oneLogin)).toBe(1)
    })

    test('a login that is half done ends after ten minutes, with the account, or with what was proved', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      const begin = async () => tokenOf(valueOf(await enter(accounts, 'dr.sari')))
      const give = async (token: string) => valueOf(await giveCode(accounts.parts, token, code(), browser)).is
      const slow = await begin()
      accounts.clock.now += stepMs
      expect(await give(slow)).toBe('expired')
      const before = await begin()
      valueOf(await setRoles(accounts.parts.ground, account.id, [], 'admin', origin))
      expect(await give(before)).toBe('expired')
      expect(await give('x')).toBe('expired')
      expect(await give('A'.repeat(43))).toBe('expired')
      const token = await begin()
      expect(valueOf(await giveNewPassword(accounts.parts, token, otherPassword, browser)).is).toBe('expired')
      expect(valueOf(await beginEnrolment(accounts.parts, token)).is).toBe('expired')
      expect(valueOf(await finishEnrolment(accounts.parts, token, code(), browser)).is).toBe('expired')
      expect(await give(token)).toBe('session')
      expect(await give(token)).toBe('expired')
    })

    test('that was lost is reset by an administrator: everything ends, and the next login sets up a new one', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      const token = tokenOf(valueOf(await enter(accounts, 'dr.sari')))
      const { cookie } = loggedIn(valueOf(await giveCode(accounts.parts, token, code(), browser)))
      valueOf(await resetFactors(accounts.parts.ground, account.id, 'admin', origin))
      expect(await findSession(accounts.parts.ground, cookie)).toBeUndefined()
      expect(valueOf(await enter(accounts, 'dr.sari'))).toMatchObject({ is: 'needed', needed: 'enrol' })
    })
  })

  describe(`${engine.name}: an old password`, () => {
    test('of staff is told two weeks before, and replaced after 90 days, after the second factor', async () => {
      const accounts = await openAccounts(engine)
      const { parts, clock } = accounts
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      const begin = async (password?: string) =>
        valueOf(await giveCode(parts, tokenOf(valueOf(await enter(accounts, 'dr.sari', password))), code(), browser))
      clock.now += 80 * 86_400_000
      expect(loggedIn(await begin()).passwordDaysLeft).toBe(10)
      clock.now += 10 * 86_400_000
      const old = await begin()
      expect(old).toMatchObject({ is: 'needed', needed: 'password' })
      const token = tokenOf(old)
      const again = valueOf(await giveNewPassword(parts, token, goodPassword, browser))
      expect(again.is === 'password-refused' ? again.faults.map(({ rule }) => rule) : again.is).toEqual(['password-used-before'])
      const done = loggedIn(valueOf(await giveNewPassword(parts, token, otherPassword, browser)))
      expect([whats(done), acrOf(done.session.amr)]).toEqual([['password-changed', 'login'], 2])
      expect((await findSession(parts.ground, done.cookie))?.account.value.epoch).toBe(account.epoch + 1)
      expect(valueOf(await giveNewPassword(parts, token, 'lima belas angklung 7', browser)).is).toBe('expired')
      clock.now += 60_000
      expect(loggedIn(await begin(otherPassword)).passwordDaysLeft).toBeUndefined()
    })

    test('of a patient is as good as a new one', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      accounts.clock.now += 900 * 86_400_000
      expect(valueOf(await enter(accounts, 'budi')).is).toBe('session')
    })
  })

  describe(`${engine.name}: from an outside identity provider`, () => {
    test('one factor asks for ours, two do not, and nobody comes in by a disabled account', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      await withFactor(accounts, account.id)
      expect(valueOf(await logInFromOutside(accounts.parts, account.id, { twoFactors: false }, browser))).toMatchObject({
        is: 'needed',
        needed: 'factor',
      })
      accounts.clock.now += 400 * 86_400_000
      const answer = loggedIn(valueOf(await logInFromOutside(accounts.parts, account.id, { twoFactors: true }, browser)))
      expect([acrOf(answer.session.amr), answer.facts[0]?.method]).toEqual([2, 'ext'])
      valueOf(await disableAccount(accounts.parts.ground, account.id, 'left', 'admin', origin))
      expect(valueOf(await logInFromOutside(accounts.parts, account.id, { twoFactors: true }, browser)).is).toBe('refused')
      expect(valueOf(await logInFromOutside(accounts.parts, 'nobody', { twoFactors: true }, browser)).is).toBe('refused')
    })
  })

  test(`${engine.name}: where sessions are counted the oldest gives way`, async () => {
    const accounts = await openAccounts(engine, { sessionsMax: 2 })
    const account = await anAccount(accounts, 'budi')
    const sessions: Session[] = []
    for (let n = 0; n < 3; n++) {
      accounts.clock.now += 1000
      const answer = loggedIn(valueOf(await enter(accounts, 'budi')))
      sessions.push(answer.session)
      expect(whats(answer)).toEqual(n < 2 ? ['login'] : ['login', 'session-displaced'])
    }
    expect((await sessionsOf(accounts.parts.ground, account.id)).map(({ id }) => id)).toEqual([sessions[2]?.id, sessions[1]?.id])
  })
}
