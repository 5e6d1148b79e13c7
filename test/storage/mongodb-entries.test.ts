/**
 * The texts of the index on MongoDB: their bytes have the order of the values, and nothing a user writes changes what is looked for.
 * @see storage-and-search.md 6
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compareUtf8 } from '../../src/search/normal-form.ts'
import {
  beginningWith,
  containing,
  partsOfRelationKey,
  relationKey,
  relationKeys,
  sortSuffixLength,
  sortText,
  stringEntry,
  valueBounds,
  valueOfSortText,
} from '../../src/storage/mongodb/entries.ts'

const seqs = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const texts = fc.string({ unit: 'grapheme', maxLength: 12 }).map(text => text.replaceAll('\u0000', ''))
const numbers = fc.double({ noNaN: true })

const sign = (n: number): number => Math.sign(n) || 0

describe('sort texts', () => {
  test('of numbers have the order of the numbers, then of the seqs', () => {
    fc.assert(
      fc.property(numbers, seqs, numbers, seqs, (a, s, b, t) => {
        const wanted = a === b || (a === 0 && b === 0) ? sign(s - t) : sign(a < b ? -1 : 1)
        expect(sign(compareUtf8(sortText(a, s), sortText(b, t)))).toBe(wanted)
      }),
    )
  })

  test('of texts have the order of their bytes, then of the seqs', () => {
    fc.assert(
      fc.property(texts, seqs, texts, seqs, (a, s, b, t) => {
        const wanted = a === b ? sign(s - t) : sign(compareUtf8(a, b))
        expect(sign(compareUtf8(sortText(a, s), sortText(b, t)))).toBe(wanted)
      }),
    )
  })

  test('give back the value', () => {
    fc.assert(fc.property(numbers, seqs, (value, seq) => valueOfSortText(sortText(value, seq), true) === (value === 0 ? 0 : value)))
    fc.assert(fc.property(texts, seqs, (value, seq) => valueOfSortText(sortText(value, seq), false) === value))
  })

  test('of one value lie between its bounds, and those of others outside', () => {
    fc.assert(
      fc.property(texts, seqs, texts, (a, seq, b) => {
        const { from, before } = valueBounds(b)
        const text = sortText(a, seq)
        expect(compareUtf8(text, from) >= 0 && compareUtf8(text, before) < 0).toBe(a === b)
      }),
    )
  })

  test('end in a suffix of one length', () => {
    fc.assert(fc.property(texts, seqs, (value, seq) => sortText(value, seq).slice(0, -sortSuffixLength) === value))
  })
})

describe('string entries', () => {
  test('are found by every beginning of their normal form', () => {
    fc.assert(
      fc.property(texts, texts, (beginning, rest) => {
        const { from, before } = beginningWith(stringEntry('name', beginning, ''))
        const entry = stringEntry('name', beginning + rest, 'Something else')
        expect(compareUtf8(entry, from) >= 0 && compareUtf8(entry, before) < 0).toBe(true)
      }),
    )
  })

  test('are found by what they contain, whatever characters it has, and not by their exact form', () => {
    const any = fc.oneof(texts, fc.string({ unit: fc.constantFrom(...'.*+?^$()[]{}|\\/#- ab\n') }))
    fc.assert(
      fc.property(any, any, any, (before, needle, after) => {
        const pattern = new RegExp(containing('name', needle), 'u')
        expect(pattern.test(stringEntry('name', before + needle + after, 'x'))).toBe(true)
        expect(pattern.test(stringEntry('other', before + needle + after, ''))).toBe(false)
        if (needle !== '' && !before.includes(needle)) expect(pattern.test(stringEntry('name', before, needle))).toBe(false)
      }),
    )
  })
})

describe('keys of relations', () => {
  const any = fc.string({ unit: fc.constantFrom('\0', '\u0001', '\u0002', '#', '/', 'a', 'é', '😀'), maxLength: 6 })

  test('give back who stands in relation to whom, whatever stands in the words', () => {
    fc.assert(
      fc.property(any, any, (of, patient) => {
        expect(partsOfRelationKey(relationKey('care', of, patient))).toEqual({ from: 'care', of, patient })
      }),
    )
  })

  test('of one recipient lie together, and those of others elsewhere', () => {
    fc.assert(
      fc.property(any, any, any, (a, b, patient) => {
        const { from, before } = beginningWith(relationKeys('care', b))
        const key = relationKey('care', a, patient)
        expect(compareUtf8(key, from) >= 0 && compareUtf8(key, before) < 0).toBe(a === b)
      }),
    )
  })
})
