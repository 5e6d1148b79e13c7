import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type TestEngine, testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { type Heard, say } from './speak.ts'

// rest-api.md 23, A2: whatever eight clients do at one time to five instances, the histories tell one story.

type Step = { readonly act: 'put' | 'put-if-match' | 'patch' | 'delete' | 'create'; readonly at: number; readonly value: number }

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom('put', 'put-if-match', 'patch', 'delete', 'create'),
  at: fc.nat({ max: 4 }),
  value: fc.nat({ max: 3 }),
})
const scripts = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 8, maxLength: 8 })

/** A lost race costs MongoDB a transaction. */
const races = (engine: TestEngine): number => (engine.name === 'sqlite' || process.env.SIMPUL_TEST_LONG === '1' ? 50 : 10)

const nameOf = (value: number) => [{ text: `v${value}` }]

/** Of each run instances and keys of its own. */
const instanceOf = (run: number, at: number): string => `r${run}i${at}`
const keyOf = (run: number, at: number): string => `r${run}k${at}`

const perform = async (
  parts: TestParts,
  run: number,
  { act, at, value }: Step,
): Promise<{ readonly heard: Heard; readonly expected?: number }> => {
  const id = instanceOf(run, at)
  const body = { resourceType: 'Patient', id, name: nameOf(value) }
  if (act === 'put') return { heard: await say(parts, 'PUT', `Patient/${id}`, { body }) }
  if (act === 'delete') return { heard: await say(parts, 'DELETE', `Patient/${id}`) }
  if (act === 'patch')
    return { heard: await say(parts, 'PATCH', `Patient/${id}`, { body: [{ op: 'add', path: '/name', value: nameOf(value) }] }) }
  if (act === 'create') {
    const created = { resourceType: 'Patient', identifier: [{ system: 'urn:key', value: keyOf(run, at) }] }
    return {
      heard: await say(parts, 'POST', 'Patient', { body: created, conditions: { ifNoneExist: `identifier=urn:key|${keyOf(run, at)}` } }),
    }
  }
  const seen = (await say(parts, 'GET', `Patient/${id}`)).answer?.versionId
  if (seen === undefined) return { heard: await say(parts, 'PUT', `Patient/${id}`, { body, conditions: { ifNoneMatch: '*' } }) }
  return { heard: await say(parts, 'PUT', `Patient/${id}`, { body, conditions: { ifMatch: `W/"${seen}"` } }), expected: seen }
}

/** Statuses that an honest server may give to each act. */
const allowed: Readonly<Record<Step['act'], readonly number[]>> = {
  put: [200, 201, 409],
  'put-if-match': [200, 201, 412],
  patch: [200, 404, 410, 409],
  delete: [204, 409],
  create: [200, 201, 409],
}

const historyOf = async (parts: TestParts, id: string) => {
  const page = await parts.store.history({ type: 'Patient', id }, { limit: 1000, oldestFirst: true, access: { op: 'all' } })
  return page.ok ? page.value.rows : []
}

for (const engine of testEngines)
  describe(engine.name, () => {
    describe('interleavings of eight clients on five instances', () => {
      test('versions are 1 to n, the last is current, no guarded write is lost, one instance for each key', async () => {
        await using parts = await testParts({ engine })
        let run = 0
        await fc.assert(
          fc.asyncProperty(scripts, async clients => {
            run++
            const guarded: { id: string; from: number; to: number }[] = []
            const acknowledged = new Map<string, Heard>()
            await Promise.all(
              clients.map(async script => {
                for (const one of script) {
                  const { heard, expected } = await perform(parts, run, one)
                  expect(allowed[one.act]).toContain(heard.status)
                  const to = heard.answer?.versionId
                  if (one.act === 'put-if-match' && expected !== undefined && to !== undefined && to !== expected)
                    guarded.push({ id: instanceOf(run, one.at), from: expected, to })
                  if (heard.body?.resourceType === 'Patient') acknowledged.set(`${heard.body.id}/${to}`, heard)
                }
              }),
            )
            for (let at = 0; at < 5; at += 1) {
              const id = instanceOf(run, at)
              const versions = await historyOf(parts, id)
              expect(versions.map(({ versionId }) => versionId)).toEqual(versions.map((_, index) => index + 1))
              for (const [index, version] of versions.entries())
                if (index > 0) expect(version.seq).toBeGreaterThan(versions[index - 1]?.seq as number)
              const newest = await parts.store.newest('Patient', id)
              expect(newest?.seq).toBe(versions.at(-1)?.seq)
              for (const { versionId, deleted, text } of versions) {
                const answer = acknowledged.get(`${id}/${versionId}`)
                if (answer !== undefined && !deleted) expect(JSON.parse(Buffer.from(text).toString())).toEqual(answer.body)
              }
              const keyed = await say(parts, 'GET', `Patient?identifier=urn:key|${keyOf(run, at)}`)
              expect(keyed.body.entry?.length ?? 0).toBeLessThanOrEqual(1)
            }
            // A write under If-Match follows the very version it named, and no two followed the same.
            for (const { from, to } of guarded) expect(to).toBe(from + 1)
            expect(new Set(guarded.map(({ id, from }) => `${id}/${from}`)).size).toBe(guarded.length)
          }),
          { numRuns: 12 },
        )
      }, 60_000)
    })

    describe('100 parallel conditional creates of one identifier', () => {
      test(`make one instance, ${races(engine)} times`, async () => {
        await using parts = await testParts({ engine })
        for (let round = 0; round < races(engine); round += 1) {
          const body = { resourceType: 'Patient', identifier: [{ system: 'urn:race', value: `r${round}` }] }
          const send = () => say(parts, 'POST', 'Patient', { body, conditions: { ifNoneExist: `identifier=urn:race|r${round}` } })
          const heard = await Promise.all(Array.from({ length: 100 }, send))
          const statuses = heard.map(({ status }) => status)
          expect(statuses.filter(status => status === 201)).toHaveLength(1)
          expect(statuses.filter(status => status === 200)).toHaveLength(99)
          expect(new Set(heard.map(one => one.body.id)).size).toBe(1)
        }
        expect((await parts.store.counts()).Patient).toBe(races(engine))
      }, 180_000)
    })
  })
