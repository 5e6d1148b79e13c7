import { describe, expect, test } from '@jest/globals'
import {
  activateClient,
  addSecret,
  changeClient,
  listClients,
  registerClient,
  registrationOf,
  removeSecret,
  suspendClient,
} from '../../../src/auth/clients/administration.ts'
import type { Client } from '../../../src/auth/clients/client.ts'
import { createClientHealth } from '../../../src/auth/clients/client-health.ts'
import type { JwksCache } from '../../../src/auth/clients/jwks-cache.ts'
import { type Registration, readRegistration } from '../../../src/auth/clients/registration.ts'
import { createClientRegistry, isUsable } from '../../../src/auth/clients/registry.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { type TestEngine, testEngines } from '../../support/engines.ts'
import { testRoles } from '../../support/roles.ts'
import { closingAccounts, openAccounts, origin, valueOf } from '../accounts-ground.ts'

/** Applications as they are kept. @see auth.md 10.1 */

const rules = { definitions: testDefinitions(), roles: testRoles(), production: false }
const registrationFrom = (json: object): Registration => valueOf(readRegistration(json, rules))
const app = registrationFrom({
  name: 'Grafik Tumbuh',
  type: 'symmetric',
  redirectUris: ['https://grafik.example/cb'],
  allowedOrigins: ['https://grafik.example'],
  scopesAllowed: ['patient/*.rs'],
})
const service = registrationFrom({
  name: 'Penyalur',
  type: 'backend',
  jwksUri: 'https://penyalur.example/jwks',
  scopesAllowed: ['system/*.rs'],
})
const alone = { by: 'siti' }
const both = { by: 'siti', approvedBy: 'budi' }
const dayMs = 86_400_000

const opened = async (engine: TestEngine, { production = false, jwks = neverAsked }: { production?: boolean; jwks?: JwksCache } = {}) => {
  const accounts = await openAccounts(engine)
  const { ground } = accounts.parts
  const health = createClientHealth({ store: accounts.store, clock: ground.clock })
  const registry = createClientRegistry({ ground, jwks, health, production })
  const parts = { ...ground, told: registry.forget }
  return { ...accounts, ground, registry, health, parts }
}
const neverAsked: JwksCache = { keysAt: async () => 'keys-refused' }
const kindOf = (outcome: { ok: boolean; failure?: { kind: string } }): string => outcome.failure?.kind ?? 'ok'

closingAccounts()

