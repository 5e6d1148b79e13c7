/** Accounts from invitation to the end, and their links. @see auth.md 2.1, 2.2, 8, 17 (T2, T31) */
import { describe, expect, test } from '@jest/globals'
import {
  accountsOf,
  changeDetails,
  disableAccount,
  enableAccount,
  logOutEverywhere,
  setRoles,
} from '../../src/auth/accounts/administration.ts'
import { disableDormant } from '../../src/auth/accounts/dormant.ts'
import { confirmEmail, requestEmail } from '../../src/auth/accounts/email-change.ts'
import { acceptInvitation, type Invited, invite, inviteAgain } from '../../src/auth/accounts/invitation.ts'
import { linkMs } from '../../src/auth/accounts/links.ts'
import { foldName, readEmail, readUsername } from '../../src/auth/accounts/names.ts'
import { requestReset, resetPassword } from '../../src/auth/accounts/password-reset.ts'
import { phoneOf } from '../../src/auth/accounts/phone.ts'
import { reencryptAccounts } from '../../src/auth/accounts/reencrypt.ts'
import { factorsOf, factorUse } from '../../src/auth/factors/factor-set.ts'
import { failuresMax } from '../../src/auth/lockout/tally.ts'
import { logIn } from '../../src/auth/login.ts'
import { findSession } from '../../src/auth/sessions/sessions.ts'
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
  valueOf,
  withFactor,
} from './accounts-ground.ts'

closingAccounts()

describe('a user name', () => {
  for (const [typed, name] of [
    ['Siti.Aminah ', 'siti.aminah'],
    ['ＤＲ-sari_2', 'dr-sari_2'],
    ['abc', 'abc'],
    ['ab', undefined],
    ['.abc', undefined],
    ['abc-', undefined],
    ['siti@x.example', undefined],
    ['siti aminah', undefined],
    ['sіti', undefined],
    ['a'.repeat(65), undefined],
  ] as const)
    test(`${JSON.stringify(typed)} reads as ${name}`, () => expect(readUsername(typed)).toBe(name))
  for (const [typed, email] of [
    ['Siti@RS.example', 'siti@rs.example'],
    ['siti+1@a.b.example', 'siti+1@a.b.example'],
    ['siti@localhost', undefined],
    ['siti', undefined],
    ['a@b@c.example', undefined],
    ['<siti@rs.example>', undefined],
    [`${'a'.repeat(65)}@rs.example`, undefined],
  ] as const)
    test(`the address ${JSON.stringify(typed.slice(0, 20))} reads as ${email}`, () => expect(readEmail(typed)).toBe(email))
  test('is folded in bounded time', () => expect(foldName('x'.repeat(1_000_000)).length).toBe(1016))
})

const invitation: Invited = { email: 'Sari@rs.example', locale: 'id', roles: [doctor], phone: '+62 812 000', fhirUser: 'Practitioner/1' }
const invited = async ({ parts }: Accounts, more: Partial<Invited> = {}) => {
  const answer = valueOf(await invite(parts.ground, { ...invitation, ...more }, 'cli', origin))
  if (answer.is !== 'invited') throw new Error(answer.is)
  return answer
}
const enters = async ({ parts }: Accounts, name: string, password: string): Promise<string> =>
  valueOf(await logIn(parts, { name, password }, { origin })).is
const cookieOf = async ({ parts }: Accounts, name: string): Promise<string> => {
  const answer = valueOf(await logIn(parts, { name, password: goodPassword }, { origin }))
  if (answer.is !== 'session') throw new Error(answer.is)
  return answer.cookie
}

