import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import { fail } from '../../src/base/outcome.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { bundle, entry, type Heard, type Sent, say } from './speak.ts'

// rest-api.md 18: batches. Every entry is a request of its own.

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    beforeAll(async () => {
      parts = await testParts({ engine })
    })
    afterAll(async () => {
      await parts[Symbol.asyncDispose]()
    })

    const batch = (entries: readonly unknown[], sent: Sent = {}): Promise<Heard> =>
      say(parts, 'POST', '', { body: bundle('batch', entries), ...sent })
    const patient = (more: object = {}) => ({ resourceType: 'Patient', ...more })
    const statuses = (heard: Heard): string[] =>
      heard.body.entry.map((one: { response: { status: string } }) => one.response.status.slice(0, 3))
    const codes = (heard: Heard, at: number): string[] =>
      heard.body.entry[at].response.outcome.issue.map((issue: { details: { coding: { code: string }[] } }) => issue.details.coding[0]?.code)

    describe('a batch', () => {
      test('runs in the order given; each entry has its own status', async () => {
        const heard = await batch([
          entry('GET', 'Patient/b1'),
          entry('PUT', 'Patient/b1', patient({ id: 'b1' })),
          entry('GET', 'Patient/b1'),
          entry('DELETE', 'Patient/b1'),
          entry('GET', 'Patient/b1'),
          entry('GET', 'Patient?foo=bar'),
          entry('POST', 'Patiens', { resourceType: 'Patiens' }),
          entry('PUT', 'Patient/b2', patient({ id: 'b3' })),
          entry('HEAD', 'Patient?_count=1'),
        ])
        expect(heard).toMatchObject({ status: 200, body: { type: 'batch-response' } })
        expect(statuses(heard)).toEqual(['404', '201', '200', '204', '410', '400', '404', '400', '200'])
        expect(heard.body.entry[2].resource).toMatchObject({ id: 'b1' })
        expect(heard.body.entry[1].resource).toBeUndefined()
        expect(heard.body.entry[8].resource).toBeUndefined()
        expect(codes(heard, 7)).toEqual(['id-mismatch'])
        expect(heard.body.entry[7].response.outcome.issue[0].expression).toEqual(['Bundle.entry[7].resource.id'])
      })

      test('each entry is audited', async () => {
        const before = parts.audited.length
        await batch([entry('POST', 'Patient', patient()), entry('GET', 'Patient/nobody')])
        expect(parts.audited.slice(before).map(({ via, interaction, status }) => `${via} ${interaction} ${status}`)).toEqual([
          'batch create 201',
          'batch read 404',
          'http batch 200',
        ])
      })

      test('a reference to another entry is refused: nothing would rewrite it', async () => {
        const fullUrl = 'urn:uuid:00000000-0000-4000-8000-000000000001'
        const heard = await batch([
          entry('POST', 'Patient', patient(), { fullUrl }),
          entry('POST', 'Observation', { resourceType: 'Observation', subject: { reference: fullUrl } }),
        ])
        expect(statuses(heard)).toEqual(['201', '422'])
        expect(heard.body.entry[1].response.outcome.issue[0].expression).toEqual(['Bundle.entry[1].resource.subject.reference'])
      })

      test('conditions of entries work as headers', async () => {
        const resource = patient({ identifier: [{ system: 'urn:x', value: 'batch' }] })
        const create = entry('POST', 'Patient', resource, { ifNoneExist: 'identifier=urn:x|batch' })
        expect(statuses(await batch([create, create]))).toEqual(['201', '200'])
      })

      test('patches travel as Binary and Parameters', async () => {
        await batch([entry('PUT', 'Patient/b5', patient({ id: 'b5' }))])
        const data = Buffer.from('[{"op":"add","path":"/active","value":true}]').toString('base64')
        const heard = await batch(
          [entry('PATCH', 'Patient/b5', { resourceType: 'Binary', contentType: 'application/json-patch+json', data })],
          { prefer: { return: 'representation' } },
        )
        expect(heard.body.entry[0]).toMatchObject({ resource: { active: true }, response: { etag: 'W/"2"' } })
      })

      test('one denied entry is that entry', async () => {
        await using denying = await testParts({
          engine,
          decide: (_who, _what, type) =>
            type === 'Group' ? { allow: false, failure: fail('forbidden', {}).failure, rule: 'role' } : seeing(() => ({ op: 'all' })),
        })
        const heard = await say(denying, 'POST', '', {
          body: bundle('batch', [entry('POST', 'Group', { resourceType: 'Group' }), entry('POST', 'Patient', patient())]),
        })
        expect(statuses(heard)).toEqual(['403', '201'])
      })

      test('over its deadline the rest is answered with 503', async () => {
        const heard = await batch([entry('POST', 'Patient', patient()), entry('GET', 'Patient/b1')], {
          context: { deadline: { endsAtMs: 0 } },
        })
        expect(statuses(heard)).toEqual(['503', '503'])
      })

      test('an empty one is answered empty; 1,001 entries: 413', async () => {
        expect(await batch([])).toMatchObject({ status: 200, body: { type: 'batch-response' } })
        expect(await batch(Array.from({ length: 1001 }, () => entry('GET', 'Patient/1')))).toMatchObject({
          status: 413,
          kind: 'too-many-entries',
        })
      })

      test('shape checks are the whole answer', async () => {
        expect(await batch([entry('GET', '../x'), entry('GET', 'Patient/1')])).toMatchObject({ status: 400, kind: 'bundle-entry' })
      })
    })
  })
