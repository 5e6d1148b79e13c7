// Speaks for storage-and-search.md 20.2 (oracle): index, tree and evaluation together agree with a plain reading of the resource.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { defaultLimits } from '../../src/base/limits.ts'
import { evaluate } from '../../src/search/evaluate.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { parseSearch } from '../../src/search/parse.ts'
import type { Node } from '../../src/search/tree.ts'
import { testDefinitions } from '../support/definitions.ts'
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

const one = fc.constantFrom
const optional = <T>(member: string, value: fc.Arbitrary<T>) =>
  fc.option(
    value.map(found => ({ [member]: found })),
    { nil: {} },
  )
const object = (...members: fc.Arbitrary<object>[]): fc.Arbitrary<object> => fc.tuple(...members).map(parts => Object.assign({}, ...parts))
const list = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 })

const word = one('Ana', 'ana', 'Anastasia', 'Böhm', "O'Neill", 'de la Cruz', 'X', 'Siti-Ana')
const system = one('http://a', 'http://b')
const code = one('1', '2', '12')
const day = one('2020', '2020-02', '2020-02-29', '2020-03-01', '2019-12-31', '2021')
const prefix = one('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb')
const unit = one('mg', 'g', 'kg')
const number = one('5', '5.4', '5.40', '0.005', '0.0054', '5000', '-1', '0', '5.35', '5.45')
const reference = one('Patient/1', 'Patient/2', 'Group/1')

const resources: Readonly<Record<string, fc.Arbitrary<object>>> = {
  Patient: object(
    optional('name', list(object(optional('family', word), optional('given', list(word))))),
    optional(
      'identifier',
      list(
        object(
          optional('system', system),
          code.map(value => ({ value })),
        ),
      ),
    ),
    optional('gender', one('male', 'female')),
    optional('active', fc.boolean()),
    optional('birthDate', day),
    optional(
      'managingOrganization',
      one('Organization/1', 'Organization/2').map(text => ({ reference: text })),
    ),
  ),
  Observation: object(
    optional(
      'code',
      list(
        object(
          optional('system', system),
          code.map(found => ({ code: found })),
        ),
      ).map(coding => ({ coding })),
    ),
    optional(
      'subject',
      reference.map(text => ({ reference: text })),
    ),
    fc.oneof(
      optional('effectiveDateTime', day),
      optional(
        'effectivePeriod',
        one({ start: '2020' }, { end: '2020-02' }, { start: '2019-12-31', end: '2020-02-29' }, { start: '2020-02', end: '2021' }),
      ),
    ),
    optional(
      'valueQuantity',
      fc.oneof(
        fc
          .tuple(number, unit, optional('comparator', one('<', '>=')))
          .map(([value, of, more]) => ({ value: Number(value), unit: of, system: 'http://unitsofmeasure.org', code: of, ...more })),
        fc.tuple(number, unit).map(([value, of]) => ({ value: Number(value), unit: of })),
      ),
    ),
  ),
}

const pair = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>) => fc.tuple(name, value).map(([n, v]) => `${n}=${v}`)
const either = (value: fc.Arbitrary<string>) => fc.array(value, { minLength: 1, maxLength: 2 }).map(values => values.join())
const token = fc.oneof(
  code,
  fc.tuple(system, code).map(([s, c]) => `${s}|${c}`),
  code.map(c => `|${c}`),
  system.map(s => `${s}|`),
)
const quantity = fc
  .tuple(prefix, number, one('', '|http://unitsofmeasure.org|mg', '|http://unitsofmeasure.org|g', '||mg', '||kg'))
  .map(parts => parts.join(''))
const missing = (...codes: string[]) => pair(one(...codes.map(name => `${name}:missing`)), one('true', 'false'))

const queries: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Patient: fc.oneof(
    pair(
      one('name', 'family', 'given', 'name:exact', 'family:exact', 'given:contains', 'name:contains'),
      either(fc.oneof(word, one('an', 'bohm', 'neill', 'ONEILL', 'cruz', 'la cruz'))),
    ),
    pair(one('identifier', 'identifier:not'), either(token)),
    pair(one('gender', 'gender:not'), either(one('male', 'female', '|male', 'http://hl7.org/fhir/administrative-gender|male'))),
    pair(one('active'), one('true', 'false')),
    pair(one('birthdate'), either(fc.tuple(prefix, day).map(parts => parts.join('')))),
    pair(one('organization'), either(one('1', 'Organization/1', 'Organization/2'))),
    pair(one('_id'), either(one('p', 'q'))),
    missing('name', 'identifier', 'gender', 'active', 'birthdate', 'organization'),
  ),
  Observation: fc.oneof(
    pair(one('code', 'code:not'), either(token)),
    pair(one('subject', 'subject:not'), either(one('1', 'Patient/1', 'Patient/2', 'Group/1'))),
    pair(one('subject:Patient'), one('1', '2', 'Patient/1')),
    pair(one('date'), either(fc.tuple(prefix, day).map(parts => parts.join('')))),
    pair(one('value-quantity'), either(quantity)),
    pair(
      one('code-value-quantity'),
      either(
        fc
          .tuple(
            fc.oneof(
              code,
              fc.tuple(system, code).map(([s, c]) => `${s}|${c}`),
              code.map(c => `|${c}`),
            ),
            quantity,
          )
          .map(([c, q]) => `${c}$${q}`),
      ),
    ),
    missing('code', 'subject', 'date', 'value-quantity', 'code-value-quantity'),
  ),
}

const runs = process.env['SIMPUL_TEST_LONG'] ? 100_000 : 4000

describe('What the tree finds in the index is what the resource says', () => {
  for (const type of ['Patient', 'Observation'])
    test(`for random searches of ${type}`, () => {
      const several = fc.array(queries[type] as fc.Arbitrary<string>, { minLength: 1, maxLength: 3 }).map(parts => parts.join('&'))
      fc.assert(
        fc.property(resources[type] as fc.Arbitrary<object>, several, (members, query) => {
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
      fc.oneof(...Object.entries(resources).map(([type, members]) => members.map(found => ({ resourceType: type, id: 'p', ...found })))),
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
