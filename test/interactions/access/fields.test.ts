/** auth.md 5.4: what is hidden of a record stays hidden on every way out, and cannot be asked for, sorted by, tried or replaced. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '../../../src/auth/policy/principal.ts'
import { testEngines } from '../../support/engines.ts'
import { portalUser, principalWith } from '../../support/principals.ts'
import { bundle, entry, type Sent } from '../speak.ts'
import { askers, type Hospital, openHospital } from './hospital.ts'

const encoder = new TextEncoder()
const merge = (body: object) => ({ kind: 'merge-patch', bytes: encoder.encode(JSON.stringify(body)) })
const jsonPatch = (operations: object[]) => ({ kind: 'json-patch', bytes: encoder.encode(JSON.stringify(operations)) })
const pathPatch = (type: string, path: string, name?: string) => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: type },
        { name: 'path', valueString: path },
        ...(name === undefined ? [] : [{ name: 'name', valueString: name }]),
        ...(type === 'delete' ? [] : [{ name: 'value', valueString: 'x' }]),
      ],
    },
  ],
})

for (const engine of testEngines)
  describe(engine.name, () => {
    let hospital: Hospital
    beforeAll(async () => {
      hospital = await openHospital(engine)
    })
    afterAll(async () => hospital[Symbol.asyncDispose]())

    const reception = askers['a receptionist'] as Principal
    const ask = (who: Principal, method: string, url: string, sent?: Sent) => hospital.ask(who, method, url, sent)

    describe('what is hidden', () => {
      const ways: readonly (readonly [
        what: string,
        who: Principal,
        method: string,
        url: string,
        hidden: string,
        shown: string,
        sent?: Sent,
      ])[] = [
        ['a stranger, read', reception, 'GET', 'Patient/agus', '0812-agus', 'agus'],
        ['a stranger, in a version', reception, 'GET', 'Patient/agus/_history/1', '0812-agus', 'agus'],
        ['a stranger, in a history', reception, 'GET', 'Patient/agus/_history', '0812-agus', 'agus'],
        ['a stranger, in the history of all', reception, 'GET', 'Patient/_history', '0812-agus', 'agus'],
        ['a stranger, found', reception, 'GET', 'Patient?family=agus', '0812-agus', 'agus'],
        ['a stranger, among all types', reception, 'GET', '?_type=Patient,Encounter', '0812-agus', 'agus'],
        ['a stranger, in a batch', reception, 'POST', '', '0812-agus', 'agus', { body: bundle('batch', [entry('GET', 'Patient/agus')]) }],
        [
          'a stranger, in a transaction',
          reception,
          'POST',
          '',
          '0812-agus',
          'agus',
          { body: bundle('transaction', [entry('GET', 'Patient/agus')]) },
        ],
        ['a stranger, by elements', reception, 'GET', 'Patient/agus?_elements=telecom', '0812-agus', 'SUBSETTED'],
        ['a stranger, by elements of a search', reception, 'GET', 'Patient?family=agus&_elements=telecom', '0812-agus', 'SUBSETTED'],
        ['reasons of a visit', reception, 'GET', 'Encounter/visit-budi', 'reason-budi', 'visit-budi'],
        ['reasons of a visit, found', reception, 'GET', 'Encounter?subject=Patient/budi', 'reason-budi', 'visit-budi'],
        [
          'reasons of a visit, brought along',
          reception,
          'GET',
          'Patient?_id=budi&_revinclude=Encounter:subject',
          'reason-budi',
          'visit-budi',
        ],
        ['words of a diagnosis', askers.billing as Principal, 'GET', 'Condition/budi-condition', 'words-budi', 'A00'],
        [
          'notes of a diagnosis, found by patient and code',
          askers.billing as Principal,
          'GET',
          'Condition?patient=budi&code=A00',
          'note-budi',
          'A00',
        ],
        ['a birth date in the directory', askers['Budi in an app'] as Principal, 'GET', 'Practitioner/me', '1980', 'Practitioner'],
        [
          'a stranger found by a create',
          reception,
          'POST',
          'Patient',
          '0812-agus',
          'agus',
          {
            body: { resourceType: 'Patient', identifier: [{ system: 'urn:nik', value: '3171000000agus' }] },
            conditions: { ifNoneExist: 'identifier=urn:nik|3171000000agus' },
          },
        ],
      ]
      for (const [what, who, method, url, hidden, shown, sent] of ways)
        test(what, async () => {
          const heard = await ask(who, method, url, sent)
          const text = JSON.stringify(heard.body)
          expect(heard.status).toBe(200)
          expect(text).toContain(shown)
          expect(text).not.toContain(hidden)
        })

      test('is told apart from what is whole', async () => {
        const marked = (await ask(reception, 'GET', 'Patient/agus')).body.meta
        expect(marked).toMatchObject({ tag: [{ code: 'SUBSETTED' }], security: [{ code: 'REDACTED' }] })
        expect((await ask(reception, 'GET', 'Patient/budi')).body.meta.tag).toBeUndefined()
      })

      test('of a patient known to the house nothing is hidden in the same answer', async () => {
        const text = JSON.stringify((await ask(reception, 'GET', 'Patient')).body)
        expect([text.includes('0812-budi'), text.includes('0812-agus')]).toEqual([true, false])
      })
    })

    describe('is not searched', () => {
      const refused: readonly (readonly [who: Principal, url: string])[] = [
        [reception, 'Encounter?reason-code=x'],
        [reception, 'Encounter?_sort=reason-code'],
        [reception, 'Encounter?reason-code:missing=false'],
        [reception, 'Patient?_has:Encounter:subject:reason-code=x'],
        [askers.billing as Principal, 'Condition?patient:identifier=urn:nik|x'],
        [askers['Budi in an app'] as Principal, 'Patient?_id=budi&general-practitioner:Practitioner.phone=1'],
        [askers['the laboratory'] as Principal, 'Patient?phone=0812-budi'],
      ]
      for (const [who, url] of refused)
        test(url, async () => expect(await ask(who, 'GET', url)).toMatchObject({ status: 403, kind: 'forbidden' }))

      test('by telephone numbers, but those of patients known to the house', async () => {
        expect((await ask(reception, 'GET', 'Patient?phone=0812-agus')).body.entry).toBeUndefined()
        expect((await ask(reception, 'GET', 'Patient?phone=0812-budi')).body.entry).toHaveLength(1)
      })

      test('in whole texts or by lists', async () => {
        for (const url of ['Patient?_text=x', 'Patient?_content=x', 'Patient?_filter=x', 'Patient?_list=x'])
          expect((await ask(reception, 'GET', url)).status).toBeGreaterThanOrEqual(400)
      })
    })

    test('somebody with two roles finds of a compartment what he finds by either of them', async () => {
      const names = async (roles: readonly string[], url: string): Promise<readonly string[]> => {
        const { status, body } = await ask(principalWith({ roles, tokenRef: roles.join() }), 'GET', `${url}?_count=200`)
        if (status !== 200) return []
        const entries: readonly { search: { mode: string }; resource: { resourceType: string; id: string } }[] = body.entry ?? []
        return entries.flatMap(({ search, resource }) => (search.mode === 'match' ? [`${resource.resourceType}/${resource.id}`] : []))
      }
      let found = 0
      for (const [one, other] of [
        ['doctor', 'receptionist'],
        ['nurse', 'billing'],
        ['receptionist', 'auditor'],
        ['registrar', 'billing'],
      ] as const)
        for (const owner of ['Practitioner/me', 'Patient/budi', 'Patient/agus', 'Encounter/visit-budi'])
          for (const member of ['*', 'Encounter', 'Condition', 'Patient']) {
            const url = `${owner}/${member}`
            const [alone, beside, together] = [await names([one], url), await names([other], url), await names([one, other], url)]
            expect([one, other, url, together.toSorted()]).toEqual([one, other, url, [...new Set([...alone, ...beside])].toSorted()])
            found += together.length
          }
      expect(found).toBeGreaterThan(0)
    })

    describe('is neither tried nor replaced', () => {
      const patches: readonly (readonly [what: string, body: unknown])[] = [
        ['test a value', jsonPatch([{ op: 'test', path: '/reasonCode/0/text', value: 'reason-budi' }])],
        ['copy it', jsonPatch([{ op: 'copy', from: '/reasonCode', path: '/type' }])],
        ['move it', jsonPatch([{ op: 'move', from: '/reasonCode', path: '/type' }])],
        ['test the whole', jsonPatch([{ op: 'test', path: '', value: {} }])],
        ['merge over it', merge({ reasonCode: [] })],
        ['delete it by path', pathPatch('delete', 'Encounter.reasonCode')],
        ['a path that looks inside', pathPatch('delete', "Encounter.identifier.where(%resource.reasonCode.text = 'x')")],
        ['add to it', pathPatch('add', 'Encounter', 'reasonCode')],
      ]
      for (const [what, body] of patches)
        test(what, async () =>
          expect(await ask(reception, 'PATCH', 'Encounter/visit-budi', { body })).toMatchObject({ status: 403, kind: 'forbidden' }),
        )

      test('what is seen can be patched, and the answer hides what was hidden', async () => {
        const heard = await ask(reception, 'PATCH', 'Encounter/visit-siti', { body: merge({ status: 'finished' }) })
        expect(heard).toMatchObject({ status: 200, body: { status: 'finished' } })
        expect(JSON.stringify(heard.body)).not.toContain('reason-siti')
        expect(JSON.stringify((await ask(askers['a doctor'] as Principal, 'GET', 'Encounter/visit-siti')).body)).toContain('reason-siti')
      })

      test('who sees it in part does not replace it, with the right guess or the wrong one', async () => {
        const whole = (await hospital.ask(undefined, 'GET', 'Encounter/visit-budi')).body
        for (const reason of ['reason-budi', 'another'])
          expect(
            await ask(reception, 'PUT', 'Encounter/visit-budi', { body: { ...whole, meta: undefined, reasonCode: [{ text: reason }] } }),
          ).toMatchObject({ status: 403 })
      })

      test('a partial copy is not stored', async () => {
        const part = (await ask(reception, 'GET', 'Patient/agus')).body
        expect((await ask(reception, 'PUT', 'Patient/agus', { body: part })).status).toBe(422)
      })
    })

    test('an AuditEvent is shown to each of its patients as a copy without the others', async () => {
      const patientEntity = (id: string) => ({ what: { reference: `Patient/${id}` } })
      const event = {
        resourceType: 'AuditEvent',
        id: 'both',
        type: { code: 'rest' },
        recorded: '2026-11-21T00:00:00Z',
        agent: [{ requestor: true }],
        source: { observer: { display: 'x' } },
        entity: [
          patientEntity('budi'),
          patientEntity('siti'),
          { type: { code: 'XrequestId' }, what: { identifier: { value: 'r' } } },
          { name: 'query', query: 'c2l0aQ==' },
        ],
      }
      await hospital.ask(undefined, 'PUT', 'AuditEvent/both', { body: event })
      const budi = portalUser({ fhirUser: 'Patient/budi' })
      for (const url of ['AuditEvent/both', 'AuditEvent?patient=budi']) {
        const text = JSON.stringify((await ask(budi, 'GET', url)).body)
        expect([
          url,
          text.includes('Patient/budi'),
          text.includes('XrequestId'),
          text.includes('siti'),
          text.includes('c2l0aQ'),
          text.includes('SUBSETTED'),
        ]).toEqual([url, true, true, false, false, true])
      }
      expect(JSON.stringify((await ask(askers['an auditor'] as Principal, 'GET', 'AuditEvent/both')).body)).toContain('siti')
      const found = async (principal: Principal, query: string) =>
        (await ask(principal, 'GET', `AuditEvent?${query}&_total=accurate`)).body?.total
      for (const [query, byBudi] of [
        ['entity=Patient/budi', 1],
        ['entity=Patient/siti', 0],
        ['patient=siti', 0],
      ] as const) {
        expect([query, await found(budi, query)]).toEqual([query, byBudi])
        expect([query, await found(askers['an auditor'] as Principal, query)]).toEqual([query, 1])
      }
    })
  })
