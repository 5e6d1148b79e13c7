import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fail } from '../../src/base/outcome.ts'
import { issuesOf, operationOutcome } from '../../src/fhir/operation-outcome.ts'
import { failAll, inEntry } from '../../src/interactions/bundle-entries.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { bundle, entry, say } from './speak.ts'

/** How the failures of entries are told: rest-api.md 18.5. */

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    beforeAll(async () => {
      parts = await testParts({ engine })
    })
    afterAll(() => parts[Symbol.asyncDispose]())

    const one = 'urn:uuid:00000000-0000-4000-8000-000000000001'
    const two = 'urn:uuid:00000000-0000-4000-8000-000000000002'

    const diagnosticsOf = async (entries: readonly unknown[]): Promise<readonly (string | undefined)[]> => {
      const { failure } = await say(parts, 'POST', '', { body: bundle('transaction', entries) })
      return failure === undefined ? [] : (operationOutcome(issuesOf(failure), 'en').issue ?? []).map(({ diagnostics }) => diagnostics)
    }

    describe('A failed transaction names the entry by its fullUrl', () => {
      test('when its shape is wrong', async () => {
        const entries = [
          { ...entry('POST', 'Patient', undefined, { fullUrl: one }) },
          entry('TRACE', 'Patient', undefined, { fullUrl: two }),
        ]
        expect(await diagnosticsOf(entries)).toEqual([
          `The entry is not usable: POST needs a resource. (${one})`,
          `The entry is not usable: request.method is one of GET, HEAD, POST, PUT, PATCH, DELETE. (${two})`,
        ])
      })

      test('when two have the same', async () => {
        const same = entry('POST', 'Patient', { resourceType: 'Patient' }, { fullUrl: one })
        expect(await diagnosticsOf([same, same])).toEqual([`The entries 0 and 1 have the same fullUrl. (${one})`])
      })

      test('when it cannot be read', async () => {
        const entries = [entry('PUT', 'Patient/1', { resourceType: 'Patient', id: '2' }, { fullUrl: one })]
        expect(await diagnosticsOf(entries)).toEqual([`Resource.id must be equal to the id in the URL. (${one})`])
      })

      test('when a reference of it leads nowhere', async () => {
        const observation = { resourceType: 'Observation', subject: { reference: two } }
        expect(await diagnosticsOf([entry('POST', 'Observation', observation, { fullUrl: one })])).toEqual([
          `The reference points to no entry of this Bundle. (${one})`,
        ])
      })

      test('unless its fullUrl could hold anything', async () => {
        const entries = [entry('PUT', 'Patient/1', { resourceType: 'Patient', id: '2' }, { fullUrl: 'Siti Wati' })]
        expect(await diagnosticsOf(entries)).toEqual(['Resource.id must be equal to the id in the URL.'])
      })
    })

    describe('All failures are told, up to the limit', () => {
      const failures = (count: number) => Array.from({ length: count }, (_, index) => inEntry(fail('bad-id', {}).failure, { index }))
      const kinds = (count: number, max: number) => issuesOf(failAll(failures(count), max).failure).map(({ kind }) => kind)

      test('one alone', () => expect(kinds(1, 5)).toEqual(['bad-id']))
      test('as many as the limit', () => expect(kinds(5, 5)).toEqual(Array(5).fill('bad-id')))
      test('then the last one says that there are more', () => {
        for (const count of [6, 7, 600]) expect(kinds(count, 5)).toEqual([...Array(4).fill('bad-id'), 'more-issues'])
      })
    })
  })