for (const engine of testEngines) {
  describe(`${engine.name}: an account`, () => {
    test('begins with an invitation, which is accepted once, with a user name and a password', async () => {
      const accounts = await openAccounts(engine)
      const { parts } = accounts
      const { account, secret } = await invited(accounts)
      expect(account).toMatchObject({ status: 'invited', email: 'sari@rs.example', createdBy: 'cli', epoch: 1 })
      expect(JSON.stringify(account)).not.toContain('812')
      expect(await phoneOf(parts.ground, account)).toBe('+62 812 000')
      const accept = (chosen: { username?: string; password: string }) => acceptInvitation(parts, secret, chosen, origin).then(valueOf)
      expect(await accept({ password: goodPassword })).toEqual({ is: 'username-refused', why: 'missing' })
      expect(await accept({ username: 'a b', password: goodPassword })).toEqual({ is: 'username-refused', why: 'malformed' })
      expect(await accept({ username: 'dr.sari', password: 'dr.sari lampion 5' })).toMatchObject({
        is: 'password-refused',
        faults: [{ rule: 'password-username' }, { rule: 'password-email' }],
      })
      expect(await accept({ username: 'Dr.Sari', password: goodPassword })).toMatchObject({
        is: 'accepted',
        account: { username: 'dr.sari', status: 'active', roles: [doctor] },
      })
      expect(await accept({ username: 'dr.sari', password: goodPassword })).toEqual({ is: 'expired' })
      expect(await enters(accounts, 'dr.sari', goodPassword)).toBe('session')
    })

    test('takes no user name that another has, when it is invited or accepts, also of many at once', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'sari')
      expect(valueOf(await invite(accounts.parts.ground, { ...invitation, username: 'SARI' }, 'cli', origin))).toEqual({ is: 'taken' })
      const { secret } = await invited(accounts)
      expect(valueOf(await acceptInvitation(accounts.parts, secret, { username: 'sari', password: goodPassword }, origin))).toEqual({
        is: 'username-refused',
        why: 'taken',
      })
      const done = await Promise.all(
        Array.from({ length: 10 }, () => invite(accounts.parts.ground, { ...invitation, username: 'wati' }, 'cli', origin)),
      )
      expect(done.map(one => valueOf(one).is).sort()).toEqual(['invited', ...Array.from({ length: 9 }, () => 'taken')])
    })

    test('is not invited by an address or a name that cannot be one', async () => {
      const accounts = await openAccounts(engine)
      const malformed = async (more: Partial<Invited>) =>
        valueOf(await invite(accounts.parts.ground, { ...invitation, ...more }, 'cli', origin))
      expect(await malformed({ email: 'sari' })).toEqual({ is: 'malformed', member: 'email' })
      expect(await malformed({ username: 's' })).toEqual({ is: 'malformed', member: 'username' })
    })

    test('an invitation ends after 30 minutes, and when another is sent', async () => {
      const accounts = await openAccounts(engine)
      const { parts, clock } = accounts
      const { account, secret } = await invited(accounts, { username: 'sari' })
      const again = valueOf(await inviteAgain(parts.ground, account.id, 'cli', origin))
      const accept = async (link: string) => valueOf(await acceptInvitation(parts, link, { password: goodPassword }, origin)).is
      expect(await accept(secret)).toBe('expired')
      clock.now += linkMs.invitation
      expect(await accept(again.secret ?? '')).toBe('expired')
      const third = valueOf(await inviteAgain(parts.ground, account.id, 'cli', origin))
      expect(await accept(third.secret ?? '')).toBe('accepted')
      expect(valueOf(await inviteAgain(parts.ground, account.id, 'cli', origin)).is).toBe('not-invited')
    })

    for (const [what, change] of [
      ['is disabled', (accounts: Accounts, id: string) => disableAccount(accounts.parts.ground, id, 'left', 'admin', origin)],
      ['gets other roles', (accounts: Accounts, id: string) => setRoles(accounts.parts.ground, id, [patient], 'admin', origin)],
      ['logs out everywhere', (accounts: Accounts, id: string) => logOutEverywhere(accounts.parts.ground, id, id, origin)],
      [
        'may see other labels',
        (accounts: Accounts, id: string) => changeDetails(accounts.parts.ground, id, { actsForOthers: true }, 'admin', origin),
      ],
    ] as const)
      test(`that ${what} loses its sessions with that one put`, async () => {
        const accounts = await openAccounts(engine)
        const account = await anAccount(accounts, 'budi')
        const cookies = [await cookieOf(accounts, 'budi'), await cookieOf(accounts, 'budi')]
        accounts.calls()
        expect(valueOf(await change(accounts, account.id)).is).toBe('changed')
        expect(accounts.calls()).toEqual(['get account', 'commit account'])
        for (const cookie of cookies) expect(await findSession(accounts.parts.ground, cookie)).toBeUndefined()
        expect((await accountNow(accounts, account.id)).epoch).toBe(account.epoch + 1)
      })

    test('keeps its sessions when only its telephone or language changes', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      await anAccount(accounts, 'wati')
      const cookie = await cookieOf(accounts, 'budi')
      const change = (details: Parameters<typeof changeDetails>[2]) =>
        changeDetails(accounts.parts.ground, account.id, details, 'admin', origin).then(valueOf)
      expect((await change({ phone: '0813', locale: 'en' })).is).toBe('changed')
      expect((await change({ username: 'budiman' })).is).toBe('changed')
      expect((await change({ username: 'wati' })).is).toBe('taken')
      expect((await change({ username: 'w' })).is).toBe('malformed')
      const after = await accountNow(accounts, account.id)
      expect([after.locale, after.username, await phoneOf(accounts.parts.ground, after)]).toEqual(['en', 'budiman', '0813'])
      expect(await findSession(accounts.parts.ground, cookie)).toBeDefined()
      expect(valueOf(await changeDetails(accounts.parts.ground, 'nobody', {}, 'admin', origin)).is).toBe('unknown')
    })

    test('that was disabled is enabled again, as what it was', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      accounts.clock.now += 1000
      const guest = await invited(accounts)
      for (const id of [account.id, guest.account.id]) valueOf(await disableAccount(accounts.parts.ground, id, 'left', 'admin', origin))
      expect(await enters(accounts, 'budi', goodPassword)).toBe('refused')
      expect((await accountsOf(accounts.parts.ground, 'disabled', 10)).accounts.map(({ id }) => id)).toEqual([account.id, guest.account.id])
      for (const id of [account.id, guest.account.id]) valueOf(await enableAccount(accounts.parts.ground, id, 'admin', origin))
      expect([(await accountNow(accounts, account.id)).status, (await accountNow(accounts, guest.account.id)).status]).toEqual([
        'active',
        'invited',
      ])
      expect(await enters(accounts, 'budi', goodPassword)).toBe('session')
      expect(valueOf(await enableAccount(accounts.parts.ground, account.id, 'admin', origin)).is).toBe('not-disabled')
    })
  })

  describe(`${engine.name}: a forgotten password`, () => {
    const asked = async (accounts: Accounts, name = 'budi'): Promise<string> => {
      const { mail } = valueOf(await requestReset(accounts.parts.ground, name, origin))
      if (mail === undefined) throw new Error('no mail')
      return mail.secret
    }

    test('is asked about in any name with the same work, and mailed to the account alone', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      await invited(accounts, { username: 'baru' })
      accounts.calls()
      const answers = []
      for (const name of ['budi', 'nobody', 'baru', 'nobody@rs.example']) {
        const { mail } = valueOf(await requestReset(accounts.parts.ground, name, origin))
        answers.push({ to: mail?.to, account: mail?.account, calls: accounts.calls() })
      }
      const calls = ['range account', 'commit reset_token']
      const nobody = { to: undefined, account: undefined, calls }
      expect(answers).toEqual([{ to: 'budi@rumah.example', account: account.id, calls }, nobody, nobody, nobody])
    })

    test('is replaced by the link, which ends all sessions, lifts the lock and is spent; a refused password leaves it', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const cookie = await cookieOf(accounts, 'budi')
      for (let n = 0; n < failuresMax; n++) await enters(accounts, 'budi', 'wrong')
      const [first, second] = [await asked(accounts), await asked(accounts, 'budi@rumah.example')]
      const reset = async (link: string, password: string) => valueOf(await resetPassword(accounts.parts, link, password, origin))
      expect(await reset(second, 'pendek')).toMatchObject({ is: 'password-refused' })
      expect(await reset(second, goodPassword)).toMatchObject({ is: 'password-refused', faults: [{ rule: 'password-used-before' }] })
      expect(await reset(second, otherPassword)).toMatchObject({ is: 'reset', facts: [{ what: 'password-reset' }, { what: 'unlocked' }] })
      expect(await findSession(accounts.parts.ground, cookie)).toBeUndefined()
      for (const link of [first, second, 'x', 'A'.repeat(43)]) expect(await reset(link, 'lima belas angklung 7')).toEqual({ is: 'expired' })
      expect(await enters(accounts, 'budi', goodPassword)).toBe('refused')
      expect(await enters(accounts, 'budi', otherPassword)).toBe('session')
    })

    test('of 50 parallel uses of one link one wins', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      const link = await asked(accounts)
      const done = await Promise.all(
        Array.from({ length: 50 }, (_, n) => resetPassword(accounts.parts, link, `payung ke ${n} dari kertas`, origin)),
      )
      expect(done.filter(one => one.ok && one.value.is === 'reset').length).toBe(1)
      expect(done.filter(one => one.ok && one.value.is === 'expired').length).toBe(49)
      expect((await accountNow(accounts, account.id)).epoch).toBe(account.epoch + 1)
    })

    test('a link ends after 15 minutes, and with the account', async () => {
      const accounts = await openAccounts(engine)
      const account = await anAccount(accounts, 'budi')
      const slow = await asked(accounts)
      accounts.clock.now += linkMs.reset
      expect(valueOf(await resetPassword(accounts.parts, slow, otherPassword, origin)).is).toBe('expired')
      const link = await asked(accounts)
      valueOf(await disableAccount(accounts.parts.ground, account.id, 'left', 'admin', origin))
      expect(valueOf(await resetPassword(accounts.parts, link, otherPassword, origin)).is).toBe('expired')
    })

    test('the last five are not taken again, the sixth is', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'budi')
      const reset = async (password: string) => valueOf(await resetPassword(accounts.parts, await asked(accounts), password, origin)).is
      for (let n = 1; n <= 4; n++) expect(await reset(`payung ke ${n} dari kertas`)).toBe('reset')
      expect(await reset(goodPassword)).toBe('password-refused')
      expect(await reset('payung ke 5 dari kertas')).toBe('reset')
      expect(await reset(goodPassword)).toBe('reset')
    })
  })

  test(`${engine.name}: another e-mail address counts once its link came back, and a link is good for one thing only`, async () => {
    const accounts = await openAccounts(engine)
    const account = await anAccount(accounts, 'budi')
    const { ground } = accounts.parts
    const sent = valueOf(await requestEmail(ground, account.id, 'Baru@x.example', origin))
    if (sent.is !== 'sent') throw new Error(sent.is)
    expect(sent.mail.to).toBe('baru@x.example')
    expect((await accountNow(accounts, account.id)).email).toBe('budi@rumah.example')
    expect(valueOf(await resetPassword(accounts.parts, sent.mail.secret, otherPassword, origin)).is).toBe('expired')
    expect(valueOf(await acceptInvitation(accounts.parts, sent.mail.secret, { password: otherPassword }, origin)).is).toBe('expired')
    const done = await Promise.all(Array.from({ length: 10 }, () => confirmEmail(ground, sent.mail.secret, origin)))
    expect(done.filter(one => one.ok && one.value.is === 'confirmed').length).toBe(1)
    expect((await accountNow(accounts, account.id)).email).toBe('baru@x.example')
    expect(valueOf(await requestEmail(ground, account.id, 'x', origin)).is).toBe('malformed')
    expect(valueOf(await requestEmail(ground, 'nobody', 'a@x.example', origin)).is).toBe('unknown')
    const late = valueOf(await requestEmail(ground, account.id, 'a@x.example', origin))
    accounts.clock.now += linkMs.email
    expect(valueOf(await confirmEmail(ground, late.is === 'sent' ? late.mail.secret : '', origin)).is).toBe('expired')
  })
}

