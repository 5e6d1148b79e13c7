/** Keys and what they protect. @see auth.md 11 */
import { randomBytes } from 'node:crypto'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { createFieldEncryption } from '../../src/auth/keys/field-encryption.ts'
import { kekOf, readKek } from '../../src/auth/keys/key-encryption-key.ts'
import { makeKekFile, readKekFile } from '../../src/auth/keys/key-file.ts'
import { createKeyedHash } from '../../src/auth/keys/keyed-hash.ts'
import { Keyring, keyPurposes, keyringRecords } from '../../src/auth/keys/keyring.ts'
import { createSigning } from '../../src/auth/keys/signing.ts'
import type { AuthStore } from '../../src/auth/record-plans.ts'
import { testEngines } from '../support/engines.ts'
import { temporaryFolder } from '../support/sqlite-store.ts'
import { closingAccounts, kek, openAuthStore, valueOf } from './accounts-ground.ts'

closingAccounts()

const clock = { now: Date.UTC(2026, 10, 21, 8) }
const open = async (store: AuthStore, by = kek): Promise<Keyring> =>
  valueOf(await Keyring.open({ store, kek: by, clock: () => clock.now, random: randomBytes }))
const place = { table: 'account', column: 'phone', row: 'a' }
const otherKek = kekOf(Buffer.alloc(32, 8))
const whyOf = (opening: Promise<unknown>): Promise<unknown> =>
  opening.then(
    () => 'opened',
    (error: unknown) => (error as { why?: string }).why,
  )

const whyNot = (read: () => unknown): unknown => {
  try {
    return read()
  } catch (error) {
    return (error as { why?: string }).why
  }
}

describe('a key encryption key', () => {
  const bytes = Buffer.alloc(32, 7)
  for (const [text, reads] of [
    [bytes.toString('hex'), true],
    [bytes.toString('base64'), true],
    [`${bytes.toString('base64url')}\n`, true],
    [bytes.toString('hex').slice(2), false],
    ['', false],
    ['a passphrase', false],
  ] as const)
    test(`${reads ? 'reads' : 'refuses'} ${JSON.stringify(text)}`, () => expect(readKek(text)?.id).toBe(reads ? kek.id : undefined))
})

describe('a key encryption key in a file', () => {
  test('is made once, for its owner alone, and read', () => {
    const path = join(temporaryFolder(), 'kek')
    expect(whyNot(() => readKekFile(path))).toBe('no-kek')
    makeKekFile(path, () => Buffer.alloc(32, 7))
    expect(readKekFile(path).id).toBe(kek.id)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(() => makeKekFile(path, randomBytes)).toThrow('EEXIST')
    expect(readKekFile(path).id).toBe(kek.id)
  })
  test('is refused when everybody can read it, or when it is no key', () => {
    const path = join(temporaryFolder(), 'kek')
    makeKekFile(path, randomBytes)
    chmodSync(path, 0o644)
    expect(whyNot(() => readKekFile(path))).toBe('no-kek')
    chmodSync(path, 0o640)
    readKekFile(path)
    writeFileSync(path, 'a passphrase')
    expect(whyNot(() => readKekFile(path))).toBe('no-kek')
  })
})

