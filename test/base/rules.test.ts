import { describe, expect, test } from '@jest/globals'
import { type FailureKind, failureKinds, sentence } from '../../src/base/failure-kinds.ts'
import { fail } from '../../src/base/outcome.ts'
import { clause, isRule, type RuleKey, rule, rules } from '../../src/base/rules.ts'

const keys = Object.keys(rules) as RuleKey[]
const placesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()

describe('every rule', () => {
  for (const key of keys) {
    test(`${key} is a clause in both languages with the same places`, () => {
      const { en, id } = rules[key]
      expect(id).not.toBe(en)
      expect(placesOf(id)).toEqual(placesOf(en))
      for (const text of [en, id]) expect(text).not.toMatch(/^$|^\s|[.\s]$/)
      const values = Object.fromEntries(placesOf(en).map(place => [place.slice(1, -1), 'X']))
      for (const language of ['en', 'id'] as const) expect(clause({ rule: key, values }, language)).not.toMatch(/\{\w+\}/)
    })
  }
})

test('every kind that has a place for a rule speaks one language at a time', () => {
  const kinds = (Object.keys(failureKinds) as FailureKind[]).filter(kind => /\{(?:rule|reason)\}/.test(failureKinds[kind].en))
  expect(kinds.sort()).toEqual([
    'bad-fhirpath',
    'bad-header',
    'bad-member',
    'bad-parameter',
    'bundle-entry',
    'json-syntax',
    'patch-document',
    'patch-failed',
  ])
  const broken = rule('at-most-operations', { max: 3 })
  for (const kind of kinds) {
    const values = { rule: broken, reason: broken }
    expect(sentence(kind, values, 'en')).toContain('it has at most 3 operations')
    expect(sentence(kind, values, 'id')).toContain('isinya paling banyak 3 operasi')
    expect(sentence(kind, values, 'id')).not.toContain('it has')
  }
})

test('a value that looks like a place stays as it is', () => {
  expect(clause(rule('must-refer-to', { type: '{type}$&' }), 'en')).toBe('it must refer to a {type}$&')
})

test('a rule is told from everything else a function may give', () => {
  expect(isRule(rule('etag-form'))).toBe(true)
  for (const other of [undefined, null, 'etag-form', [], { rule: 'x' }, { values: {} }]) expect(isRule(other)).toBe(false)
})

test('the compiler refuses free phrases, rules without their places and places that a rule does not have', () => {
  // @ts-expect-error a phrase has one language only
  fail('patch-document', { rule: 'it is not good' })
  // @ts-expect-error no such rule
  rule('not-good')
  // @ts-expect-error the place {max} is left open
  rule('sort-at-most')
  // @ts-expect-error there is no place
  rule('etag-form', { max: 1 })
  expect(fail('patch-document', { rule: rule('etag-form') }).failure.values).toEqual({ rule: { rule: 'etag-form', values: {} } })
})