for (const engine of testEngines)
  test(`${engine.name}: what is encrypted under an older key is encrypted anew, so that the key can go`, async () => {
    const accounts = await openAccounts(engine)
    const { ground } = accounts.parts
    const account = await anAccount(accounts, 'budi')
    await changeDetails(ground, account.id, { phone: '0812' }, 'admin', origin)
    await anAccount(accounts, 'wati')
    const { code } = await withFactor(accounts, account.id)
    valueOf(await accounts.keyring.rotate('fields'))
    expect(valueOf(await reencryptAccounts(ground))).toEqual({ renewed: 2, missed: 0, unreadable: 0 })
    expect(valueOf(await reencryptAccounts(ground))).toEqual({ renewed: 0, missed: 0, unreadable: 0 })
    expect(valueOf(await accounts.keyring.retire('fields-1'))).toBe('retired')
    expect(await phoneOf(ground, await accountNow(accounts, account.id))).toBe('0812')
    expect((await factorUse(ground, await factorsOf(ground, account.id), code()))?.method).toBe('otp')
  })

for (const engine of testEngines)
  test(`${engine.name}: staff who stay away for 90 days are disabled, told 14 days before, and not again once they are enabled`, async () => {
    const accounts = await openAccounts(engine)
    const { clock, parts } = accounts
    const { ground } = parts
    const [gone, here, spared] = [
      await anAccount(accounts, 'gone', [doctor]),
      await anAccount(accounts, 'here', [doctor]),
      await anAccount(accounts, 'spared', [doctor]),
    ]
    await anAccount(accounts, 'budi')
    const run = async () => {
      const { disabled, warned, facts } = valueOf(await disableDormant(ground, 90, ({ id }) => id === spared.id, origin))
      return { disabled: disabled.map(({ id }) => id), warned: warned.map(({ id }) => id), facts: facts.length }
    }
    const day = 86_400_000
    clock.now += 10 * day
    await logIn(parts, { name: 'here', password: goodPassword }, { origin })
    clock.now += 66 * day
    expect(await run()).toEqual({ disabled: [], warned: [gone.id], facts: 0 })
    clock.now += 14 * day
    expect(await run()).toEqual({ disabled: [gone.id], warned: [], facts: 1 })
    expect((await accountNow(accounts, gone.id)).disabled?.reason).toBe('dormant')
    valueOf(await enableAccount(ground, gone.id, 'admin', origin))
    expect(await run()).toEqual({ disabled: [], warned: [], facts: 0 })
    clock.now += 10 * day
    expect((await run()).disabled).toEqual([here.id])
  })
