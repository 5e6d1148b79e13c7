/** auth.md 5.4 and 4.1: what is stored must be the writer's to change and what is new his to bring about, in every form of a write. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { bundle, entry, type Sent } from '../speak.ts'
import { askers, type Hospital, openHospital } from './hospital.ts'

const system = 'http://terminology.hl7.org/CodeSystem/observation-category'
const observation = (patient: string, category: string, more: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  category: [{ coding: [{ system, code: category }] }],
  subject: { reference: `Patient/${patient}` },
  ...more,
})
const visit = (patient: string, organization: string | undefined, code = 'AMB', more: object = {}) => ({
  resourceType: 'Encounter',
  status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code },
  subject: { reference: `Patient/${patient}` },
  ...(organization === undefined ? {} : { serviceProvider: { reference: `Organization/${organization}` } }),
  ...more,
})
const labelled = (code: string) => ({ meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code }] } })

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    let n = 0
    beforeAll(async () => {
      hospital = await openHospital(engine)
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    const doctor = askers['a doctor'] as Principal
    const nurse = askers['a nurse'] as Principal
    const reception = askers['a receptionist'] as Principal
    const ask = (who: Principal | undefined, method: string, url: string, body?: unknown, sent: Sent = {}) =>
      hospital.ask(who, method, url, { ...sent, ...(body === undefined ? {} : { body }) })
    const newPatient = async (): Promise<string> => {
      n += 1
      await ask(undefined, 'PUT', `Patient/new-${n}`, { resourceType: 'Patient', id: `new-${n}` })
      return `new-${n}`
    }

    test('new states are of patients whom the writer reaches; hidden and unknown ones are alike', async () => {
      expect((await ask(doctor, 'POST', 'Observation', observation('budi', 'exam'))).status).toBe(201)
      for (const patient of ['agus', 'hana', 'nobody'])
        expect(await ask(doctor, 'POST', 'Observation', observation(patient, 'exam'))).toMatchObject({ status: 403, kind: 'forbidden' })
    })

    test('a record is moved only between patients who are both the writer’s', async () => {
      const made = await ask(doctor, 'POST', 'Observation', observation('budi', 'exam'))
      const { id } = made.body
      expect((await ask(doctor, 'PUT', `Observation/${id}`, observation('agus', 'exam', { id }))).status).toBe(403)
      expect((await ask(doctor, 'PUT', `Observation/${id}`, observation('siti', 'exam', { id }))).status).toBe(200)
    })

    test('what is also about a stranger is not written', async () => {
      const more = {
        participant: [
          { actor: { reference: 'Patient/budi' }, status: 'accepted' },
          { actor: { reference: 'Patient/agus' }, status: 'accepted' },
        ],
      }
      expect((await ask(doctor, 'POST', 'Appointment', { resourceType: 'Appointment', status: 'booked', ...more })).status).toBe(403)
    })

    test('A.9: a granular scope binds the new state, in creates, updates, patches and transactions', async () => {
      const app = principalWith({ roles: ['doctor'], scope: `user/Observation.cru?category=${system}|exam` })
      const made = await ask(app, 'POST', 'Observation', observation('budi', 'exam'))
      expect(made.status).toBe(201)
      expect((await ask(app, 'POST', 'Observation', observation('budi', 'laboratory'))).status).toBe(403)
      const { id } = made.body
      expect((await ask(app, 'PUT', `Observation/${id}`, observation('budi', 'laboratory', { id }))).status).toBe(403)
      const body = [{ op: 'replace', path: '/category/0/coding/0/code', value: 'laboratory' }]
      expect((await ask(app, 'PATCH', `Observation/${id}`, body)).status).toBe(403)
      expect(
        (await ask(app, 'POST', '', bundle('transaction', [entry('POST', 'Observation', observation('budi', 'laboratory'))]))).status,
      ).toBe(403)
      expect((await ask(app, 'PUT', 'Observation/budi-lab', observation('budi', 'exam', { id: 'budi-lab' }))).status).toBe(404)
    })

    test('A.9 45: criteria of a granular scope are asked in conditional forms, too', async () => {
      const app = principalWith({ roles: ['doctor'], scope: `user/Observation.cru?category=${system}|exam` })
      await ask(
        undefined,
        'PUT',
        'Observation/marked',
        observation('budi', 'laboratory', { id: 'marked', identifier: [{ system: 'urn:m', value: '1' }] }),
      )
      const created = await ask(
        app,
        'POST',
        'Observation',
        observation('budi', 'exam', { identifier: [{ system: 'urn:m', value: '1' }] }),
        { conditions: { ifNoneExist: 'identifier=urn:m|1' } },
      )
      expect(created.status).toBe(201)
    })

    test('nurses write what is theirs to observe', async () => {
      expect((await ask(nurse, 'POST', 'Observation', observation('budi', 'vital-signs'))).status).toBe(201)
      expect((await ask(nurse, 'POST', 'Observation', observation('budi', 'laboratory'))).status).toBe(403)
    })

    describe('the first link of a patient to a house', () => {
      test('is written by reception, and opens the patient to the house', async () => {
        const id = await newPatient()
        expect((await ask(doctor, 'GET', `Patient/${id}`)).status).toBe(404)
        expect((await ask(doctor, 'POST', 'Encounter', visit(id, 'rs'))).status).toBe(403)
        expect((await ask(reception, 'POST', 'Encounter', visit(id, 'rs'))).status).toBe(201)
        expect(hospital.parts.audited.at(-1)).toMatchObject({ interaction: 'create', marks: ['first-link'] })
        expect((await ask(doctor, 'GET', `Patient/${id}`)).status).toBe(200)
        expect((await ask(doctor, 'POST', 'Encounter', visit(id, 'rs'))).status).toBe(201)
      })

      test('leads to no other house, and not nowhere', async () => {
        const id = await newPatient()
        expect((await ask(reception, 'POST', 'Encounter', visit(id, 'klinik'))).status).toBe(403)
        expect((await ask(reception, 'POST', 'Encounter', visit(id, undefined))).status).toBe(403)
      })

      test('is written by a doctor for an emergency alone', async () => {
        const id = await newPatient()
        expect((await ask(doctor, 'POST', 'Encounter', visit(id, 'rs', 'EMER'))).status).toBe(201)
        expect((await ask(doctor, 'GET', `Patient/${id}`)).status).toBe(200)
      })

      test('a registration brings patient, visit and what follows from it in one transaction', async () => {
        const body = (first: object) =>
          bundle('transaction', [
            entry(
              'POST',
              'Patient',
              { resourceType: 'Patient', name: [{ family: 'baru' }] },
              { fullUrl: 'urn:uuid:7a5d0e6e-0000-4000-8000-000000000001' },
            ),
            entry('POST', 'Encounter', first),
            entry('POST', 'Task', {
              resourceType: 'Task',
              status: 'requested',
              intent: 'order',
              for: { reference: 'urn:uuid:7a5d0e6e-0000-4000-8000-000000000001' },
            }),
          ])
        const of = (organization: string) => ({
          ...visit('x', organization),
          subject: { reference: 'urn:uuid:7a5d0e6e-0000-4000-8000-000000000001' },
        })
        expect(await ask(reception, 'POST', '', body(of('rs')))).toMatchObject({ status: 200 })
        expect(hospital.parts.audited.at(-1)).toMatchObject({ marks: ['first-link'] })
        expect(await ask(reception, 'POST', '', body(of('klinik')))).toMatchObject({ status: 403 })
      })

      test('two entries that nobody allows do not allow each other', async () => {
        const id = await newPatient()
        const body = bundle('transaction', [entry('POST', 'Encounter', visit(id, 'rs')), entry('POST', 'Encounter', visit(id, 'rs'))])
        expect((await ask(doctor, 'POST', '', body)).status).toBe(403)
        const reached = bundle('transaction', [
          entry('POST', 'Observation', observation(id, 'exam')),
          entry('POST', 'Encounter', visit(id, 'rs', 'EMER')),
        ])
        expect((await ask(doctor, 'POST', '', reached)).status).toBe(200)
      })
    })

    test('who puts himself into care gains the patient, and no clearance', async () => {
      const id = await newPatient()
      await ask(undefined, 'POST', 'Encounter', visit(id, 'rs'))
      const restricted = (await ask(undefined, 'POST', 'Observation', observation(id, 'exam', labelled('R')))).body.id
      const mine = visit(id, 'rs', 'AMB', {
        participant: [{ individual: { reference: 'Practitioner/me' } }],
        period: { start: '2026-11-20' },
      })
      expect((await ask(doctor, 'POST', 'Encounter', mine)).status).toBe(201)
      expect((await ask(doctor, 'GET', `Observation/${restricted}`)).status).toBe(404)
      await ask(undefined, 'POST', 'Encounter', mine)
      expect((await ask(doctor, 'GET', `Observation/${restricted}`)).status).toBe(200)
    })

    describe('labels', () => {
      test('are raised by who may update, and not lowered', async () => {
        const { id } = (await ask(doctor, 'POST', 'Observation', observation('budi', 'exam', labelled('R')))).body
        const lower = [{ op: 'replace', path: '/meta/security', value: [] }]
        expect((await ask(doctor, 'PATCH', `Observation/${id}`, lower)).status).toBe(403)
        const raised = (await ask(doctor, 'POST', 'Observation', observation('budi', 'exam'))).body.id
        expect(
          (await ask(doctor, 'PUT', `Observation/${raised}`, observation('budi', 'exam', { id: raised, ...labelled('R') }))).status,
        ).toBe(200)
      })

      test('a label raised now closes what was; one taken off does not open what was closed', async () => {
        await ask(undefined, 'PUT', 'Observation/once', observation('siti', 'exam', { id: 'once' }))
        await ask(undefined, 'PUT', 'Observation/once', observation('siti', 'exam', { id: 'once', status: 'amended', ...labelled('R') }))
        for (const url of ['Observation/once', 'Observation/once/_history/1', 'Observation/once/_history'])
          expect([url, (await ask(doctor, 'GET', url)).status]).toEqual([url, 404])
        await ask(undefined, 'PATCH', 'Observation/once', [{ op: 'replace', path: '/meta/security', value: [] }])
        const shown = (await ask(doctor, 'GET', 'Observation/once/_history')).body.entry.map(
          ({ resource }: { resource: { meta: { versionId: string } } }) => resource.meta.versionId,
        )
        expect(shown).toEqual(['3', '1'])
        expect((await ask(doctor, 'GET', 'Observation/once/_history/2')).status).toBe(404)
      })
    })

    test('a Group with the id of a patient opens nothing of its own', async () => {
      await ask(undefined, 'PUT', 'Group/budi', { resourceType: 'Group', id: 'budi', type: 'person', actual: true })
      await ask(undefined, 'PUT', 'DeviceUseStatement/of-group', {
        resourceType: 'DeviceUseStatement',
        id: 'of-group',
        status: 'active',
        subject: { reference: 'Group/budi' },
        device: {},
      })
      expect((await ask(doctor, 'GET', 'DeviceUseStatement/of-group')).status).toBe(404)
      const found = (await ask(doctor, 'GET', 'DeviceUseStatement?patient=budi')).body.entry ?? []
      expect(found.filter(({ search }: { search: { mode: string } }) => search.mode === 'match')).toEqual([])
    })

    test('a deletion is told to whom the last state was visible', async () => {
      const billing = askers.billing as Principal
      const invoice = (id: string, patient: string) => ({
        resourceType: 'Invoice',
        id,
        status: 'draft',
        subject: { reference: `Patient/${patient}` },
      })
      for (const [id, patient] of [
        ['seen', 'budi'],
        ['unseen', 'agus'],
      ] as const)
        await ask(undefined, 'PUT', `Invoice/${id}`, invoice(id, patient))
      expect((await ask(billing, 'DELETE', 'Invoice/seen')).answer?.versionId).toBe(2)
      expect((await ask(billing, 'DELETE', 'Invoice/unseen')).answer?.versionId).toBeUndefined()
      await ask(undefined, 'DELETE', 'Invoice/unseen')
      expect((await ask(billing, 'GET', 'Invoice/seen')).status).toBe(410)
      expect((await ask(billing, 'GET', 'Invoice/unseen')).status).toBe(404)
    })

    test('a Binary is decided as what its context names, read, found and in its history', async () => {
      const binary = (id: string, context: string) => ({
        resourceType: 'Binary',
        id,
        contentType: 'text/plain',
        securityContext: { reference: context },
        data: 'eA==',
      })
      for (const [id, context] of [
        ['of-budi', 'Observation/budi-lab'],
        ['of-agus', 'Observation/agus-lab'],
        ['of-secret', 'Observation/budi-secret'],
        ['of-nothing', 'Observation/nobody'],
        ['of-binary', 'Binary/of-budi'],
      ] as const)
        await ask(undefined, 'PUT', `Binary/${id}`, binary(id, context))
      const seen: string[] = []
      for (const id of ['of-budi', 'of-agus', 'of-secret', 'of-nothing', 'of-binary']) {
        for (const way of ['', '/_history/1', '/_history'])
          if ((await ask(doctor, 'GET', `Binary/${id}${way}`)).status === 200) seen.push(`${id}${way}`)
      }
      expect(seen).toEqual(['of-budi', 'of-budi/_history/1', 'of-budi/_history'])
      const found = (await ask(doctor, 'GET', 'Binary?_count=2')).body.entry ?? []
      expect(found.map(({ resource }: { resource: { id: string } }) => resource.id)).toEqual(['of-budi'])
    })
  })
