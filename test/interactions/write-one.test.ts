import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { testEngines } from '../support/engines.ts'
import { type TestParts, testBase, testParts } from '../support/parts.ts'
import { type Heard, type Sent, say } from './speak.ts'

// rest-api.md 9 to 14: create, update, patch, delete and their conditional forms, with the rows of their tables of careless requests.

for (const engine of testEngines)
  describe(engine.name, () => {
    let parts: TestParts
    beforeAll(async () => {
      parts = await testParts({ engine })
    })
    afterAll(async () => {
      await parts[Symbol.asyncDispose]()
    })

    const patient = (more: object = {}) => ({ resourceType: 'Patient', ...more })
    const withIdentifier = (value: string, more: object = {}) => patient({ identifier: [{ system: 'urn:x', value }], ...more })
    const put = (id: string, more: object = {}, sent: Sent = {}): Promise<Heard> =>
      say(parts, 'PUT', `Patient/${id}`, { body: patient({ id, ...more }), ...sent })
    const get = (url: string) => say(parts, 'GET', url)
    let counted = 0
    const fresh = (): string => `p${(counted += 1)}`

    describe('create', () => {
      test('answers 201 with version 1, location and the stored bytes', async () => {
        const heard = await say(parts, 'POST', 'Patient', { body: patient({ active: true }) })
        expect(heard).toMatchObject({
          status: 201,
          body: { resourceType: 'Patient', active: true, meta: { versionId: '1' } },
          answer: { versionId: 1 },
        })
        expect(heard.answer?.location).toBe(`Patient/${heard.body.id}/_history/1`)
        expect(heard.body.meta.lastUpdated).toBe(new Date(heard.answer?.lastModified as number).toISOString().replace('Z', '+00:00'))
        expect(heard.body.meta.source).toMatch(/^#request-\d+$/)
        expect((await get(`Patient/${heard.body.id}`)).body).toEqual(heard.body)
      })

      test('ignores id, versionId and lastUpdated of the body, and says so', async () => {
        const id = fresh()
        const sent = patient({ id, meta: { versionId: '77', lastUpdated: '1999-01-01T00:00:00Z' } })
        const heard = await say(parts, 'POST', 'Patient', { body: sent, prefer: { return: 'OperationOutcome' } })
        expect(heard).toMatchObject({ status: 201, issues: ['id-ignored'], answer: { versionId: 1, body: { kind: 'outcome' } } })
        expect((await get(`Patient/${id}`)).status).toBe(404)
      })

      test('under one key it happens once', async () => {
        const once = fresh()
        const send = () => say(parts, 'POST', 'Patient', { body: patient(), context: { once } })
        expect((await send()).status).toBe(201)
        expect(await send()).toMatchObject({ status: 409, kind: 'already-done' })
      })

      test('return=minimal has no body', async () => {
        const heard = await say(parts, 'POST', 'Patient', { body: patient(), prefer: { return: 'minimal' } })
        expect(heard).toMatchObject({ status: 201, answer: { versionId: 1 } })
        expect(heard.answer?.body).toBeUndefined()
      })

      test('a transaction posted to /Bundle is stored, with a hint', async () => {
        const heard = await say(parts, 'POST', 'Bundle', {
          body: { resourceType: 'Bundle', type: 'transaction' },
          prefer: { return: 'OperationOutcome' },
        })
        expect(heard).toMatchObject({ status: 201, issues: ['bundle-stored'] })
      })

      test('cuts the fragment of meta.source and sets its own', async () => {
        const heard = await say(parts, 'POST', 'Patient', {
          body: patient({ meta: { source: 'http://emr.example#theirs' } }),
          context: { requestId: 'ours' },
        })
        expect(heard.body.meta.source).toBe('http://emr.example#ours')
      })

      test('references under our own base become relative, others stay', async () => {
        const heard = await say(parts, 'POST', 'Observation', {
          body: {
            resourceType: 'Observation',
            subject: { reference: `${testBase}/Patient/a` },
            encounter: { reference: 'http://other.example/fhir/Encounter/b' },
          },
        })
        expect(heard.body).toMatchObject({
          subject: { reference: 'Patient/a' },
          encounter: { reference: 'http://other.example/fhir/Encounter/b' },
        })
      })

      test('keeps the digits of numbers', async () => {
        const heard = await say(parts, 'POST', 'Observation', { body: '{"resourceType":"Observation","valueQuantity":{"value":1.10}}' })
        const chunks = heard.answer?.body?.kind === 'json' ? heard.answer.body.chunks : []
        expect(Buffer.concat(chunks).toString()).toContain('"value":1.10')
      })

      const careless: readonly (readonly [string, unknown, number, string])[] = [
        ['another resourceType than the URL', { resourceType: 'Observation' }, 400, 'wrong-resource-type'],
        ['an array', '[]', 400, 'not-an-object'],
        ['a string', '"x"', 400, 'not-an-object'],
        ['null', 'null', 400, 'not-an-object'],
        ['an empty body', '', 400, 'empty-body'],
        ['no body', undefined, 400, 'empty-body'],
        ['no resourceType', { active: true }, 400, 'no-resource-type'],
        ['resourceType that is no string', { resourceType: 1 }, 400, 'no-resource-type'],
        ['broken JSON', '{"resourceType":', 400, 'json-syntax'],
        ['a member twice', '{"resourceType":"Patient","active":true,"active":false}', 400, 'duplicate-member'],
        ['an id that no URL reaches', patient({ id: '..' }), 400, 'bad-id'],
        ['an id with a slash', patient({ id: 'a/b' }), 400, 'bad-id'],
        ['an id that is a number', patient({ id: 17 }), 400, 'bad-id'],
        ['a contained id with blanks', patient({ contained: [{ resourceType: 'Patient', id: 'a b' }] }), 400, 'bad-id'],
        ['implicitRules', patient({ implicitRules: 'http://x' }), 422, 'implicit-rules'],
        [
          'a partial copy',
          patient({ meta: { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] } }),
          422,
          'partial-resource',
        ],
        [
          'a masked view',
          patient({ meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED' }] } }),
          422,
          'masked-resource',
        ],
        ['meta that is a string', patient({ meta: 'x' }), 422, 'wrong-form'],
        ['tags that are no list', patient({ meta: { tag: {} } }), 422, 'wrong-form'],
        ['a source that is a number', patient({ meta: { source: 1 } }), 422, 'wrong-form'],
        ['nesting without end', `{"resourceType":"Patient","x":${'['.repeat(200)}${']'.repeat(200)}}`, 400, 'too-deep'],
      ]
      for (const [name, body, status, kind] of careless) {
        test(`${name}: ${status} ${kind}`, async () =>
          expect(await say(parts, 'POST', 'Patient', { body })).toMatchObject({ status, kind }))
      }

      test('an unknown parameter: 400', async () =>
        expect(await say(parts, 'POST', 'Patient?foo=1', { body: patient() })).toMatchObject({ status: 400, kind: 'unknown-parameter' }))

      test('more bytes than a resource may have: 413', async () => {
        await using small = await testParts({ engine, limits: { resourceBytesMax: 500 } })
        expect(await say(small, 'POST', 'Patient', { body: patient({ name: [{ text: 'x'.repeat(600) }] }) })).toMatchObject({
          status: 413,
          kind: 'body-too-large',
        })
      })
    })

    describe('Binary', () => {
      const bytes = new TextEncoder().encode('hello')
      test('raw content becomes a resource around it', async () => {
        const heard = await say(parts, 'POST', 'Binary', { body: { kind: 'raw', bytes, contentType: 'text/plain; charset=utf-8' } })
        expect(heard).toMatchObject({
          status: 201,
          body: { resourceType: 'Binary', contentType: 'text/plain; charset=utf-8', data: 'aGVsbG8=' },
        })
      })
      test('raw PUT takes its id from the URL', async () => {
        const heard = await say(parts, 'PUT', 'Binary/raw', { body: { kind: 'raw', bytes, contentType: 'image/png' } })
        expect(heard).toMatchObject({ status: 201, body: { id: 'raw', contentType: 'image/png' } })
      })
      test('application/json is a resource only when it says Binary', async () => {
        const json = (value: unknown) => ({
          kind: 'raw',
          bytes: new TextEncoder().encode(JSON.stringify(value)),
          contentType: 'application/json',
        })
        const resource = await say(parts, 'POST', 'Binary', { body: json({ resourceType: 'Binary', contentType: 'x/y' }) })
        expect(resource.body).toMatchObject({ contentType: 'x/y' })
        expect((await say(parts, 'POST', 'Binary', { body: json({ a: 1 }) })).body).toMatchObject({
          contentType: 'application/json',
          data: 'eyJhIjoxfQ==',
        })
      })
      test('a security context that is there is kept, another is refused', async () => {
        const send = (securityContext: string) =>
          say(parts, 'POST', 'Binary', { body: { kind: 'raw', bytes, contentType: 'a/b', securityContext } })
        const id = fresh()
        await put(id)
        expect((await send(`Patient/${id}`)).body).toMatchObject({ securityContext: { reference: `Patient/${id}` } })
        for (const text of ['Patient/nobody', 'http://other.example/Patient/1', 'x'])
          expect(await send(text)).toMatchObject({ status: 400, kind: 'bad-header' })
      })
      describe('beside a Binary that is sent as a resource, the security context', () => {
        // biome-ignore format: a table
        const rows: readonly (readonly [name: string, element: string | undefined, header: string | undefined, status: number])[] = [
      ['agrees',                        'Patient/one',                              'Patient/one',   201],
      ['agrees when made relative',     'http://127.0.0.1:8080/fhir/Patient/one',   'Patient/one',   201],
      ['is absent',                     'Patient/one',                              undefined,       201],
      ['names another instance',        'Patient/one',                              'Patient/two',   400],
      ['names another server',          'http://other.example/Patient/one',         'Patient/one',   400],
      ['names nobody',                  'Patient/nobody',                           'Patient/nobody', 400],
      ['stands alone',                  undefined,                                  'Patient/one',   400],
    ]
        for (const [name, reference, securityContext, status] of rows) {
          for (const contentType of [undefined, 'application/json']) {
            test(`${name}${contentType === undefined ? '' : ' (as application/json)'}: ${status}`, async () => {
              for (const id of ['one', 'two']) await put(id)
              const element = reference === undefined ? {} : { securityContext: { reference } }
              const resource = { resourceType: 'Binary', id: 'x', contentType: 'a/b', ...element }
              const sent = {
                ...(contentType === undefined ? { kind: 'resource' } : { kind: 'raw', contentType }),
                bytes: new TextEncoder().encode(JSON.stringify(resource)),
                ...(securityContext === undefined ? {} : { securityContext }),
              }
              const heard = await say(parts, 'POST', 'Binary', { body: sent })
              expect(heard).toMatchObject(
                status === 201 ? { status } : { status, kind: 'bad-header', failure: { location: ['http.X-Security-Context'] } },
              )
              if (status === 201) expect(heard.body.securityContext).toEqual({ reference: 'Patient/one' })
              const updated = await say(parts, 'PUT', 'Binary/x', { body: sent })
              expect(updated.status < 300).toBe(status === 201)
            })
          }
        }
      })
      test('PATCH of raw data over 1 MiB: 405', async () => {
        await say(parts, 'PUT', 'Binary/large', { body: { kind: 'raw', bytes: new Uint8Array(1_200_000), contentType: 'a/b' } })
        const body = { kind: 'merge-patch', bytes: new TextEncoder().encode('{"contentType":"c/d"}') }
        expect(await say(parts, 'PATCH', 'Binary/large', { body })).toMatchObject({ status: 405, kind: 'method-not-allowed' })
      })
      test('a content type of 300 characters: 400', async () => {
        const body = { kind: 'raw', bytes, contentType: `a/${'b'.repeat(300)}` }
        expect(await say(parts, 'POST', 'Binary', { body })).toMatchObject({ status: 400, kind: 'bad-header' })
      })
    })

    /** The state table of rest-api.md 10: each state of an instance against each condition. */
    describe('update', () => {
      const states: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
        'never existed': async () => undefined,
        'current, same content': id => put(id, { active: true }),
        'current, other content': id => put(id, { active: false }),
        deleted: async id => {
          await put(id, { active: true })
          await say(parts, 'DELETE', `Patient/${id}`)
        },
      }
      const table: readonly (readonly [string, Sent['conditions'], number, number | string])[] = [
        ['never existed', {}, 201, 1],
        ['never existed', { ifMatch: 'W/"1"' }, 412, 'version-mismatch'],
        ['never existed', { ifMatch: '*' }, 412, 'version-mismatch'],
        ['never existed', { ifNoneMatch: '*' }, 201, 1],
        ['current, same content', {}, 200, 1],
        ['current, same content', { ifMatch: '"1"' }, 200, 1],
        ['current, same content', { ifMatch: '2' }, 412, 'version-mismatch'],
        ['current, same content', { ifNoneMatch: '*' }, 412, 'already-exists'],
        ['current, other content', {}, 200, 2],
        ['current, other content', { ifMatch: '1' }, 200, 2],
        ['current, other content', { ifMatch: '"2", W/"1"' }, 200, 2],
        ['current, other content', { ifMatch: '*' }, 200, 2],
        ['current, other content', { ifMatch: '2' }, 412, 'version-mismatch'],
        ['current, other content', { ifMatch: 'W/1"' }, 400, 'bad-header'],
        ['current, other content', { ifNoneMatch: '*' }, 412, 'already-exists'],
        ['current, other content', { ifNoneMatch: 'W/"1"' }, 412, 'already-exists'],
        ['current, other content', { ifNoneMatch: 'W/"2"' }, 200, 2],
        ['deleted', {}, 201, 3],
        ['deleted', { ifMatch: '2' }, 412, 'version-mismatch'],
        ['deleted', { ifNoneMatch: '*' }, 201, 3],
      ]
      for (const [state, conditions, status, outcome] of table) {
        test(`${state}, ${JSON.stringify(conditions)}: ${status} ${outcome}`, async () => {
          const id = fresh()
          await states[state]?.(id)
          const heard = await put(id, { active: true }, { conditions: conditions ?? {} })
          expect(heard).toMatchObject(typeof outcome === 'number' ? { status, answer: { versionId: outcome } } : { status, kind: outcome })
        })
      }

      test('1,000 PUTs of the same body make one version', async () => {
        const id = fresh()
        const before = parts.audited.length
        for (let time = 0; time < 1000; time += 1) await put(id, { active: true })
        expect((await get(`Patient/${id}/_history`)).body.total).toBe(1)
        expect(parts.audited.length - before).toBe(1001)
      })

      test('an unchanged PUT says so when asked', async () => {
        const id = fresh()
        await put(id)
        expect(await put(id, {}, { prefer: { return: 'OperationOutcome' } })).toMatchObject({ status: 200, issues: ['nothing-changed'] })
      })

      test('order of members does not make a version, order of lists and digits do', async () => {
        const id = fresh()
        const send = (text: string) =>
          say(parts, 'PUT', `Observation/${id}`, { body: `{"resourceType":"Observation","id":"${id}",${text}}` })
        await send('"status":"final","valueQuantity":{"value":1.0}')
        expect((await send('"valueQuantity":{"value":1.0},"status":"final"')).answer?.versionId).toBe(1)
        expect((await send('"status":"final","valueQuantity":{"value":1.00}')).answer?.versionId).toBe(2)
      })

      test('tags and labels survive a PUT without them, profiles do not', async () => {
        const id = fresh()
        await put(id, { meta: { tag: [{ system: 's', code: 'a' }], security: [{ system: 's', code: 'r' }], profile: ['http://p'] } })
        const heard = await put(id, { active: true, meta: { tag: [{ system: 's', code: 'b' }] } })
        expect(heard.body.meta).toMatchObject({ tag: [{ code: 'a' }, { code: 'b' }], security: [{ code: 'r' }] })
        expect(heard.body.meta.profile).toBeUndefined()
      })

      const careless: readonly (readonly [string, object, number, string])[] = [
        ['without id', { resourceType: 'Patient' }, 400, 'id-missing'],
        ['with another id', patient({ id: 'other' }), 400, 'id-mismatch'],
        ['of another type', { resourceType: 'Observation', id: 'x' }, 400, 'wrong-resource-type'],
      ]
      for (const [name, body, status, kind] of careless) {
        test(`a body ${name}: ${status}`, async () =>
          expect(await say(parts, 'PUT', 'Patient/x', { body })).toMatchObject({ status, kind }))
      }

      test('an id that reads as an NIK: 422', async () =>
        expect(await put('3171014507900001')).toMatchObject({ status: 422, kind: 'nik-as-id' }))
      test('16 digits that are no NIK: 201', async () => expect(await put('3171019907900001')).toMatchObject({ status: 201 }))
      test('search parameters beside an id: 400', async () =>
        expect(await say(parts, 'PUT', 'Patient/x?name=y', { body: patient({ id: 'x' }) })).toMatchObject({
          status: 400,
          kind: 'unknown-parameter',
        }))

      test('where clients may not choose ids: 405, and revival still goes', async () => {
        await using strict = await testParts({ engine, settings: { updateCreate: false } })
        expect(await say(strict, 'PUT', 'Patient/x', { body: patient({ id: 'x' }) })).toMatchObject({
          status: 405,
          kind: 'update-create-off',
          failure: { allow: ['GET', 'HEAD', 'PATCH', 'DELETE'] },
        })
        const { body } = await say(strict, 'POST', 'Patient', { body: patient() })
        await say(strict, 'DELETE', `Patient/${body.id}`)
        expect(await say(strict, 'PUT', `Patient/${body.id}`, { body: patient({ id: body.id }) })).toMatchObject({
          status: 201,
          answer: { versionId: 3 },
        })
      })

      test('where If-Match is demanded: changes without it 412, new ones go', async () => {
        await using strict = await testParts({ engine, settings: { ifMatchRequired: true } })
        const body = patient({ id: 'x' })
        expect((await say(strict, 'PUT', 'Patient/x', { body })).status).toBe(201)
        expect(await say(strict, 'PUT', 'Patient/x', { body: { ...body, active: true } })).toMatchObject({
          status: 412,
          kind: 'if-match-required',
        })
        expect(await say(strict, 'DELETE', 'Patient/x')).toMatchObject({ status: 412, kind: 'if-match-required' })
        expect((await say(strict, 'DELETE', 'Patient/x', { conditions: { ifMatch: '1' } })).status).toBe(204)
      })
    })

    describe('patch', () => {
      const jsonPatch = (url: string, operations: unknown, sent: Sent = {}) =>
        say(parts, 'PATCH', url, { body: { kind: 'json-patch', bytes: new TextEncoder().encode(JSON.stringify(operations)) }, ...sent })
      const mergePatch = (url: string, value: unknown) =>
        say(parts, 'PATCH', url, { body: { kind: 'merge-patch', bytes: new TextEncoder().encode(JSON.stringify(value)) } })
      const fhirPathPatch = (url: string, ...operations: readonly object[]) =>
        say(parts, 'PATCH', url, { body: { resourceType: 'Parameters', parameter: operations.map(part => ({ name: 'operation', part })) } })

      test('JSON Patch', async () => {
        const id = fresh()
        await put(id, { active: true })
        expect(await jsonPatch(`Patient/${id}`, [{ op: 'replace', path: '/active', value: false }])).toMatchObject({
          status: 200,
          body: { active: false, meta: { versionId: '2' } },
        })
      })
      test('merge patch', async () => {
        const id = fresh()
        await put(id, { active: true, gender: 'male' })
        const heard = await mergePatch(`Patient/${id}`, { active: null, gender: 'female' })
        expect(heard).toMatchObject({ status: 200, body: { gender: 'female' } })
        expect(heard.body.active).toBeUndefined()
      })
      test('FHIRPath Patch', async () => {
        const id = fresh()
        await put(id, { birthDate: '1990-01-01' })
        const operation = [
          { name: 'type', valueCode: 'replace' },
          { name: 'path', valueString: 'Patient.birthDate' },
          { name: 'value', valueDate: '1991-02-02' },
        ]
        expect(await fhirPathPatch(`Patient/${id}`, operation)).toMatchObject({ status: 200, body: { birthDate: '1991-02-02' } })
      })
      test('a tag that a patch removes is gone', async () => {
        const id = fresh()
        await put(id, { meta: { tag: [{ system: 's', code: 'a' }] } })
        const heard = await jsonPatch(`Patient/${id}`, [{ op: 'remove', path: '/meta/tag' }])
        expect(heard.status).toBe(200)
        expect(heard.body.meta.tag).toBeUndefined()
      })
      test('nothing changed makes no version', async () => {
        const id = fresh()
        await put(id, { active: true })
        expect(await mergePatch(`Patient/${id}`, { active: true })).toMatchObject({ status: 200, answer: { versionId: 1 } })
      })

      const refused: readonly (readonly [string, unknown, number, string])[] = [
        ['test that is false', [{ op: 'test', path: '/active', value: false }], 422, 'patch-failed'],
        ['a path that is not there', [{ op: 'remove', path: '/gender' }], 422, 'patch-failed'],
        ['no patch', { a: 1 }, 400, 'patch-document'],
        ['an unknown operation', [{ op: 'frobnicate', path: '/active' }], 400, 'patch-document'],
        ['another id', [{ op: 'replace', path: '/id', value: 'z' }], 422, 'patch-protected'],
        ['another type', [{ op: 'replace', path: '/resourceType', value: 'Group' }], 422, 'patch-protected'],
        ['another version', [{ op: 'replace', path: '/meta/versionId', value: '9' }], 422, 'patch-protected'],
        ['another lastUpdated', [{ op: 'remove', path: '/meta/lastUpdated' }], 422, 'patch-protected'],
        [
          'a result that is partial',
          [
            {
              op: 'add',
              path: '/meta/tag',
              value: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }],
            },
          ],
          422,
          'partial-resource',
        ],
      ]
      for (const [name, operations, status, kind] of refused) {
        test(`${name}: ${status} ${kind}`, async () => {
          const id = fresh()
          await put(id, { active: true })
          expect(await jsonPatch(`Patient/${id}`, operations)).toMatchObject({ status, kind })
        })
      }
      for (const path of ['/__proto__/x', '/constructor/prototype/x']) {
        test(`add ${path}: 422, nothing polluted`, async () => {
          const id = fresh()
          await put(id, { active: true })
          expect((await jsonPatch(`Patient/${id}`, [{ op: 'add', path, value: 1 }])).status).toBe(422)
          expect(({} as Record<string, unknown>).x).toBeUndefined()
        })
      }
      test('copies that double without end stop at the limit: 413', async () => {
        const id = fresh()
        await put(id, { name: [{ text: 'x'.repeat(1000) }] })
        const operations = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/name', path: '/name/-' }))
        expect((await jsonPatch(`Patient/${id}`, operations)).status).toBe(413)
      })
      test('an array sent as JSON is told its type: 415', async () => {
        const body = { kind: 'resource', bytes: new TextEncoder().encode('[]') }
        expect(await say(parts, 'PATCH', 'Patient/x', { body })).toMatchObject({
          status: 415,
          failure: { values: { available: 'application/json-patch+json' } },
        })
      })
      test('never creates: 404; deleted: 410 with its version', async () => {
        expect(await mergePatch(`Patient/${fresh()}`, { active: true })).toMatchObject({ status: 404, kind: 'unknown-instance' })
        const id = fresh()
        await put(id)
        await say(parts, 'DELETE', `Patient/${id}`)
        expect(await mergePatch(`Patient/${id}`, { active: true })).toMatchObject({ status: 410, failure: { versionId: 2 } })
      })
      test('If-Match as on update', async () => {
        const id = fresh()
        await put(id)
        const operations = [{ op: 'add', path: '/active', value: true }]
        expect(await jsonPatch(`Patient/${id}`, operations, { conditions: { ifMatch: '2' } })).toMatchObject({ status: 412 })
        expect(await jsonPatch(`Patient/${id}`, operations, { conditions: { ifMatch: '1' } })).toMatchObject({ status: 200 })
      })
    })

    describe('delete', () => {
      test('204 with the version of the deletion, then 410; again 204 without a new version', async () => {
        const id = fresh()
        await put(id)
        expect(await say(parts, 'DELETE', `Patient/${id}`)).toMatchObject({ status: 204, answer: { versionId: 2 } })
        expect(await get(`Patient/${id}`)).toMatchObject({ status: 410, failure: { versionId: 2 } })
        expect(await say(parts, 'DELETE', `Patient/${id}`)).toMatchObject({ status: 204, answer: { versionId: 2 } })
      })
      test('never existed: 204 without ETag', async () => {
        const heard = await say(parts, 'DELETE', `Patient/${fresh()}`)
        expect(heard.status).toBe(204)
        expect(heard.answer?.versionId).toBeUndefined()
      })
      test('return=OperationOutcome: 200', async () => {
        const id = fresh()
        await put(id)
        expect(await say(parts, 'DELETE', `Patient/${id}`, { prefer: { return: 'OperationOutcome' } })).toMatchObject({
          status: 200,
          issues: ['done'],
        })
      })
      test('If-Match wrong, and on what is not there: 412', async () => {
        const id = fresh()
        await put(id)
        expect(await say(parts, 'DELETE', `Patient/${id}`, { conditions: { ifMatch: '7' } })).toMatchObject({ status: 412 })
        expect(await say(parts, 'DELETE', `Patient/${fresh()}`, { conditions: { ifMatch: '1' } })).toMatchObject({ status: 412 })
      })
      test('a referenced instance: 409 that names the referrer; afterwards 204', async () => {
        const id = fresh()
        await put(id)
        await say(parts, 'PUT', `Observation/${id}`, { body: { resourceType: 'Observation', id, subject: { reference: `Patient/${id}` } } })
        expect(await say(parts, 'DELETE', `Patient/${id}`)).toMatchObject({
          status: 409,
          kind: 'still-referenced',
          failure: { values: { what: `Patient/${id}`, referrers: `Observation/${id}` } },
        })
        await say(parts, 'DELETE', `Observation/${id}`)
        expect(await say(parts, 'DELETE', `Patient/${id}`)).toMatchObject({ status: 204 })
      })
      // biome-ignore format: a table
      const places: readonly (readonly [where: string, of: (reference: string) => object])[] = [
    ['to a version',            reference => ({ subject: { reference: `${reference}/_history/1` } })],
    ['in an extension',         reference => ({ extension: [{ url: 'u', valueReference: { reference } }] })],
    ['beside a primitive',      reference => ({ _status: { extension: [{ url: 'u', valueReference: { reference } }] } })],
    ['in a contained resource', reference => ({ contained: [{ resourceType: 'Encounter', subject: { reference } }] })],
    ['where none can search',   reference => ({ note: [{ authorReference: { reference }, text: 'x' }] })],
  ]
      for (const [where, of] of places) {
        test(`a reference ${where} holds it too`, async () => {
          const id = fresh()
          await put(id)
          await say(parts, 'PUT', `Observation/${id}`, { body: { resourceType: 'Observation', id, ...of(`Patient/${id}`) } })
          expect(await say(parts, 'DELETE', `Patient/${id}`)).toMatchObject({ status: 409, kind: 'still-referenced' })
          await say(parts, 'PUT', `Observation/${id}`, { body: { resourceType: 'Observation', id } })
          expect(await say(parts, 'DELETE', `Patient/${id}`)).toMatchObject({ status: 204 })
        })
      }
      test('eight referrers: five are named', async () => {
        const id = fresh()
        await put(id)
        for (let at = 0; at < 8; at += 1) {
          await say(parts, 'PUT', `Observation/${id}-${at}`, {
            body: { resourceType: 'Observation', id: `${id}-${at}`, subject: { reference: `Patient/${id}` } },
          })
        }
        const { failure } = await say(parts, 'DELETE', `Patient/${id}`)
        expect(String(failure?.values.referrers).split(', ')).toHaveLength(5)
      })
      test('where it is allowed, a referenced instance goes', async () => {
        await using lax = await testParts({ engine, settings: { deleteReferenced: 'allow' } })
        await say(lax, 'PUT', 'Patient/x', { body: patient({ id: 'x' }) })
        await say(lax, 'PUT', 'Observation/x', { body: { resourceType: 'Observation', id: 'x', subject: { reference: 'Patient/x' } } })
        expect((await say(lax, 'DELETE', 'Patient/x')).status).toBe(204)
      })
      test('a reference to itself does not hold it', async () => {
        const id = fresh()
        await put(id, { link: [{ other: { reference: `Patient/${id}` }, type: 'seealso' }] })
        expect((await say(parts, 'DELETE', `Patient/${id}`)).status).toBe(204)
      })
    })

    describe('conditional interactions', () => {
      const create = (value: string, text: string, sent: Sent = {}) =>
        say(parts, 'POST', 'Patient', { body: withIdentifier(value), conditions: { ifNoneExist: text }, ...sent })

      test('create: 201, then 200 with the match and nothing written', async () => {
        const value = fresh()
        const first = await create(value, `identifier=urn:x|${value}`)
        expect(first.status).toBe(201)
        const second = await create(value, `identifier=urn:x|${value}`)
        expect(second).toMatchObject({
          status: 200,
          body: { id: first.body.id },
          answer: { versionId: 1, location: `Patient/${first.body.id}/_history/1` },
        })
        expect((await get(`Patient?identifier=urn:x|${value}`)).body.total).toBe(1)
      })

      const forms = (value: string) => [
        `identifier=urn:x%7C${value}`,
        `?identifier=urn:x|${value}`,
        `Patient?identifier=urn:x|${value}`,
        `${testBase}/Patient?identifier=urn:x|${value}`,
      ]
      test('all forms of If-None-Exist mean the same', async () => {
        const value = fresh()
        await create(value, `identifier=urn:x|${value}`)
        for (const form of forms(value)) expect((await create(value, form)).status).toBe(200)
      })

      const refused: readonly (readonly [string, string])[] = [
        ['foo=bar', 'unknown-parameter'],
        ['identifier=', 'empty-value'],
        ['', 'criteria-not-selective'],
        ['_count=1', 'criteria-not-selective'],
        ['identifier=a&_sort=name', 'criteria-not-selective'],
        ['Observation?code=x', 'wrong-resource-type'],
        ['identifier=%zz', 'bad-url'],
      ]
      for (const [text, kind] of refused) {
        test(`If-None-Exist: ${text} is 400, never "no match, so create"`, async () =>
          expect(await create('x', text)).toMatchObject({ status: 400, kind }))
      }

      test('several matches: 412 for create, update, patch, delete', async () => {
        const value = fresh()
        for (let time = 0; time < 2; time += 1) await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        const url = `Patient?identifier=urn:x|${value}`
        const expected = { status: 412, kind: 'multiple-matches' }
        expect(await create(value, `identifier=urn:x|${value}`)).toMatchObject(expected)
        expect(await say(parts, 'PUT', url, { body: withIdentifier(value) })).toMatchObject(expected)
        expect(
          await say(parts, 'PATCH', url, { body: { kind: 'merge-patch', bytes: new TextEncoder().encode('{"active":true}') } }),
        ).toMatchObject(expected)
        expect(await say(parts, 'DELETE', url)).toMatchObject(expected)
      })

      test('what does not match its own identifier criteria: 422; other criteria warn', async () => {
        expect(await create('mine', 'identifier=urn:x|yours')).toMatchObject({ status: 422, kind: 'criteria-not-met' })
        const heard = await say(parts, 'POST', 'Patient', {
          body: patient({ gender: 'male' }),
          conditions: { ifNoneExist: 'birthdate=1850-01-01' },
          prefer: { return: 'OperationOutcome' },
        })
        expect(heard).toMatchObject({ status: 201, issues: ['criteria-not-met'] })
      })

      test('update: 201 with our id, then 200 on the match, then unchanged', async () => {
        const value = fresh()
        const url = `Patient?identifier=urn:x|${value}`
        const first = await say(parts, 'PUT', url, { body: withIdentifier(value) })
        expect(first).toMatchObject({ status: 201, answer: { versionId: 1 } })
        expect(await say(parts, 'PUT', url, { body: withIdentifier(value, { active: true }) })).toMatchObject({
          status: 200,
          body: { id: first.body.id },
          answer: { versionId: 2 },
        })
        expect(await say(parts, 'PUT', url, { body: withIdentifier(value, { id: first.body.id, active: true }) })).toMatchObject({
          status: 200,
          answer: { versionId: 2 },
        })
      })

      test('update with an id in the body: created under it; another id than the match 400; an id that is taken 409', async () => {
        const [value, id, taken] = [fresh(), fresh(), fresh()]
        const url = `Patient?identifier=urn:x|${value}`
        await put(taken)
        expect(await say(parts, 'PUT', url, { body: withIdentifier(value, { id: taken }) })).toMatchObject({
          status: 409,
          kind: 'id-taken',
        })
        expect(await say(parts, 'PUT', url, { body: withIdentifier(value, { id }) })).toMatchObject({ status: 201, body: { id } })
        expect(await say(parts, 'PUT', url, { body: withIdentifier(value, { id: taken }) })).toMatchObject({
          status: 400,
          kind: 'match-has-other-id',
        })
      })

      test('update with If-Match is checked against the match, with If-None-Match: * it only creates', async () => {
        const value = fresh()
        const url = `Patient?identifier=urn:x|${value}`
        const body = withIdentifier(value)
        expect((await say(parts, 'PUT', url, { body, conditions: { ifNoneMatch: '*' } })).status).toBe(201)
        expect((await say(parts, 'PUT', url, { body, conditions: { ifNoneMatch: '*' } })).status).toBe(412)
        expect((await say(parts, 'PUT', url, { body, conditions: { ifMatch: '9' } })).status).toBe(412)
        const nobody = `Patient?identifier=urn:x|${fresh()}`
        expect(await say(parts, 'PUT', nobody, { body, conditions: { ifMatch: '9' } })).toMatchObject({
          failure: { values: { what: 'Patient' } },
        })
      })

      const url = (value: string) => `Patient?identifier=urn:x|${value}`
      test('patch: none 404, one 200', async () => {
        const value = fresh()
        const body = { kind: 'merge-patch', bytes: new TextEncoder().encode('{"active":true}') }
        expect(await say(parts, 'PATCH', url(value), { body })).toMatchObject({ status: 404, kind: 'no-match' })
        await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        expect(await say(parts, 'PATCH', url(value), { body })).toMatchObject({ status: 200, body: { active: true } })
      })

      test('delete: none 204, one 204', async () => {
        const value = fresh()
        expect((await say(parts, 'DELETE', url(value))).status).toBe(204)
        const { body } = await say(parts, 'POST', 'Patient', { body: withIdentifier(value) })
        expect(await say(parts, 'DELETE', url(value))).toMatchObject({ status: 204, answer: { versionId: 2 } })
        expect((await get(`Patient/${body.id}`)).status).toBe(410)
      })

      test('delete in multiple mode: all up to the limit in one commit, beyond it 412 with the count', async () => {
        await using multiple = await testParts({ engine, settings: { conditionalDelete: 'multiple' }, limits: { conditionalDeleteMax: 3 } })
        for (let time = 0; time < 5; time += 1)
          await say(multiple, 'POST', 'Patient', { body: patient({ gender: time < 2 ? 'male' : 'female' }) })
        expect(await say(multiple, 'DELETE', 'Patient?gender=male')).toMatchObject({
          status: 204,
          answer: { touched: [{ versionId: 2 }, { versionId: 2 }] },
        })
        expect((await say(multiple, 'DELETE', 'Patient?_lastUpdated=lt2099')).status).toBe(204)
        for (let time = 0; time < 5; time += 1) await say(multiple, 'POST', 'Patient', { body: patient() })
        expect(await say(multiple, 'DELETE', 'Patient?_lastUpdated=lt2099')).toMatchObject({
          status: 412,
          kind: 'too-many-matches',
          failure: { values: { count: 5, max: 3 } },
        })
      })

      test('delete switched off, and delete of everything: 405, 400', async () => {
        await using off = await testParts({ engine, settings: { conditionalDelete: 'off' } })
        expect((await say(off, 'DELETE', 'Patient?identifier=x')).status).toBe(405)
        expect((await say(parts, 'DELETE', 'Patient')).status).toBe(400)
        expect((await say(parts, 'PUT', 'Patient', { body: patient() })).status).toBe(400)
        expect((await say(parts, 'PUT', 'Patient?identifier=', { body: patient() })).status).toBe(400)
        expect((await say(parts, 'DELETE', '?_type=Patient&_id=x')).status).toBe(405)
      })
    })
  })
