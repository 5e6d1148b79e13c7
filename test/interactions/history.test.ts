/** history at three levels: rest-api.md 15. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import { historySystem } from '../../src/interactions/history-system.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testBase, testParts } from '../support/parts.ts'
import { type Heard, hear, type Sent, say } from './speak.ts'

const noon = Date.UTC(2026, 10, 21, 12)
for (const engine of testEngines)
  describe(engine.name, () => {
    let now = noon
    let parts: TestParts

    /** One write a minute: a (3 versions), b (created, deleted), an Observation by POST. */
    beforeAll(async () => {
      parts = await testParts({ engine, clock: () => now })
      const at = async (minute: number, method: string, url: string, body?: unknown) => {
        now = noon + minute * 60_000
        const { status } = await say(parts, method, url, body === undefined ? {} : { body })
        expect(status).toBeLessThan(300)
      }
      const patient = (id: string, family: string) => ({ resourceType: 'Patient', id, name: [{ family }] })
      await at(0, 'PUT', 'Patient/a', patient('a', 'Satu'))
      await at(1, 'PUT', 'Patient/b', patient('b', 'Satu'))
      await at(2, 'PUT', 'Patient/a', patient('a', 'Dua'))
      await at(3, 'POST', 'Observation', { resourceType: 'Observation', status: 'final', code: { text: 'x' } })
      await at(4, 'DELETE', 'Patient/b')
      await at(5, 'PUT', 'Patient/a', patient('a', 'Tiga'))
      now = noon + 10 * 60_000
    })
    afterAll(() => parts[Symbol.asyncDispose]())

    /** `a3 b2 …`: ids and versions of the entries. */
    const versions = ({ body }: Heard): string =>
      (body.entry ?? [])
        .map((entry: { fullUrl: string; response: { etag: string } }) => {
          const [type, id] = entry.fullUrl.slice(testBase.length + 1).split('/')
          return `${type === 'Patient' ? id : type}${/\d+/.exec(entry.response.etag)?.[0]}`
        })
        .join(' ')

    const minute = (at: number): string => new Date(noon + at * 60_000).toISOString()

    type Row = readonly [url: string, expected: string, total?: number]
    const rows: readonly Row[] = [
      ['Patient/a/_history', 'a3 a2 a1', 3],
      ['Patient/b/_history', 'b2 b1', 2],
      ['Patient/a/_history?_sort=_lastUpdated', 'a1 a2 a3', 3],
      ['Patient/a/_history?_sort=-_lastUpdated', 'a3 a2 a1', 3],
      ['Patient/a/_history?_count=2', 'a3 a2', 3],
      ['Patient/a/_history?_count=0', '', 3],
      ['Patient/a/_history?_summary=count', '', 3],
      [`Patient/a/_history?_since=${minute(2)}`, 'a3 a2', 2],
      [`Patient/a/_history?_since=${minute(2)}&_count=1`, 'a3', 2],
      [`Patient/a/_history?_at=2026&_count=1&_sort=_lastUpdated`, 'a1', 3],
      [`Patient/a/_history?_at=${minute(3)}&_summary=count`, '', 1],
      ['Patient/a/_history?_since=2999', '', 0],
      ['Patient/a/_history?_since=2026-11-21', 'a3 a2 a1'],
      [`Patient/a/_history?_at=${minute(3)}`, 'a2'],
      ['Patient/a/_history?_at=2026', 'a3 a2 a1'],
      ['Patient/a/_history?_at=2025', ''],
      ['Patient/_history', 'a3 b2 a2 b1 a1', 5],
      ['Patient/_history?_count=3', 'a3 b2 a2'],
      ['Observation/_history', 'Observation1'],
      ['Basic/_history', ''],
      ['_history', 'a3 b2 Observation1 a2 b1 a1', 6],
      ['_history?_type=Patient', 'a3 b2 a2 b1 a1'],
      ['_history?_type=Patient,Observation&_sort=_lastUpdated', 'a1 b1 a2 Observation1 b2 a3'],
      [`_history?_since=${minute(3)}`, 'a3 b2 Observation1'],
    ]

    const refusals: readonly (readonly [url: string, status: number, kind: string])[] = [
      ['Patient/nobody/_history', 404, 'unknown-instance'],
      ['Patient/a/_history?_at=2024-13', 400, 'bad-parameter'],
      ['Patient/a/_history?_since=yesterday', 400, 'bad-parameter'],
      ['Patient/a/_history?_since=2024&_at=2024', 400, 'parameter-clash'],
      ['Patient/a/_history?_since=2024&_since=2025', 400, 'repeated-parameter'],
      ['Patient/a/_history?_since=', 400, 'empty-value'],
      ['Patient/a/_history?name=x', 400, 'unknown-parameter'],
      ['Patient/a/_history?_sort=name', 400, 'bad-parameter'],
      ['Patient/a/_history?_type=Patient', 400, 'unknown-parameter'],
      ['Patient/a/_history?_list=1', 400, 'unsupported-parameter'],
      ['Patient/a/_history?_count=-1', 400, 'bad-parameter'],
      ['Patient/a/_history?_summary=true&_elements=name', 400, 'parameter-clash'],
      ['_history?_type=Patient,Pasien', 400, 'bad-parameter'],
      ['_history?_cursor=abc', 400, 'bad-cursor'],
      ['_history?_cursor=abc&_count=3', 400, 'parameter-clash'],
      ['_history?_cursor=abc&_cursor=def', 400, 'repeated-parameter'],
    ]

    describe('history', () => {
      for (const [url, expected, total] of rows)
        test(`${url} shows ${expected || 'nothing'}`, async () => {
          const heard = await say(parts, 'GET', url)
          expect(heard.status).toBe(200)
          expect(heard.body).toMatchObject({ resourceType: 'Bundle', type: 'history' })
          expect(versions(heard)).toBe(expected)
          if (total !== undefined) expect(heard.body.total).toBe(total)
        })

      for (const [url, status, kind] of refusals)
        test(`${url} is refused: ${kind}`, async () => expect(await say(parts, 'GET', url)).toMatchObject({ status, kind }))

      test('an entry tells how its version came to be', async () => {
        const { body } = await say(parts, 'GET', '_history')
        const told = body.entry.map(({ request, response, resource }: Record<string, any>) => [
          request.method,
          request.url,
          response.status,
          resource?.resourceType ?? '-',
        ])
        expect(told).toEqual([
          ['PUT', 'Patient/a', '200 OK', 'Patient'],
          ['DELETE', 'Patient/b', '204 No Content', '-'],
          ['POST', 'Observation', '201 Created', 'Observation'],
          ['PUT', 'Patient/a', '200 OK', 'Patient'],
          ['PUT', 'Patient/b', '201 Created', 'Patient'],
          ['PUT', 'Patient/a', '201 Created', 'Patient'],
        ])
        expect(body.entry[0].response).toMatchObject({ etag: 'W/"3"', lastModified: body.entry[0].resource.meta.lastUpdated })
      })

      test('one page links to itself alone', async () => {
        const { body } = await say(parts, 'GET', 'Patient/a/_history')
        expect(body.link).toEqual([{ relation: 'self', url: `${testBase}/Patient/a/_history?_count=50` }])
      })

      test('self shows the plus of an offset as a plus', async () => {
        const { body } = await say(parts, 'GET', 'Patient/a/_history?_since=2026-11-21T00:00:00+07:00')
        expect(body.link[0].url).toContain('_since=2026-11-21T00:00:00%2B07:00')
      })

      test('_elements reduces what is shown', async () => {
        const { body } = await say(parts, 'GET', 'Patient/a/_history?_elements=birthDate')
        expect(body.entry[0].resource.name).toBeUndefined()
        expect(body.entry[0].resource.meta.tag[0].code).toBe('SUBSETTED')
      })

      test('304 on an instance when nothing is newer', async () => {
        const sent = (ms: number): Sent => ({ conditions: { ifModifiedSince: new Date(ms).toUTCString() } })
        expect((await say(parts, 'GET', 'Patient/a/_history', sent(noon + 6 * 60_000))).status).toBe(304)
        expect((await say(parts, 'GET', 'Patient/a/_history', sent(noon))).status).toBe(200)
      })

      test('pages stand still while others write, and lead back', async () => {
        const follow = async (heard: Heard, relation: string): Promise<Heard | undefined> => {
          const link = heard.body.link.find((one: { relation: string }) => one.relation === relation)
          return link && say(parts, 'GET', link.url.slice(testBase.length + 1))
        }
        const first = await say(parts, 'GET', 'Patient/_history?_count=2')
        now += 60_000
        await say(parts, 'PUT', 'Patient/c', { body: { resourceType: 'Patient', id: 'c' } })
        const second = (await follow(first, 'next')) as Heard
        const third = (await follow(second, 'next')) as Heard
        expect([first, second, third].map(versions)).toEqual(['a3 b2', 'a2 b1', 'a1'])
        expect(await follow(third, 'next')).toBeUndefined()
        const back = (await follow(third, 'prev')) as Heard
        expect(versions(back)).toBe('a2 b1')
        const start = (await follow(back, 'prev')) as Heard
        expect(versions(start)).toBe('a3 b2')
        expect(await follow(start, 'prev')).toBeUndefined()
        expect(versions((await follow(third, 'first')) as Heard)).toBe('a3 b2')
      })

      test('who may not see a type sees none of its versions, and of others the own ones', async () => {
        const seen: Readonly<Record<string, AccessFilter>> = { Patient: { op: 'ids', ids: ['b'] }, Observation: { op: 'none' } }
        const access = seeing((type: string): AccessFilter => seen[type] ?? { op: 'all' })
        const request = { interaction: 'history-system', parameters: [], prefer: { handling: 'strict' } } as const
        const answer = await historySystem(request, { ...parts.context(), access }, parts)
        expect(versions(hear(answer))).toBe('b2 b1')
      })

      test('a link of one history does not open another', async () => {
        const { body } = await say(parts, 'GET', 'Patient/_history?_count=1')
        const cursor = body.link.find((one: { relation: string }) => one.relation === 'next').url.split('_cursor=')[1]
        expect(await say(parts, 'GET', `_history?_cursor=${cursor}`)).toMatchObject({ status: 400, kind: 'bad-cursor' })
        expect((await say(parts, 'GET', `Patient/_history?_cursor=${cursor}&_format=json`)).status).toBe(200)
      })

      test('a link ends after an hour', async () => {
        const { body } = await say(parts, 'GET', 'Patient/_history?_count=1')
        const url = body.link.find((one: { relation: string }) => one.relation === 'next').url.slice(testBase.length + 1)
        now += 61 * 60_000
        expect(await say(parts, 'GET', url)).toMatchObject({ status: 410, kind: 'expired-cursor' })
      })
    })
  })
