import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { seeing } from '../../src/auth/access.ts'
import { fail } from '../../src/base/outcome.ts'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testBase, testParts } from '../support/parts.ts'
import { bundle, entry, type Heard, type Sent, say } from './speak.ts'

// rest-api.md 18: transactions, with the rows of its table of careless requests.

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    beforeAll(async () => {
      parts = await testParts({ engine })
    })
    afterAll(async () => {
      await parts[Symbol.asyncDispose]()
    })

    let counted = 0
    const fresh = (): string => `t${(counted += 1)}`
    const urn = (): string => `urn:uuid:00000000-0000-4000-8000-${String((counted += 1)).padStart(12, '0')}`
    const transact = (entries: readonly unknown[], sent: Sent = {}): Promise<Heard> =>
      say(parts, 'POST', '', { body: bundle('transaction', entries), ...sent })
    const patient = (more: object = {}) => ({ resourceType: 'Patient', ...more })
    const withIdentifier = (value: string, more: object = {}) => patient({ identifier: [{ system: 'urn:x', value }], ...more })
    const observation = (reference: string, more: object = {}) => ({ resourceType: 'Observation', subject: { reference }, ...more })
    const put = (resource: { resourceType: string; id: string }) =>
      say(parts, 'PUT', `${resource.resourceType}/${resource.id}`, { body: resource })
    const get = (url: string) => say(parts, 'GET', url)
    const locations = (heard: Heard): string[] => heard.body.entry.map((one: { response: { location?: string } }) => one.response.location)
    const statuses = (heard: Heard): string[] =>
      heard.body.entry.map((one: { response: { status: string } }) => one.response.status.slice(0, 3))
    const current = async (location: string | undefined) => (await get(String(location).split('/_history/')[0] as string)).body

    describe('a transaction', () => {
      test('writes all and points references to what it made', async () => {
        const [mother, child] = [urn(), urn()]
        const heard = await transact([
          entry('POST', 'Patient', patient({ link: [{ other: { reference: child }, type: 'seealso' }] }), { fullUrl: mother }),
          entry('POST', 'Patient', patient({ link: [{ other: { reference: mother }, type: 'seealso' }] }), { fullUrl: child }),
          entry('POST', 'Observation', observation(mother)),
        ])
        expect(heard).toMatchObject({ status: 200, body: { type: 'transaction-response' } })
        expect(statuses(heard)).toEqual(['201', '201', '201'])
        const [one, two, three] = locations(heard)
        const address = String(one).replace('/_history/1', '')
        expect((await current(two)).link[0].other.reference).toBe(address)
        expect((await current(three)).subject.reference).toBe(address)
      })

      test('answers minimal by default, in the order sent, with status, location, etag and lastModified', async () => {
        const id = fresh()
        const heard = await transact([
          entry('GET', `Patient/${id}`),
          entry('PUT', `Patient/${id}`, patient({ id })),
          entry('POST', 'Patient', patient()),
        ])
        expect(statuses(heard)).toEqual(['200', '201', '201'])
        expect(heard.body.entry[0]).toMatchObject({ fullUrl: `${testBase}/Patient/${id}`, resource: { id, meta: { versionId: '1' } } })
        expect(heard.body.entry[1].resource).toBeUndefined()
        expect(heard.body.entry[1].response).toMatchObject({ status: '201 Created', location: `Patient/${id}/_history/1`, etag: 'W/"1"' })
        expect(heard.body.entry[1].response.lastModified).toBe((await get(`Patient/${id}`)).body.meta.lastUpdated)
      })

      test('shows the resources when asked', async () => {
        const heard = await transact([entry('POST', 'Patient', patient({ active: true }))], { prefer: { return: 'representation' } })
        expect(heard.body.entry[0]).toMatchObject({
          resource: { active: true, meta: { versionId: '1' } },
          response: { status: '201 Created' },
        })
        expect(heard.body.entry[0].fullUrl).toBe(`${testBase}/Patient/${heard.body.entry[0].resource.id}`)
      })

      test('runs DELETE, POST, PUT, PATCH, GET whatever the order sent', async () => {
        const [gone, changed, patchedId] = [fresh(), fresh(), fresh()]
        for (const id of [gone, changed, patchedId]) await put({ resourceType: 'Patient', id })
        const merge = {
          resourceType: 'Binary',
          contentType: 'application/merge-patch+json',
          data: Buffer.from('{"active":true}').toString('base64'),
        }
        const heard = await transact([
          entry('GET', `Patient?_id=${gone},${changed},${patchedId}`),
          entry('PATCH', `Patient/${patchedId}`, merge),
          entry('PUT', `Patient/${changed}`, patient({ id: changed, active: true })),
          entry('DELETE', `Patient/${gone}`),
        ])
        expect(statuses(heard)).toEqual(['200', '200', '200', '204'])
        expect(heard.body.entry[0].resource.total).toBe(2)
        expect(heard.body.entry[3].response.etag).toBe('W/"2"')
      })

      test('under one key it happens once', async () => {
        const send = () =>
          transact([entry('POST', 'Patient', patient()), entry('POST', 'Patient', patient())], { context: { once: 'transaction-key' } })
        expect((await send()).status).toBe(200)
        expect(await send()).toMatchObject({ status: 409, kind: 'already-done' })
      })

      test('an empty one is answered empty', async () =>
        expect(await transact([])).toMatchObject({ status: 200, body: { type: 'transaction-response' } }))

      test('an unchanged PUT makes no version', async () => {
        const id = fresh()
        await put({ resourceType: 'Patient', id })
        const heard = await transact([entry('PUT', `Patient/${id}`, patient({ id }))])
        expect(heard.body.entry[0].response).toMatchObject({ status: '200 OK', etag: 'W/"1"' })
      })

      test('a deletion of both ends of a reference goes; of one end alone not', async () => {
        const id = fresh()
        await put({ resourceType: 'Patient', id })
        await put({ ...observation(`Patient/${id}`), id })
        expect(await transact([entry('DELETE', `Patient/${id}`)])).toMatchObject({ status: 409, kind: 'still-referenced' })
        expect(statuses(await transact([entry('DELETE', `Patient/${id}`), entry('DELETE', `Observation/${id}`)]))).toEqual(['204', '204'])
      })
    })

    describe('references that are rewritten', () => {
      const rewritten = async (target: object, referrer: (url: string) => object, fullUrl = urn(), more: Record<string, string> = {}) => {
        const heard = await transact([
          entry('POST', 'Patient', target, { fullUrl }),
          entry('POST', 'DocumentReference', { resourceType: 'DocumentReference', ...referrer(fullUrl) }, more),
        ])
        expect(heard.status).toBe(200)
        const [patientAt, documentAt] = locations(heard)
        return { address: String(patientAt).replace('/_history/1', ''), document: await current(documentAt) }
      }
      const places: readonly (readonly [string, (text: string) => object])[] = [
        ['Reference.reference', text => ({ subject: { reference: text } })],
        ['in a list', text => ({ author: [{ display: 'x' }, { reference: text }] })],
        ['in an extension', text => ({ extension: [{ url: 'http://x', valueReference: { reference: text } }] })],
        ['a uri in an extension', text => ({ extension: [{ url: 'http://x', valueUri: text }] })],
        ['beside a primitive', text => ({ _status: { extension: [{ url: 'http://x', valueUrl: text }] } })],
        ['Attachment.url', text => ({ content: [{ attachment: { url: text } }] })],
        ['in a contained resource', text => ({ contained: [{ resourceType: 'Encounter', id: 'e', subject: { reference: text } }] })],
        ['Reference.identifier.system', text => ({ subject: { identifier: { system: text } } })],
      ]
      for (const [name, place] of places) {
        test(name, async () => {
          const { address, document } = await rewritten(patient(), place)
          expect(document).toMatchObject(place(address))
        })
      }
      const kept: readonly (readonly [string, (text: string) => object])[] = [
        ['a string', text => ({ description: text })],
        ['an identifier value', text => ({ identifier: [{ value: text }] })],
        ['a canonical', text => ({ extension: [{ url: 'http://x', valueCanonical: text }] })],
        ['an unresolved urn in a uri', () => ({ content: [{ attachment: { url: 'urn:uuid:99999999-0000-4000-8000-000000000000' } }] })],
        ['a fragment', () => ({ contained: [{ resourceType: 'Encounter', id: 'e' }], context: { encounter: [{ reference: '#e' }] } })],
        ['another server', () => ({ subject: { reference: 'http://other.example/fhir/Patient/1' } })],
      ]
      for (const [name, place] of kept) {
        test(`${name} is left as it is`, async () => {
          const fullUrl = urn()
          const { document } = await rewritten(patient(), place, fullUrl)
          expect(document).toMatchObject(place(fullUrl))
        })
      }
      test('links of a narrative', async () => {
        const div = (url: string) => `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${url}">x</a><img src='${url}'/>${url}</div>`
        const fullUrl = urn()
        const { address, document } = await rewritten(patient(), text => ({ text: { status: 'generated', div: div(text) } }), fullUrl)
        expect(document.text.div).toBe(
          `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${address}">x</a><img src="${address}"/>${fullUrl}</div>`,
        )
      })
      test('with a fragment behind it', async () => {
        const { address, document } = await rewritten(patient(), text => ({ content: [{ attachment: { url: `${text}#x` } }] }))
        expect(document.content[0].attachment.url).toBe(`${address}#x`)
      })
      test('to a version: the number that the client chose means nothing', async () => {
        const { address, document } = await rewritten(patient(), text => ({ subject: { reference: `${text}/_history/77` } }))
        expect(document.subject.reference).toBe(`${address}/_history/1`)
      })
      test('resolve-as-version-specific becomes a version, and goes', async () => {
        const extension = [{ url: 'http://hl7.org/fhir/StructureDefinition/resolve-as-version-specific', valueBoolean: true }]
        const { address, document } = await rewritten(patient(), text => ({ subject: { reference: text, extension } }))
        expect(document.subject).toEqual({ reference: `${address}/_history/1` })
      })
      test('to a version of an instance that stays as it is', async () => {
        const id = fresh()
        await put({ resourceType: 'Patient', id })
        const fullUrl = urn()
        const heard = await transact([
          entry('PUT', `Patient/${id}`, patient({ id }), { fullUrl }),
          entry('POST', 'Observation', observation(`${fullUrl}/_history/5`)),
        ])
        expect((await current(locations(heard)[1])).subject.reference).toBe(`Patient/${id}/_history/1`)
      })
      test('absolute fullUrls of another server, and what is relative to them', async () => {
        const heard = await transact([
          entry('POST', 'Patient', patient(), { fullUrl: 'http://emr.example/fhir/Patient/a' }),
          entry('POST', 'Observation', observation('Patient/a'), { fullUrl: 'http://emr.example/fhir/Observation/b' }),
          entry('POST', 'Observation', observation('http://emr.example/fhir/Patient/a')),
        ])
        const address = String(locations(heard)[0]).replace('/_history/1', '')
        expect((await current(locations(heard)[1])).subject.reference).toBe(address)
        expect((await current(locations(heard)[2])).subject.reference).toBe(address)
      })
      test('urn:oid fullUrls', async () => {
        const { address, document } = await rewritten(patient(), text => ({ subject: { reference: text } }), 'urn:oid:1.2.3.4')
        expect(document.subject.reference).toBe(address)
      })
      test('to itself', async () => {
        const fullUrl = urn()
        const heard = await transact([
          entry('POST', 'Patient', patient({ link: [{ other: { reference: fullUrl }, type: 'seealso' }] }), { fullUrl }),
        ])
        const resource = await current(locations(heard)[0])
        expect(resource.link[0].other.reference).toBe(`Patient/${resource.id}`)
      })
      test('to an entry that a conditional create found', async () => {
        const value = fresh()
        const first = await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        const fullUrl = urn()
        const heard = await transact([
          entry('POST', 'Patient', withIdentifier(value), { fullUrl, ifNoneExist: `identifier=urn:x|${value}` }),
          entry('POST', 'Observation', observation(fullUrl)),
        ])
        expect(statuses(heard)).toEqual(['200', '201'])
        expect((await current(locations(heard)[1])).subject.reference).toBe(`Patient/${first.body.id}`)
      })
      test('in Parameters of a FHIRPath Patch', async () => {
        const id = fresh()
        await put({ ...observation('Patient/x'), id })
        const fullUrl = urn()
        const part = [
          { name: 'type', valueCode: 'replace' },
          { name: 'path', valueString: 'Observation.subject' },
          { name: 'value', valueReference: { reference: fullUrl } },
        ]
        const heard = await transact([
          entry('POST', 'Patient', patient(), { fullUrl }),
          entry('PATCH', `Observation/${id}`, { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] }),
        ])
        expect(statuses(heard)).toEqual(['201', '200'])
        expect((await get(`Observation/${id}`)).body.subject.reference).toBe(String(locations(heard)[0]).replace('/_history/1', ''))
      })
      test('that name no entry: 422 with entry and path, all of them', async () => {
        const heard = await transact([
          entry('POST', 'Patient', patient()),
          entry('POST', 'Observation', observation('urn:uuid:99999999-0000-4000-8000-000000000000')),
          entry('POST', 'Observation', { resourceType: 'Observation', performer: [{ reference: 'urn:oid:9.9' }] }),
        ])
        expect(heard).toMatchObject({ status: 422, issues: ['unresolved-reference', 'unresolved-reference'] })
        expect(heard.failure?.expression).toEqual(['Bundle.entry[1].resource.subject.reference'])
        expect(heard.failure?.more?.[0]?.expression).toEqual(['Bundle.entry[2].resource.performer[0].reference'])
      })
    })

    describe('conditional references', () => {
      test('become the one match, beside what stands with them', async () => {
        const value = fresh()
        const { body } = await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        const heard = await transact([
          entry('POST', 'Observation', {
            resourceType: 'Observation',
            subject: { reference: `Patient?identifier=urn:x|${value}`, display: 'x', type: 'Patient' },
          }),
        ])
        expect((await current(locations(heard)[0])).subject).toEqual({ reference: `Patient/${body.id}`, display: 'x', type: 'Patient' })
      })
      test('find what the same transaction makes', async () => {
        const value = fresh()
        const heard = await transact([
          entry('POST', 'Observation', observation(`Patient?identifier=urn:x|${value}`)),
          entry('POST', 'Patient', withIdentifier(value)),
        ])
        expect((await current(locations(heard)[0])).subject.reference).toBe(String(locations(heard)[1]).replace('/_history/1', ''))
      })
      test('do not find what it deletes', async () => {
        const value = fresh()
        const { body } = await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        const heard = await transact([
          entry('DELETE', `Patient/${body.id}`),
          entry('POST', 'Observation', observation(`Patient?identifier=urn:x|${value}`)),
        ])
        expect(heard).toMatchObject({
          status: 412,
          kind: 'conditional-reference',
          failure: { values: { count: 0 }, expression: ['Bundle.entry[1].resource.subject.reference'] },
        })
        expect((await get(`Patient/${body.id}`)).status).toBe(200)
      })
      test('none, several, and what is no criterion: 412, 412, 400', async () => {
        const value = fresh()
        const about = (criteria: string) => transact([entry('POST', 'Observation', observation(`Patient?${criteria}`))])
        expect(await about(`identifier=urn:x|${value}`)).toMatchObject({ status: 412, kind: 'conditional-reference' })
        for (let time = 0; time < 2; time += 1) await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        expect(await about(`identifier=urn:x|${value}`)).toMatchObject({ status: 412, kind: 'conditional-reference' })
        expect(await about('foo=bar')).toMatchObject({ status: 400, kind: 'unknown-parameter' })
        expect(await about('')).toMatchObject({ status: 400, kind: 'criteria-not-selective' })
      })
    })

    describe('conditional entries', () => {
      const criteria = (value: string) => ({ ifNoneExist: `identifier=urn:x|${value}` })
      test('a second time creates nothing', async () => {
        const value = fresh()
        const send = () => transact([entry('POST', 'Patient', withIdentifier(value), criteria(value))])
        const [first, second] = [await send(), await send()]
        expect([statuses(first), statuses(second)]).toEqual([['201'], ['200']])
        expect(locations(first)).toEqual(locations(second))
      })
      test('a create that matches another entry is that entry', async () => {
        const value = fresh()
        const heard = await transact([
          entry('POST', 'Patient', withIdentifier(value), criteria(value)),
          entry('POST', 'Patient', withIdentifier(value, { active: true })),
        ])
        expect(statuses(heard)).toEqual(['200', '201'])
        expect(locations(heard)[0]).toBe(locations(heard)[1])
      })
      test('equal creates with equal content share one instance, and what refers to either', async () => {
        const value = fresh()
        const [one, two] = [urn(), urn()]
        const heard = await transact([
          entry('POST', 'Patient', withIdentifier(value), { fullUrl: one, ...criteria(value) }),
          entry('POST', 'Patient', withIdentifier(value), { fullUrl: two, ...criteria(value) }),
          entry('POST', 'Observation', observation(two)),
        ])
        expect(statuses(heard)).toEqual(['201', '200', '201'])
        expect(locations(heard)[0]).toBe(locations(heard)[1])
        expect((await current(locations(heard)[2])).subject.reference).toBe(String(locations(heard)[0]).replace('/_history/1', ''))
      })
      test('equal creates with other content: 400, both named', async () => {
        const value = fresh()
        const heard = await transact([
          entry('POST', 'Patient', withIdentifier(value), criteria(value)),
          entry('POST', 'Patient', withIdentifier(value, { active: true }), criteria(value)),
        ])
        expect(heard).toMatchObject({ status: 400, kind: 'overlapping-entries', failure: { values: { first: 0, second: 1 } } })
      })
      test('several matches: 412; another type: 400; what does not meet its criteria: 422', async () => {
        const value = fresh()
        for (let time = 0; time < 2; time += 1) await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        expect(await transact([entry('POST', 'Patient', withIdentifier(value), criteria(value))])).toMatchObject({
          status: 412,
          kind: 'multiple-matches',
          failure: { expression: ['Bundle.entry[0]'] },
        })
        expect(await transact([entry('POST', 'Patient', patient(), { ifNoneExist: 'Observation?code=x' })])).toMatchObject({ status: 400 })
        expect(await transact([entry('POST', 'Patient', patient(), criteria(fresh()))])).toMatchObject({
          status: 422,
          kind: 'criteria-not-met',
        })
      })
      test('conditional update, patch and delete', async () => {
        const [updated, patchedValue, gone] = [fresh(), fresh(), fresh()]
        for (const value of [patchedValue, gone]) await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        const merge = {
          resourceType: 'Binary',
          contentType: 'application/merge-patch+json',
          data: Buffer.from('{"active":true}').toString('base64'),
        }
        const heard = await transact([
          entry('PUT', `Patient?identifier=urn:x|${updated}`, withIdentifier(updated)),
          entry('PATCH', `Patient?identifier=urn:x|${patchedValue}`, merge),
          entry('DELETE', `Patient?identifier=urn:x|${gone}`),
        ])
        expect(statuses(heard)).toEqual(['201', '200', '204'])
      })
      test('ifMatch is compared with the state before', async () => {
        const id = fresh()
        await put({ resourceType: 'Patient', id })
        expect(await transact([entry('PUT', `Patient/${id}`, patient({ id, active: true }), { ifMatch: 'W/"2"' })])).toMatchObject({
          status: 412,
          failure: { expression: ['Bundle.entry[0]'] },
        })
        expect((await transact([entry('PUT', `Patient/${id}`, patient({ id, active: true }), { ifMatch: 'W/"1"' })])).status).toBe(200)
        expect(statuses(await transact([entry('GET', `Patient/${id}`, undefined, { ifNoneMatch: 'W/"2"' })]))).toEqual(['304'])
      })
    })

    describe('careless and hostile bundles', () => {
      const p = patient()
      const rows: readonly (readonly [string, unknown, number, string, (readonly string[])?])[] = [
        ['type collection', bundle('collection', []), 400, 'bundle-type', ['Bundle.type']],
        ['no type', { resourceType: 'Bundle' }, 400, 'bundle-type'],
        ['no Bundle', patient(), 400, 'wrong-resource-type'],
        ['an array', [], 400, 'not-an-object'],
        ['broken JSON', '{', 400, 'json-syntax'],
        ['entry that is no list', { resourceType: 'Bundle', type: 'transaction', entry: {} }, 422, 'wrong-form'],
        ['entry that is null', bundle('transaction', [null]), 400, 'bundle-entry', ['Bundle.entry[0]']],
        ['entry without request', bundle('transaction', [{ resource: p }]), 400, 'bundle-entry', ['Bundle.entry[0].request']],
        ['a method that is none', bundle('transaction', [entry('FETCH', 'Patient')]), 400, 'bundle-entry'],
        [
          'no url',
          bundle('transaction', [{ resource: p, request: { method: 'POST' } }]),
          400,
          'bundle-entry',
          ['Bundle.entry[0].request.url'],
        ],
        ['POST without resource', bundle('transaction', [entry('POST', 'Patient')]), 400, 'bundle-entry'],
        ['GET with resource', bundle('transaction', [entry('GET', 'Patient/1', p)]), 400, 'bundle-entry'],
        [
          'resource without resourceType',
          bundle('transaction', [entry('POST', 'Patient', {})]),
          400,
          'no-resource-type',
          ['Bundle.entry[0].resource'],
        ],
        [
          'resource of another type',
          bundle('transaction', [entry('POST', 'Patient', { resourceType: 'Group' })]),
          400,
          'wrong-resource-type',
        ],
        ['PUT without id', bundle('transaction', [entry('PUT', 'Patient/1', p)]), 400, 'id-missing', ['Bundle.entry[0].resource.id']],
        ['another server', bundle('transaction', [entry('POST', 'http://other.example/fhir/Patient', p)]), 400, 'bundle-entry'],
        ['dots', bundle('transaction', [entry('POST', '../Patient', p)]), 400, 'bundle-entry'],
        ['a slash before it', bundle('transaction', [entry('GET', '/etc')]), 400, 'bundle-entry'],
        ['the base itself', bundle('transaction', [entry('POST', `${testBase}/`, p)]), 400, 'bundle-entry'],
        ['GET by urn:uuid', bundle('transaction', [entry('GET', 'urn:uuid:00000000-0000-4000-8000-000000000001')]), 400, 'bundle-entry'],
        ['an async job', bundle('transaction', [entry('GET', '_async/x')]), 400, 'bundle-entry'],
        ['an unknown type', bundle('transaction', [entry('POST', 'Patiens', { resourceType: 'Patiens' })]), 404, 'unknown-type-suggestion'],
        ['POST to an instance', bundle('transaction', [entry('POST', 'Patient/1', p)]), 405, 'method-not-allowed'],
        [
          'a malformed ifMatch',
          bundle('transaction', [entry('PUT', 'Patient/1', patient({ id: '1' }), { ifMatch: 'W/1"' })]),
          400,
          'bad-header',
        ],
        [
          'an ifMatch that is a number',
          bundle('transaction', [{ resource: p, request: { method: 'POST', url: 'Patient', ifMatch: 1 } }]),
          400,
          'bundle-entry',
        ],
        [
          'one fullUrl twice',
          bundle('transaction', [entry('POST', 'Patient', p, { fullUrl: 'urn:x' }), entry('POST', 'Patient', p, { fullUrl: 'urn:x' })]),
          400,
          'duplicate-full-url',
          ['Bundle.entry[0].fullUrl', 'Bundle.entry[1].fullUrl'],
        ],
        [
          'PUT twice',
          bundle('transaction', [entry('PUT', 'Patient/1', patient({ id: '1' })), entry('PUT', 'Patient/1', patient({ id: '1' }))]),
          400,
          'overlapping-entries',
          ['Bundle.entry[0]', 'Bundle.entry[1]'],
        ],
        [
          'PUT and DELETE of one',
          bundle('transaction', [entry('PUT', 'Patient/1', patient({ id: '1' })), entry('DELETE', 'Patient/1')]),
          400,
          'overlapping-entries',
        ],
        ['a patch that is none', bundle('transaction', [entry('PATCH', 'Patient/1', { resourceType: 'Group' })]), 400, 'bundle-entry'],
        [
          'a read of what is not there',
          bundle('transaction', [entry('POST', 'Patient', p), entry('GET', 'Patient/nobody')]),
          404,
          'unknown-instance',
          ['Bundle.entry[1]'],
        ],
        [
          'a search that cannot be',
          bundle('transaction', [entry('POST', 'Patient', p), entry('GET', 'Patient?foo=bar')]),
          400,
          'unknown-parameter',
          ['Bundle.entry[1]'],
        ],
        [
          'a format that a JSON Bundle cannot hold',
          bundle('transaction', [entry('GET', 'Patient?_format=xml&name=x')]),
          406,
          'not-acceptable',
          ['Bundle.entry[0]'],
        ],
        ['a DELETE of everything', bundle('transaction', [entry('DELETE', 'Patient')]), 400, 'id-or-criteria-needed'],
        [
          'a partial copy',
          bundle('transaction', [
            entry(
              'POST',
              'Patient',
              patient({ meta: { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] } }),
            ),
          ]),
          422,
          'partial-resource',
          ['Bundle.entry[0].resource.meta.tag'],
        ],
      ]
      for (const [name, body, status, kind, expression] of rows) {
        test(`${name}: ${status} ${kind}, nothing kept`, async () => {
          const before = await parts.store.counts()
          const heard = await say(parts, 'POST', '', { body })
          expect(heard).toMatchObject({ status, kind, ...(expression === undefined ? {} : { failure: { expression } }) })
          expect(await parts.store.counts()).toEqual(before)
        })
      }

      test('5,001 entries: 413', async () => {
        const entries = Array.from({ length: 5001 }, () => entry('POST', 'Patient', p))
        expect(await transact(entries)).toMatchObject({ status: 413, kind: 'too-many-entries' })
      })
      test('every entry that is wrong is told', async () => {
        const heard = await transact([
          entry('POST', 'Patient', patient({ id: 'a b' })),
          entry('POST', 'Patient', p),
          entry('PUT', 'Patient/1', patient({ id: '2' })),
        ])
        expect(heard).toMatchObject({ status: 400, issues: ['bad-id', 'id-mismatch'] })
      })
      test('a deadline that is over: nothing kept', async () => {
        const before = await parts.store.counts()
        const heard = await transact([entry('POST', 'Patient', p)], { context: { deadline: { endsAtMs: 0 } } })
        expect([422, 503]).toContain(heard.status)
        expect(await parts.store.counts()).toEqual(before)
      })
      test('one denied entry denies all', async () => {
        await using denying = await testParts({
          engine,
          decide: (_who, _what, type) =>
            type === 'Group' ? { allow: false, failure: fail('forbidden', {}).failure, rule: 'role' } : seeing(() => ({ op: 'all' })),
        })
        const body = bundle('transaction', [entry('POST', 'Patient', p), entry('POST', 'Group', { resourceType: 'Group' })])
        expect(await say(denying, 'POST', '', { body })).toMatchObject({ status: 403, failure: { expression: ['Bundle.entry[1]'] } })
        expect(await denying.store.counts()).toEqual({})
      })
    })

    test('a race is run again from the start, with the references as they were sent', async () => {
      const value = fresh()
      const send = () => {
        const fullUrl = urn()
        return transact([
          entry('POST', 'Patient', withIdentifier(value), { fullUrl, ifNoneExist: `identifier=urn:x|${value}` }),
          entry('POST', 'Observation', observation(fullUrl)),
        ])
      }
      const heard = await Promise.all(Array.from({ length: 20 }, send))
      expect(heard.map(({ status }) => status)).toEqual(heard.map(() => 200))
      expect(heard.filter(one => statuses(one)[0] === '201')).toHaveLength(1)
      const [patientAt] = locations(heard[0] as Heard)
      const address = String(patientAt).replace('/_history/1', '')
      for (const one of heard) expect((await current(locations(one)[1])).subject.reference).toBe(address)
    })
  })
