import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { clientById } from '../../../src/auth/clients/administration.ts'
import { testEngines } from '../../support/engines.ts'
import { closingAccounts } from '../accounts-ground.ts'
import { closingServers, openAdmin } from './admin-ground.ts'

/** Applications, keys and the explanation of access, as administrators ask for them. @see auth.md 4.3, 5.5, 10.1, 11 */

closingAccounts()
closingServers()

const key = { ...generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }), kid: 'one' }
const app = { name: 'Grafik', type: 'symmetric', redirectUris: ['https://grafik.example/cb'], scopesAllowed: ['patient/*.rs', 'openid'] }
const service = { name: 'Penyalur', type: 'backend', jwks: { keys: [key] }, scopesAllowed: ['system/Observation.rs'] }
const approvalOf = (json: Readonly<Record<string, unknown>>): string => (json.approval as { id: string }).id
const clientOf = (json: Readonly<Record<string, unknown>>): { id: string; status: string } => json.client as { id: string; status: string }

for (const engine of testEngines)
  describe(engine.name, () => {
    test('an app is registered, changed, given a secret, suspended and activated by one person', async () => {
      const { ask, somebody, facts } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      facts.splice(0)
      const made = await ask(siti, 'POST', '/admin/clients', app)
      const { id, status } = clientOf(made.json)
      expect([made.status, status]).toEqual([201, 'active'])
      expect((await ask(siti, 'PUT', `/admin/clients/${id}`, { ...app, name: 'Grafik Dua' })).json.client).toMatchObject({
        name: 'Grafik Dua',
      })
      const secret = await ask(siti, 'POST', `/admin/clients/${id}/secrets`)
      expect(secret.json.secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
      const shown = await ask(siti, 'GET', `/admin/clients/${id}`)
      expect(shown.text).not.toContain(String(secret.json.secret))
      expect(shown.text).not.toContain('sealed')
      const [kept] = shown.json.secrets as unknown as { id: string }[]
      expect((await ask(siti, 'DELETE', `/admin/clients/${id}/secrets/${String(kept?.id)}`)).json.client).toMatchObject({ secrets: [] })
      expect(clientOf((await ask(siti, 'POST', `/admin/clients/${id}/suspend`)).json).status).toBe('suspended')
      expect(clientOf((await ask(siti, 'POST', `/admin/clients/${id}/activate`)).json).status).toBe('active')
      expect(facts.map(({ what, client, by }) => [what, client === id, by === siti.id])).toEqual(
        ['client-registered', 'client-changed', 'client-secret-made', 'client-secret-removed', 'client-suspended', 'client-activated'].map(
          what => [what, true, true],
        ),
      )
      expect((await ask(siti, 'GET', '/admin/clients/nobody')).status).toBe(404)
    })

    test('a secret is made only with a second factor of the last five minutes', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const { id } = clientOf((await ask(siti, 'POST', '/admin/clients', app)).json)
      const later = await somebody('budi', ['admin'], { factorAgeMs: 300_001 })
      expect((await ask(later, 'POST', `/admin/clients/${id}/secrets`)).json.kind).toBe('step-up-needed')
    })

    test('a service waits until another holder of clients.approve lets it in, and so does a change of it', async () => {
      const { ask, somebody, admin } = await openAdmin(engine)
      const [siti, budi] = [await somebody('siti', ['admin']), await somebody('budi', ['admin'])]
      const made = await ask(siti, 'POST', '/admin/clients', service)
      const { id, status } = clientOf(made.json)
      expect(status).toBe('draft')
      const listed = (await ask(budi, 'GET', '/admin/approvals')).json.approvals as unknown as { id: string; what: object }[]
      expect(listed[0]).toMatchObject({ id: approvalOf(made.json), what: { kind: 'client-activation', client: id } })
      expect((await ask(siti, 'POST', `/admin/approvals/${approvalOf(made.json)}/approve`)).json.kind).toBe('another-person')
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(made.json)}/approve`)).status).toBe(204)
      expect((await clientById(admin.ground, id))?.value).toMatchObject({ status: 'active', approvals: [{ by: budi.id }] })
      const wider = { ...service, scopesAllowed: ['system/*.rs'] }
      const asked = await ask(siti, 'PUT', `/admin/clients/${id}`, wider)
      expect(asked.status).toBe(202)
      expect((await clientById(admin.ground, id))?.value.scopesAllowed).toEqual(service.scopesAllowed)
      const other = await ask(siti, 'PUT', `/admin/clients/${id}`, { ...service, grants: [{ clause: 'Observation rs', reach: 'any' }] })
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(asked.json)}/approve`)).status).toBe(204)
      expect((await clientById(admin.ground, id))?.value.scopesAllowed).toEqual(['system/*.rs'])
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(other.json)}/approve`)).json.kind).toBe('approval-outdated')
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(other.json)}/refuse`)).status).toBe(204)
    })

    test('everything that is wrong with a registration is told at once, in the language asked for', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const answer = await ask(await somebody('siti', ['admin']), 'POST', '/admin/clients', {
        ...app,
        redirectUris: ['http://x.example/'],
        offline: 'yes',
      })
      expect(answer.status).toBe(400)
      expect((answer.json.errors as unknown as { member: string; detail: string }[]).map(({ member }) => member)).toEqual([
        'redirectUris[0]',
        'offline',
      ])
      expect(answer.json.detail).toMatch(/^redirectUris\[0\] is not usable: a redirect URI is https/)
      expect(answer.text).not.toContain('x.example')
    })

    test('the page of its health says in words what went wrong, which keys were seen and which scopes nobody uses', async () => {
      const { ask, somebody, admin } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const { id } = clientOf((await ask(siti, 'POST', '/admin/clients', app)).json)
      admin.clients.health.trouble(id, 'redirect-unknown')
      admin.clients.health.used(id, { scopes: ['openid'], kid: 'one' })
      const { health } = (await ask(siti, 'GET', `/admin/clients/${id}`)).json
      expect(health).toMatchObject({
        troubles: [{ what: 'redirect-unknown', count: 1, en: 'It named a redirect URI that is not registered.' }],
        keys: [{ kid: 'one' }],
        unusedScopes: ['patient/*.rs'],
      })
      await admin.clients.health.flush()
    })

    test('signing keys are shown without their private parts, and rotated', async () => {
      const { ask, somebody, facts } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const before = await ask(siti, 'GET', '/admin/keys')
      expect(before.json.signing).toMatchObject([{ alg: 'RS256', is: 'signing' }])
      expect((await ask(siti, 'POST', '/admin/keys/rotate')).json.signing).toMatchObject([{ is: 'signing' }, { is: 'announced' }])
      expect(facts.at(-1)).toEqual({ what: 'signing-key-rotated', by: siti.id })
      const later = await somebody('budi', ['admin'], { factorAgeMs: 400_000 })
      expect((await ask(later, 'POST', '/admin/keys/rotate', { compromised: true })).json.kind).toBe('step-up-needed')
      expect((await ask(siti, 'POST', '/admin/keys/rotate', { compromised: true })).json.signing).toMatchObject([{ is: 'signing' }])
    })

    test('5.5: access is explained rule by rule, never showing the instance, and that is recorded', async () => {
      const { ask, somebody, facts } = await openAdmin(engine, {
        subjectOf: async (type, id) =>
          type === 'Observation' && id === '1'
            ? {
                id,
                patients: ['p'],
                organizations: ['o'],
                authors: [],
                confidentiality: 3,
                sensitivities: [],
                relates: () => false,
                consents: () => true,
              }
            : undefined,
      })
      const siti = await somebody('siti', ['admin'])
      const dewi = await somebody('dewi', ['doctor'])
      facts.splice(0)
      const answer = await ask(siti, 'GET', `/admin/access/explain?account=${dewi.id}&type=Observation&id=1&interaction=read`)
      expect(answer.json).toMatchObject({ allowed: false })
      const rules = answer.json.rules as unknown as { part: string; result: string }[]
      expect(new Set(rules.map(({ part }) => part))).toEqual(new Set(['role', 'labels', 'consent']))
      expect(facts).toEqual([{ what: 'access-explained', by: siti.id, account: dewi.id, reason: 'read Observation' }])
      for (const [query, status] of [
        [`account=${dewi.id}&type=Observation&id=2`, 404],
        [`account=${dewi.id}&type=Observations&id=1`, 400],
        [`account=${dewi.id}&type=Observation&id=1&interaction=drop`, 400],
        ['account=nobody&type=Observation&id=1', 404],
        ['client=nobody&type=Observation&id=1', 404],
        ['type=Observation&id=1', 400],
      ] as const)
        expect([query, (await ask(siti, 'GET', `/admin/access/explain?${query}`)).status]).toEqual([query, status])
      const doctor = await ask(siti, 'GET', `/admin/access/explain?account=${dewi.id}&type=Invoice&id=1`)
      expect(doctor.status).toBe(404)
    })

    test('4.3: the access review has a line for each account and role, and no cell that a spreadsheet runs', async () => {
      const { ask, somebody, facts } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const budi = await somebody('budi', ['admin'])
      await ask(siti, 'PUT', `/admin/users/${budi.id}/roles`, { roles: [{ role: 'nurse', organization: 'Organization/=1' }] })
      await somebody('dewi', ['doctor', 'nurse'])
      const answer = await ask(siti, 'GET', '/admin/access-review.csv')
      expect(answer.headers.get('content-type')).toMatch(/^text\/csv/)
      const lines = answer.text.split('\r\n').slice(0, -1)
      expect(lines[0]).toMatch(/^account,username,fhirUser,status,role,organization/)
      const said = lines.slice(1).map(line => line.split(',').slice(1, 5).join(' '))
      expect(said.sort()).toEqual([
        'budi Patient/1 active admin',
        'dewi Patient/1 active doctor',
        'dewi Patient/1 active nurse',
        'siti Patient/1 active admin',
      ])
      expect(facts.at(-1)?.what).toBe('access-reviewed')
    })

    test('the matrix of roles is shown as it holds', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const { json } = await ask(await somebody('siti', ['admin']), 'GET', '/admin/roles')
      const roles = json.roles as unknown as { name: string; types: Record<string, { letters: string }[]> }[]
      expect(roles.find(({ name }) => name === 'admin')?.types).not.toHaveProperty('Patient')
      expect(roles.find(({ name }) => name === 'doctor')?.types.Observation?.[0]).toMatchObject({ letters: 'crus', relation: 'F' })
      expect(json.permissions).toContainEqual({ name: 'roles.manage', of: ['admin'], second: 'same' })
    })
  })
