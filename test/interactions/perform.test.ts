/** The one door: *decide access, run, audit*. Whatever happens inside, one record says so. */
import { describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import { fail } from '../../src/base/outcome.ts'
import { StoreUnusable } from '../../src/storage/unusable.ts'
import { testEngines } from '../support/engines.ts'
import { testParts } from '../support/parts.ts'

const request = (id: string) => ({ interaction: 'read', type: 'Patient', id, parameters: [], prefer: { handling: 'strict' } }) as const

for (const engine of testEngines)
  describe(engine.name, () => {
    describe('perform', () => {
      test('records a success with what it touched', async () => {
        await using parts = await testParts({ engine })
        const body = { kind: 'parsed', resource: { resourceType: 'Patient', id: 'a' } } as const
        await parts.perform({ ...request('a'), interaction: 'update', body }, parts.context())
        expect(parts.audited).toMatchObject([
          {
            interaction: 'update',
            type: 'Patient',
            id: 'a',
            status: 201,
            outcome: 'success',
            touched: [{ type: 'Patient', id: 'a', versionId: 1 }],
          },
        ])
      })

      test('records a failure with its status', async () => {
        await using parts = await testParts({ engine })
        await parts.perform(request('nobody'), parts.context())
        expect(parts.audited).toMatchObject([{ interaction: 'read', status: 404, outcome: 'failed', touched: [] }])
      })

      test('records a denial, and runs nothing', async () => {
        await using parts = await testParts({
          engine,
          decide: () => ({ allow: false, failure: fail('forbidden', {}).failure, rule: 'role' }),
        })
        const outcome = await parts.perform(request('a'), parts.context())
        expect(outcome).toMatchObject({ ok: false, failure: { kind: 'forbidden' } })
        expect(parts.audited).toMatchObject([{ status: 403, outcome: 'denied' }])
      })

      test('answers for a store that nobody reaches, and records that', async () => {
        const decide = () =>
          seeing(() => {
            throw new StoreUnusable('unreachable', 'Nobody answers.')
          })
        await using parts = await testParts({ engine, decide })
        const outcome = await parts.perform({ ...request('a'), interaction: 'search-type', parameters: [] }, parts.context())
        expect(outcome).toMatchObject({ ok: false, failure: { kind: 'no-store', retryAfterSeconds: 5 } })
        expect(parts.audited).toMatchObject([{ interaction: 'search-type', status: 503, outcome: 'failed' }])
      })

      test('records a bug too, before it is answered', async () => {
        const decide = () =>
          seeing(() => {
            throw new Error('a policy that breaks')
          })
        await using parts = await testParts({ engine, decide })
        await expect(
          parts.perform({ ...request('a'), interaction: 'search-type', type: 'Patient', parameters: [] }, parts.context()),
        ).rejects.toThrow('a policy that breaks')
        expect(parts.audited).toMatchObject([{ interaction: 'search-type', status: 500, outcome: 'failed' }])
      })
    })
  })
