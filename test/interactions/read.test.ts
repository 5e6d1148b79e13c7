/** read, vread, conditional read: rest-api.md 8, 20. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import { read } from '../../src/interactions/read.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testParts } from '../support/parts.ts'
import { type Heard, type Sent, say } from './speak.ts'

/** A second that the versions below fall into. */
const noon = Date.UTC(2026, 10, 21, 12)
const httpDate = (ms: number): string => new Date(ms).toUTCString()

for (const engine of testEngines)
  describe(engine.name, () => {
    let now = noon
    let parts: TestParts

    const patient = (id: string, family: string) => ({
      resourceType: 'Patient',
      id,
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
      name: [{ family }],
      birthDate: '1990-02-03',
      photo: [{ title: 'x' }],
    })

    beforeAll(async () => {
      parts = await testParts({ engine, clock: () => now })
      const put = async (id: string, family: string, at: number) => {
        now = at
        const { status } = await say(parts, 'PUT', `Patient/${id}`, { body: patient(id, family) })
        expect([200, 201]).toContain(status)
      }
      await put('once', 'Satu', noon + 100)
      await put('twice', 'Satu', noon + 200)
      await put('twice', 'Dua', noon + 1300)
      await put('same-second', 'Satu', noon + 2100)
      await put('same-second', 'Dua', noon + 2600)
      await put('gone', 'Satu', noon + 3000)
      now = noon + 4000
      await say(parts, 'DELETE', 'Patient/gone')
      now = noon + 60_000
    })
    afterAll(() => parts[Symbol.asyncDispose]())

    type Row = readonly [name: string, url: string, sent: Sent, status: number, check?: string | ((heard: Heard) => void)]

    const unless = (ifNoneMatch: string): Sent => ({ conditions: { ifNoneMatch } })
    const since = (ms: number): Sent => ({ conditions: { ifModifiedSince: httpDate(ms) } })
    const version = (versionId: string) => (heard: Heard) => expect(heard.body.meta.versionId).toBe(versionId)
    const members =
      (...names: string[]) =>
      (heard: Heard) =>
        expect(Object.keys(heard.body).toSorted()).toEqual(names.toSorted())

    const rows: readonly Row[] = [
      ['read', 'Patient/twice', {}, 200, version('2')],
      ['the transport may have its parameters', 'Patient/once?_format=json&_pretty=true', {}, 200],
      ['unknown', 'Patient/nobody', {}, 404, 'unknown-instance'],
      ['unknown in a type without instances', 'Basic/nobody', {}, 404, 'unknown-instance'],
      ['deleted', 'Patient/gone', {}, 410, heard => expect(heard.failure?.versionId).toBe(2)],
      ['a search parameter', 'Patient/once?name=x', {}, 400, 'unknown-parameter'],
      ['_count', 'Patient/once?_count=1', {}, 400, 'unknown-parameter'],
      ['_summary=true', 'Patient/once?_summary=true', {}, 200, members('resourceType', 'id', 'meta', 'name', 'birthDate')],
      ['_summary=text', 'Patient/once?_summary=text', {}, 200, members('resourceType', 'id', 'meta', 'text')],
      ['_summary=data', 'Patient/once?_summary=data', {}, 200, members('resourceType', 'id', 'meta', 'name', 'birthDate', 'photo')],
      ['_summary=false', 'Patient/once?_summary=false', {}, 200, heard => expect(heard.body.text).toBeDefined()],
      ['_summary=count', 'Patient/once?_summary=count', {}, 400, 'bad-parameter'],
      ['_summary of nothing known', 'Patient/once?_summary=some', {}, 400, 'bad-parameter'],
      ['_summary without value', 'Patient/once?_summary=', {}, 400, 'empty-value'],
      ['_summary twice', 'Patient/once?_summary=true&_summary=text', {}, 400, 'repeated-parameter'],
      ['_elements', 'Patient/once?_elements=birthDate', {}, 200, members('resourceType', 'id', 'meta', 'birthDate')],
      ['_elements with type', 'Patient/once?_elements=Patient.birthDate', {}, 200, members('resourceType', 'id', 'meta', 'birthDate')],
      ['_elements unknown', 'Patient/once?_elements=naem', {}, 400, 'unknown-element'],
      ['_summary and _elements', 'Patient/once?_summary=true&_elements=name', {}, 400, 'parameter-clash'],
      ['reduced says so', 'Patient/once?_elements=name', {}, 200, heard => expect(heard.body.meta.tag[0].code).toBe('SUBSETTED')],

      ['If-None-Match of the version', 'Patient/twice', unless('W/"2"'), 304],
      ['If-None-Match strong', 'Patient/twice', unless('"2"'), 304],
      ['If-None-Match in a list', 'Patient/twice', unless('W/"1", W/"2"'), 304],
      ['If-None-Match of an older version', 'Patient/twice', unless('W/"1"'), 200],
      ['If-None-Match *', 'Patient/twice', unless('*'), 304],
      ['If-None-Match * of the unknown', 'Patient/nobody', unless('*'), 404],
      ['If-None-Match * of the deleted', 'Patient/gone', unless('*'), 410],
      ['If-None-Match malformed', 'Patient/twice', unless('W/3"'), 400, 'bad-header'],
      ['If-Modified-Since later', 'Patient/twice', since(noon + 10_000), 304],
      ['If-Modified-Since earlier', 'Patient/twice', since(noon), 200],
      ['If-Modified-Since in the same second, alone in it', 'Patient/twice', since(noon + 1000), 304],
      ['If-Modified-Since in the same second as two versions', 'Patient/same-second', since(noon + 2000), 200],
      ['If-Modified-Since after two versions of a second', 'Patient/same-second', since(noon + 3000), 304],
      ['If-Modified-Since in the future', 'Patient/once', since(noon + 3_600_000), 200],
      ['If-Modified-Since yesterday', 'Patient/once', { conditions: { ifModifiedSince: 'yesterday' } }, 400, 'bad-header'],
      [
        'If-None-Match decides alone',
        'Patient/twice',
        { conditions: { ifNoneMatch: 'W/"1"', ifModifiedSince: httpDate(noon + 10_000) } },
        200,
      ],

      ['vread of the past', 'Patient/twice/_history/1', {}, 200, version('1')],
      ['vread of the present', 'Patient/twice/_history/2', {}, 200, version('2')],
      ['vread of a past version of the deleted', 'Patient/gone/_history/1', {}, 200, version('1')],
      ['vread of a deletion', 'Patient/gone/_history/2', {}, 410, heard => expect(heard.failure?.versionId).toBe(2)],
      ['vread of the future', 'Patient/twice/_history/3', {}, 404, 'unknown-instance'],
      ['vread abc', 'Patient/twice/_history/abc', {}, 404],
      ['vread 0', 'Patient/twice/_history/0', {}, 404],
      ['vread 01', 'Patient/twice/_history/01', {}, 404],
      ['vread of twenty digits', 'Patient/twice/_history/99999999999999999999', {}, 404],
      ['vread conditional', 'Patient/twice/_history/1', unless('W/"1"'), 304],
      ['vread reduced', 'Patient/twice/_history/1?_elements=birthDate', {}, 200, members('resourceType', 'id', 'meta', 'birthDate')],
    ]

    describe('read and vread', () => {
      for (const [name, url, sent, status, check] of rows)
        test(`${name}: ${status}`, async () => {
          const heard = await say(parts, 'GET', url, sent)
          expect({ status: heard.status, ...(typeof check === 'string' ? { kind: heard.kind } : {}) }).toEqual({
            status,
            ...(typeof check === 'string' ? { kind: check } : {}),
          })
          if (typeof check === 'function') check(heard)
        })

      test('the headers say what the body says', async () => {
        const { answer, body } = await say(parts, 'GET', 'Patient/twice')
        expect(answer).toMatchObject({
          versionId: 2,
          contentLocation: 'Patient/twice/_history/2',
          touched: [{ type: 'Patient', id: 'twice', versionId: 2 }],
        })
        expect(Date.parse(body.meta.lastUpdated)).toBe(answer?.lastModified)
      })

      test('304 repeats the headers and has no body', async () => {
        const { answer } = await say(parts, 'GET', 'Patient/twice', unless('*'))
        expect(answer).toMatchObject({ versionId: 2, contentLocation: 'Patient/twice/_history/2', lastModified: expect.any(Number) })
        expect(answer?.body).toBeUndefined()
      })

      test('what nothing reduces is sent as it is stored', async () => {
        const { answer } = await say(parts, 'GET', 'Patient/once')
        const stored = await parts.store.newest('Patient', 'once')
        expect(answer?.body).toEqual({ kind: 'json', chunks: [stored?.text] })
      })
    })

    describe('a stranger', () => {
      test('gets the same 404 for hidden, deleted and never used', async () => {
        const access = seeing((): AccessFilter => ({ op: 'none' }))
        for (const id of ['once', 'gone', 'nobody']) {
          const request = { interaction: 'read', type: 'Patient', id, parameters: [], prefer: { handling: 'strict' } } as const
          const answer = await read(request, { ...parts.context(), access }, parts)
          expect(answer).toMatchObject({ ok: false, failure: { kind: 'unknown-instance', values: { what: `Patient/${id}` } } })
          expect(answer).not.toHaveProperty('failure.versionId')
        }
      })
    })
  })
