// Speaks for storage-and-search.md 20.2 (oracle): index, tree and evaluation together agree with a plain reading of the resource.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { defaultLimits } from '../../src/base/limits.ts'
import { evaluate } from '../../src/search/evaluate.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { parseSearch } from '../../src/search/parse.ts'
import type { Node } from '../../src/search/tree.ts'
import { testDefinitions } from '../support/definitions.ts'
import { generatedResources, generatedSearches } from '../support/generated-searches.ts'
import { meetsPlainly, type PlainResource } from '../support/oracle.ts'

const definitions = testDefinitions()
const settings = { base: 'https://rs.example/fhir', zone: 'Asia/Jakarta' }
const index = createIndexer(definitions, settings)

const treeOf = (type: string, query: string): Node => {
  const parameters = query.split('&').map(pair => ({ name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1) }))
  const parsed = parseSearch({ types: [type], parameters, handling: 'strict', definitions, limits: defaultLimits, settings, now: 0 })
  if (!parsed.ok) throw new Error(`${query}: ${parsed.failure.kind} ${JSON.stringify(parsed.failure.values)}`)
  return parsed.value.query.parts[0]?.where as Node
}

const runs = process.env['SIMPUL_TEST_LONG'] ? 100_000 : 4000

describe('What the tree finds in the index is what the resource says', () => {
  for (const type of ['Patient', 'Observation'])
    test(`for random searches of ${type}`, () => {
      const several = fc
        .array(generatedSearches[type] as fc.Arbitrary<string>, { minLength: 1, maxLength: 3 })
        .map(parts => parts.join('&'))
      fc.assert(
        fc.property(generatedResources[type] as fc.Arbitrary<object>, several, (members, query) => {
          const resource: PlainResource = { resourceType: type, id: 'p', ...members }
          const values = index(resource)
          expect(evaluate(treeOf(type, query), { type, id: 'p', values })).toBe(meetsPlainly(resource, query))
        }),
        { numRuns: runs },
      )
    })
})

test('Index values hold nothing twice', () =>
  fc.assert(
    fc.property(
      fc.oneof(
        ...Object.entries(generatedResources).map(([type, members]) => members.map(found => ({ resourceType: type, id: 'p', ...found }))),
      ),
      resource => {
        const values = index(resource)
        for (const rows of Object.values(values)) {
          const texts = (rows as readonly unknown[]).map(row => JSON.stringify(row, (key, value) => (key === 'mark' ? undefined : value)))
          expect(new Set(texts).size).toBe(texts.length)
        }
      },
    ),
    { numRuns: 500 },
  ))

describe('What depends on more than the resource', () => {
  const values = index({ resourceType: 'Patient', id: '1', gender: 'male' } as { resourceType: string })
  const ask = (query: string, more = {}) => evaluate(treeOf('Patient', query), { type: 'Patient', id: '1', values, ...more })
  test('is unknown', () => {
    expect(ask('organization.name=x')).toBeUndefined()
    expect(ask('_has:Observation:patient:code=x')).toBeUndefined()
    expect(ask('_lastUpdated=2024')).toBeUndefined()
  })
  test('does not matter where another condition decides', () => {
    expect(ask('organization.name=x&gender=female')).toBe(false)
    expect(ask('organization.name=x&gender=male')).toBeUndefined()
  })
  test('is known when told', () => {
    expect(ask('_lastUpdated=2024', { lastUpdated: Date.UTC(2024, 5) })).toBe(true)
    expect(ask('_lastUpdated=gt2024', { lastUpdated: Date.UTC(2024, 11, 31, 17) })).toBe(true)
    expect(ask('_lastUpdated=gt2024', { lastUpdated: Date.UTC(2024, 11, 31, 17) - 1 })).toBe(false)
  })
  test('follows an access filter', () => {
    const permits = (filter: Extract<Node, { op: 'access' }>['filter'], patients?: readonly string[]) =>
      evaluate({ op: 'access', filter }, { type: 'Patient', id: '1', values, ...(patients ? { patients } : {}) })
    expect(permits({ op: 'all' })).toBe(true)
    expect(permits({ op: 'not', of: { op: 'none' } })).toBe(true)
    expect(permits({ op: 'patient', id: '1' }, ['1'])).toBe(true)
    expect(permits({ op: 'patient', id: '1' }, ['2'])).toBe(false)
    expect(permits({ op: 'patient', id: '1' })).toBeUndefined()
    expect(
      permits({
        op: 'or',
        of: [
          { op: 'patient', id: '1' },
          { op: 'ids', ids: ['1'] },
        ],
      }),
    ).toBe(true)
    expect(permits({ op: 'owner', organizations: ['x'] })).toBeUndefined()
  })
})
