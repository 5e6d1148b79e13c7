/** Sieves: what entries say of the tokens of their version, so that most others are passed over unasked. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Sieve, sieveOf } from '../../src/storage/sqlite/sieve.ts'

const token = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.string({ unit: 'binary', maxLength: 40 }))
const holds = (bits: number, wanted: number): boolean => (BigInt(bits) & BigInt(wanted)) === BigInt(wanted)
const sieveFor = (tokens: readonly (readonly [number, string])[]): number => {
  const sieve = new Sieve()
  for (const [p, code] of tokens) sieve.add(p, code)
  return sieve.bits
}

describe('a sieve', () => {
  test('never holds back a version that has the token', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), tokens => {
        const bits = sieveFor(tokens)
        expect(tokens.every(([p, code]) => holds(bits, sieveOf(p, code)))).toBe(true)
      }),
    )
  })

  test('is the same for a text as it comes back from the file', () => {
    for (const code of ['\ud800', 'a\udc00b', '\ud83d\ude00', '\ufffd'])
      expect(sieveOf(7, Buffer.from(code).toString())).toBe(sieveOf(7, code))
  })

  test('holds back most versions that lack the token', () => {
    let through = 0
    for (let n = 0; n < 10_000; n++) {
      const bits = sieveFor([
        [1, `a${n}`],
        [2, `b${n}`],
        [3, 'final'],
      ])
      if (holds(bits, sieveOf(1, 'wanted'))) through++
    }
    expect(through).toBeLessThan(300)
  })

  test('starts anew for each version', () => {
    const sieve = new Sieve()
    sieve.add(1, 'a')
    sieve.start()
    expect(sieve.bits).toBe(0)
  })
})

describe('the bits of a token', () => {
  test('are those of the files that stand already', () => {
    expect([sieveOf(1, '8480-6'), sieveOf(2, 'final'), sieveOf(70_000, '')]).toEqual([274_878_038_017, 17_181_966_352, 9_126_809_600])
  })
})