for (const engine of testEngines) {
  describe(`${engine.name}: the keyring`, () => {
    test('is made once, with a key for each purpose, also by nodes that start together', async () => {
      const store = await openAuthStore(engine, clock)
      const rings = await Promise.all([open(store), open(store), open(store)])
      for (const purpose of keyPurposes) {
        const keys = rings.map(ring => ring.current(purpose).key.export().toString('hex'))
        expect(new Set(keys).size).toBe(1)
      }
      const { rows } = await store.records(keyringRecords).range('key', { limit: 100 })
      expect(rows.length).toBe(keyPurposes.length + 1)
    })

    test('does not open with another key encryption key', async () => {
      const store = await openAuthStore(engine, clock)
      await open(store)
      expect(await whyOf(open(store, otherKek))).toBe('wrong-kek')
      await open(store)
    })

    test('does not open when a key was damaged, or the check value is missing', async () => {
      const store = await openAuthStore(engine, clock)
      await open(store)
      const records = store.records<{ id: string; wrapped: string }>(keyringRecords)
      const row = await records.get('pepper-1')
      await records.put({ ...(row?.value as { id: string; wrapped: string }), id: 'pepper-1', wrapped: 'AAAA' })
      expect(await whyOf(open(store))).toBe('damaged')
      await records.put(row?.value as { id: string; wrapped: string })
      await open(store)
      await records.delete('check')
      expect(await whyOf(open(store))).toBe('damaged')
    })

    test('a key cannot be passed off as another', async () => {
      const store = await openAuthStore(engine, clock)
      await open(store)
      const records = store.records<{ id: string; wrapped: string }>(keyringRecords)
      const [pepper, index] = [await records.get('pepper-1'), await records.get('index-1')]
      await records.put({ ...(pepper?.value as { id: string }), wrapped: index?.value.wrapped as string })
      expect(await whyOf(open(store))).toBe('damaged')
    })

    test('all data keys are wrapped anew for another key encryption key, and values stay as they are', async () => {
      const store = await openAuthStore(engine, clock)
      const ring = await open(store)
      const value = createFieldEncryption(ring, randomBytes).encrypt('0812', place)
      valueOf(await ring.rotate('fields'))
      valueOf(await ring.rotateKek(otherKek))
      expect(await whyOf(open(store))).toBe('wrong-kek')
      const after = await open(store, otherKek)
      expect(after.current('fields').id).toBe('fields-2')
      expect(await createFieldEncryption(after, randomBytes).decrypt(value, place)).toBe('0812')
      expect(await createFieldEncryption(ring, randomBytes).decrypt(value, place)).toBe('0812')
    })

    test('a rotated data key makes new values; the old ones open until it is retired; other nodes find it', async () => {
      const store = await openAuthStore(engine, clock)
      const [here, there] = [await open(store), await open(store)]
      const [cipher, other] = [createFieldEncryption(here, randomBytes), createFieldEncryption(there, randomBytes)]
      const old = cipher.encrypt('0812', place)
      expect(valueOf(await here.rotate('fields')).id).toBe('fields-2')
      const value = cipher.encrypt('0813', place)
      expect([old, value].map(one => one.split('.')[0])).toEqual(['fields-1', 'fields-2'])
      expect([cipher.isCurrent(old), cipher.isCurrent(value)]).toEqual([false, true])
      expect(await other.decrypt(value, place)).toBe('0813')
      expect(other.encrypt('x', place).startsWith('fields-2.')).toBe(true)
      expect(valueOf(await here.retire('fields-2'))).toBe('current')
      expect(valueOf(await here.retire('fields-9'))).toBe('unknown')
      expect(valueOf(await here.retire('fields-1'))).toBe('retired')
      expect(await cipher.decrypt(old, place)).toBeUndefined()
      expect(await cipher.decrypt(value, place)).toBe('0813')
    })

    test('two nodes that rotate at once rotate once', async () => {
      const store = await openAuthStore(engine, clock)
      const [here, there] = [await open(store), await open(store)]
      await Promise.all([here.rotate('cookies'), there.rotate('cookies')])
      await Promise.all([here.reload(), there.reload()])
      expect(here.current('cookies').id).toBe('cookies-2')
      expect(there.versions('cookies').map(({ id }) => id)).toEqual(here.versions('cookies').map(({ id }) => id))
    })

    test('a node with the key encryption key of before makes no key that the next start could not open', async () => {
      const store = await openAuthStore(engine, clock)
      const [here, there] = [await open(store), await open(store)]
      valueOf(await here.rotateKek(otherKek))
      expect(await whyOf(there.rotate('forms'))).toBe('wrong-kek')
      expect(there.current('forms').id).toBe('forms-1')
      await open(store, otherKek)
    })

    test('keyed hashes differ by use and by key, and are checked by the key that made them', async () => {
      const store = await openAuthStore(engine, clock)
      const ring = await open(store)
      const hash = createKeyedHash(ring)
      const value = hash.of('backup-code', 'a')
      expect(value).toMatch(/^index-1\.[A-Za-z0-9_-]{22}$/)
      expect(hash.of('login-name', 'a')).not.toBe(value)
      valueOf(await ring.rotate('index'))
      expect(hash.of('backup-code', 'a')).toMatch(/^index-2\./)
      expect(hash.all('backup-code', 'a')).toEqual([hash.of('backup-code', 'a'), value])
      expect(await hash.matches(value, 'backup-code', 'a')).toBe(true)
      for (const [kept, text] of [
        [value, 'b'],
        [`${value}A`, 'a'],
        ['index-7.AAAAAAAAAAAAAAAAAAAAAA', 'a'],
        ['', 'a'],
      ] as const)
        expect(await hash.matches(kept, 'backup-code', text)).toBe(false)
    })
  })
}

describe('a signature', () => {
  const [engine] = testEngines
  test('is believed by the key that made it and the one after, over its text and for its purpose', async () => {
    const ring = await open(await openAuthStore(engine as (typeof testEngines)[number], clock))
    const [forms, cookies] = [createSigning(ring, 'forms'), createSigning(ring, 'cookies')]
    const signature = forms.sign('session-1')
    expect(signature).toMatch(/^1\.[A-Za-z0-9_-]{43}$/)
    const believed = (): boolean[] => [
      forms.verify(signature, 'session-1'),
      forms.verify(signature, 'session-2'),
      cookies.verify(signature, 'session-1'),
    ]
    expect(believed()).toEqual([true, false, false])
    expect([forms.verify('', 'session-1'), forms.verify(`${signature}A`, 'session-1')]).toEqual([false, false])
    valueOf(await ring.rotate('forms'))
    expect(believed()).toEqual([true, false, false])
    expect(forms.sign('session-1')).toMatch(/^2\./)
    valueOf(await ring.rotate('forms'))
    expect(believed()).toEqual([false, false, false])
  })
})

describe('an encrypted field', () => {
  const [engine] = testEngines
  test('opens only where it stood, whole, and under a key for fields; no two are alike', async () => {
    const store = await openAuthStore(engine as (typeof testEngines)[number], clock)
    const cipher = createFieldEncryption(await open(store), randomBytes)
    const value = cipher.encrypt('+62 812 é', place)
    expect(cipher.encrypt('+62 812 é', place)).not.toBe(value)
    expect(await cipher.decrypt(value, place)).toBe('+62 812 é')
    expect(await cipher.decrypt(cipher.encrypt('', place), place)).toBe('')
    for (const other of [{ table: 'b' }, { column: 'b' }, { row: 'b' }])
      expect(await cipher.decrypt(value, { ...place, ...other })).toBeUndefined()
    const flipped = Buffer.from(value.slice('fields-1.'.length), 'base64url')
    flipped[14] = (flipped[14] as number) ^ 1
    const damaged = [
      `fields-1.${flipped.toString('base64url')}`,
      value.slice(0, 20),
      value.replace('fields-1', 'pepper-1'),
      value.replace('fields-1', 'fields-2'),
      '',
      'x',
    ]
    for (const one of damaged) expect(await cipher.decrypt(one, place)).toBeUndefined()
  })
})
