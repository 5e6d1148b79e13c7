// Speaks for rest-api.md 14: criteria of conditional interactions.
import { describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../src/base/limits.ts'
import { parseCriteria, parseCriteriaParameters } from '../../src/search/criteria.ts'
import { testDefinitions } from '../support/definitions.ts'

const base = 'https://rs.example/fhir'
const input = { definitions: testDefinitions(), limits: defaultLimits, settings: { base, zone: 'Asia/Jakarta' }, now: 0 }
const where = (text: string) => {
  const query = parseCriteria('Patient', text, input)
  return query.ok ? query.value.parts[0]?.where : query.failure.kind
}
const identifier = (system: string | undefined, code: string) => ({
  op: 'token',
  param: { type: 'Patient', code: 'identifier', kind: 'token' },
  ...(system === undefined ? {} : { system }),
  code,
})

describe('Criteria are understood', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [string, object])[] = [
    ['identifier=a|b', identifier('a', 'b')],
    ['?identifier=a|b', identifier('a', 'b')],
    ['Patient?identifier=a|b', identifier('a', 'b')],
    [`${base}/Patient?identifier=a|b`, identifier('a', 'b')],
    ['identifier=http%3A%2F%2Fx%7Cb%26c', identifier('http://x', 'b&c')],
    ['identifier=http://x?y=1|b', identifier('http://x?y=1', 'b')],
    ['identifier=a%252Cb', identifier(undefined, 'a%2Cb')],
    ['identifier=a&_format=json', identifier(undefined, 'a')],
    ['&&identifier=a&', identifier(undefined, 'a')],
  ]
  for (const [text, expected] of rows) test(text, () => expect(where(text)).toEqual(expected))
  test('when they came decoded', () =>
    expect(parseCriteriaParameters('Patient', [{ name: 'identifier', value: '50%|a' }], input)).toMatchObject({
      ok: true,
      value: { sort: [], parts: [{ type: 'Patient', where: identifier('50%', 'a') }] },
    }))
})

describe('Criteria are refused', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [string, string])[] = [
    ['foo=bar', 'unknown-parameter'], ['identifier=', 'empty-value'], ['identifier', 'empty-value'], ['', 'criteria-not-selective'], ['?', 'criteria-not-selective'],
    ['_count=1', 'criteria-not-selective'], ['identifier=a&_sort=name', 'criteria-not-selective'], ['identifier=a&_include=Patient:link', 'criteria-not-selective'],
    ['identifier=a&_include:iterate=Patient:link', 'criteria-not-selective'], ['identifier=a&_summary=true', 'criteria-not-selective'], ['_id:missing=false', 'criteria-not-selective'],
    ['_type=Patient&identifier=a', 'criteria-not-selective'], ['Observation?identifier=a', 'wrong-resource-type'], ['https://other.example/Patient?identifier=a', 'wrong-resource-type'],
    [`${base}/Observation?identifier=a`, 'wrong-resource-type'], ['identifier=%GG', 'bad-url'], ['identifier=%C3', 'bad-url'], ['identifier=a|b|c', 'bad-parameter'],
    ['identifier:of-type=a', 'unsupported-modifier'], [Array(101).fill('name=a').join('&'), 'too-many-parameters'],
  ]
  for (const [text, kind] of rows) test(`${text.slice(0, 60)}: ${kind}`, () => expect(where(text)).toBe(kind))
})
