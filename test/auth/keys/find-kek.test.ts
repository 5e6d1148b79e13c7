import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { findKek, type KekSources, kekFileName, replaceKekFile } from '../../../src/auth/keys/find-kek.ts'
import { Keyring, KeyringRefused } from '../../../src/auth/keys/keyring.ts'
import { openKeys } from '../../../src/auth/keys/open-keys.ts'
import { testEngines } from '../../support/engines.ts'
import { closingAccounts, openAuthStore, valueOf } from '../accounts-ground.ts'

/** T28: which key encryption key a start takes, and when it refuses to start. @see auth.md 11 */

closingAccounts()
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simpul-kek-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  return thrown instanceof KeyringRefused ? `${thrown.why}: ${thrown.message}` : 'none'
}
const now = { now: 1_000_000 }
const base64 = (): string => randomBytes(32).toString('base64')

for (const engine of testEngines)
  describe(engine.name, () => {
    const sources = async (more: Partial<KekSources> = {}): Promise<KekSources> => ({
      store: await openAuthStore(engine, now),
      random: randomBytes,
      ...more,
    })
    const opening = async (given: KekSources) => openKeys({ ...given, kek: await findKek(given), clock: () => now.now })

    test('T28: the first start of an embedded store makes one for its owner alone, and the next start takes it', async () => {
      const made = join(folder, 'data', kekFileName)
      const given = await sources({ made })
      const first = valueOf(await opening(given))
      expect(statSync(made).mode & 0o777).toBe(0o600)
      const again = valueOf(await opening(given))
      expect(again.signing.publicJwks()).toEqual(first.signing.publicJwks())
    })

    test('processes that start together take one', async () => {
      const given = await sources({ made: join(folder, kekFileName) })
      const found = await Promise.all(Array.from({ length: 5 }, () => findKek(given)))
      expect(new Set(found.map(({ id }) => id)).size).toBe(1)
    })

    test('T28: where several machines may share a store it must be given', async () => {
      expect(await refusal(findKek(await sources()))).toMatch(/^no-kek: .*SIMPUL_AUTH_KEK_FILE/)
      const kek = base64()
      valueOf(await opening(await sources({ kek })))
    })

    test('T28: one that is gone is not made anew, for a new one would open nothing', async () => {
      const made = join(folder, kekFileName)
      const given = await sources({ made })
      valueOf(await opening(given))
      rmSync(made)
      expect(await refusal(findKek(given))).toMatch(/^no-kek: .*is gone; restore it/)
      expect(existsSync(made)).toBe(false)
    })

    test('T28: another key than the one of the store is refused before anything is written', async () => {
      const given = await sources({ kek: base64() })
      valueOf(await opening(given))
      expect(await refusal(opening({ ...given, kek: base64() }))).toMatch(/^wrong-kek/)
    })

    test('T28: a file that everybody reads is refused, and so is one that is missing or holds no key', async () => {
      const kekFile = join(folder, 'given.key')
      const given = await sources({ kekFile })
      expect(await refusal(findKek(given))).toMatch(/^no-kek: There is no key/)
      writeFileSync(kekFile, base64())
      chmodSync(kekFile, 0o604)
      expect(await refusal(findKek(given))).toMatch(/^no-kek: Everybody .*chmod o-rwx/)
      writeFileSync(kekFile, 'hunter2')
      chmodSync(kekFile, 0o600)
      expect(await refusal(findKek(given))).toMatch(/^no-kek: .* holds no key/)
      expect(await refusal(findKek({ ...given, kekFile: folder }))).toMatch(/^no-kek: .* cannot be read/)
    })

    test('a refusal never tells the key', async () => {
      const said = await refusal(findKek(await sources({ kek: 'rahasia' })))
      expect(said).toMatch(/^no-kek/)
      expect(said).not.toContain('rahasia')
      expect(await refusal(findKek(await sources({ kek: base64(), kekFile: 'x' })))).toMatch(/both set/)
    })

    test('the file is replaced, and a replacement that was cut is finished by the next start', async () => {
      const made = join(folder, kekFileName)
      const given = await sources({ made })
      const keys = valueOf(await opening(given))
      const sealed = keys.fields.encrypt('rahasia', { table: 't', column: 'c', row: 'r' })
      const before = readFileSync(made, 'utf8')
      valueOf(await replaceKekFile(keys.keyring, made, randomBytes))
      expect(readFileSync(made, 'utf8')).not.toBe(before)
      // Cut after the keyring was wrapped, before the file took its place.
      renameSync(made, `${made}.next`)
      writeFileSync(made, before, { mode: 0o600 })
      const next = valueOf(await opening(given))
      expect(await next.fields.decrypt(sealed, { table: 't', column: 'c', row: 'r' })).toBe('rahasia')
      expect(existsSync(`${made}.next`)).toBe(false)
      // Cut before the keyring was wrapped: the file there is still the right one.
      copyFileSync(made, join(folder, 'kept'))
      writeFileSync(`${made}.next`, base64(), { mode: 0o600 })
      valueOf(await opening(given))
      expect(readFileSync(made, 'utf8')).toBe(readFileSync(join(folder, 'kept'), 'utf8'))
      valueOf(await replaceKekFile(next.keyring, made, randomBytes))
      valueOf(await Keyring.open({ ...given, kek: await findKek(given), clock: () => now.now }))
    })
  })
