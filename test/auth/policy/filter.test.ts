/** The filter language: what it means, that its short form means the same, and that equal decisions have equal hashes. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decisionHash } from '../../../src/auth/policy/filter-hash.ts'
import { allOf, anyOf, simplified } from '../../../src/auth/policy/simplify.ts'
import {
  type AccessFilter,
  type AccessSubject,
  type Confidentiality,
  confidentialityLevels,
  lookupsOf,
  permits,
} from '../../../src/base/access-filter.ts'
import { stateWith } from '../../support/principals.ts'

const words = fc.constantFrom('a', 'b', 'c')
const lists = fc.subarray(['a', 'b', 'c'])

const { filter: filters } = fc.letrec<{ filter: AccessFilter }>(tie => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<AccessFilter>({ op: 'all' }, { op: 'none' }, { op: 'patientless' }),
    fc.record({ op: fc.constant('ids' as const), ids: lists }),
    words.map((id): AccessFilter => ({ op: 'patient', id })),
    words.map((id): AccessFilter => ({ op: 'patient', id, only: true })),
    words.map((ref): AccessFilter => ({ op: 'author', ref })),
    fc.record({ op: fc.constant('owner' as const), organizations: lists }),
    fc.record({ op: fc.constant('param' as const), code: words, values: lists }),
    fc.record({ op: fc.constant('patients' as const), from: fc.constantFrom('care' as const, 'facility' as const), of: lists }),
    words.map((of): AccessFilter => ({ op: 'patients', from: 'care', of: [of], confirmed: true })),
    fc.record({ op: fc.constant('labels' as const), max: fc.constantFrom<Confidentiality>('N', 'R', 'V'), allowed: lists }),
    fc.record({
      op: fc.constant('consent' as const),
      recipients: lists,
      purposes: lists,
      mode: fc.constantFrom('exact' as const, 'conservative' as const),
    }),
    fc.record({ op: fc.constantFrom('and' as const, 'or' as const), of: fc.array(tie('filter'), { maxLength: 4 }) }),
    fc.record({ op: fc.constant('not' as const), of: tie('filter') }),
  ) as fc.Arbitrary<AccessFilter>,
}))

const subjects: fc.Arbitrary<AccessSubject> = fc
  .record({
    id: words,
    patients: fc.option(lists, { nil: undefined }),
    organizations: lists,
    authors: fc.option(lists, { nil: undefined }),
    confidentiality: fc.constantFrom(3, 4, 5),
    sensitivities: lists,
    relations: fc.subarray(['care a', 'confirmed a', 'facility a', 'care b', 'facility b']),
    params: fc.subarray(['a=a', 'a=b', 'b=c']),
    consent: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map(({ relations, params, consent, patients, authors, ...rest }) => {
    const { relates, meets } = stateWith({ relations, params })
    return {
      ...rest,
      ...(patients && { patients }),
      ...(authors && { authors }),
      ...(relates && { relates }),
      ...(meets && { meets }),
      consents: () => consent,
    }
  })

describe('the short form', () => {
  test('means the same for every state, also where something is not known', () => {
    fc.assert(
      fc.property(filters, subjects, (filter, subject) => {
        const short = permits(simplified(filter), subject)
        const long = permits(filter, subject)
        // What is not known may fall out of a short form (`a and none`), never become another answer.
        if (long !== undefined) expect(short).toBe(long)
      }),
      { numRuns: 5000 },
    )
  })

  test('has no constants inside, no lists in lists, nothing twice', () => {
    const inspect = (filter: AccessFilter, within: string): void => {
      if (filter.op === 'not') inspect(filter.of, 'not')
      if (filter.op !== 'and' && filter.op !== 'or') return
      expect(within).not.toBe(filter.op)
      expect(filter.of.length).toBeGreaterThan(1)
      expect(new Set(filter.of.map(part => JSON.stringify(part))).size).toBe(filter.of.length)
      for (const part of filter.of) {
        expect(['all', 'none']).not.toContain(part.op)
        inspect(part, filter.op)
      }
    }
    fc.assert(fc.property(filters, filter => inspect(simplified(filter), '')))
  })

  test('is its own short form', () => {
    fc.assert(fc.property(filters, filter => expect(simplified(simplified(filter))).toEqual(simplified(filter))))
  })

  test('together with none is none, beside all is all', () => {
    fc.assert(
      fc.property(filters, filter => {
        expect(allOf([filter, { op: 'none' }])).toEqual({ op: 'none' })
        expect(anyOf([filter, { op: 'all' }])).toEqual({ op: 'all' })
        expect(allOf([filter, { op: 'all' }])).toEqual(allOf([filter]))
        expect(anyOf([])).toEqual({ op: 'none' })
      }),
    )
  })

  test('leaves out what another part includes', () => {
    const a: AccessFilter = { op: 'patient', id: 'a' }
    const b: AccessFilter = { op: 'patient', id: 'b' }
    expect(anyOf([a, allOf([a, b])])).toEqual(a)
    expect(allOf([a, anyOf([a, b])])).toEqual(a)
  })
})

describe('a filter of today', () => {
  test('is a filter of this language and means what it meant', () => {
    const today: readonly AccessFilter[] = [
      { op: 'all' },
      { op: 'none' },
      { op: 'ids', ids: ['a'] },
      { op: 'patient', id: 'a' },
      { op: 'author', ref: 'a' },
      { op: 'owner', organizations: ['a'] },
      {
        op: 'not',
        of: {
          op: 'or',
          of: [
            { op: 'patient', id: 'b' },
            { op: 'and', of: [] },
          ],
        },
      },
    ]
    fc.assert(
      fc.property(fc.constantFrom(...today), subjects, (filter, subject) => {
        const same: AccessFilter = filter
        expect(permits(same, subject)).toBe(permits(filter, subject))
      }),
    )
  })
})

describe('labels', () => {
  const rows: readonly (readonly [
    confidentiality: Confidentiality,
    sensitivities: readonly string[],
    max: Confidentiality,
    allowed: readonly string[],
    seen: boolean,
  ])[] = [
    ['N', [], 'N', [], true],
    ['R', [], 'N', [], false],
    ['R', [], 'R', [], true],
    ['V', [], 'R', ['PSY'], false],
    ['R', ['PSY'], 'R', ['PSY', 'HIV'], true],
    ['R', ['PSY', 'ETH'], 'R', ['PSY', 'HIV'], false],
    ['N', ['PSY'], 'V', [], false],
    ['U', [], 'U', [], true],
  ]
  for (const [confidentiality, sensitivities, max, allowed, seen] of rows) {
    test(`${confidentiality} ${sensitivities.join('+')} under ${max} ${allowed.join('+')}: ${seen}`, () => {
      const subject = { id: '1', confidentiality: confidentialityLevels[confidentiality], sensitivities }
      expect(permits({ op: 'labels', max, allowed }, subject)).toBe(seen)
    })
  }
})

describe('the hash of a decision', () => {
  test('does not depend on the order in which rules were found', () => {
    const reversed = (filter: AccessFilter): AccessFilter => {
      switch (filter.op) {
        case 'and':
        case 'or':
          return { op: filter.op, of: filter.of.map(reversed).toReversed() }
        case 'not':
          return { op: 'not', of: reversed(filter.of) }
        case 'ids':
          return { ...filter, ids: filter.ids.toReversed() }
        case 'labels':
          return { ...filter, allowed: filter.allowed.toReversed() }
        default:
          return filter
      }
    }
    fc.assert(fc.property(filters, filter => expect(decisionHash(reversed(filter))).toBe(decisionHash(filter))))
  })

  test('differs with the rows and with the view', () => {
    const filter: AccessFilter = { op: 'patient', id: 'a' }
    const view = { name: 'coded', coded: true } as const
    const hashes = [
      decisionHash(filter),
      decisionHash({ ...filter, only: true }),
      decisionHash({ op: 'not', of: filter }),
      decisionHash({ op: 'patient', id: 'b' }),
      decisionHash(filter, [[{ where: filter, view }]]),
      decisionHash(filter, [[{ where: { op: 'all' }, view }]]),
      decisionHash(filter, [[{ where: filter, view: { ...view, hide: ['note'] } }]]),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
    for (const hash of hashes) expect(hash).toMatch(/^[\w-]{22}$/)
  })
})

test('the relations and consents that must be looked up are told', () => {
  const care: AccessFilter = { op: 'patients', from: 'care', of: ['me'] }
  const consent: AccessFilter = { op: 'consent', recipients: [], purposes: [], mode: 'exact' }
  expect(
    lookupsOf({
      op: 'and',
      of: [
        { op: 'or', of: [care, { op: 'all' }] },
        { op: 'not', of: consent },
      ],
    }),
  ).toEqual([care, consent])
})
