/** The CapabilityStatement: rest-api.md 16. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type TestParts, testBase, testParts } from '../support/parts.ts'
import { say } from './speak.ts'

let parts: TestParts
// biome-ignore lint/suspicious/noExplicitAny: a resource is looked into freely
let statement: any

beforeAll(async () => {
  parts = await testParts({ clock: () => Date.UTC(2026, 10, 21) })
  statement = (await say(parts, 'GET', 'metadata')).body
})
afterAll(() => parts[Symbol.asyncDispose]())

const codes = (list: readonly { readonly code: string }[]): string[] => list.map(({ code }) => code).toSorted()

describe('capabilities', () => {
  test('says what it is', () => {
    expect(statement).toMatchObject({
      resourceType: 'CapabilityStatement',
      status: 'active',
      kind: 'instance',
      fhirVersion: '4.0.1',
      date: '2026-11-21T00:00:00.000+00:00',
      implementation: { url: testBase },
      format: ['application/fhir+json', 'json'],
    })
  })

  test('claims no XML, no operations, no CORS, no authorization, no validation', () => {
    const text = JSON.stringify(statement)
    expect(text).not.toMatch(/xml/i)
    expect(statement.rest[0].operation).toBeUndefined()
    expect(statement.rest[0].security.cors).toBe(false)
    expect(statement.rest[0].security.description).toMatch(/^Authorization is off/)
    expect(statement.rest[0].documentation).toMatch(/^Validation is off/)
  })

  test('lists every type with every interaction', () => {
    const { resource } = statement.rest[0]
    expect(resource.map(({ type }: { type: string }) => type)).toEqual(parts.definitions.resourceTypes)
    for (const { interaction } of resource)
      expect(codes(interaction)).toEqual([
        'create',
        'delete',
        'history-instance',
        'history-type',
        'patch',
        'read',
        'search-type',
        'update',
        'vread',
      ])
    expect(codes(statement.rest[0].interaction)).toEqual(['batch', 'history-system', 'search-system', 'transaction'])
  })

  test('every search parameter it lists has a definition and answers', async () => {
    const { searchParam } = statement.rest[0].resource.find(({ type }: { type: string }) => type === 'Patient')
    expect(searchParam).toContainEqual({
      name: 'birthdate',
      definition: 'http://hl7.org/fhir/SearchParameter/individual-birthdate',
      type: 'date',
    })
    const samples: Readonly<Record<string, string>> = { date: '2020', number: '1', quantity: '1', reference: 'Patient/1' }
    for (const { name, type, definition } of searchParam) {
      expect(definition).toMatch(/^http/)
      expect(await say(parts, 'GET', `Patient?${name}=${samples[type] ?? 'x'}`)).toMatchObject({ status: 200 })
    }
  })

  test('names includes in both directions', () => {
    const patient = statement.rest[0].resource.find(({ type }: { type: string }) => type === 'Patient')
    expect(patient.searchInclude).toEqual(expect.arrayContaining(['*', 'Patient:general-practitioner']))
    expect(patient.searchRevInclude).toEqual(expect.arrayContaining(['*', 'Observation:subject']))
  })

  test('follows the settings', async () => {
    await using strict = await testParts({ settings: { ifMatchRequired: true, updateCreate: false, conditionalDelete: 'off' } })
    const { body } = await say(strict, 'GET', 'metadata')
    expect(body.rest[0].resource[0]).toMatchObject({
      versioning: 'versioned-update',
      updateCreate: false,
      conditionalDelete: 'not-supported',
    })
    expect(statement.rest[0].resource[0]).toMatchObject({ versioning: 'versioned', updateCreate: true, conditionalDelete: 'single' })
  })

  test('gives the same bytes every time, and 304 to who has them', async () => {
    const [first, second] = [await say(parts, 'GET', 'metadata'), await say(parts, 'GET', 'metadata?mode=full')]
    expect(first.answer).toEqual(second.answer)
    const etag = `W/"${first.answer?.etag}"`
    expect(await say(parts, 'GET', 'metadata', { conditions: { ifNoneMatch: etag } })).toMatchObject({ status: 304 })
    expect(await say(parts, 'GET', 'metadata', { conditions: { ifNoneMatch: 'W/"other"' } })).toMatchObject({ status: 200 })
  })

  test('normative leaves out types that are not', async () => {
    const { body } = await say(parts, 'GET', 'metadata?mode=normative')
    const types = body.rest[0].resource.map(({ type }: { type: string }) => type)
    expect(types).toContain('Patient')
    expect(types).not.toContain('Encounter')
  })

  test('shows its summary, or the elements that are asked for', async () => {
    const summary = await say(parts, 'GET', 'metadata?_summary=true')
    expect(summary.body).toMatchObject({
      resourceType: 'CapabilityStatement',
      fhirVersion: '4.0.1',
      meta: { tag: [{ code: 'SUBSETTED' }] },
    })
    expect(summary.body.rest[0].resource).toHaveLength(statement.rest[0].resource.length)
    expect(summary.body.rest[0].resource[0].searchParam).toBeUndefined()
    const elements = await say(parts, 'GET', 'metadata?_elements=software,CapabilityStatement.implementation&_format=json')
    expect(elements.body).toMatchObject({ software: statement.software, implementation: statement.implementation, kind: 'instance' })
    expect(elements.body.rest).toBeUndefined()
    expect((await say(parts, 'GET', 'metadata?mode=normative&_summary=text')).body.rest).toBeUndefined()
  })

  test('whole and reduced have tags of their own', async () => {
    const urls = [
      'metadata',
      'metadata?_summary=true',
      'metadata?_summary=data',
      'metadata?_elements=rest',
      'metadata?mode=normative&_summary=true',
    ]
    const tags = []
    for (const url of urls) {
      const etag = (await say(parts, 'GET', url)).answer?.etag
      tags.push(etag)
      expect(await say(parts, 'GET', url, { conditions: { ifNoneMatch: `W/"${etag}"` } })).toMatchObject({ status: 304 })
    }
    expect(new Set(tags).size).toBe(urls.length)
    expect((await say(parts, 'GET', 'metadata?_summary=false')).answer).toEqual((await say(parts, 'GET', 'metadata')).answer)
  })

  const refusals: readonly (readonly [string, number, string])[] = [
    ['metadata?mode=terminology', 501, 'not-enabled'],
    ['metadata?mode=all', 400, 'bad-parameter'],
    ['metadata?mode=', 400, 'empty-value'],
    ['metadata?mode=full&mode=full', 400, 'repeated-parameter'],
    ['metadata?_count=1', 400, 'unknown-parameter'],
    ['metadata?_summary=count', 400, 'bad-parameter'],
    ['metadata?_summary=some', 400, 'bad-parameter'],
    ['metadata?_elements=birthDate', 400, 'unknown-element'],
    ['metadata?_elements=rest&_summary=true', 400, 'parameter-clash'],
  ]
  for (const [url, status, kind] of refusals)
    test(`${url} is refused: ${kind}`, async () => expect(await say(parts, 'GET', url)).toMatchObject({ status, kind }))
})
