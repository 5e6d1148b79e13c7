/** Relations, labels and consents as they are written, and what they do to the next request: auth.md 4.1, 12; on both engines. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createConsents } from '../../../src/auth/consent/consents.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { createKnownStates, type KnownStates } from '../../../src/compose/known-states.ts'
import { testEngines } from '../../support/engines.ts'
import { portalUser, principalWith } from '../../support/principals.ts'
import { type Heard, say } from '../speak.ts'
import { type Hospital, openHospital } from './hospital.ts'

const doctor = principalWith({ roles: ['doctor'] })
const nurse: Principal = {
  ...principalWith({ roles: ['nurse'] }),
  fhirUser: 'Practitioner/nurse',
  accountId: 'account-2',
  tokenRef: 'token-2',
}
const budi = portalUser({ fhirUser: 'Patient/budi' })
const lab = principalWith({ roles: ['lab'], fhirUser: 'Practitioner/analis', tokenRef: 'token-3' })

const concept = (system: string, code: string) => ({ coding: [{ system, code }] })

const consent = (provision: object, more: object = {}) => ({
  resourceType: 'Consent',
  status: 'active',
  scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
  category: [concept('http://loinc.org', '59284-0')],
  patient: { reference: 'Patient/budi' },
  dateTime: '2026-11-01',
  performer: [{ reference: 'Patient/budi' }],
  sourceAttachment: { title: 'Formulir 7' },
  policy: [{ uri: 'https://rs.example/persetujuan/3' }],
  provision,
  ...more,
})

for (const engine of testEngines) {
  describe(`on ${engine.name}`, () => {
    let hospital: Hospital
    let states: KnownStates

    beforeAll(async () => {
      const consents = createConsents({
        activeConsents: async patient => {
          const { found, more } = await states.matching('Consent', { patient: [`Patient/${patient}`], status: ['active'] }, 100)
          return { consents: found, more }
        },
        newest: (type, id) => states.newest(type, id),
        clock: Date.now,
        zone: 'Asia/Jakarta',
        byDefault: 'normal',
      })
      hospital = await openHospital(engine, consents)
      states = createKnownStates(hospital.parts)
    })
    afterAll(() => hospital[Symbol.asyncDispose]())

    const put = (resource: { readonly resourceType: string; readonly id: string } & Record<string, unknown>, principal?: Principal) =>
      hospital.ask(principal, 'PUT', `${resource.resourceType}/${resource.id}`, { body: resource })
    /** Given by the patient, who withdraws it. */
    const give = async (provision: object): Promise<{ withdraw(): Promise<void> }> => {
      const given = await hospital.ask(budi, 'POST', 'Consent', { body: consent(provision) })
      expect(given.status).toBe(201)
      return {
        withdraw: async () => {
          const withdrawn = await put({ ...consent(provision), id: given.body.id, status: 'inactive' }, budi)
          expect(withdrawn.status).toBe(200)
        },
      }
    }
    const status = async (principal: Principal, url: string): Promise<number> => (await hospital.ask(principal, 'GET', url)).status
    const found = async (principal: Principal, url: string): Promise<readonly string[]> => {
      const { body } = await hospital.ask(principal, 'GET', url)
      const entries: readonly { resource: { id?: string } }[] = body?.entry ?? []
      return entries.flatMap(({ resource }) => resource.id ?? []).toSorted()
    }

    test('a consent closes at once, across patients and for one, and opens at once when it is withdrawn', async () => {
      const seen = 'budi-lab budi-vital siti-lab'.split(' ')
      const across = async () => (await found(doctor, 'Observation?_count=100')).filter(id => seen.includes(id))
      expect(await across()).toEqual(seen)
      const given = await give({ type: 'deny' })
      expect(await across()).toEqual(['siti-lab'])
      expect(await found(doctor, 'Observation?subject=Patient/budi')).toEqual([])
      expect(await status(doctor, 'Observation/budi-lab')).toBe(404)
      expect(await status(budi, 'Observation/budi-lab')).toBe(200)
      await given.withdraw()
      expect(await across()).toEqual(seen)
      expect(await status(doctor, 'Observation/budi-lab')).toBe(200)
    })

    test('what is closed in part is found by asking for that patient, and by no question across patients', async () => {
      const deny = {
        type: 'deny',
        actor: [
          {
            role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
            reference: { reference: 'Practitioner/me' },
          },
        ],
        code: [concept('http://loinc.org', '718-7')],
      }
      const given = await give({ type: 'permit', provision: [deny] })
      expect((await found(doctor, 'Observation?_count=100')).filter(id => id.startsWith('budi'))).toEqual([])
      expect(await found(doctor, 'Observation?subject=Patient/budi')).toContain('budi-lab')
      expect((await found(nurse, 'Observation?_count=100')).filter(id => id.startsWith('budi'))).toContain('budi-lab')
      await given.withdraw()
    })

    test('what a consent closes costs the store what never was does, by whatever path it is looked for', async () => {
      const given = await give({ type: 'deny' })
      const rows: readonly (readonly [method: string, url: (id: string) => string])[] = [
        ['GET', id => `Patient?_id=${id}`],
        ['GET', id => `Observation?subject:Patient._id=${id}`],
        ['GET', id => `Observation?patient=${id}`],
        ['GET', id => `Patient/${id}/Observation`],
        ['GET', id => `Patient/${id}`],
        ['PUT', id => `Patient?_id=${id}`],
      ]
      const lookups = async (who: Principal, method: string, url: string) => {
        const sent = method === 'PUT' ? { body: { resourceType: 'Patient', active: true } } : {}
        await hospital.ask(who, method, url, sent)
        hospital.calls.clear()
        await hospital.ask(who, method, url, sent)
        return Object.fromEntries(
          [...hospital.calls].filter(([name]) => ['related', 'newest', 'version', 'search'].includes(name)).toSorted(),
        )
      }
      for (const who of [doctor, principalWith({ roles: ['doctor'], scope: 'user/*.cruds' }), principalWith({ roles: ['pharmacist'] })])
        for (const [method, url] of rows)
          for (const closed of ['budi', 'agus'])
            expect([method, url(closed), await lookups(who, method, url(closed))]).toEqual([
              method,
              url(closed),
              await lookups(who, method, url('nobody')),
            ])
      await given.withdraw()
    })

    test('an emergency goes before consents', async () => {
      const given = await give({ type: 'deny' })
      expect(await status({ ...doctor, emergencies: ['budi'] }, 'Observation/budi-lab')).toBe(200)
      await given.withdraw()
    })

    test('what cannot be enforced is not stored', async () => {
      const heard: Heard = await hospital.ask(budi, 'POST', 'Consent', { body: consent({ type: 'deny', action: [{}] }) })
      expect([heard.status, heard.kind, heard.failure?.expression]).toEqual([422, 'consent-not-enforceable', ['Consent.provision.action']])
    })

    test('who writes himself into an encounter reaches the patient, but never a restricted label by that', async () => {
      const visit = (participants: readonly string[]) => ({
        resourceType: 'Encounter',
        id: 'visit-siti',
        status: 'in-progress',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        subject: { reference: 'Patient/siti' },
        serviceProvider: { reference: 'Organization/rs' },
        participant: participants.map(id => ({ individual: { reference: `Practitioner/${id}` } })),
      })
      expect(await status(doctor, 'Observation/siti-restricted')).toBe(404)
      expect((await put(visit(['me']), doctor)).status).toBe(200)
      const [self] = await hospital.parts.store.relationsOf([{ type: 'Encounter', id: 'visit-siti' }])
      expect(self?.find(({ from }) => from === 'care')?.self).toBe(true)
      expect(await status(doctor, 'Observation/siti-restricted')).toBe(404)
      // Others write later: he still put himself in.
      expect((await put({ ...visit(['me']), priority: { text: 'segera' } }, nurse)).status).toBe(200)
      expect(await status(doctor, 'Observation/siti-restricted')).toBe(404)
      expect((await put(visit([]), nurse)).status).toBe(200)
      expect((await put(visit(['me']), nurse)).status).toBe(200)
      expect(await status(doctor, 'Observation/siti-restricted')).toBe(200)
      expect((await put({ ...visit(['me']), status: 'entered-in-error' }, nurse)).status).toBe(200)
      expect(await status(doctor, 'Observation/siti-restricted')).toBe(404)
    })

    test('an order opens its patient to the unit that it is addressed to, until 14 days after', async () => {
      const order = (more: object) => ({
        resourceType: 'ServiceRequest',
        id: 'darah',
        intent: 'order',
        status: 'active',
        category: [concept('http://snomed.info/sct', '108252007')],
        subject: { reference: 'Patient/siti' },
        performer: [{ reference: 'Organization/lab-1' }],
        ...more,
      })
      expect(await status(lab, 'ServiceRequest/darah')).toBe(404)
      await put(order({}))
      expect(await status(lab, 'ServiceRequest/darah')).toBe(200)
      expect(await found(lab, 'Patient?_count=50')).toContain('siti')
      await put(order({ status: 'completed' }))
      expect(await status(lab, 'ServiceRequest/darah')).toBe(200)
      const [rows] = await hospital.parts.store.relationsOf([{ type: 'ServiceRequest', id: 'darah' }])
      expect(rows?.[0]?.until).toBeGreaterThan(Date.now() + 13 * 86_400_000)
      await put(order({ status: 'revoked' }))
      expect(await status(lab, 'ServiceRequest/darah')).toBe(404)
    })

    test('a Binary is as open as what it belongs to', async () => {
      const made = await say(hospital.parts, 'POST', 'Binary', {
        body: { resourceType: 'Binary', contentType: 'text/plain', data: 'YQ==', securityContext: { reference: 'Patient/budi' } },
        context: { principal: doctor },
      })
      expect(made.status).toBe(201)
      expect(await status(doctor, `Binary/${made.body.id}`)).toBe(200)
      expect(await status(lab, `Binary/${made.body.id}`)).toBe(404)
    })
  })
}
