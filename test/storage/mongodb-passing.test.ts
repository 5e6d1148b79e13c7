/** How many candidates are looked at at once on MongoDB. What is found with them does not depend on it (`contract-access.ts`). */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Condition } from '../../src/storage/mongodb/search/conditions.ts'
import { Passing, passingKey } from '../../src/storage/mongodb/search/passing.ts'

describe('the part of candidates that passes a filter', () => {
  test('is what it was lately, soon after it changed', () => {
    const passing = new Passing()
    for (let n = 0; n < 100; n++) passing.add('a', 200, 100)
    expect(passing.share('a')).toBeCloseTo(0.5, 2)
    for (let n = 0; n < 40; n++) passing.add('a', 200, 10)
    expect(passing.share('a')).toBeCloseTo(0.05, 2)
    expect(passing.share('b')).toBeGreaterThan(0.3)
  })

  test('is above 0 and at most 1, whatever came', () => {
    const met = fc.nat({ max: 200 }).chain(asked => fc.tuple(fc.constant(asked), fc.nat({ max: asked })))
    fc.assert(
      fc.property(fc.array(met, { maxLength: 50 }), list => {
        const passing = new Passing()
        for (const [asked, passed] of list) passing.add('a', asked, passed)
        expect(passing.share('a')).toBeGreaterThan(0)
        expect(passing.share('a')).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('is known of access filters alone', () => {
    const seen: Condition = { is: 'seen', by: 'itself', access: { op: 'patientless' } }
    expect(passingKey('Observation', [seen])).not.toBe(passingKey('Encounter', [seen]))
    expect(passingKey('Observation', [seen])).not.toBe(passingKey('Observation', [{ ...seen, access: { op: 'patient', id: 'a' } }]))
    expect(passingKey('Observation', [seen, { is: 'among', keys: new Set() }])).toBeUndefined()
  })
})
