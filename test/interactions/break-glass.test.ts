/** `$break-glass` through the door, on both engines: auth.md 12.5, T20. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createOpenEmergency } from '../../src/auth/emergencies/break-glass.ts'
import { emergenciesOf } from '../../src/auth/emergencies/emergencies.ts'
import type { Principal } from '../../src/auth/policy/principal.ts'
import { interactions } from '../../src/interactions/index.ts'
import { createPerform } from '../../src/interactions/perform.ts'
import { type Accounts, openAccounts } from '../auth/accounts-ground.ts'
import { testEngines } from '../support/engines.ts'
import type { TestParts } from '../support/parts.ts'
import { principalWith } from '../support/principals.ts'
import { testRoles } from '../support/roles.ts'
import { type Hospital, openHospital } from './access/hospital.ts'
import { bundle, entry, type Heard, say } from './speak.ts'

const because = (more: readonly object[] = []) => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'reason', valueCode: 'ETREAT' },
    { name: 'text', valueString: 'Pasien tidak sadar di UGD, riwayat obat diperlukan.' },
    ...more,
  ],
})

/** Sees nobody's data above R, whatever the emergency. */
const vip = {
  resourceType: 'Patient',
  id: 'vip',
  meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] },
  managingOrganization: { reference: 'Organization/rs' },
}

for (const engine of testEngines) {
  describe(`on ${engine.name}`, () => {
    let hospital: Hospital
    let accounts: Accounts
    let parts: TestParts
    const doctor = (more: Partial<Principal> = {}): Principal => ({
      ...principalWith({ roles: ['doctor'] }),
      factorAt: accounts.clock.now - 60_000,
      ...more,
    })
    const post = (url: string, principal: Principal | undefined, body: object = because()): Promise<Heard> =>
      say(parts, 'POST', url, { body, ...(principal && { context: { principal } }) })

    beforeAll(async () => {
      hospital = await openHospital(engine, undefined, [vip])
      accounts = await openAccounts(engine)
      const openEmergency = createOpenEmergency({ ground: accounts.parts.ground, roles: testRoles, changed: () => undefined })
      parts = { ...hospital.parts, openEmergency, perform: (request, context) => perform(request, context) }
      const perform = createPerform(interactions, parts)
    })
    afterAll(async () => {
      await hospital[Symbol.asyncDispose]()
      await accounts.store[Symbol.asyncDispose]()
    })

    test('opens a patient beyond the relation, to be read and found, and changes nothing else', async () => {
      expect((await say(parts, 'GET', 'Patient/agus', { context: { principal: doctor() } })).status).toBe(404)
      const heard = await post('Patient/agus/$break-glass', doctor(), because([{ name: 'minutes', valueInteger: 15 }]))
      expect(heard.status).toBe(200)
      const { ground } = accounts.parts
      const emergencies = await emergenciesOf(ground, { account: 'account-1', session: 'session-1' })
      expect(emergencies).toEqual(['agus'])
      const now = doctor({ emergencies })
      expect((await say(parts, 'GET', 'Patient/agus', { context: { principal: now } })).status).toBe(200)
      expect((await say(parts, 'GET', 'Observation/agus-lab', { context: { principal: now } })).status).toBe(200)
      expect((await say(parts, 'GET', 'Patient/hana', { context: { principal: now } })).status).toBe(404)
      expect(
        (await say(parts, 'PUT', 'Patient/agus', { body: { resourceType: 'Patient', id: 'agus' }, context: { principal: now } })).status,
      ).not.toBe(200)
    })

    test('T20: a patient that would stay hidden and one that never was answer and cost the same', async () => {
      const heard = []
      const costs = []
      for (const id of ['vip', 'nobody']) {
        hospital.calls.clear()
        const one = await post(`Patient/${id}/$break-glass`, doctor())
        heard.push([one.status, JSON.stringify(one.failure).replaceAll(id, '?')])
        costs.push(Object.fromEntries(hospital.calls))
      }
      expect(heard[0]).toEqual(heard[1])
      expect(heard[0]?.[0]).toBe(404)
      expect(costs[0]).toEqual(costs[1])
    })

    const rows: readonly (readonly [why: string, url: string, principal: (() => Principal) | undefined, body: object, kind: string])[] = [
      ['nobody in particular', 'Patient/agus/$break-glass', undefined, because(), 'not-enabled'],
      ['a receptionist', 'Patient/agus/$break-glass', () => doctor({ roles: [{ role: 'receptionist' }] }), because(), 'permission-needed'],
      ['a stale factor', 'Patient/agus/$break-glass', () => doctor({ acr: 1 }), because(), 'step-up-needed'],
      ['another type', 'Observation/agus-lab/$break-glass', () => doctor(), because(), 'unknown-operation'],
      ['a parameter of the URL', 'Patient/agus/$break-glass?minutes=240', () => doctor(), because(), 'unknown-parameter'],
      ['another resource', 'Patient/agus/$break-glass', () => doctor(), { resourceType: 'Patient' }, 'wrong-resource-type'],
      ['no reason', 'Patient/agus/$break-glass', () => doctor(), { resourceType: 'Parameters' }, 'bad-parameter'],
      [
        'a reason twice',
        'Patient/agus/$break-glass',
        () => doctor(),
        because([{ name: 'reason', valueCode: 'other' }]),
        'repeated-parameter',
      ],
      [
        'a parameter that is none',
        'Patient/agus/$break-glass',
        () => doctor(),
        because([{ name: 'hours', valueInteger: 3 }]),
        'unknown-parameter',
      ],
      [
        'parameters that are no objects',
        'Patient/agus/$break-glass',
        () => doctor(),
        { resourceType: 'Parameters', parameter: [null, 7] },
        'unknown-parameter',
      ],
      ['minutes as text', 'Patient/agus/$break-glass', () => doctor(), because([{ name: 'minutes', valueString: '60' }]), 'bad-parameter'],
      ['too long', 'Patient/agus/$break-glass', () => doctor(), because([{ name: 'minutes', valueInteger: 241 }]), 'bad-parameter'],
    ]
    for (const [why, url, principal, body, kind] of rows)
      test(`${why}: ${kind}`, async () => expect((await post(url, principal?.(), body)).failure?.kind).toBe(kind))

    test('is no entry of a batch or a transaction', async () => {
      const opening = entry('POST', 'Patient/agus/$break-glass', because())
      const together = await post('', doctor(), bundle('transaction', [opening]))
      expect(together.failure?.kind).toBe('not-enabled')
      const each = await post('', doctor(), bundle('batch', [opening]))
      expect(JSON.stringify(each.body)).toContain('not-enabled')
    })
  })
}
