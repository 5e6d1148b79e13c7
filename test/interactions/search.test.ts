/** Searches of a type, the system and a compartment: rest-api.md 17, storage-and-search.md 12, 13. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import type { AccessFilter } from '../../src/base/access-filter.ts'
import { searchType } from '../../src/interactions/search-type.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testBase, testParts } from '../support/parts.ts'
import { type Heard, type Sent, say } from './speak.ts'

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    let now = Date.UTC(2026, 10, 21, 12)

    const patient = (id: string, family: string, more: object = {}) => ({
      resourceType: 'Patient',
      id,
      name: [{ family }],
      birthDate: '1990-02-03',
      ...more,
    })
    const observation = (id: string, subject: string, more: object = {}) => ({
      resourceType: 'Observation',
      id,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
      subject: { reference: subject },
      ...more,
    })

    const instances = [
      { resourceType: 'Organization', id: 'o1', name: 'Induk' },
      { resourceType: 'Organization', id: 'o2', name: 'Cabang', partOf: { reference: 'Organization/o1' } },
      patient('p1', 'Budi', { managingOrganization: { reference: 'Organization/o2' } }),
      patient('p2', 'Budiman', { managingOrganization: { reference: 'Organization/o2' } }),
      patient('p3', 'Citra'),
      observation('v1', 'Patient/p1'),
      observation('v2', 'Patient/p1', { hasMember: [{ reference: 'Observation/v1' }] }),
      observation('v3', 'Patient/p3'),
      { resourceType: 'Binary', id: 'b1', contentType: 'text/plain', data: 'aGFsbw==' },
    ]

    beforeAll(async () => {
      parts = await testParts({ engine, clock: () => now })
      for (const resource of instances) {
        now += 1000
        expect(await say(parts, 'PUT', `${resource.resourceType}/${resource.id}`, { body: resource })).toMatchObject({ status: 201 })
      }
      now += 1000
      await say(parts, 'PUT', 'Patient/gone', { body: patient('gone', 'Budi') })
      await say(parts, 'DELETE', 'Patient/gone')
    })
    afterAll(() => parts[Symbol.asyncDispose]())

    // biome-ignore lint/suspicious/noExplicitAny: entries of all types
    type Entry = any
    /** `p1 +o2 !`: matches, included ones, outcomes. */
    const shown = ({ body }: Heard): string => {
      const marks: Readonly<Record<string, string>> = { match: '', include: '+', outcome: '!' }
      return (body.entry ?? []).map(({ resource, search }: Entry) => `${marks[search.mode]}${resource.id ?? ''}`).join(' ')
    }

    type Row = readonly [url: string, expected: string, total?: number | 'absent']
    const rows: readonly Row[] = [
      ['Patient', 'p3 p2 p1', 3],
      ['Patient?name=budi', 'p2 p1', 2],
      ['Patient?name=budi&_sort=_id', 'p1 p2', 2],
      ['Patient?_sort=-_id', 'p3 p2 p1', 3],
      ['Patient?name=nobody', '', 0],
      ['Patient?_count=0', '', 3],
      ['Patient?_summary=count', '', 3],
      ['Patient?_summary=count&name=budi', '', 2],
      ['Patient?_count=2', 'p3 p2'],
      ['Patient?_count=2&_total=accurate', 'p3 p2', 3],
      ['Patient?_count=2&_total=none', 'p3 p2', 'absent'],
      ['Patient?_total=none', 'p3 p2 p1', 'absent'],
      ['Patient?_id=p1&_include=Patient:organization', 'p1 +o2', 1],
      ['Patient?name=budi&_include=Patient:organization', 'p2 p1 +o2', 2],
      ['Patient?_id=p1&_include=Patient:*', 'p1 +o2', 1],
      ['Patient?_id=p1&_include=Patient:organization&_include:iterate=Organization:partof', 'p1 +o2 +o1', 1],
      ['Patient?_id=p1&_include=Patient:general-practitioner', 'p1', 1],
      ['Patient?_id=p3&_revinclude=*', 'p3 +v3', 1],
      ['Observation?_id=v3&_include=*', 'v3 +p3', 1],
      ['Patient?_id=p1&_revinclude=Observation:subject', 'p1 +v2 +v1', 1],
      ['Patient?_id=p1,p3&_sort=_id&_revinclude=Observation:patient', 'p1 p3 +v3 +v2 +v1', 2],
      ['Organization?_id=o1&_revinclude=Organization:partof&_revinclude:iterate=Patient:organization', 'o1 +o2 +p2 +p1', 1],
      ['Observation?_sort=_id&_include=Observation:has-member', 'v1 v2 v3', 3],
      ['Observation?_id=v2&_include=Observation:has-member', 'v2 +v1', 1],
      ['Observation?_id=v2&_include=Observation:subject:Patient', 'v2 +p1', 1],
      ['Observation?_id=v2&_include=Observation:subject:Group', 'v2', 1],
      ['Patient/p1/Observation', 'v2 v1', 2],
      ['Patient/p1/Observation?code=8867-4', 'v2 v1', 2],
      ['Patient/p1/*', 'v2 v1 p1', 3],
      ['Patient/p1/*?_type=Observation', 'v2 v1', 2],
      ['?_type=Patient,Organization', 'p3 p2 p1 o2 o1', 5],
      ['?_id=p1', 'p1', 1],
    ]

    const refusals: readonly (readonly [url: string, status: number, kind: string])[] = [
      ['Patient?naem=Budi', 400, 'unknown-parameter-suggestion'],
      ['Patient?name=', 400, 'empty-value'],
      ['Patient?_count=-1', 400, 'bad-parameter'],
      ['Patient?_count=1&_count=2', 400, 'repeated-parameter'],
      ['Patient?_summary=true&_elements=name', 400, 'parameter-clash'],
      ['Patient?_summary=text&_include=Patient:organization', 400, 'parameter-clash'],
      ['Patient?_cursor=abc', 400, 'bad-cursor'],
      ['Patient?_cursor=abc&name=x', 400, 'parameter-clash'],
      ['Patient/nobody/Observation', 404, 'unknown-instance'],
      ['Patient/gone/Observation', 404, 'unknown-instance'],
      ['Patient/p1/Location', 400, 'not-in-compartment'],
      ['?_type=Patient,Pasien', 400, 'bad-parameter'],
    ]

    const linkOf = (heard: Heard, relation: string): string | undefined =>
      heard.body.link.find((one: { relation: string }) => one.relation === relation)?.url

    describe('search', () => {
      for (const [url, expected, total] of rows)
        test(`${url} finds ${expected || 'nothing'}`, async () => {
          const heard = await say(parts, 'GET', url)
          expect(heard).toMatchObject({ status: 200, body: { resourceType: 'Bundle', type: 'searchset' } })
          expect(shown(heard)).toBe(expected)
          if (total !== undefined) expect(heard.body.total).toBe(total === 'absent' ? undefined : total)
        })

      for (const [url, status, kind] of refusals)
        test(`${url} is refused: ${kind}`, async () => expect(await say(parts, 'GET', url)).toMatchObject({ status, kind }))

      test('self is what was applied, and the only link of a single page', async () => {
        const { body } = await say(parts, 'GET', 'Patient?name:exact=Budi&birthdate=ge1990-01-01&_format=json')
        expect(body.link).toEqual([
          {
            relation: 'self',
            url: `${testBase}/Patient?name%3Aexact=Budi&birthdate=ge1990-01-01&_format=json&_count=20`.replace('%3A', ':'),
          },
        ])
      })

      test('a page larger than allowed is as large as allowed', async () => {
        expect(linkOf(await say(parts, 'GET', 'Patient?_count=100000'), 'self')).toBe(`${testBase}/Patient?_count=1000`)
      })

      test('lenient handling leaves out what is unknown and says so', async () => {
        const lenient: Sent = { prefer: { handling: 'lenient' } }
        const heard = await say(parts, 'GET', 'Patient?naem=x&name=citra', lenient)
        expect(shown(heard)).toBe('p3 !')
        expect(linkOf(heard, 'self')).toBe(`${testBase}/Patient?name=citra&_count=20`)
        const outcome = heard.body.entry.at(-1)
        expect(outcome.fullUrl).toMatch(/^urn:uuid:/)
        expect(outcome.resource).toMatchObject({
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'warning', code: 'not-supported', location: ['http.naem'] }],
        })
        expect(outcome.resource.issue[0].diagnostics).toContain('naem')
        const indonesian = await say(parts, 'GET', 'Patient?naem=x', { ...lenient, context: { language: 'id' } })
        expect(indonesian.body.entry.at(-1).resource.issue[0].details.text).toContain('diabaikan')
      })

      test('_elements reduces the matches and leaves what is included', async () => {
        const { body } = await say(parts, 'GET', 'Patient?_id=p1&_elements=birthDate&_include=Patient:organization')
        expect(body.entry[0].resource).toMatchObject({ birthDate: '1990-02-03', meta: { tag: [{ code: 'SUBSETTED' }] } })
        expect(body.entry[0].resource.name).toBeUndefined()
        expect(body.entry[1].resource).toMatchObject({ name: 'Cabang' })
      })

      test('the data of a Binary stay out of the Bundle', async () => {
        const { body } = await say(parts, 'GET', 'Binary?_id=b1')
        expect(body.entry[0].resource).toMatchObject({ contentType: 'text/plain', meta: { tag: [{ code: 'SUBSETTED' }] } })
        expect(body.entry[0].resource.data).toBeUndefined()
      })

      test('a page that is too large in bytes is cut before an entry, and goes on', async () => {
        await using small = await testParts({ engine, limits: { pageBytesMax: 1500 } })
        for (const id of ['a', 'b', 'c', 'd', 'e']) await say(small, 'PUT', `Patient/${id}`, { body: patient(id, 'x'.repeat(150)) })
        const found: string[] = []
        for (let url: string | undefined = `${testBase}/Patient?_sort=_id`; url !== undefined; ) {
          const heard = await say(small, 'GET', url.slice(testBase.length + 1))
          expect(heard.body.entry.length).toBeLessThan(5)
          found.push(shown(heard))
          url = linkOf(heard, 'next')
        }
        expect(found.join(' ')).toBe('a b c d e')
      })

      test('a reference to a version includes that version, and the newest one beside it where it is meant', async () => {
        const put = (body: { resourceType: string; id: string }) => say(parts, 'PUT', `${body.resourceType}/${body.id}`, { body })
        for (const family of ['Lama', 'Baru']) await put(patient('versioned', family))
        await put(observation('old', 'Patient/versioned/_history/1'))
        const included = async (ids: string) => {
          const { body } = await say(parts, 'GET', `Observation?_id=${ids}&_include=Observation:subject`)
          return body.entry.slice(ids.split(',').length).map(({ resource }: Entry) => `${resource.id} ${resource.meta.versionId}`)
        }
        expect(await included('old')).toEqual(['versioned 1'])
        await put(observation('now', 'Patient/versioned'))
        await put(observation('newest', 'Patient/versioned/_history/2'))
        await put(observation('never', 'Patient/versioned/_history/9'))
        expect(await included('old,now')).toEqual(['versioned 1', 'versioned 2'])
        expect(await included('now,newest')).toEqual(['versioned 2'])
        expect(await included('never')).toEqual([])
        for (const id of ['old', 'now', 'newest', 'never']) await say(parts, 'DELETE', `Observation/${id}`)
        await say(parts, 'DELETE', 'Patient/versioned')
      })

      test('includes beyond the limit are named', async () => {
        await using small = await testParts({ engine, limits: { includesMax: 3 } })
        await say(small, 'PUT', 'Patient/p', { body: patient('p', 'x') })
        for (const id of ['a', 'b', 'c', 'd']) await say(small, 'PUT', `Observation/${id}`, { body: observation(id, 'Patient/p') })
        const heard = await say(small, 'GET', 'Patient?_revinclude=Observation:subject')
        expect(shown(heard)).toBe('p +d +c +b !')
        expect(heard.body.entry.at(-1).resource.issue[0]).toMatchObject({ severity: 'warning', code: 'too-costly' })
      })

      test('who sees one patient finds that one, by chain too', async () => {
        const filterFor = (type: string): AccessFilter => (type === 'Patient' ? { op: 'ids', ids: ['p1'] } : { op: 'all' })
        const request = (type: string, name: string, value: string) =>
          ({ interaction: 'search-type', type, parameters: [{ name, value }], prefer: { handling: 'strict' } }) as const
        const found = async (type: string, name: string, value: string) => {
          const answer = await searchType(request(type, name, value), { ...parts.context(), access: seeing(filterFor) }, parts)
          return answer.ok && answer.value.body?.kind === 'json'
            ? shown({ status: 200, issues: [], body: JSON.parse(Buffer.concat(answer.value.body.chunks).toString()) })
            : answer
        }
        expect(await found('Patient', 'birthdate', '1990-02-03')).toBe('p1')
        expect(await found('Observation', 'subject:Patient.birthdate', '1990-02-03')).toBe('v2 v1')
        expect(await found('Observation', '_include', 'Observation:subject')).toBe('v3 v2 v1 +p1')
      })
    })
  })
