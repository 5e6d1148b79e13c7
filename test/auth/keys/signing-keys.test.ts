import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { importJWK, jwtVerify, SignJWT } from 'jose'
import { createFieldEncryption } from '../../../src/auth/keys/field-encryption.ts'
import { openSigningKeys, type SigningKeys } from '../../../src/auth/keys/signing-keys.ts'
import { reencryptEverything } from '../../../src/auth/reencrypt.ts'
import { type TestEngine, testEngines } from '../../support/engines.ts'
import { type Accounts, closingAccounts, openAccounts, valueOf } from '../accounts-ground.ts'

/** Keys that sign id tokens. @see auth.md 11, annex A.5 26 to 28 */

closingAccounts()

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const node = async ({ store, parts }: Accounts): Promise<SigningKeys> =>
  valueOf(await openSigningKeys({ store, clock: parts.ground.clock, fields: parts.ground.fields }))
const opened = async (engine: TestEngine) => {
  const accounts = await openAccounts(engine)
  return { ...accounts, keys: await node(accounts) }
}
const phases = (keys: SigningKeys): readonly string[] => keys.state().map(({ is }) => is)
const kids = (keys: SigningKeys): readonly (string | undefined)[] => keys.publicJwks().keys.map(({ kid }) => kid)

for (const engine of testEngines)
  describe(engine.name, () => {
    test('A.5 26, 28: the first start makes an RSA key that signs; what is published verifies it and holds no private part', async () => {
      const { keys } = await opened(engine)
      const [secret] = keys.currentJwks().keys
      const [open] = keys.publicJwks().keys
      if (secret === undefined || open === undefined) throw new Error('no key')
      expect(open).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig', kid: secret.kid })
      expect(Object.keys(open).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
      const token = await new SignJWT({ sub: 'x' })
        .setProtectedHeader({ alg: 'RS256', kid: String(open.kid) })
        .sign(await importJWK(secret))
      expect((await jwtVerify(token, await importJWK(open))).payload).toEqual({ sub: 'x' })
    })

    test('T11: nothing of the private part lies open in the store', async () => {
      const { keys, store } = await opened(engine)
      const kept = JSON.stringify(await store.records({ name: 'signing_key', key: 'id' }).get('RS256-1'))
      expect(kept).toContain(String(keys.publicJwks().keys[0]?.kid))
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const)
        expect(kept).not.toContain(String(keys.currentJwks().keys[0]?.[member]))
    })

    test('after 90 days the next one is announced, signs a day later, and the old one goes after another day', async () => {
      const accounts = await opened(engine)
      const { keys, clock } = accounts
      const [first] = kids(keys)
      clock.now += 90 * dayMs - 1
      valueOf(await keys.turn())
      expect(phases(keys)).toEqual(['signing'])
      clock.now += 1
      valueOf(await keys.turn())
      const second = kids(keys)[1]
      expect([kids(keys)[0], phases(keys)]).toEqual([first, ['signing', 'announced']])
      clock.now += dayMs - 1
      expect(kids(keys)).toEqual([first, second])
      clock.now += 1
      // Without anybody doing anything: the clock alone changes over.
      expect([kids(keys), phases(keys)]).toEqual([
        [second, first],
        ['signing', 'retiring'],
      ])
      clock.now += dayMs
      expect(kids(keys)).toEqual([second])
      valueOf(await keys.turn())
      expect(kids(await node(accounts))).toEqual([second])
    })

    test('who listens is told when what is published changes, and not otherwise', async () => {
      const { keys, clock } = await opened(engine)
      let told = 0
      const stop = keys.onChange(() => {
        told += 1
      })
      valueOf(await keys.turn())
      expect(told).toBe(0)
      valueOf(await keys.rotate())
      expect(told).toBe(1)
      valueOf(await keys.rotate())
      expect([told, phases(keys)]).toEqual([1, ['signing', 'announced']])
      clock.now += dayMs
      valueOf(await keys.turn())
      expect(told).toBe(2)
      stop()
      clock.now += dayMs
      valueOf(await keys.turn())
      expect(told).toBe(2)
    })

    test('several nodes make one key: at the first start, when one is due, and when asked', async () => {
      const accounts = await openAccounts(engine)
      const nodes = await Promise.all(Array.from({ length: 4 }, () => node(accounts)))
      const same = (): number => new Set(nodes.map(keys => kids(keys).join())).size
      expect(same()).toBe(1)
      accounts.clock.now += 90 * dayMs
      await Promise.all(nodes.map(keys => keys.turn()))
      await Promise.all(nodes.map(keys => keys.turn()))
      expect([same(), kids(nodes[0] as SigningKeys).length]).toEqual([1, 2])
      accounts.clock.now += 3 * dayMs
      await Promise.all(nodes.map(keys => keys.turn()))
      await Promise.all(nodes.map(keys => keys.rotate()))
      await Promise.all(nodes.map(keys => keys.turn()))
      expect([same(), kids(nodes[0] as SigningKeys).length]).toEqual([1, 2])
    })

    test('a compromised key is gone at once', async () => {
      const { keys } = await opened(engine)
      const [first] = kids(keys)
      valueOf(await keys.rotate('compromised'))
      expect(phases(keys)).toEqual(['signing'])
      expect(kids(keys)).not.toContain(first)
    })

    test('a new data key seals them anew', async () => {
      const { keys, keyring, parts, store } = await opened(engine)
      const before = keys.currentJwks()
      const old = keyring.current('fields').id
      valueOf(await keyring.rotate('fields'))
      expect(valueOf(await reencryptEverything(parts.ground))).toEqual({ renewed: 1, missed: 0, unreadable: 0 })
      expect(valueOf(await keyring.retire(old))).toBe('retired')
      const fields = createFieldEncryption(keyring, randomBytes)
      const again = valueOf(await openSigningKeys({ store, clock: parts.ground.clock, fields }))
      expect(again.currentJwks()).toEqual(before)
    })
  })
