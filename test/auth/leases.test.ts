/** auth.md 2.1, 8: work that one node of all does, what nodes tell each other, and what is kept from the first start on. */

import { describe, expect, test } from '@jest/globals'
import { firstInvitation } from '../../src/auth/accounts/first-invitation.ts'
import { acceptInvitation } from '../../src/auth/accounts/invitation.ts'
import { endingTopics } from '../../src/auth/endings.ts'
import type { Fact, FactKind } from '../../src/auth/facts.ts'
import { commitFacts } from '../../src/auth/ground.ts'
import { checkIssuer } from '../../src/auth/installation.ts'
import { whenDue } from '../../src/auth/leases.ts'
import { fail, ok } from '../../src/base/outcome.ts'
import { testEngines } from '../support/engines.ts'
import { type Accounts, anAccount, closingAccounts, goodPassword, openAccounts, origin, valueOf } from './accounts-ground.ts'

closingAccounts()

const hour = 3_600_000

for (const engine of testEngines) {
  describe(`work that is due (${engine.name})`, () => {
    const lease = { name: 'dormancy', everyMs: 24 * hour, leaseMs: hour }
    const asNode = ({ parts, store, clock }: Accounts, holder: string, work = async () => ok(undefined)) =>
      whenDue({ store, clock: () => clock.now, holder }, lease, work)
        .then(valueOf)
        .then(done => [parts && holder, done])

    test('is done by one of many who ask at once, and again when its time has come', async () => {
      const accounts = await openAccounts(engine)
      let done = 0
      const work = async () => {
        done += 1
        return ok(undefined)
      }
      await Promise.all(Array.from({ length: 20 }, (_, n) => asNode(accounts, `node-${n}`, work)))
      expect(done).toBe(1)
      accounts.clock.now += 23 * hour
      await asNode(accounts, 'node-1', work)
      expect(done).toBe(1)
      accounts.clock.now += hour
      await Promise.all([asNode(accounts, 'node-1', work), asNode(accounts, 'node-2', work)])
      expect(done).toBe(2)
    })

    test('that failed is tried again, and work of a node that died is taken over when its lease ends', async () => {
      const accounts = await openAccounts(engine)
      const { store, clock } = accounts
      const failed = await whenDue({ store, clock: () => clock.now, holder: 'node-1' }, lease, async () => fail('write-conflict', {}))
      expect(failed.ok).toBe(false)
      expect(await asNode(accounts, 'node-2')).toEqual(['node-2', true])
      clock.now += 24 * hour
      void whenDue({ store, clock: () => clock.now, holder: 'node-3' }, lease, () => new Promise(() => undefined))
      await new Promise(resolve => setTimeout(resolve, 100))
      expect(await asNode(accounts, 'node-4')).toEqual(['node-4', false])
      clock.now += hour
      expect(await asNode(accounts, 'node-4')).toEqual(['node-4', true])
    })
  })

  describe(`the issuer (${engine.name})`, () => {
    const local = (url: string): boolean => url.startsWith('http://127.0.0.1')
    test('is kept at the first start and never changes after', async () => {
      const { store, clock } = await openAccounts(engine)
      const check = (issuer: string) => checkIssuer(store, issuer, () => clock.now, local)
      await Promise.all([check('https://a.example/oauth'), check('https://a.example/oauth')])
      expect((await check('https://a.example/oauth')).ok).toBe(true)
      await expect(check('https://b.example/oauth')).rejects.toThrow('SIMPUL_BASE_URL must be https://a.example.')
      await expect(check('http://127.0.0.1:8080/oauth')).rejects.toThrow('SIMPUL_BASE_URL must be https://a.example.')
    })

    test('of a machine for trials follows its port', async () => {
      const { store, clock } = await openAccounts(engine)
      const check = (issuer: string) => checkIssuer(store, issuer, () => clock.now, local)
      expect((await check('http://127.0.0.1:8080/oauth')).ok).toBe(true)
      expect((await check('http://127.0.0.1:8081/oauth')).ok).toBe(true)
      await expect(check('https://b.example/oauth')).rejects.toThrow('SIMPUL_BASE_URL')
    })
  })

  describe(`the first invitation (${engine.name})`, () => {
    const invited = async ({ parts }: Accounts, holder = 'node-1') => valueOf(await firstInvitation(parts.ground, holder, origin))

    test('is given once where nodes start together, makes one administrator, and never comes again', async () => {
      const accounts = await openAccounts(engine)
      const secrets = (await Promise.all(['node-1', 'node-2', 'node-3'].map(node => invited(accounts, node)))).filter(Boolean)
      expect(secrets).toHaveLength(1)
      const accept = (username: string) =>
        acceptInvitation(accounts.parts, secrets[0] as string, { username, password: goodPassword }, origin)
      const accepted = valueOf(await accept('kepala'))
      expect(accepted).toMatchObject({ is: 'accepted', account: { username: 'kepala', roles: [{ role: 'admin' }], status: 'active' } })
      expect(valueOf(await accept('lain'))).toEqual({ is: 'expired' })
      accounts.clock.now += hour
      expect(await invited(accounts)).toBeUndefined()
    })

    test('that was not used is given anew at the next start, and the one before is void', async () => {
      const accounts = await openAccounts(engine)
      const first = (await invited(accounts)) as string
      accounts.clock.now += 10_000
      const second = (await invited(accounts)) as string
      const accept = (secret: string) => acceptInvitation(accounts.parts, secret, { username: 'kepala', password: goodPassword }, origin)
      expect(valueOf(await accept(first))).toEqual({ is: 'expired' })
      expect(valueOf(await accept(second))).toMatchObject({ is: 'accepted' })
    })

    test('is void after 30 minutes', async () => {
      const accounts = await openAccounts(engine)
      const secret = (await invited(accounts)) as string
      accounts.clock.now += 30 * 60_000
      expect(valueOf(await acceptInvitation(accounts.parts, secret, { username: 'kepala', password: goodPassword }, origin))).toEqual({
        is: 'expired',
      })
    })

    test('is not given where there is an account', async () => {
      const accounts = await openAccounts(engine)
      await anAccount(accounts, 'siti')
      expect(await invited(accounts)).toBeUndefined()
    })
  })

  describe(`what is written (${engine.name})`, () => {
    test('is told once it is there, and not when it did not come to be', async () => {
      const { parts } = await openAccounts(engine)
      const heard: Fact[] = []
      const ground = { ...parts.ground, told: (facts: readonly Fact[]) => void heard.push(...facts) }
      const row = { name: 'x', holder: 'a', until: 0 }
      const facts: readonly Fact[] = [{ what: 'logged-out', account: 'a' }]
      await commitFacts(ground, [{ record: 'lease', put: row, expected: 'none' }], facts, origin)
      expect(heard).toEqual(facts)
      await commitFacts(ground, [{ record: 'lease', put: row, expected: 'none' }], facts, origin)
      expect(heard).toEqual(facts)
    })
  })
}

describe('what nodes tell each other', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [facts: readonly FactKind[], topics: readonly string[]])[] = [
    [[],                                 []],
    [['login'],                          []],
    [['login-failed', 'grant-given'],    []],
    [['logged-out'],                     ['tokens']],
    [['logged-out-everywhere'],          ['tokens']],
    [['session-displaced', 'login'],     ['tokens']],
    [['account-disabled'],               ['tokens']],
    [['roles-changed'],                  ['tokens']],
    [['password-changed'],               ['tokens']],
    [['grant-ended'],                    ['tokens']],
    [['grant-reused'],                   ['tokens']],
    // After a step-up the same token does more.
    [['stepped-up'],                     ['tokens']],
    [['client-suspended'],               ['clients', 'tokens']],
    [['client-changed'],                 ['clients', 'tokens']],
    [['signing-key-rotated'],            ['keys', 'tokens']],
  ]
  for (const [facts, topics] of rows)
    test(`of ${facts.join(' and ') || 'nothing'} is ${topics.join(' and ') || 'nothing'}`, () => {
      expect(endingTopics(facts.map(what => ({ what })))).toEqual(topics)
    })
})
