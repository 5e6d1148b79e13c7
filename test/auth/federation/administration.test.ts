import { describe, expect, test } from '@jest/globals'
import { logIn } from '../../../src/auth/login.ts'
import { createLocalLogin } from '../../../src/auth/federation/local-login.ts'
import { type Provider, providerRecords } from '../../../src/auth/federation/provider.ts'
import { linkOf } from '../../../src/auth/federation/provider-link.ts'
import { mayMap } from '../../../src/auth/federation/provider-roles.ts'
import { createProviders } from '../../../src/auth/federation/providers.ts'
import { readProvider } from '../../../src/auth/federation/read-provider.ts'
import { reencryptProviders } from '../../../src/auth/federation/reencrypt-providers.ts'
import { testEngines } from '../../support/engines.ts'
import { testRoles } from '../../support/roles.ts'
import { accountNow, anAccount, closingAccounts, doctor, goodPassword, openAccounts, origin, valueOf } from '../accounts-ground.ts'
import { closingServers, openAdmin } from '../admin/admin-ground.ts'

closingAccounts()
closingServers()

const issuer = 'https://sso.rumah.example/realms/rs'
const document = { id: 'sso', name: 'SSO', issuer, clientId: 'simpul', clientSecret: 'sangat-rahasia' }
const rules = { roles: testRoles(), loopback: false }
const roleMap = [{ value: 'dokter', role: 'doctor' }]
const mapped = (role: string) => ({ claims: { roles: 'groups' }, roleMap: [{ value: 'x', role }] })

describe('what is said of a provider', () => {
  const wrong: readonly (readonly [string, object, string])[] = [
    ['an issuer without https', { issuer: 'http://sso.rumah.example' }, 'issuer'],
    ['an issuer with a query', { issuer: `${issuer}?x=1` }, 'issuer'],
    ['no secret', { clientSecret: undefined }, 'clientSecret'],
    ['a secret and a key', { privateKey: { kty: 'RSA' } }, 'privateKey'],
    [
      'a public key',
      { clientSecret: undefined, authentication: 'private-key', privateKey: { kty: 'EC', crv: 'P-256', alg: 'ES256' } },
      'privateKey',
    ],
    ['an id with signs', { id: '../x' }, 'id'],
    ['a role of those who administer', mapped('admin'), 'roleMap[0].role'],
    ['a role of those who audit', mapped('auditor'), 'roleMap[0].role'],
    ['a duty', mapped('data-protection-officer'), 'roleMap[0].role'],
    ['a role that nobody knows', mapped('wizard'), 'roleMap[0].role'],
    ['a map without a claim', { roleMap }, 'claims.roles'],
    ['passwords off, and nobody who keeps one', { passwordOff: ['rumah.example'] }, 'localAdministrators'],
    ['a directory elsewhere', { emailDomains: ['rumah.example'], directoryDomains: ['lain.example'] }, 'directoryDomains'],
    ['a domain that is none', { emailDomains: ['Rumah Example'] }, 'emailDomains[0]'],
    ['a member that nobody knows', { trusted: true }, 'trusted'],
  ]
  for (const [name, more, member] of wrong)
    test(`${name} is refused`, () => {
      const read = readProvider({ ...document, ...more }, rules)
      expect(read.ok ? 'taken' : [read.failure.kind, read.failure.values.member]).toEqual(['bad-member', member])
    })

  test('roles that a provider may give are those that neither administer nor audit', () => {
    const { roles } = testRoles()
    expect([...roles.keys()].filter(role => !mayMap(testRoles(), role)).toSorted()).toEqual(['admin', 'auditor'])
  })
})

