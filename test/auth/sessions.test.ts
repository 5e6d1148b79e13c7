/** Sessions, and what one does about one's own account in them. @see auth.md 2.4, 2.5, 3, 17 (T4, T5) */
import { describe, expect, test } from '@jest/globals'
import {
  beginFactor,
  changePassword,
  disown,
  finishFactor,
  removeFactor,
  renewBackupCodes,
  stepUp,
} from '../../src/auth/account-security.ts'
import { needsFactor } from '../../src/auth/accounts/account.ts'
import type { Fact } from '../../src/auth/facts.ts'
import { stepAt, totpCode } from '../../src/auth/factors/totp.ts'
import { failuresMax } from '../../src/auth/lockout/tally.ts'
import { giveCode, logIn } from '../../src/auth/login.ts'
import type { Browser, LoggedIn } from '../../src/auth/login-answers.ts'
import { absoluteMs, acrOf, factorAt, freshMs, isFresh, movedFrom, type Session, userAgentFamily } from '../../src/auth/sessions/session.ts'
import { findSession, logOut, noteRequest, sessionById, sessionByLibraryUid, tieLibrarySession } from '../../src/auth/sessions/sessions.ts'
import type { Outcome } from '../../src/base/outcome.ts'
import { testEngines } from '../support/engines.ts'
import {
  type Accounts,
  anAccount,
  closingAccounts,
  doctor,
  goodPassword,
  openAccounts,
  origin,
  otherPassword,
  secretOf,
  valueOf,
  withFactor,
} from './accounts-ground.ts'

closingAccounts()

const browser: Browser = { origin }
const minute = 60_000

const entered = async ({ parts }: Accounts, name = 'budi', code?: () => string): Promise<LoggedIn> => {
  let answer = valueOf(await logIn(parts, { name, password: goodPassword }, browser))
  if (answer.is === 'needed' && code !== undefined) answer = valueOf(await giveCode(parts, answer.token, code(), browser))
  if (answer.is !== 'session') throw new Error(answer.is)
  return answer
}
const live = async ({ parts }: Accounts, cookie: string) => {
  const found = await findSession(parts.ground, cookie)
  if (found === undefined) throw new Error('no session')
  return found
}

describe('what a session proves', () => {
  test('is two factors when one of them is a code', () => {
    expect(acrOf([{ method: 'pwd', at: 1 }])).toBe(1)
    expect(acrOf([{ method: 'ext', at: 1 }])).toBe(1)
    expect(
      acrOf([
        { method: 'ext', at: 1 },
        { method: 'otp', at: 2 },
      ]),
    ).toBe(2)
    expect(
      factorAt([
        { method: 'otp', at: 2 },
        { method: 'backup', at: 5 },
        { method: 'pwd', at: 9 },
      ]),
    ).toBe(5)
  })
  test('is fresh for five minutes, by the second factor where there is one', () => {
    expect(isFresh([{ method: 'pwd', at: 0 }], false, freshMs)).toBe(true)
    expect(isFresh([{ method: 'pwd', at: 0 }], false, freshMs + 1)).toBe(false)
    expect(isFresh([{ method: 'pwd', at: freshMs }], true, freshMs)).toBe(false)
    expect(
      isFresh(
        [
          { method: 'pwd', at: 0 },
          { method: 'otp', at: freshMs },
        ],
        true,
        freshMs,
      ),
    ).toBe(true)
  })
  for (const [userAgent, family] of [
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0', 'Edg'],
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36', 'Chrome'],
    ['Mozilla/5.0 (Macintosh) AppleWebKit/605 Version/18.0 Safari/605', 'Safari'],
    ['curl/8', 'other'],
  ] as const)
    test(`${userAgent.slice(-20)} is of the family ${family}`, () => expect(userAgentFamily(userAgent)).toBe(family))
})

