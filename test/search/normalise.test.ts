// Speaks for storage-and-search.md 8: one question, one tree.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { evaluate } from '../../src/search/evaluate.ts'
import { canonicalText, normalise } from '../../src/search/normalise.ts'
import type { Node, ParamRef, Prefix } from '../../src/search/tree.ts'
import type { IndexValues } from '../../src/search/values.ts'

const facts = { holdsOneDate: (param: ParamRef) => param.code === 'birthdate' }
const gender = (code: string): Node => ({ op: 'token', param: { type: 'Patient', code: 'gender', kind: 'token' }, code })
const [a, b, c] = ['a', 'b', 'c'].map(gender) as [Node, Node, Node]
const all: Node = { op: 'all' }
const none: Node = { op: 'none' }
const and = (...of: Node[]): Node => ({ op: 'and', of })
const or = (...of: Node[]): Node => ({ op: 'or', of })
const not = (of: Node): Node => ({ op: 'not', of })
const ids = (...given: string[]): Node => ({ op: 'id', ids: given })

describe('The one form of', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [string, Node, Node])[] = [
    ['a nested and', and(a, and(b, c)), and(a, b, c)], ['alternatives in any order', or(c, a, b), or(a, b, c)], ['repetitions', and(a, a), a],
    ['nothing asked', and(), all], ['no alternative', or(), none], ['an impossible condition', and(a, none), none], ['a certain condition', and(a, all), a],
    ['an impossible alternative', or(a, none), a], ['a certain alternative', or(a, all), all],
    ['not all', not(all), none], ['not not', not(not(a)), a], ['not of alternatives', not(or(a, b)), and(not(a), not(b))], ['not of conditions', not(and(a, b)), or(not(a), not(b))],
    ['ids', or(ids('2'), ids('1', '2')), ids('1', '2')], ['ids in common', and(ids('1', '2'), ids('2', '3')), ids('2')], ['no id in common', and(ids('1'), ids('2')), none],
    ['a chain to nothing', { op: 'chain', param: { type: 'Patient', code: 'link', kind: 'reference' }, of: [{ type: 'Patient', where: and(none) }] }, none],
  ]
  for (const [what, node, expected] of rows) test(what, () => expect(normalise(node, facts)).toEqual(expected))
})

const leaf = fc.constantFrom<Node>(a, b, c, all, none, ids('1'), ids('1', '2'), ids('3'))
const tree: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>(tie => ({
  node: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }).map(of => and(...of)),
    fc.array(tie('node'), { maxLength: 3 }).map(of => or(...of)),
    tie('node').map(not),
  ),
})).node

const empty: IndexValues = { tokens: [], strings: [], dates: [], numbers: [], references: [], composites: [], sort: [], shape: [] }
const withGenders = (codes: readonly string[]): IndexValues => ({
  ...empty,
  tokens: codes.map(code => ({ param: 'gender', system: '', code, mark: 0 })),
})

describe('Normalising', () => {
  test('does not change what is found', () =>
    fc.assert(
      fc.property(tree, fc.subarray(['a', 'b', 'c']), fc.constantFrom('1', '2', '3'), (node, codes, id) => {
        const candidate = { type: 'Patient', id, values: withGenders(codes) }
        expect(evaluate(normalise(node, facts), candidate)).toBe(evaluate(node, candidate))
      }),
    ))
  test('twice changes nothing more', () =>
    fc.assert(
      fc.property(tree, node =>
        expect(canonicalText(normalise(normalise(node, facts), facts))).toBe(canonicalText(normalise(node, facts))),
      ),
    ))
})

describe('Conditions on one date', () => {
  const day = 86_400_000
  const date = (code: string, prefix: Prefix, lo: number, hi: number): Node => ({
    op: 'date',
    param: { type: 'Patient', code, kind: 'date' },
    test: { prefix, lo: lo * day, hi: hi * day },
  })
  test('that exclude each other are nothing', () =>
    expect(normalise(and(date('birthdate', 'gt', 1000, 1001), date('birthdate', 'lt', 10, 11)), facts)).toEqual(none))
  test('are kept on a Period', () =>
    expect(normalise(and(date('date', 'gt', 1000, 1001), date('date', 'lt', 10, 11)), facts).op).toBe('and'))
  test('are kept when a partial date could meet both', () =>
    expect(normalise(and(date('birthdate', 'gt', 100, 101), date('birthdate', 'lt', 10, 11)), facts).op).toBe('and'))
  test('of _lastUpdated are those of an instant', () => {
    const updated = (prefix: Prefix, lo: number): Node => ({ op: 'lastUpdated', test: { prefix, lo, hi: lo + 1000 } })
    expect(normalise(and(updated('gt', 5000), updated('lt', 5000)), facts)).toEqual(none)
    expect(normalise(and(updated('ge', 5000), updated('le', 5000)), facts).op).toBe('and')
  })
  test('are never folded while some date meets them', () => {
    const prefixes: readonly Prefix[] = ['eq', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ne', 'ap']
    const test1 = fc
      .tuple(fc.constantFrom(...prefixes), fc.integer({ min: 0, max: 900 }), fc.constantFrom(1, 30, 365))
      .map(([prefix, lo, width]) => date('birthdate', prefix, lo, lo + width))
    fc.assert(
      fc.property(
        fc.array(test1, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 0, max: 900 }),
        fc.constantFrom(1, 30, 365),
        (tests, lo, width) => {
          const values: IndexValues = { ...empty, dates: [{ param: 'birthdate', lo: lo * day, hi: (lo + width) * day, mark: 3 }] }
          const candidate = { type: 'Patient', id: '1', values }
          if (evaluate(and(...tests), candidate)) expect(normalise(and(...tests), facts).op).not.toBe('none')
        },
      ),
      { numRuns: 3000 },
    )
  })
})
