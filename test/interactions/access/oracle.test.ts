/**
 * auth.md 5.4: what is hidden and what never was are one: the same answer apart from the id, for the same questions to the store. Rows are asked as if each
 * id were the hidden and then the unknown one.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readClientGrants } from '../../../src/auth/policy/client-grants.ts'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { testEngines } from '../../support/engines.ts'
import { principalWith } from '../../support/principals.ts'
import { testRoles } from '../../support/roles.ts'
import { bundle, entry, type Heard, type Sent } from '../speak.ts'
import { askers, type Hospital, openHospital } from './hospital.ts'

type Row = { readonly method: string; readonly url: (id: string) => string; readonly sent?: (id: string) => Sent }

const observation = (id: string) => ({
  resourceType: 'Observation',
  id,
  status: 'amended',
  code: { text: 'x' },
  subject: { reference: 'Patient/budi' },
})
const encoder = new TextEncoder()
const merge = (body: object) => ({ kind: 'merge-patch', bytes: encoder.encode(JSON.stringify(body)) })

const rows: Readonly<Record<string, Row>> = {
  read: { method: 'GET', url: id => `Observation/${id}` },
  vread: { method: 'GET', url: id => `Observation/${id}/_history/1` },
  'history of an instance': { method: 'GET', url: id => `Observation/${id}/_history` },
  'conditional read': { method: 'GET', url: id => `Observation/${id}`, sent: () => ({ conditions: { ifNoneMatch: 'W/"1"' } }) },
  update: { method: 'PUT', url: id => `Observation/${id}`, sent: id => ({ body: observation(id) }) },
  'update with If-Match': {
    method: 'PUT',
    url: id => `Observation/${id}`,
    sent: id => ({ body: observation(id), conditions: { ifMatch: 'W/"1"' } }),
  },
  'update with If-None-Match': {
    method: 'PUT',
    url: id => `Observation/${id}`,
    sent: id => ({ body: observation(id), conditions: { ifNoneMatch: '*' } }),
  },
  patch: { method: 'PATCH', url: id => `Observation/${id}`, sent: () => ({ body: merge({ status: 'amended' }) }) },
  'conditional update to that id': {
    method: 'PUT',
    url: () => 'Observation?identifier=urn:none|none',
    sent: id => ({ body: { ...observation(id), identifier: [{ system: 'urn:none', value: 'none' }] } }),
  },
  'search by id': { method: 'GET', url: id => `Observation?_id=${id}` },
  'search of a compartment': { method: 'GET', url: id => `Encounter/${id}/Observation` },
  batch: {
    method: 'POST',
    url: () => '',
    sent: id => ({ body: bundle('batch', [entry('GET', `Observation/${id}`), entry('PUT', `Observation/${id}`, observation(id))]) }),
  },
  transaction: {
    method: 'POST',
    url: () => '',
    sent: id => ({ body: bundle('transaction', [entry('PUT', `Observation/${id}`, observation(id))]) }),
  },
  'read in a transaction': {
    method: 'POST',
    url: () => '',
    sent: id => ({ body: bundle('transaction', [entry('GET', `Observation/${id}`)]) }),
  },
  'X-Security-Context of a Binary': {
    method: 'POST',
    url: () => 'Binary',
    sent: id => ({ body: { kind: 'raw', bytes: encoder.encode('x'), contentType: 'text/plain', securityContext: `Observation/${id}` } }),
  },
  'a patient to write about': {
    method: 'POST',
    url: () => 'Condition',
    sent: id => ({ body: { resourceType: 'Condition', subject: { reference: `Patient/${id}` } } }),
  },
}

/** Names, instants and links differ from answer to answer by themselves. */
const plain = (heard: Heard, id: string): string =>
  JSON.stringify([heard.status, heard.failure, heard.answer && { ...heard.answer, body: undefined }, heard.body])
    .replaceAll(id, 'ID')
    .replaceAll(/_cursor=[\w-]+/g, '')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)/g, 'INSTANT')

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    beforeAll(async () => {
      hospital = await openHospital(engine)
      for (const id of ['gone-one']) {
        await hospital.ask(undefined, 'PUT', `Observation/${id}`, { body: { ...observation(id), subject: { reference: 'Patient/agus' } } })
        await hospital.ask(undefined, 'DELETE', `Observation/${id}`)
      }
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    const asked = async (principal: Principal, { method, url, sent }: Row, id: string) => {
      hospital.calls.clear()
      const heard = await hospital.ask(principal, method, url(id), sent?.(id))
      const calls = Object.fromEntries([...hospital.calls].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      return { text: plain(heard, id), calls, status: heard.status }
    }

    for (const who of [
      'a doctor',
      'a doctor in an app for everything',
      "a doctor in Budi's app",
      'Budi in an app',
      'a doctor in an app for laboratory results',
    ])
      for (const [what, row] of Object.entries(rows))
        test(`${who}, ${what}: hidden and unknown are one`, async () => {
          const principal = askers[who] as Principal
          const hiddenIds =
            what === 'a patient to write about'
              ? ['agus']
              : what === 'search of a compartment'
                ? ['visit-agus']
                : ['agus-lab', 'siti-restricted', 'gone-one']
          for (const hidden of hiddenIds) {
            const unknown = 'nobody-there'
            const known = await asked(principal, row, hidden)
            expect(known).toEqual(await asked(principal, row, unknown))
            // What was found out once costs no less the second time.
            expect(await asked(principal, row, hidden)).toEqual(known)
          }
        })

    test('what is written about a record that is hidden, of whomever it is, costs what it costs about one that never was', async () => {
      const claim = (id: string, of: string) => ({
        resourceType: 'Claim',
        id,
        status: 'active',
        patient: { reference: `Patient/${of}` },
        created: '2026-11-20',
      })
      for (const patient of ['budi', 'agus'])
        await hospital.ask(undefined, 'PUT', `Claim/of-${patient}`, { body: claim(`of-${patient}`, patient) })
      const provenance = (id: string) => ({
        resourceType: 'Provenance',
        recorded: '2026-11-20T00:00:00Z',
        target: [{ reference: `Claim/${id}` }],
        agent: [{ who: { display: 'x' } }],
      })
      const alone: Row = { method: 'POST', url: () => 'Provenance', sent: id => ({ body: provenance(id) }) }
      const together: Row = {
        method: 'POST',
        url: () => '',
        sent: id => ({ body: bundle('transaction', [entry('POST', 'Provenance', provenance(id))]) }),
      }
      const scoped = (launch: object) => principalWith({ roles: ['doctor'], scope: 'patient/*.cruds', launch })
      for (const who of [askers['a doctor'] as Principal, scoped({ patient: 'budi' }), scoped({ patient: 'siti' })])
        for (const row of [alone, together]) {
          const never = await asked(who, row, 'nobody-there')
          expect(await asked(who, row, 'of-agus')).toEqual(never)
          expect(await asked(who, row, 'of-budi')).toEqual(never)
        }
    })

    test('an update creates only for who reaches all of the type', async () => {
      const doctor = askers['a doctor'] as Principal
      expect(await hospital.ask(doctor, 'PUT', 'Observation/new-one', { body: observation('new-one') })).toMatchObject({
        status: 404,
        kind: 'unknown-instance',
      })
      const admin = askers['the administrator'] as Principal
      const body = { resourceType: 'Location', id: 'ward' }
      expect(await hospital.ask(admin, 'PUT', 'Location/ward', { body })).toMatchObject({ status: 201 })
    })

    test('a service that brings ids takes free ones, and neither replaces nor is shown what labels hide from it', async () => {
      const read = readClientGrants([{ clause: 'Observation crus', reach: 'any' }], testRoles())
      if (!read.ok) throw new Error(read.problems.join())
      const clearance = { anywhere: [{ max: 'N' as const, allowed: [] }], inCare: [], self: [], emergency: [] }
      const service = principalWith({ kind: 'client', scope: 'system/*.crus', grants: read.grants, clearance, acr: 1, tokenRef: 'service' })
      const put = (id: string) => hospital.ask(service, 'PUT', `Observation/${id}`, { body: observation(id) })
      expect(await put('brought-by-lis')).toMatchObject({ status: 201 })
      const refused = await put('budi-secret')
      expect(refused).toMatchObject({ status: 404, kind: 'unknown-instance' })
      expect(JSON.stringify(refused)).not.toContain('laboratory')
      expect((await hospital.ask(undefined, 'GET', 'Observation/budi-secret')).body.meta.versionId).toBe('1')
    })

    test('what may not be brought about under a chosen id is as unknown as what is hidden, alone and in a transaction', async () => {
      const reception = askers['a receptionist'] as Principal
      const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }]
      const relative = (id: string) => ({ resourceType: 'RelatedPerson', id, meta: { security }, patient: { reference: 'Patient/budi' } })
      await hospital.ask(undefined, 'PUT', 'RelatedPerson/closed-one', { body: relative('closed-one') })
      for (const id of ['closed-one', 'nobody-there']) {
        const body = relative(id)
        expect(await hospital.ask(reception, 'PUT', `RelatedPerson/${id}`, { body })).toMatchObject({
          status: 404,
          kind: 'unknown-instance',
        })
        const entry = [{ resource: body, request: { method: 'PUT', url: `RelatedPerson/${id}` } }]
        const bundle = { resourceType: 'Bundle', type: 'transaction', entry }
        expect(await hospital.ask(reception, 'POST', '', { body: bundle })).toMatchObject({ status: 404, kind: 'unknown-instance' })
      }
    })

    test('a deletion of what is hidden is one of what never was, and deletes nothing', async () => {
      const billing = askers.billing as Principal
      const invoice = (id: string) => ({ resourceType: 'Invoice', id, status: 'draft', subject: { reference: 'Patient/agus' } })
      await hospital.ask(undefined, 'PUT', 'Invoice/hidden', { body: invoice('hidden') })
      const row: Row = { method: 'DELETE', url: id => `Invoice/${id}` }
      const hidden = await asked(billing, row, 'hidden')
      expect(hidden).toMatchObject({ status: 204 })
      expect(hidden).toEqual(await asked(billing, row, 'nobody-there'))
      expect(await hospital.ask(undefined, 'GET', 'Invoice/hidden')).toMatchObject({ status: 200 })
    })

    test('who may read and not change is told so', async () => {
      const nurse = askers['a nurse'] as Principal
      const body = {
        resourceType: 'Observation',
        id: 'budi-lab',
        status: 'amended',
        code: { text: 'x' },
        subject: { reference: 'Patient/budi' },
      }
      expect(await hospital.ask(nurse, 'PUT', 'Observation/budi-lab', { body })).toMatchObject({ status: 403, kind: 'forbidden' })
    })
  })
