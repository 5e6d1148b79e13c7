import { describe, expect, test } from '@jest/globals'
import { approve, askApproval, pendingApprovals, standingOf } from '../../../src/auth/admin/approvals.ts'
import { disableUser } from '../../../src/auth/admin/disable-user.ts'
import { holds } from '../../../src/auth/admin/holders.ts'
import { host } from '../../../src/auth/second-person.ts'
import { testEngines } from '../../support/engines.ts'
import { accountNow, closingAccounts, origin, valueOf, withFactor } from '../accounts-ground.ts'
import { closingServers, openAdmin, type Somebody } from './admin-ground.ts'

/** People who may sign in, and what they may do. @see auth.md 2.1, 4.3 */

closingAccounts()
closingServers()

const kindOf = (outcome: { ok: boolean; failure?: { kind: string } }): string => outcome.failure?.kind ?? 'ok'
const approvalOf = (json: Readonly<Record<string, unknown>>): string => (json.approval as { id: string }).id

for (const engine of testEngines)
  describe(engine.name, () => {
    test('an invitation: without mails its link is handed over, the account has no role, and what is asked for waits', async () => {
      const { ask, somebody, facts } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const budi = await somebody('budi', ['admin'])
      const roles = [{ role: 'doctor', organization: 'Organization/1', until: '2027-01-01' }]
      const made = await ask(siti, 'POST', '/admin/users', { email: 'Dewi@rumah.example', roles, fhirUser: 'Practitioner/7' })
      expect(made.status).toBe(201)
      expect(made.json).toMatchObject({ user: { email: 'dewi@rumah.example', status: 'invited', roles: [] } })
      expect(made.json.link).toMatch(/^https:\/\/rumah\.example\/login\/invitation\/[A-Za-z0-9_-]{43}$/)
      expect(facts.map(({ what }) => what)).toEqual(expect.arrayContaining(['account-invited', 'approval-asked']))
      const id = (made.json.user as { id: string }).id
      expect((await ask(siti, 'POST', `/admin/approvals/${approvalOf(made.json)}/approve`)).json.kind).toBe('another-person')
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(made.json)}/approve`)).status).toBe(204)
      expect((await ask(siti, 'GET', `/admin/users/${id}`)).json).toMatchObject({
        fhirUser: 'Practitioner/7',
        roles: [
          { role: 'doctor', organization: 'Organization/1', until: '2027-01-01T00:00:00.000Z', givenBy: siti.id, approvedBy: budi.id },
        ],
        secondFactor: false,
      })
    })

    test('with mails the link goes to the one who is invited and nowhere else', async () => {
      const sent: string[] = []
      const { ask, somebody } = await openAdmin(engine, {
        sendLink: async ({ to, secret }) => {
          sent.push(to, secret)
          return { ok: true, value: undefined }
        },
      })
      const siti = await somebody('siti', ['admin'])
      const made = await ask(siti, 'POST', '/admin/users', { email: 'dewi@rumah.example' })
      expect([sent[0], made.status, 'link' in made.json]).toEqual(['dewi@rumah.example', 201, false])
      expect(made.text).not.toContain(sent[1])
      const again = await ask(siti, 'POST', `/admin/users/${(made.json.user as { id: string }).id}/invite`)
      expect([again.status, sent.length, sent[3] !== sent[1]]).toEqual([200, 4, true])
    })

    test('an invitation that cannot be is refused, by the member that is wrong', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      for (const [what, body, member] of [
        ['no address', {}, 'email'],
        ['an address that is none', { email: 'dewi' }, 'email'],
        ['the address of another', { email: 'siti@rumah.example' }, 'email'],
        ['the name of another', { email: 'a@rumah.example', username: 'siti' }, 'username'],
        ['a role that is none', { email: 'a@rumah.example', roles: [{ role: 'king' }] }, 'roles[0].role'],
        [
          'a place that is none',
          { email: 'a@rumah.example', roles: [{ role: 'doctor', organization: 'Patient/1' }] },
          'roles[0].organization',
        ],
        ['a password', { email: 'a@rumah.example', password: 'x' }, 'password'],
        [
          'a clearance that is none',
          { email: 'a@rumah.example', clearance: { confidentiality: 'X', sensitivities: [] } },
          'clearance.confidentiality',
        ],
      ] as const) {
        const answer = await ask(siti, 'POST', '/admin/users', body)
        const errors = answer.json.errors as unknown as { member: string }[]
        expect([what, answer.status, errors[0]?.member]).toEqual([what, 400, member])
      }
    })

    test('the officer of data protection administers nothing', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const answer = await ask(siti, 'POST', '/admin/users', {
        email: 'a@rumah.example',
        roles: [{ role: 'admin' }, { role: 'data-protection-officer' }],
      })
      expect([answer.status, answer.json.kind]).toEqual([422, 'duty-clash'])
    })

    test('roles are given by two persons, neither of them the one who gets them', async () => {
      const { ask, somebody, clock } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const budi = await somebody('budi', ['admin'])
      const roles = [{ role: 'admin' }, { role: 'doctor' }]
      const asked = await ask(siti, 'PUT', `/admin/users/${budi.id}/roles`, { roles })
      expect(asked.status).toBe(202)
      const path = `/admin/approvals/${approvalOf(asked.json)}/approve`
      expect((await ask(siti, 'POST', path)).json.kind).toBe('another-person')
      expect((await ask(budi, 'POST', path)).json.kind).toBe('another-person')
      const edi = await somebody('edi', ['admin'], { factorAgeMs: 301_000 })
      expect((await ask(edi, 'POST', path)).json.kind).toBe('step-up-needed')
      const fresh = await somebody('rina', ['admin'])
      expect((await ask(fresh, 'POST', path)).status).toBe(204)
      expect((await ask(fresh, 'POST', path)).json.kind).toBe('unknown-instance')
      clock.now += 1
    })

    test('what changed since it was asked for is not approved', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const [siti, budi] = [await somebody('siti', ['admin']), await somebody('budi', ['admin'])]
      const edi = await somebody('edi', ['nurse'])
      const first = await ask(siti, 'PUT', `/admin/users/${edi.id}/roles`, { roles: [{ role: 'doctor' }] })
      const second = await ask(siti, 'PUT', `/admin/users/${edi.id}/roles`, { clearance: { confidentiality: 'V', sensitivities: ['PSY'] } })
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(first.json)}/approve`)).status).toBe(204)
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(second.json)}/approve`)).json.kind).toBe('approval-outdated')
      expect((await ask(budi, 'POST', `/admin/approvals/${approvalOf(second.json)}/refuse`)).status).toBe(204)
    })

    test('T31: of many who approve at once one does', async () => {
      const { ask, somebody, admin, facts } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const others = await Promise.all(['budi', 'edi', 'rina', 'wati'].map(name => somebody(name, ['admin'])))
      const dewi = await somebody('dewi', ['nurse'])
      const asked = await ask(siti, 'PUT', `/admin/users/${dewi.id}/roles`, { roles: [{ role: 'doctor' }] })
      const done = await Promise.all(others.map(({ id }) => approve(admin, approvalOf(asked.json), id, origin)))
      expect(done.map(kindOf).sort()).toEqual(['ok', 'unknown-instance', 'unknown-instance', 'unknown-instance'])
      expect(facts.filter(({ what }) => what === 'approval-given')).toHaveLength(1)
    })

    test('while fewer than two hold the permission the host is the second person, and then no more', async () => {
      const { ask, somebody, admin } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const edi = await somebody('edi', ['nurse'])
      const one = await ask(siti, 'PUT', `/admin/users/${edi.id}/roles`, {
        roles: [{ role: 'nurse', organization: 'Organization/o' }, { role: 'admin' }],
      })
      expect(kindOf(await approve(admin, approvalOf(one.json), host, origin))).toBe('ok')
      const other = await ask(siti, 'PUT', `/admin/users/${edi.id}/roles`, { roles: [{ role: 'nurse' }] })
      expect(kindOf(await approve(admin, approvalOf(other.json), host, origin))).toBe('enough-holders')
      expect((await pendingApprovals(admin, 10)).approvals.map(({ id }) => id)).toEqual([approvalOf(other.json)])
    })

    test('what nobody decides is gone after a week', async () => {
      const { ask, somebody, admin, clock } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const edi = await somebody('edi', ['nurse'])
      const asked = await ask(siti, 'PUT', `/admin/users/${edi.id}/roles`, { roles: [{ role: 'doctor' }] })
      clock.now += 7 * 86_400_000
      expect(kindOf(await approve(admin, approvalOf(asked.json), host, origin))).toBe('unknown-instance')
    })

    test('somebody is stopped, let in again, unlocked, logged out and freed of a lost phone', async () => {
      const ground = await openAdmin(engine)
      const { ask, somebody, facts } = ground
      const siti = await somebody('siti', ['admin'])
      const edi = await somebody('edi', ['nurse'])
      await withFactor(ground, edi.id)
      const epochs = [(await accountNow(ground, edi.id)).epoch]
      for (const [verb, body] of [
        ['disable', { reason: 'left' }],
        ['enable', undefined],
        ['log-out', undefined],
        ['reset-factor', undefined],
        ['unlock', undefined],
      ] as const) {
        const answer = await ask(siti, 'POST', `/admin/users/${edi.id}/${verb}`, body)
        expect([verb, answer.status]).toEqual([verb, 200])
        epochs.push((await accountNow(ground, edi.id)).epoch)
      }
      expect(epochs).toEqual([2, 3, 3, 4, 5, 5])
      expect(facts.map(({ what, by }) => `${what} ${by === siti.id}`)).toEqual([
        'account-disabled true',
        'account-enabled true',
        'logged-out-everywhere true',
        'factor-reset true',
        'unlocked true',
      ])
      expect((await ask(siti, 'POST', `/admin/users/${edi.id}/enable`)).json.kind).toBe('wrong-status')
      expect((await ask(siti, 'POST', '/admin/users/nobody/disable')).status).toBe(404)
    })

    test('the last one who manages people can be neither stopped nor relieved', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      expect((await ask(siti, 'POST', `/admin/users/${siti.id}/disable`)).json).toMatchObject({ kind: 'last-holder', status: 409 })
      expect((await ask(siti, 'PUT', `/admin/users/${siti.id}/roles`, { roles: [] })).json.kind).toBe('last-holder')
      await somebody('budi', ['admin'])
      expect((await ask(siti, 'POST', `/admin/users/${siti.id}/disable`)).status).toBe(200)
    })

    test('two who stop each other at the same instant: one of them stays', async () => {
      for (let round = 0; round < 5; round++) {
        const { admin, somebody } = await openAdmin(engine)
        const [siti, budi] = [await somebody('siti', ['admin']), await somebody('budi', ['admin'])]
        const stop = (one: Somebody, by: Somebody) => disableUser(admin, one.id, 'quarrel', by.id, origin)
        const done = await Promise.all([stop(siti, budi), stop(budi, siti)])
        expect(done.map(one => (one.ok ? 'stopped' : one.failure.kind)).sort()).toEqual(['last-holder', 'stopped'])
      }
    })

    test('one is stopped while the other is relieved: one of them goes on managing people', async () => {
      const ground = await openAdmin(engine)
      const { admin, somebody } = ground
      const [siti, budi] = [await somebody('siti', ['admin']), await somebody('budi', ['admin'])]
      const before = standingOf(await accountNow(ground, budi.id))
      const asked = await askApproval(admin, { kind: 'roles', account: budi.id, before, after: { ...before, roles: [] } }, host, origin)
      const { approval } = valueOf(asked)
      const done = await Promise.all([
        disableUser(admin, siti.id, 'quarrel', budi.id, origin),
        approve(admin, approval.id, siti.id, origin),
      ])
      expect(done.filter(one => one.ok)).toHaveLength(1)
      const left = await Promise.all([siti, budi].map(({ id }) => accountNow(ground, id)))
      expect(left.filter(one => holds(admin.roles, one, 'users.manage', admin.ground.clock()))).toHaveLength(1)
    })

    test('lists go page after page, and show no secret', async () => {
      const { ask, somebody, clock } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      for (const name of ['abi', 'bima', 'cici']) {
        clock.now += 1
        await somebody(name, ['nurse'])
      }
      const first = await ask(siti, 'GET', '/admin/users?count=3')
      const second = await ask(siti, 'GET', `/admin/users?count=3&after=${String(first.json.next)}`)
      const names = [first, second].flatMap(({ json }) => (json.users as unknown as { username: string }[]).map(({ username }) => username))
      expect(names).toEqual(['siti', 'abi', 'bima', 'cici'])
      expect(second.json.next).toBeUndefined()
      expect(first.text).not.toMatch(/argon2|password"/)
      for (const after of [
        'x',
        'W10',
        Buffer.from('["active","x","y"]').toString('base64url'),
        Buffer.from('[{},1,2]').toString('base64url'),
      ])
        expect((await ask(siti, 'GET', `/admin/users?after=${after}`)).status).toBe(200)
      expect((await ask(siti, 'GET', '/admin/users?name=bima')).json.users).toHaveLength(1)
      expect((await ask(siti, 'GET', '/admin/users?status=gone')).status).toBe(400)
    })

    test('details change, roles do not with them', async () => {
      const { ask, somebody } = await openAdmin(engine)
      const siti = await somebody('siti', ['admin'])
      const edi = await somebody('edi', ['nurse'])
      const answer = await ask(siti, 'PUT', `/admin/users/${edi.id}`, { username: 'edi.s', locale: 'en', phone: '+62811' })
      expect(answer.json.user).toMatchObject({ username: 'edi.s', locale: 'en', roles: [{ role: 'nurse' }] })
      expect(answer.text).not.toContain('62811')
      for (const body of [{ roles: [] }, { fhirUser: 'Patient/1' }, { clearance: null }])
        expect((await ask(siti, 'PUT', `/admin/users/${edi.id}`, body)).status).toBe(400)
      expect((await ask(siti, 'PUT', `/admin/users/${edi.id}`, { username: 'siti' })).status).toBe(400)
    })
  })
