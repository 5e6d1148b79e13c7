/** Rows of the pages that let somebody choose a patient or a visit, as the one door gives them. @see auth.md 7.2 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { LiveSession } from '../../src/auth/sessions/sessions.ts'
import { createAsking } from '../../src/compose/asking.ts'
import { createPatientDirectory } from '../../src/compose/patient-directory.ts'
import { valueOf } from '../auth/accounts-ground.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { portalUser, principalWith } from '../support/principals.ts'

const recordNumber = (value: string) => ({
  type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
  value,
})
const live = {} as LiveSession // nothing of it is read: who it is is said by `principalOf`

const kept = [
  {
    resourceType: 'Patient',
    id: 'siti',
    identifier: [{ value: '3171' }, recordNumber('00-12-34')],
    name: [
      { use: 'nickname', text: 'Iti' },
      { use: 'official', given: ['Siti', 'Nur'], family: 'Aminah' },
    ],
    birthDate: '1987-04-23',
    gender: 'female',
  },
  { resourceType: 'Patient', id: 'budi', name: [{ text: 'Budi Santoso, S.T.' }], birthDate: '1987-04', gender: 'male' },
  { resourceType: 'Patient', id: 'tanpa-nama' },
  {
    resourceType: 'Encounter',
    id: 'lama',
    status: 'finished',
    class: { code: 'AMB', display: 'rawat jalan' },
    subject: { reference: 'Patient/siti' },
    period: { start: '2025-01-02T08:00:00+07:00', end: '2025-01-02T09:00:00+07:00' },
  },
  {
    resourceType: 'Encounter',
    id: 'baru',
    status: 'in-progress',
    class: { code: 'IMP' },
    serviceType: { text: 'Poli anak' },
    subject: { reference: 'Patient/siti' },
    period: { start: '2026-01-02T08:00:00+07:00' },
  },
  { resourceType: 'Encounter', id: 'orang-lain', status: 'finished', class: { code: 'AMB' }, subject: { reference: 'Patient/budi' } },
]

const siti = { id: 'siti', name: 'Siti Nur Aminah', birthDate: '1987-04-23', recordNumber: '00-12-34', gender: 'female' }
const budi = { id: 'budi', name: 'Budi Santoso, S.T.', birthDate: '1987-04', gender: 'male' }

for (const engine of testEngines)
  describe(`the directory of patients (${engine.name})`, () => {
    let parts: TestParts
    const directory = (principal = principalWith({})) =>
      createPatientDirectory({ asking: createAsking(parts), principalOf: async () => principal })
    beforeAll(async () => {
      parts = await testParts({ engine })
      for (const resource of kept) {
        const { resourceType: type, id } = resource
        const body = { kind: 'parsed' as const, resource }
        valueOf(
          await parts.perform({ interaction: 'update', type, id, parameters: [], prefer: { handling: 'strict' }, body }, parts.context()),
        )
      }
    })
    afterAll(async () => parts[Symbol.asyncDispose]())

    const searches: readonly (readonly [text: string, found: readonly string[]])[] = [
      ['siti', ['siti']],
      ['  Budi Santo ', ['budi']],
      ['Budi Santoso, S', ['budi']],
      ['S.T.', []],
      ['00-12-34', ['siti']],
      ['3171', ['siti']],
      ['1987-04-23', ['siti']],
      ['nobody', []],
      ['a|b$c\\', []],
      ['_id', []],
    ]
    for (const [text, found] of searches)
      test(`${JSON.stringify(text)} finds ${found.join(', ') || 'nobody'}`, async () => {
        const rows = valueOf(await directory().find(live, text))
        expect(rows.map(({ id }) => id)).toEqual(found)
      })

    test('rows have the official name, the number of the record and what is there of the birth date', async () => {
      const { byId } = directory()
      expect([valueOf(await byId(live, 'siti')), valueOf(await byId(live, 'budi'))]).toEqual([siti, budi])
      expect(valueOf(await byId(live, 'tanpa-nama'))).toEqual({ id: 'tanpa-nama', name: '' })
      expect(valueOf(await byId(live, 'tidak-ada'))).toBeUndefined()
    })

    test('one’s own are oneself and whom one represents, as far as they are there; staff have none', async () => {
      const parent = portalUser({ fhirUser: 'Patient/siti', represents: ['budi', 'tidak-ada'] })
      expect(valueOf(await directory(parent).own(live))).toEqual([siti, budi])
      expect(valueOf(await directory().own(live))).toEqual([])
    })

    test('visits of the patient come newest first, in words where there are some', async () => {
      expect(valueOf(await directory().encounters(live, 'siti'))).toEqual([
        { id: 'baru', start: Date.parse('2026-01-02T01:00:00Z'), what: 'Poli anak' },
        { id: 'lama', start: Date.parse('2025-01-02T01:00:00Z'), end: Date.parse('2025-01-02T02:00:00Z'), what: 'rawat jalan' },
      ])
      expect(valueOf(await directory().encounters(live, 'tidak-ada'))).toEqual([])
    })
  })
