/** Second factors. @see RFC 6238 appendix B, RFC 4226 appendix D, RFC 4648 section 10, auth.md 2.4 */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { newBackupCodes, readBackupCode } from '../../src/auth/factors/backup-codes.ts'
import { base32 } from '../../src/auth/factors/base32.ts'
import {
  enrolled,
  enrolmentMs,
  factorRecords,
  factorsOf,
  factorUse,
  newEnrolment,
  withBackupCodes,
} from '../../src/auth/factors/factor-set.ts'
import { acceptedStep, stepAt, totpCode, totpUri } from '../../src/auth/factors/totp.ts'
import { commitRecords, putOver } from '../../src/auth/record-plans.ts'
import { testEngines } from '../support/engines.ts'
import { closingAccounts, openAccounts, secretOf, valueOf, withFactor } from './accounts-ground.ts'

closingAccounts()

const secret = Buffer.from('12345678901234567890')

describe('a code by the clock', () => {
  for (const [seconds, code] of [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ] as const)
    test(`at ${seconds} s is ${code}`, () => {
      expect(totpCode(secret, stepAt(seconds * 1000), 8)).toBe(code)
      expect(totpCode(secret, stepAt(seconds * 1000))).toBe(code.slice(2))
    })

  for (const [count, code] of [
    '755224',
    '287082',
    '359152',
    '969429',
    '338314',
    '254676',
    '287922',
    '162583',
    '399871',
    '520489',
  ].entries())
    test(`by the counter ${count} is ${code}`, () => expect(totpCode(secret, count)).toBe(code))

  test('is accepted one step before and after, and no further', () => {
    const now = 1_000_000 * 30_000
    const accepted = [-2, -1, 0, 1, 2].map(away => acceptedStep(secret, totpCode(secret, 1_000_000 + away), now))
    expect(accepted).toEqual([undefined, 999_999, 1_000_000, 1_000_001, undefined])
  })

  test('is not accepted of a step that was used, or one before it', () => {
    const now = 1_000_000 * 30_000
    const code = totpCode(secret, 1_000_000)
    expect(acceptedStep(secret, code, now, 999_999)).toBe(1_000_000)
    expect(acceptedStep(secret, code, now, 1_000_000)).toBeUndefined()
    expect(acceptedStep(secret, totpCode(secret, 999_999), now, 1_000_000)).toBeUndefined()
  })

  for (const text of ['', '12345', '1234567', 'abcdef', '１２３４５６'])
    test(`is not ${JSON.stringify(text)}`, () => expect(acceptedStep(secret, text, 0)).toBeUndefined())
})

describe('base32', () => {
  for (const [text, code] of [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const)
    test(`of ${JSON.stringify(text)} is ${JSON.stringify(code)}`, () => expect(base32(Buffer.from(text))).toBe(code))

  test('and the URI tell an app the secret whole', () => {
    const uri = totpUri(secret, 'Rumah Sakit A&B', 'siti@x')
    expect(uri).toBe(
      'otpauth://totp/Rumah%20Sakit%20A%26B:siti%40x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Rumah%20Sakit%20A%26B&algorithm=SHA1&digits=6&period=30',
    )
    expect(secretOf(uri).equals(secret)).toBe(true)
  })
})

describe('backup codes', () => {
  test('are ten, each of 50 random bits, none twice', () => {
    const codes = newBackupCodes(randomBytes)
    expect(new Set(codes).size).toBe(10)
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/)
  })
  for (const [typed, code] of [
    ['ABCDE-01239', 'ABCDE-01239'],
    ['abcde01239', 'ABCDE-01239'],
    [' abcde oI2 39 ', 'ABCDE-01239'],
    ['abcde-ol239', 'ABCDE-01239'],
    ['ABCDE-0123', undefined],
    ['ABCDU-01239', undefined],
    ['123456', undefined],
    ['', undefined],
  ] as const)
    test(`${JSON.stringify(typed)} reads as ${code}`, () => expect(readBackupCode(typed)).toBe(code))
})

