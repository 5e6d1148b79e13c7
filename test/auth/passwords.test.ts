/** Passwords: how they are hashed, and what they may be. @see auth.md 2.2 */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { commonWords } from '../../src/auth/passwords/common-words.ts'
import { createPasswordHashing } from '../../src/auth/passwords/hashing.ts'
import { passwordAge } from '../../src/auth/passwords/password-age.ts'
import { type PasswordContext, passwordFaults } from '../../src/auth/passwords/password-rules.ts'
import { readPhc, writePhc } from '../../src/auth/passwords/phc.ts'
import { createTurns } from '../../src/auth/passwords/turns.ts'
import { clause } from '../../src/base/rules.ts'
import { sqliteEngine } from '../support/engines.ts'
import { closingAccounts, openAccounts, valueOf } from './accounts-ground.ts'

closingAccounts()

const context: PasswordContext = {
  username: 'siti.aminah',
  email: 'sita.purnama@klinik-cempaka.example',
  hospital: 'Rumah Sakit Umum Kenari Jaya',
}

describe('a new password', () => {
  for (const [password, ...faults] of [
    ['tujuh payung kertas 58'],
    ['Xk7#qLw2!mZr'],
    ['my liberty property 77 whale'],
    ['pagar kayu lembab di barat'],
    ['日本語のとても長いパスフレーズ'],
    ['84930275819362'],
    ['Xk7#qLw2!mZ', 'password-short'],
    ['', 'password-short'],
    [`Zk7#${'ab9'.repeat(42)}`, 'password-long'],
    ['x7'.repeat(400), 'password-long'],
    ['password12345', 'password-sequence', 'password-common'],
    ['P@ssw0rd!9999', 'password-repeat', 'password-common'],
    ['Passw0rdPassw0rd', 'password-common'],
    ['rahasia-rahasia', 'password-common'],
    ['Cintaku.Selamanya.2024', 'password-common'],
    ['Jakarta!1945!17', 'password-common'],
    ['d0kt3r-kes3hatan', 'password-common'],
    ['bismillah 786 786', 'password-common'],
    ['xoxoxoxoxoxo', 'password-common'],
    ['kelapaaaa muda 83', 'password-repeat'],
    ['4321 lampion biru', 'password-sequence'],
    ['wxyz lampion biru', 'password-sequence'],
    ['Asdfg lampion biru', 'password-sequence'],
    ['lampion siti.aminah 8', 'password-username'],
    ['lampion Purn4ma 83', 'password-email'],
    ['lampion cempaka 83', 'password-email'],
    ['payung s1mpul kuning', 'password-product'],
    ['payung kenari kuning', 'password-hospital'],
    ['payung rumah kuning 83'],
  ] as const)
    test(`${JSON.stringify(password.slice(0, 40))} ${faults.length === 0 ? 'is taken' : `is refused: ${faults.join(', ')}`}`, () =>
      expect(passwordFaults(password, context).map(({ rule }) => rule)).toEqual(faults))

  test('may have to be of three classes', () => {
    const refused = (password: string) => passwordFaults(password, { classes: true }).map(({ rule }) => rule)
    expect(refused('tujuhpayungkertas')).toEqual(['password-classes'])
    expect(refused('tujuh payung kertas')).toEqual(['password-classes'])
    expect(refused('Tujuh payung kertas')).toEqual([])
  })

  test('counts characters, not halves of them, after making alike what looks alike', () => {
    expect(passwordFaults('😀🌂🎈🪁🧭🪵🥥🦜🪔🛶🧶🪭', {})).toEqual([])
    expect(passwordFaults('😀🌂🎈🪁🧭🪵', {}).map(({ rule }) => rule)).toEqual(['password-short'])
    expect(passwordFaults('ｐａｓｓｗｏｒｄ９８３７５', {}).map(({ rule }) => rule)).toEqual(['password-common'])
  })

  test('made of one or two common words, digits and signs is refused, whatever the words', () => {
    const word = fc.constantFrom(...[...commonWords].filter(one => one.length > 3))
    const rest = fc.constantFrom('', '1', '#', '77', '2026', '!!')
    fc.assert(
      fc.property(word, rest, word, rest, (first, a, second, b) => {
        const faults = passwordFaults(`${first}${a}${second}${b}`, {}).map(({ rule }) => rule)
        expect(faults).toContain('password-common')
      }),
      { numRuns: 300 },
    )
  })

  test('says in both languages what is wrong', () => {
    const [fault] = passwordFaults('kurang', {})
    expect(fault === undefined ? [] : [clause(fault, 'en'), clause(fault, 'id')]).toEqual([
      'it has fewer than 12 characters',
      'panjangnya kurang dari 12 karakter',
    ])
  })

  test('is judged in bounded time, whatever it is', () =>
    fc.assert(fc.property(fc.string({ maxLength: 600, unit: 'grapheme' }), text => passwordFaults(text, context).length >= 0)))
})

test('the words nobody may build a password of are folded, and a few hundred', () => {
  for (const word of commonWords) expect(word).toMatch(/^[a-z]+$/)
  expect(commonWords.size).toBeGreaterThan(700)
})