for (const engine of testEngines)
  describe(`${engine.name}: administration of providers`, () => {
    test('a provider, and each change of one, counts once a second administrator has looked at it', async () => {
      const world = await openAdmin(engine)
      const first = await world.somebody('satu', ['admin'])
      const second = await world.somebody('dua', ['admin'])
      const providers = createProviders(world.admin.ground)
      const added = await world.ask(first, 'POST', '/admin/providers', document)
      expect([added.status, added.json.provider]).toEqual([
        201,
        expect.objectContaining({ id: 'sso', status: 'draft', redirectUri: 'https://rumah.example/login/federation/sso/callback' }),
      ])
      expect(added.text).not.toContain('rahasia')
      expect(await providers.open('sso')).toBeUndefined()
      expect((await world.ask(first, 'POST', '/admin/providers/sso/activate')).json.kind).toBe('another-person')
      expect((await world.ask(second, 'POST', '/admin/providers/sso/activate')).status).toBe(200)
      expect((await providers.open('sso'))?.secret).toBe('sangat-rahasia')
      const { clientSecret: _, ...rest } = document
      const change = { ...rest, claims: { roles: 'groups' }, roleMap, unknown: 'create' }
      expect((await world.ask(second, 'PUT', '/admin/providers/sso', change)).status).toBe(202)
      expect((await providers.open('sso'))?.provider.roleMap).toEqual([])
      expect((await world.ask(second, 'POST', '/admin/providers/sso/activate')).status).toBe(403)
      expect((await world.ask(first, 'POST', '/admin/providers/sso/activate')).status).toBe(200)
      expect(await providers.open('sso')).toMatchObject({ secret: 'sangat-rahasia', provider: { roleMap } })
      expect((await world.ask(first, 'POST', '/admin/providers', { ...document, id: 'other' })).json.errors).toMatchObject([
        { member: 'issuer' },
      ])
      expect((await world.ask(await world.somebody('dokter', ['doctor']), 'GET', '/admin/providers')).status).toBe(403)
      expect(world.facts.map(({ what }) => what)).toEqual(
        expect.arrayContaining(['provider-added', 'provider-activated', 'provider-changed']),
      )
    })

    test('a link of an administrator opens nothing before a second one has looked at it', async () => {
      const world = await openAdmin(engine)
      const first = await world.somebody('satu', ['admin'])
      const second = await world.somebody('dua', ['admin'])
      const sari = await anAccount(world, 'dr.sari', [doctor])
      const { ground } = world.admin
      await world.ask(first, 'POST', '/admin/providers', document)
      const asked = await world.ask(first, 'POST', `/admin/users/${sari.id}/links`, { provider: 'sso', subject: 'u-1' })
      expect(asked.status).toBe(202)
      const { id } = asked.json.link as { readonly id: string }
      expect(await linkOf(ground, issuer, 'u-1')).toBeUndefined()
      const path = `/admin/users/${sari.id}/links/${id}`
      expect((await world.ask(first, 'POST', `${path}/approve`)).json.kind).toBe('another-person')
      expect((await world.ask(second, 'POST', `/admin/users/${second.id}/links/${id}/approve`)).status).toBe(404)
      expect((await world.ask(second, 'POST', `${path}/approve`)).status).toBe(200)
      expect((await linkOf(ground, issuer, 'u-1'))?.value.account).toBe(sari.id)
      expect((await world.ask(first, 'POST', `/admin/users/${first.id}/links`, { provider: 'sso', subject: 'u-1' })).status).toBe(400)
      const { epoch } = await accountNow(world, sari.id)
      expect((await world.ask(first, 'DELETE', path)).status).toBe(204)
      expect(await linkOf(ground, issuer, 'u-1')).toBeUndefined()
      expect((await accountNow(world, sari.id)).epoch).toBe(epoch + 1)
    })

    test('secrets are sealed, and sealed anew with a new key', async () => {
      const world = await openAdmin(engine)
      await world.ask(await world.somebody('satu', ['admin']), 'POST', '/admin/providers', document)
      const records = world.store.records<Provider>(providerRecords)
      const sealed = async (): Promise<string> => (await records.get('sso'))?.value.sealed ?? ''
      const before = await sealed()
      expect(before).toMatch(/^fields-1\./)
      valueOf(await world.keyring.rotate('fields'))
      expect(valueOf(await reencryptProviders(world.admin.ground))).toEqual({ renewed: 1, missed: 0, unreadable: 0 })
      expect(await sealed()).toMatch(/^fields-2\./)
    })

    test('where a provider stands for a domain, passwords are refused as wrong ones are; two administrators keep theirs, and that is told', async () => {
      const accounts = await openAccounts(engine)
      const { ground } = accounts.parts
      const admins = [
        await anAccount(accounts, 'satu', [{ role: 'admin', givenBy: 'cli' }]),
        await anAccount(accounts, 'dua', [{ role: 'admin', givenBy: 'cli' }]),
      ]
      await anAccount(accounts, 'dr.sari', [doctor])
      const read = valueOf(
        readProvider({ ...document, passwordOff: ['rumah.example'], localAdministrators: admins.map(({ id }) => id) }, rules),
      )
      const provider: Provider = { ...read.registration, id: 'sso', status: 'active', sealed: 'x', createdAt: 0, createdBy: 'cli' }
      valueOf(await ground.store.records<Provider>(providerRecords).put(provider, 'none'))
      const parts = { ...accounts.parts, localLogin: createLocalLogin(createProviders(ground)) }
      const browser = { origin }
      const of = async (name: string, password = goodPassword) => valueOf(await logIn(parts, { name, password }, browser))
      await of('dr.sari')
      accounts.calls()
      const [right, rightCalls] = [await of('dr.sari'), accounts.calls()]
      const [nobody, nobodyCalls] = [await of('tidak.ada'), accounts.calls()]
      expect([right.is, nobody.is]).toEqual(['refused', 'refused'])
      expect(rightCalls).toEqual(nobodyCalls)
      const emergency = await of('satu')
      expect(emergency.is).toBe('session')
      expect(emergency.facts.map(({ what }) => what)).toContain('emergency-login')
      expect((await of('satu', 'salah sekali ini')).facts.map(({ what }) => what)).not.toContain('emergency-login')
    })
  })