describe('a session that comes from elsewhere', () => {
  const session = { userAgentFamily: 'Firefox', country: 'ID' } as Session
  for (const [origin, moved] of [
    [{ userAgent: 'Firefox/144', country: 'ID' }, undefined],
    [{}, undefined],
    [{ userAgent: 'curl/8', country: 'ID' }, 'user-agent'],
    [{ userAgent: 'curl/8', country: 'NL' }, 'country'],
  ] as const)
    test(`as ${JSON.stringify(origin)} has changed ${moved ?? 'nothing'}`, () => expect(movedFrom(session, origin)).toBe(moved))
})

for (const engine of testEngines) {
  describe(`${engine.name}: a session`, () => {
    test('ends after 30 minutes without a request; requests are noted once a minute', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const { cookie } = await entered(accounts)
      const { parts, clock } = accounts
      for (let n = 0; n < 3; n++) {
        clock.now += 29 * minute
        valueOf(await noteRequest(parts.ground, parts.rules, await live(accounts, cookie), origin))
        accounts.calls()
        clock.now += 1000
        const found = await live(accounts, cookie)
        accounts.calls()
        valueOf(await noteRequest(parts.ground, parts.rules, found, origin))
        expect(accounts.calls()).toEqual([])
      }
      clock.now += 30 * minute
      expect(await findSession(parts.ground, cookie)).toBeUndefined()
    })

    test('ends after 12 hours whatever is asked', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const { cookie, session } = await entered(accounts)
      const { parts, clock } = accounts
      while (clock.now + 20 * minute < session.createdAt + absoluteMs) {
        clock.now += 20 * minute
        valueOf(await noteRequest(parts.ground, parts.rules, await live(accounts, cookie), origin))
      }
      clock.now = session.createdAt + absoluteMs - 1
      await live(accounts, cookie)
      clock.now++
      expect(await findSession(parts.ground, cookie)).toBeUndefined()
      expect(await sessionById(parts.ground, session.id)).toBeUndefined()
    })

    test('that was noted while somebody ended it stays ended', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const { cookie } = await entered(accounts)
      const { ground, rules } = { ...accounts.parts }
      accounts.clock.now += 2 * minute
      const found = await live(accounts, cookie)
      expect(valueOf(await logOut(ground, found, origin))).toMatchObject([{ what: 'logged-out' }])
      valueOf(await noteRequest(ground, rules, found, origin))
      expect(await findSession(ground, cookie)).toBeUndefined()
      valueOf(await logOut(ground, found, origin))
    })

    test('that comes from elsewhere, or from another browser, tells so once and goes on', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const { cookie, session } = await entered(accounts)
      const told: Fact[] = []
      const ground = { ...accounts.parts.ground, told: (facts: readonly Fact[]) => void told.push(...facts) }
      const come = async (userAgent: string): Promise<void> =>
        valueOf(await noteRequest(ground, accounts.parts.rules, await live(accounts, cookie), { ...origin, userAgent }))
      await come('Mozilla/5.0 Firefox/150.0')
      expect(told).toEqual([])
      // The same session, from two requests at the same instant.
      await Promise.all([come('curl/8.5'), come('curl/8.5')])
      await come('Mozilla/5.0 Chrome/140.0')
      await come('Mozilla/5.0 Firefox/150.0')
      expect(told).toEqual([{ what: 'session-moved', account: session.account, session: session.id, reason: 'user-agent' }])
      await live(accounts, cookie)
    })

    test('ends alone when its browser logs out, and is found by its id and by that of the library', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const { ground } = accounts.parts
      const [first, second] = [await entered(accounts), await entered(accounts)]
      expect(valueOf(await tieLibrarySession(ground, await live(accounts, second.cookie), 'uid-1'))).toBe(true)
      expect((await sessionByLibraryUid(ground, 'uid-1'))?.session.key).toBe(second.session.id)
      expect((await sessionById(ground, first.session.id))?.session.key).toBe(first.session.id)
      valueOf(await logOut(ground, await live(accounts, first.cookie), origin))
      expect(await findSession(ground, first.cookie)).toBeUndefined()
      expect(await sessionById(ground, first.session.id)).toBeUndefined()
      await live(accounts, second.cookie)
    })

    test('is not found by what is no cookie, without a look-up', async () => {
      const accounts = await openAccounts(engine)
      accounts.calls()
      for (const cookie of ['', 'x', 'A'.repeat(44), `${'A'.repeat(42)}$`])
        expect(await findSession(accounts.parts.ground, cookie)).toBeUndefined()
      expect(accounts.calls()).toEqual([])
      expect(await findSession(accounts.parts.ground, 'A'.repeat(43))).toBeUndefined()
    })
  })

  describe(`${engine.name}: a step-up`, () => {
    test('by a code gives the session another cookie and a fresh factor; the old value is dead', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      const { cookie, session } = await entered(accounts, 'dr.sari', code)
      accounts.clock.now += 6 * minute
      expect(valueOf(await changePassword(accounts.parts, cookie, otherPassword, origin)).is).toBe('not-fresh')
      expect(valueOf(await stepUp(accounts.parts, cookie, { password: goodPassword }, browser)).is).toBe('wrong')
      const answer = valueOf(await stepUp(accounts.parts, cookie, { code: code() }, browser))
      if (answer.is !== 'stepped-up') throw new Error(answer.is)
      expect([answer.session.id, factorAt(answer.session.amr)]).toEqual([session.id, accounts.clock.now])
      expect(await findSession(accounts.parts.ground, cookie)).toBeUndefined()
      expect((await live(accounts, answer.cookie)).session.key).toBe(session.id)
      expect(valueOf(await stepUp(accounts.parts, cookie, { code: code() }, browser)).is).toBe('ended')
      expect(valueOf(await stepUp(accounts.parts, answer.cookie, { code: code() }, browser)).is).toBe('wrong')
    })

    test('of many with one code one succeeds', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      const { cookie } = await entered(accounts, 'dr.sari', code)
      accounts.clock.now += minute
      const done = await Promise.all(Array.from({ length: 50 }, () => stepUp(accounts.parts, cookie, { code: code() }, browser)))
      expect(done.filter(one => one.ok && one.value.is === 'stepped-up').length).toBe(1)
    })

    test('by wrong codes locks as wrong passwords do', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      const { code } = await withFactor(accounts, account.id)
      const { cookie } = await entered(accounts, 'dr.sari', code)
      accounts.clock.now += minute
      const facts = []
      for (let n = 0; n < failuresMax; n++) {
        const answer = valueOf(await stepUp(accounts.parts, cookie, { code: '000000' }, browser))
        if ('facts' in answer) facts.push(...answer.facts.map(({ what }) => what))
      }
      expect(facts.filter(what => what === 'locked').length).toBe(1)
      expect(valueOf(await stepUp(accounts.parts, cookie, { code: code() }, browser)).is).toBe('refused')
    })

    test('is by the password where there is no second factor', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const { cookie } = await entered(accounts)
      accounts.clock.now += 6 * minute
      expect(valueOf(await beginFactor(accounts.parts, cookie)).is).toBe('not-fresh')
      expect(valueOf(await stepUp(accounts.parts, cookie, { password: 'wrong' }, browser)).is).toBe('wrong')
      const answer = valueOf(await stepUp(accounts.parts, cookie, { password: goodPassword }, browser))
      if (answer.is !== 'stepped-up') throw new Error(answer.is)
      expect(acrOf(answer.session.amr)).toBe(1)
      expect(valueOf(await beginFactor(accounts.parts, answer.cookie)).is).toBe('begun')
    })
  })

  describe(`${engine.name}: account security`, () => {
    test('a new password ends everything but the session it was chosen in, which gets another cookie', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const [here, there] = [await entered(accounts), await entered(accounts)]
      expect(valueOf(await changePassword(accounts.parts, here.cookie, 'pendek', origin))).toMatchObject({ is: 'password-refused' })
      expect(valueOf(await changePassword(accounts.parts, here.cookie, goodPassword, origin))).toMatchObject({ is: 'password-refused' })
      const answer = valueOf(await changePassword(accounts.parts, here.cookie, otherPassword, origin))
      if (answer.is !== 'changed') throw new Error(answer.is)
      expect((await live(accounts, answer.cookie)).session.key).toBe(here.session.id)
      for (const cookie of [here.cookie, there.cookie]) expect(await findSession(accounts.parts.ground, cookie)).toBeUndefined()
      expect(valueOf(await changePassword(accounts.parts, here.cookie, 'lima belas angklung 7', origin)).is).toBe('ended')
    })

    test('a factor is set up, replaced by another, and removed by whoever needs none', async () => {
      const accounts = await openAccounts(engine)
      const { parts, clock } = accounts
      await anAccount(accounts, 'budi')
      let { cookie } = await entered(accounts)
      expect(valueOf(await renewBackupCodes(parts, cookie, origin)).is).toBe('none')
      expect(valueOf(await removeFactor(parts, cookie, origin)).is).toBe('none')
      const setUp = async () => {
        const begun = valueOf(await beginFactor(parts, cookie))
        if (begun.is !== 'begun') throw new Error(begun.is)
        expect(valueOf(await finishFactor(parts, cookie, '000000', origin)).is).toBe('wrong-code')
        const secret = secretOf(begun.enrolment.uri)
        const done = valueOf(await finishFactor(parts, cookie, totpCode(secret, stepAt(clock.now)), origin))
        if (done.is !== 'enrolled') throw new Error(done.is)
        expect([done.backupCodes.length, acrOf(done.session.amr)]).toEqual([10, 2])
        cookie = done.cookie
        return secret
      }
      const first = await setUp()
      const second = await setUp()
      clock.now += minute
      const begin = async () => {
        const answer = valueOf(await logIn(parts, { name: 'budi', password: goodPassword }, browser))
        return answer.is === 'needed' ? answer.token : ''
      }
      const give = async (secret: Buffer) => valueOf(await giveCode(parts, await begin(), totpCode(secret, stepAt(clock.now)), browser)).is
      expect([await give(first), await give(second)]).toEqual(['wrong-code', 'session'])
      const renewed = valueOf(await renewBackupCodes(parts, cookie, origin))
      expect(renewed.is === 'made' ? renewed.backupCodes.length : renewed.is).toBe(10)
      expect(valueOf(await removeFactor(parts, cookie, origin)).is).toBe('removed')
      expect(valueOf(await logIn(parts, { name: 'budi', password: goodPassword }, browser)).is).toBe('session')
    })

    test('staff cannot remove the factor they need', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'dr.sari', [doctor])
      expect(needsFactor(account)).toBe(true)
      const { code } = await withFactor(accounts, account.id)
      const { cookie } = await entered(accounts, 'dr.sari', code)
      expect(valueOf(await removeFactor(accounts.parts, cookie, origin)).is).toBe('needed')
    })

    test('"this was not me" ends everything, and the next login asks for a new password', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      const { cookie } = await entered(accounts)
      expect(valueOf(await disown(accounts.parts.ground, account.id, origin))).toMatchObject({
        is: 'changed',
        facts: [{ what: 'disowned' }],
      })
      expect(await findSession(accounts.parts.ground, cookie)).toBeUndefined()
      expect(valueOf(await logIn(accounts.parts, { name: 'budi', password: goodPassword }, browser))).toMatchObject({
        is: 'needed',
        needed: 'password',
      })
    })

    test('nothing is done in a session that is over', async () => {
      const accounts = await openAccounts(engine)
      const gone = 'A'.repeat(43)
      const { parts } = accounts
      const answers: readonly Outcome<{ readonly is: string }>[] = [
        await stepUp(parts, gone, { code: '000000' }, browser),
        await changePassword(parts, gone, otherPassword, origin),
        await beginFactor(parts, gone),
        await finishFactor(parts, gone, '000000', origin),
        await renewBackupCodes(parts, gone, origin),
        await removeFactor(parts, gone, origin),
      ]
      expect(answers.map(one => valueOf(one).is)).toEqual(Array.from({ length: 6 }, () => 'ended'))
      expect(parts.hashing.hashes).toBe(0)
    })
  })
}