for (const engine of testEngines) {
  describe(`${engine.name}: the factors of an account`, () => {
    test('are set up by a first code, which is then spent', async () => {
      const accounts = await openAccounts(engine)
      const { ground } = accounts.parts
      const { after, enrolment } = newEnrolment(ground, undefined, 'a', { issuer: 'Test', account: 'a' })
      expect(JSON.stringify(after)).not.toContain(enrolment.secret)
      await ground.store.records(factorRecords).put(after)
      const kept = await factorsOf(ground, 'a')
      const code = totpCode(secretOf(enrolment.uri), stepAt(accounts.clock.now))
      expect(await factorUse(ground, kept, code)).toBeUndefined()
      expect(await enrolled(ground, kept, '000000')).toBeUndefined()
      const made = await enrolled(ground, kept, code)
      expect(made?.backupCodes.length).toBe(10)
      expect(made?.after.pending).toBeUndefined()
      for (const shown of made?.backupCodes ?? []) expect(JSON.stringify(made?.after)).not.toContain(shown)
      await ground.store.records(factorRecords).put(made?.after ?? {})
      expect(await factorUse(ground, await factorsOf(ground, 'a'), code)).toBeUndefined()
    })

    test('are not set up by a code that comes too late', async () => {
      const accounts = await openAccounts(engine)
      const { ground } = accounts.parts
      const { after, enrolment } = newEnrolment(ground, undefined, 'a', { issuer: 'Test', account: 'a' })
      await ground.store.records(factorRecords).put(after)
      accounts.clock.now += enrolmentMs + 1
      const code = totpCode(secretOf(enrolment.uri), stepAt(accounts.clock.now))
      expect(await enrolled(ground, await factorsOf(ground, 'a'), code)).toBeUndefined()
    })

    test('do not open in the row of another account', async () => {
      const accounts = await openAccounts(engine)
      const { ground } = accounts.parts
      const { code, backupCodes } = await withFactor(accounts, 'a')
      const kept = await factorsOf(ground, 'a')
      await ground.store.records(factorRecords).put({ ...kept?.value, account: 'b' })
      const moved = await factorsOf(ground, 'b')
      expect(await factorUse(ground, moved, code())).toBeUndefined()
      expect(await factorUse(ground, moved, backupCodes[0] ?? '')).toBeUndefined()
      expect((await factorUse(ground, kept, code()))?.method).toBe('otp')
    })

    for (const kind of ['backup code', 'step'] as const)
      test(`of 50 parallel uses of one ${kind} one wins`, async () => {
        const accounts = await openAccounts(engine)
        const { ground } = accounts.parts
        const { code, backupCodes } = await withFactor(accounts, 'a')
        const typed = kind === 'step' ? code() : (backupCodes[3] ?? '')
        const use = async (): Promise<boolean> => {
          const kept = await factorsOf(ground, 'a')
          const used = await factorUse(ground, kept, typed)
          return used !== undefined && valueOf(await commitRecords(ground.store, [putOver(factorRecords, kept, used.after)])).held
        }
        const wins = await Promise.all(Array.from({ length: 50 }, use))
        expect(wins.filter(Boolean).length).toBe(1)
        expect(await use()).toBe(false)
      })

    test('tell when few backup codes are left; new ones void the old', async () => {
      const accounts = await openAccounts(engine)
      const { ground } = accounts.parts
      const { backupCodes } = await withFactor(accounts, 'a')
      const few: boolean[] = []
      for (const code of backupCodes) {
        const kept = await factorsOf(ground, 'a')
        const used = await factorUse(ground, kept, code.toLowerCase())
        few.push(used?.fewCodes ?? false)
        valueOf(await commitRecords(ground.store, [putOver(factorRecords, kept, used?.after ?? {})]))
      }
      expect(few).toEqual([false, false, false, false, false, false, false, true, true, true])
      const kept = await factorsOf(ground, 'a')
      if (kept === undefined) throw new Error('no factors')
      const made = withBackupCodes(ground, kept.value)
      await ground.store.records(factorRecords).put(made.after)
      expect(await factorUse(ground, await factorsOf(ground, 'a'), backupCodes[0] ?? '')).toBeUndefined()
      expect((await factorUse(ground, await factorsOf(ground, 'a'), made.backupCodes[0] ?? ''))?.method).toBe('backup')
    })

    test('are found after the keys were rotated', async () => {
      const accounts = await openAccounts(engine)
      const { ground } = accounts.parts
      const { code, backupCodes } = await withFactor(accounts, 'a')
      valueOf(await accounts.keyring.rotate('fields'))
      valueOf(await accounts.keyring.rotate('index'))
      const kept = await factorsOf(ground, 'a')
      expect((await factorUse(ground, kept, code()))?.method).toBe('otp')
      expect((await factorUse(ground, kept, backupCodes[9] ?? ''))?.method).toBe('backup')
    })
  })
}
