/** auth.md 12.5, T20: breaking the glass opens one patient, to one session and client, to be read and found, and nothing else. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines } from '../support/engines.ts'
import { type Caller, plantCallers } from './callers.ts'
import { type Hospitals, makeHospitals } from './hospitals.ts'
import { plantAll, plantHospitals, seenBy, subjectsOf } from './oracle.ts'
import { type ClosedServer, type Received, startClosed } from './server.ts'
import { newTally, walkerOf } from './walk.ts'

const json = { 'content-type': 'application/fhir+json' }

for (const engine of testEngines)
  describe(engine.name, () => {
    let server: ClosedServer
    let hospitals: Hospitals
    let doctor: Caller
    let colleague: Caller
    let lab: Caller
    beforeAll(async () => {
      server = await startClosed(engine)
      hospitals = makeHospitals('qxz', false)
      await plantHospitals(server.open, hospitals)
      const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }]
      await plantAll(server.open, [{ resourceType: 'Patient', id: 'known-to-few', meta: { security } }])
      const one = async (name: string): Promise<Caller> => {
        const [caller] = await plantCallers(server.store, hospitals, `${server.base}/fhir`, () => [name], 3)
        if (caller === undefined) throw new Error(name)
        return caller
      }
      doctor = await one('doctor of A, user/*.cruds')
      colleague = await one('doctor of A, user/*.cruds')
      lab = await one('lab of A, user/*.cruds')
    }, 120_000)
    afterAll(async () => server?.[Symbol.asyncDispose]())

    const breakGlass = ({ tokens }: Caller, patient: string): Promise<Received> =>
      server.send({
        method: 'POST',
        path: `/fhir/Patient/${patient}/$break-glass`,
        headers: { ...json, authorization: `Bearer ${tokens[0]}` },
        body: JSON.stringify({
          resourceType: 'Parameters',
          parameter: [
            { name: 'reason', valueCode: 'ETREAT' },
            { name: 'text', valueString: 'Pasien tidak sadar di IGD, riwayat alergi dibutuhkan.' },
          ],
        }),
      })

    test('a patient that would stay hidden and one that never was are the same 404, and cost the same', async () => {
      const heard = async (id: string) => {
        await breakGlass(doctor, id)
        server.calls()
        const { status, text } = await breakGlass(doctor, id)
        return { status, text: text.replaceAll(id, 'ID').replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID'), calls: server.calls() }
      }
      const never = await heard('never-was-one')
      expect(never.status).toBe(404)
      expect(await heard('known-to-few')).toEqual(never)
    })

    test('who may not break the glass learns nothing by trying', async () => {
      const [there, never] = [await breakGlass(lab, hospitals.id('nobody', 'Patient')), await breakGlass(lab, 'never-was-one')]
      expect([there.status, there.text.replaceAll(hospitals.id('nobody', 'Patient'), 'ID')]).toEqual([
        403,
        never.text.replaceAll('never-was-one', 'ID'),
      ])
    })

    test('it opens that patient to that session, to be read and found', async () => {
      const patient = hospitals.id('nobody', 'Patient')
      const subjects = await subjectsOf(hospitals, server.open)
      const tally = newTally()
      const before = seenBy(doctor.principal, hospitals, subjects)
      expect(before.read.has(`Patient/${patient}`)).toBe(false)
      expect((await breakGlass(doctor, patient)).status).toBe(200)
      const after = seenBy({ ...doctor.principal, emergencies: [patient] }, hospitals, subjects)
      const opened = walkerOf(server, hospitals, doctor, after, tally)
      const closed = walkerOf(server, hospitals, colleague, seenBy(colleague.principal, hospitals, subjects), tally)
      for (const [walker, seen] of [
        [opened, after],
        [closed, before],
      ] as const)
        for (const type of ['Patient', 'Observation', 'Condition', 'Encounter', 'Binary', 'List', 'AuditEvent', 'Consent']) {
          const found = await walker.ask('search', { path: `/${type}?_count=500&_total=accurate` })
          const wanted = [...seen.found.keys()].filter(name => name.startsWith(`${type}/`))
          const names =
            found.status === 403
              ? []
              : (JSON.parse(found.text).entry ?? []).map((one: { resource: { id: string } }) => `${type}/${one.resource.id}`)
          expect([type, names.toSorted()]).toEqual([type, wanted.toSorted()])
          for (const { id } of hospitals.instances.filter(one => one.type === type && one.states.length === 1)) {
            const read = await walker.ask('read', { path: `/${type}/${id}` })
            expect([type, read.status === 200]).toEqual([type, seen.read.has(`${type}/${id}`)])
          }
        }
      expect(tally.leaks).toEqual([])
    }, 60_000)

    test('letters are not widened: what it opens is not changed', async () => {
      const id = hospitals.id('nobody', 'Condition')
      const condition = { resourceType: 'Condition', id, subject: { reference: `Patient/${hospitals.id('nobody', 'Patient')}` } }
      for (const [method, body] of [
        ['PUT', JSON.stringify(condition)],
        ['DELETE', undefined],
      ] as const) {
        const { status } = await server.send({
          method,
          path: `/fhir/Condition/${id}`,
          headers: { ...json, authorization: `Bearer ${doctor.tokens[0]}` },
          ...(body && { body }),
        })
        expect([403, 404]).toContain(status)
      }
      expect((await server.store.newest('Condition', id))?.versionId).toBe(1)
    })
  })