for (const engine of testEngines)
  describe(engine.name, () => {
    test('an app is in use at once, a service waits for a second person', async () => {
      const { parts, registry } = await opened(engine)
      const first = valueOf(await registerClient(parts, app, alone, origin)).client
      const second = valueOf(await registerClient(parts, service, alone, origin)).client
      expect([first.status, second.status]).toEqual(['active', 'draft'])
      expect(first.id).toMatch(/^[A-Za-z0-9_-]{20}$/)
      expect(kindOf(await activateClient(parts, second.id, alone, origin))).toBe('another-person')
      expect(kindOf(await activateClient(parts, second.id, { by: 'siti', approvedBy: 'siti' }, origin))).toBe('another-person')
      const active = valueOf(await activateClient(parts, second.id, both, origin))
      expect(active.client).toMatchObject({ status: 'active', approvals: [{ by: 'budi' }] })
      expect(active.facts).toEqual([{ what: 'client-activated', client: second.id, by: 'siti' }])
      expect(kindOf(await activateClient(parts, second.id, both, origin))).toBe('wrong-status')
      expect(await registry.find(second.id)).toMatchObject({ status: 'active' })
    })

    test('a change of what was looked at is looked at again; names are not', async () => {
      const { parts } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, service, both, origin))
      const wider = { ...service, scopesAllowed: ['system/*.cruds'] }
      expect(kindOf(await changeClient(parts, client.id, wider, alone, origin))).toBe('another-person')
      expect(kindOf(await changeClient(parts, client.id, { ...service, name: 'Penyalur Dua' }, alone, origin))).toBe('ok')
      const changed = valueOf(await changeClient(parts, client.id, wider, both, origin)).client
      expect(registrationOf(changed)).toEqual(wider)
      expect(kindOf(await changeClient(parts, 'nobody-here', app, alone, origin))).toBe('unknown-instance')
    })

    test('an app becomes no app of this house without a second person', async () => {
      const { parts } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      expect(kindOf(await changeClient(parts, client.id, { ...app, trust: 'first-party' }, alone, origin))).toBe('another-person')
    })

    test('what is suspended is not usable from then on', async () => {
      const { parts, registry, clock } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      const found = await registry.find(client.id)
      expect(found !== undefined && isUsable(found)).toBe(true)
      valueOf(await suspendClient(parts, client.id, 'siti', origin))
      const after = await registry.find(client.id)
      expect(after !== undefined && isUsable(after)).toBe(false)
      clock.now += 10_000
      expect(await registry.allowsOrigin('https://grafik.example')).toBe(false)
      expect(kindOf(await suspendClient(parts, client.id, 'siti', origin))).toBe('wrong-status')
    })

    test('what is remembered is 5 seconds old at most, also where another node changed it', async () => {
      const { parts, ground, registry, clock, calls } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      await registry.find(client.id)
      calls()
      expect(await registry.find(client.id)).toMatchObject({ status: 'active' })
      expect(calls()).toEqual([])
      valueOf(await suspendClient(ground, client.id, 'siti', origin))
      clock.now += 4_999
      expect(await registry.find(client.id)).toMatchObject({ status: 'active' })
      clock.now += 1
      expect(await registry.find(client.id)).toMatchObject({ status: 'suspended' })
      expect(await registry.find('x')).toBeUndefined()
      expect(await registry.find('nobody-here')).toBeUndefined()
    })

    test('a draft that another node lets in works at once', async () => {
      const { parts, ground, registry } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, service, alone, origin))
      expect(await registry.find(client.id)).toMatchObject({ status: 'draft' })
      valueOf(await activateClient(ground, client.id, both, origin))
      expect(await registry.find(client.id)).toMatchObject({ status: 'active' })
    })

    test('what was read before a change is not remembered after it', async () => {
      const { parts, ground, registry } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      const reading = registry.find(client.id)
      registry.forget()
      await reading
      await suspendClient(ground, client.id, 'siti', origin)
      expect(await registry.find(client.id)).toMatchObject({ status: 'suspended' })
    })

    test('secrets: sealed, two at a time, the newest first, each for its time', async () => {
      const { parts, registry, clock } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      const secrets: string[] = []
      let now: Client = client
      const add = async (): Promise<void> => {
        const made = valueOf(await addSecret(parts, client.id, 'siti', origin))
        secrets.unshift(made.secret)
        now = made.client
        clock.now += 1_000
      }
      await add()
      expect(secrets[0]).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(JSON.stringify(now)).not.toContain(secrets[0])
      await add()
      expect(await registry.secretsOf(now)).toEqual(secrets)
      await add()
      expect(await registry.secretsOf(now)).toEqual(secrets.slice(0, 2))
      clock.now += 30 * dayMs
      expect(await registry.secretsOf(now)).toEqual(secrets.slice(0, 1))
      clock.now += 335 * dayMs
      expect(await registry.secretsOf(now)).toEqual([])
    })

    test('a secret is moved to no other client', async () => {
      const { parts, registry } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      const other = valueOf(await registerClient(parts, app, alone, origin)).client
      const made = valueOf(await addSecret(parts, client.id, 'siti', origin))
      expect(await registry.secretsOf({ ...other, secrets: made.client.secrets })).toEqual([])
    })

    test('a secret ends when it is removed, and services have none', async () => {
      const { parts, registry } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      const made = valueOf(await addSecret(parts, client.id, 'siti', origin))
      const removed = valueOf(await removeSecret(parts, client.id, made.client.secrets[0]?.id ?? '', 'siti', origin))
      expect(await registry.secretsOf(removed.client)).toEqual([])
      expect(kindOf(await removeSecret(parts, client.id, 'none', 'siti', origin))).toBe('unknown-instance')
      const backend = valueOf(await registerClient(parts, service, both, origin)).client
      expect(kindOf(await addSecret(parts, backend.id, 'siti', origin))).toBe('wrong-status')
    })

    test('ten secrets made at once leave two', async () => {
      const { parts, registry } = await opened(engine)
      const { client } = valueOf(await registerClient(parts, app, alone, origin))
      const made = await Promise.all(Array.from({ length: 10 }, () => addSecret(parts, client.id, 'siti', origin)))
      const given = made.flatMap(one => (one.ok ? [one.value.secret] : []))
      const kept = await registry.find(client.id)
      const valid = kept === undefined ? [] : await registry.secretsOf(kept)
      expect(valid).toHaveLength(2)
      expect(given).toEqual(expect.arrayContaining([...valid]))
    })

    test('origins are those of clients in use; a client under development does not work in production', async () => {
      const { parts, ground, registry, health } = await opened(engine)
      valueOf(await registerClient(parts, app, alone, origin))
      const local = registrationFrom({
        name: 'Uji',
        type: 'public',
        development: true,
        redirectUris: ['http://localhost:4567/cb'],
        allowedOrigins: ['http://localhost:4567'],
      })
      const { client } = valueOf(await registerClient(parts, local, alone, origin))
      expect(await registry.allowsOrigin('https://grafik.example')).toBe(true)
      expect(await registry.allowsOrigin('http://localhost:4567')).toBe(true)
      expect(await registry.allowsOrigin('null')).toBe(false)
      expect(await registry.allowsOrigin('https://elsewhere.example')).toBe(false)
      const productive = createClientRegistry({ ground, jwks: neverAsked, health, production: true })
      expect(await productive.allowsOrigin('http://localhost:4567')).toBe(false)
      expect(await productive.find(client.id)).toBeUndefined()
    })

    test('keys come from the registration or from the URL; what is wrong with them is noted', async () => {
      const { parts, registry, health } = await opened(engine, { jwks: { keysAt: async () => 'keys-malformed' } })
      const { client } = valueOf(await registerClient(parts, service, both, origin))
      expect(await registry.keysOf(client)).toBeUndefined()
      expect(await registry.keysOf(client)).toBeUndefined()
      expect((await health.of(client.id)).troubles['keys-malformed']).toMatchObject({ count: 2 })
    })

    test('notes of two nodes come together, bounded', async () => {
      const { health, store, ground, clock } = await opened(engine)
      const other = createClientHealth({ store, clock: ground.clock })
      health.trouble('client-1', 'secret-wrong')
      for (let n = 0; n < 15; n++) {
        clock.now += 1
        other.used('client-1', { kid: `kid-${n}`, scopes: ['patient/*.rs'] })
      }
      other.trouble('client-1', 'secret-wrong')
      await health.flush()
      await other.flush()
      const known = await health.of('client-1')
      expect(known.troubles['secret-wrong']).toMatchObject({ count: 2 })
      expect(known.lastUsed).toBe(clock.now)
      expect(Object.keys(known.keys)).toHaveLength(10)
      expect(known.keys).toHaveProperty('kid-14')
      expect(Object.keys(known.scopes)).toEqual(['patient/*.rs'])
    })

    test('clients are listed page after page', async () => {
      const { parts, ground } = await opened(engine)
      for (const name of ['C', 'A', 'B']) valueOf(await registerClient(parts, { ...app, name }, alone, origin))
      valueOf(await registerClient(parts, service, alone, origin))
      const first = await listClients(ground, { status: 'active', limit: 2 })
      expect(first.clients.map(({ name }) => name)).toEqual(['A', 'B'])
      const second = await listClients(ground, { status: 'active', limit: 2, ...(first.next && { after: first.next }) })
      expect(second.clients.map(({ name }) => name)).toEqual(['C'])
      expect(second.next).toBeUndefined()
      expect((await listClients(ground, { limit: 10 })).clients).toHaveLength(4)
    })
  })