describe('a stored password', () => {
  const opened = async () => {
    const { keyring } = await openAccounts(sqliteEngine)
    return { keyring, hashing: createPasswordHashing(keyring, randomBytes) }
  }

  test('matches the password it was made of, however it was typed, and no other', async () => {
    const { hashing } = await opened()
    const stored = valueOf(await hashing.hash('kafé lampion ﬁnal'))
    expect(stored.phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(stored.pepper).toBe('pepper-1')
    expect(valueOf(await hashing.verify('kafe\u0301 lampion final', stored))).toEqual({ matches: true, outdated: false })
    expect(valueOf(await hashing.verify('kafe lampion final', stored))).toEqual({ matches: false, outdated: false })
    expect(valueOf(await hashing.hash('kafé lampion ﬁnal')).phc).not.toBe(stored.phc)
  })

  test('is outdated once the pepper changed or the parameters did, and matches nothing without its pepper', async () => {
    const { hashing, keyring } = await opened()
    const stored = valueOf(await hashing.hash('lampion'))
    const cheaper = createPasswordHashing(keyring, randomBytes, { memory: 64, passes: 1, lanes: 1 })
    expect(valueOf(await cheaper.verify('lampion', stored))).toEqual({ matches: true, outdated: true })
    valueOf(await keyring.rotate('pepper'))
    expect(valueOf(await hashing.verify('lampion', stored))).toEqual({ matches: true, outdated: true })
    const renewed = valueOf(await hashing.hash('lampion'))
    expect(renewed.pepper).toBe('pepper-2')
    expect(valueOf(await hashing.verify('lampion', { ...renewed, pepper: 'pepper-1' })).matches).toBe(false)
    valueOf(await keyring.retire('pepper-1'))
    expect(valueOf(await hashing.verify('lampion', stored)).matches).toBe(false)
  })

  test('costs one hash whether it is there, damaged or missing', async () => {
    const { hashing } = await opened()
    const stored = valueOf(await hashing.hash('lampion'))
    for (const one of [stored, undefined, { phc: 'x', pepper: 'pepper-1' }, { ...stored, pepper: 'fields-1' }]) {
      const before = hashing.hashes
      expect(valueOf(await hashing.verify('lampion', one)).matches).toBe(one === stored)
      expect(hashing.hashes - before).toBe(1)
    }
  })

  test('is hashed two at a time; fifty wait, and more are told when to come back', async () => {
    const { hashing } = await opened()
    const done = await Promise.all(Array.from({ length: 60 }, () => hashing.verify('lampion', undefined)))
    const refused = done.filter(one => !one.ok)
    expect(refused.length).toBe(8)
    expect(refused.map(one => (one.ok ? undefined : [one.failure.kind, one.failure.retryAfterSeconds]))).toEqual(
      Array.from({ length: 8 }, () => ['overloaded', 2]),
    )
    expect(valueOf(await hashing.verify('lampion', undefined)).matches).toBe(false)
  })
})

describe('turns', () => {
  test('go in the order they came, so many at once, and are given on when work throws', async () => {
    const turns = createTurns(2, 10)
    let busy = 0
    let most = 0
    const order: number[] = []
    const work = (n: number) => async (): Promise<number> => {
      most = Math.max(most, ++busy)
      order.push(n)
      await Promise.resolve()
      busy--
      if (n === 1) throw new Error('broken')
      return n
    }
    const done = await Promise.allSettled([0, 1, 2, 3, 4].map(n => turns.take(work(n))))
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
    expect([most, order, turns.waiting]).toEqual([2, [0, 1, 2, 3, 4], 0])
  })
})

describe('a PHC string', () => {
  const good = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  test('is written as it was read', () => {
    const read = readPhc(good)
    expect(read === undefined ? '' : writePhc(read)).toBe(good)
    expect([read?.salt.length, read?.tag.length]).toEqual([16, 32])
  })
  for (const text of [
    good.replace('argon2id', 'argon2i'),
    good.replace('v=19', 'v=16'),
    good.replace('m=19456', 'm=999999'),
    good.replace('m=19456', 'm=7'),
    good.replace('t=2', 't=0'),
    good.replace('t=2', 't=99'),
    good.replace('p=1', 'p=99'),
    `${good}$`,
    good.slice(0, 40),
    '',
  ])
    test(`is not ${text.slice(0, 34)}…`, () => expect(readPhc(text)).toBeUndefined())
})

describe('a password of staff', () => {
  const day = 86_400_000
  for (const [days, is] of [
    [0, { is: 'fresh' }],
    [75, { is: 'fresh' }],
    [76, { is: 'ending', daysLeft: 14 }],
    [89, { is: 'ending', daysLeft: 1 }],
    [90, { is: 'expired' }],
    [900, { is: 'expired' }],
  ] as const)
    test(`of ${days} days is ${is.is}`, () => expect(passwordAge(0, days * day, 90)).toEqual(is))
  test('does not age where that is turned off', () => expect(passwordAge(0, 9_000 * day, 0)).toEqual({ is: 'fresh' }))
})
