// Speaks for R4 search.html#prefix, #number and storage-and-search.md 8: the table of prefixes.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { dateTest, digitsRange, holds, numberTest, splitPrefix } from '../../src/search/ranges.ts'
import type { Prefix } from '../../src/search/tree.ts'

/** R4's sentences about a searched range [sl, sh) and a stored one, read as sets of instants. */
const sentences: Readonly<Record<Prefix, (stored: readonly number[], sl: number, sh: number) => boolean>> = {
  eq: (stored, sl, sh) => stored.every(x => x >= sl && x < sh),
  ne: (stored, sl, sh) => stored.some(x => x < sl || x >= sh),
  gt: (stored, _sl, sh) => stored.some(x => x >= sh),
  lt: (stored, sl) => stored.some(x => x < sl),
  ge: (stored, sl, sh) => stored.every(x => x >= sl) || stored.some(x => x >= sh),
  le: (stored, sl, sh) => stored.every(x => x < sh) || stored.some(x => x < sl),
  sa: (stored, _sl, sh) => stored.every(x => x >= sh),
  eb: (stored, sl) => stored.every(x => x < sl),
  ap: (stored, sl, sh) => stored.some(x => x >= sl && x < sh),
}
const prefixes = Object.keys(sentences) as Prefix[]
const upTo = 7
const ranges = Array.from({ length: upTo }, (_, lo) => Array.from({ length: upTo - lo }, (__, n) => [lo, lo + n + 1] as const)).flat()

describe('Every prefix on every pair of small ranges', () => {
  for (const prefix of prefixes)
    test(`${prefix} says what R4 says`, () => {
      for (const [sl, sh] of ranges)
        for (const [lo, hi] of ranges) {
          const stored = Array.from({ length: hi - lo }, (_, i) => lo + i)
          const expected = sentences[prefix](stored, sl, sh)
          if (holds({ prefix, lo: sl, hi: sh }, lo, hi) !== expected)
            throw new Error(`${prefix} [${sl},${sh}) on [${lo},${hi}) should be ${expected}`)
        }
    })
})

describe('Numbers', () => {
  const rows: readonly (readonly [string, number, boolean])[] = [
    ['5.4', 5.4, true],
    ['5.4', 5.35, true],
    ['5.4', 5.45, false],
    ['5.4', 5.349, false],
    ['5.40', 5.404, true],
    ['5.40', 5.41, false],
    ['100', 99.5, true],
    ['100', 100.5, false],
    ['1e2', 95, true],
    ['1e2', 105, false],
    ['1e2', 94.9, false],
    ['ne5.4', 5.4, false],
    ['ne5.4', 5.5, true],
    ['ne5.4', 5.45, true],
    ['gt5.4', 5.4, false],
    ['gt5.4', 5.41, true],
    ['sa5.4', 5.4, false],
    ['sa5.4', 5.41, true],
    ['lt5.4', 5.4, false],
    ['lt5.4', 5.39, true],
    ['eb5.4', 5.4, false],
    ['eb5.4', 5.39, true],
    ['ge5.4', 5.4, true],
    ['ge5.4', 5.39, false],
    ['le5.4', 5.4, true],
    ['le5.4', 5.41, false],
    ['ap100', 90, true],
    ['ap100', 110, true],
    ['ap100', 89, false],
    ['ap100', 111, false],
    ['-5', -5, true],
    ['-5', -4.4, false],
    ['0', 0.4, true],
    ['0', -0.5, true],
    ['0', 0.5, false],
  ]
  for (const [text, value, expected] of rows)
    test(`${text} ${expected ? 'finds' : 'leaves out'} ${value}`, () => {
      const { prefix, rest } = splitPrefix(text)
      const range = numberTest(prefix, rest)
      expect(range && holds(range, value, value)).toBe(expected)
    })

  for (const text of ['', 'abc', '5.', '.5', '+5', '1e', '1e9999', '0x10', '5,4', ' 5', 'Infinity', 'NaN', '9'.repeat(400), '1e400', '--5'])
    test(`"${text.slice(0, 12)}" is no number`, () => expect(digitsRange(text)).toBeUndefined())

  test('compares ranges by the same table: <5 is eb 5 and not gt 5', () => {
    const below5 = [-Number.MAX_VALUE, 5] as const
    expect(holds({ prefix: 'eb', lo: 5, hi: 5 }, ...below5)).toBe(true)
    expect(holds({ prefix: 'gt', lo: 5, hi: 5 }, ...below5)).toBe(false)
    expect(holds({ prefix: 'lt', lo: 4, hi: 4 }, ...below5)).toBe(true)
  })

  test('the range of digits holds its own number and is twice half of the last digit wide', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -999_999_999n, max: 999_999_999n }), fc.integer({ min: 0, max: 6 }), (digits, scale) => {
        const plain = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
        const text = `${digits < 0n ? '-' : ''}${scale === 0 ? plain : `${plain.slice(0, -scale)}.${plain.slice(-scale)}`}`
        const range = digitsRange(text)
        expect(range?.value).toBe(Number(text))
        expect(range && range.lo <= range.value && range.value < range.hi).toBe(true)
        expect(Math.abs((range?.hi ?? 0) - (range?.lo ?? 0) - 10 ** -scale)).toBeLessThan(1e-6)
      }),
    )
  })
})

describe('A date about some day', () => {
  const day = 86_400_000
  test('is widened by a tenth of its distance from now', () => {
    expect(dateTest('ap', 0, day, 101 * day)).toEqual({ prefix: 'ap', lo: -10 * day, hi: 11 * day })
    expect(dateTest('ap', 100 * day, 101 * day, 0)).toEqual({ prefix: 'ap', lo: 90 * day, hi: 111 * day })
    expect(dateTest('ap', 0, day, day / 2)).toEqual({ prefix: 'ap', lo: 0, hi: day })
  })
})
