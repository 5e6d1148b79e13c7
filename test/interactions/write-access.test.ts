import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import { type AccessFilter, seesAll } from '../../src/base/access-filter.ts'
import { type AccessAttributes, admits } from '../../src/interactions/access-attributes.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { bundle, entry, say } from './speak.ts'

// auth.md 5.2 to 5.4: the state before and the state after a write are both decided; what is hidden is answered as if it never was.

for (const engine of testEngines)
  describe(engine.name, () => {
    let filter: AccessFilter = seesAll
    let parts: TestParts
    beforeAll(async () => {
      parts = await testParts({ engine, decide: () => seeing(type => (type === 'Observation' ? filter : seesAll)) })
      for (const id of ['mine', 'theirs']) await say(parts, 'PUT', `Patient/${id}`, { body: { resourceType: 'Patient', id } })
    })
    afterAll(async () => {
      await parts[Symbol.asyncDispose]()
    })

    const observation = (id: string | undefined, patient: string, more: object = {}) => ({
      resourceType: 'Observation',
      ...(id === undefined ? {} : { id }),
      identifier: [{ system: 'urn:o', value: 'shared' }],
      subject: { reference: `Patient/${patient}` },
      ...more,
    })

    beforeEach(async () => {
      filter = seesAll
      for (const [id, patient] of [
        ['m', 'mine'],
        ['t', 'theirs'],
      ] as const) {
        await say(parts, 'PUT', `Observation/${id}`, { body: observation(id, patient, { status: 'final' }) })
      }
      filter = { op: 'patient', id: 'mine' }
    })

    const asAll = async (url: string) => {
      filter = seesAll
      return say(parts, 'GET', url)
    }

    describe('a caller who sees one patient', () => {
      test('changes what is theirs', async () =>
        expect((await say(parts, 'PUT', 'Observation/m', { body: observation('m', 'mine', { status: 'amended' }) })).status).toBe(200))

      test('gets 404 for a PUT on what is hidden, and for a PATCH', async () => {
        expect(await say(parts, 'PUT', 'Observation/t', { body: observation('t', 'mine') })).toMatchObject({
          status: 404,
          kind: 'unknown-instance',
        })
        const body = { kind: 'merge-patch', bytes: new TextEncoder().encode('{"status":"amended"}') }
        expect(await say(parts, 'PATCH', 'Observation/t', { body })).toMatchObject({ status: 404, kind: 'unknown-instance' })
      })

      test('gets 403 for moving a record to another patient, and for creating one there', async () => {
        expect(await say(parts, 'PUT', 'Observation/m', { body: observation('m', 'theirs') })).toMatchObject({ status: 403 })
        expect(await say(parts, 'POST', 'Observation', { body: observation(undefined, 'theirs') })).toMatchObject({ status: 403 })
        const body = bundle('transaction', [entry('POST', 'Observation', observation(undefined, 'theirs'))])
        expect(await say(parts, 'POST', '', { body })).toMatchObject({ status: 403, failure: { expression: ['Bundle.entry[0]'] } })
      })

      test('gets 204 for deleting what is hidden, and nothing is deleted', async () => {
        const heard = await say(parts, 'DELETE', 'Observation/t')
        expect(heard.status).toBe(204)
        expect(heard.answer?.versionId).toBeUndefined()
        expect((await asAll('Observation/t')).status).toBe(200)
      })

      test('criteria that match only what is hidden match nothing', async () => {
        filter = { op: 'patient', id: 'nobody' }
        expect((await say(parts, 'DELETE', 'Observation?identifier=urn:o|shared')).status).toBe(204)
        expect((await asAll('Observation/m')).status).toBe(200)
        filter = { op: 'patient', id: 'mine' }
        const sent = { body: observation(undefined, 'mine'), conditions: { ifNoneExist: 'identifier=urn:o|shared' } }
        expect(await say(parts, 'POST', 'Observation', sent)).toMatchObject({ status: 200, body: { id: 'm' } })
      })

      test('is told that others refer to an instance, not who', async () => {
        expect(await say(parts, 'DELETE', 'Patient/theirs')).toMatchObject({
          status: 409,
          failure: { values: { referrers: { rule: 'others' } } },
        })
      })

      test('gets 404 for what is hidden and deleted', async () => {
        filter = seesAll
        await say(parts, 'DELETE', 'Observation/t')
        filter = { op: 'patient', id: 'mine' }
        expect(await say(parts, 'PUT', 'Observation/t', { body: observation('t', 'mine') })).toMatchObject({ status: 404 })
        filter = { op: 'patient', id: 'theirs' }
        const body = { kind: 'merge-patch', bytes: new TextEncoder().encode('{}') }
        expect((await say(parts, 'PATCH', 'Observation/t', { body })).status).toBe(410)
      })
    })

    describe('a filter on one state', () => {
      const state: AccessAttributes = { patients: ['p'], organizations: ['o'], authors: ['Practitioner/a'], confidentiality: 3 }
      const rows: readonly (readonly [AccessFilter, boolean])[] = [
        [{ op: 'all' }, true],
        [{ op: 'none' }, false],
        [{ op: 'ids', ids: ['x', 'y'] }, true],
        [{ op: 'ids', ids: [] }, false],
        [{ op: 'patient', id: 'p' }, true],
        [{ op: 'patient', id: 'q' }, false],
        [{ op: 'author', ref: 'Practitioner/a' }, true],
        [{ op: 'author', ref: 'Practitioner/b' }, false],
        [{ op: 'owner', organizations: ['n', 'o'] }, true],
        [{ op: 'owner', organizations: [] }, false],
        [{ op: 'not', of: { op: 'patient', id: 'p' } }, false],
        [
          {
            op: 'and',
            of: [
              { op: 'patient', id: 'p' },
              { op: 'owner', organizations: ['o'] },
            ],
          },
          true,
        ],
        [{ op: 'and', of: [{ op: 'patient', id: 'p' }, { op: 'none' }] }, false],
        [{ op: 'and', of: [] }, true],
        [{ op: 'or', of: [{ op: 'none' }, { op: 'patient', id: 'p' }] }, true],
        [{ op: 'or', of: [] }, false],
      ]
      for (const [asked, expected] of rows)
        test(`${JSON.stringify(asked)} is ${expected}`, () => expect(admits(asked, 'x', state)).toBe(expected))
    })
  })
