// Speaks for storage-and-search.md 7, row "string", and R4 search.html#string.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compareUtf8, exactForm, normalForm, tokenForm } from '../../src/search/normal-form.ts'

describe('The normal form of a string', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['Santoso', 'santoso'],
    ['  Budi   Santoso ', 'budi santoso'],
    ["O'Neill", 'oneill'],
    ['O’Neill', 'oneill'],
    ['Müller-Lüdenscheidt', 'muller ludenscheidt'],
    ['Straße', 'strasse'],
    ['STRASSE', 'strasse'],
    ['GROẞ', 'gross'],
    ['ﬁsh', 'fish'],
    ['Ångström', 'angstrom'],
    ['ÅNGSTRÖM', 'angstrom'],
    ['Σίσυφος', 'σισυφοσ'],
    ['ΣΊΣΥΦΟΣ', 'σισυφοσ'],
    ['İstanbul', 'istanbul'],
    ['ＦＨＩＲ', 'fhir'],
    ['dr. Siti, Sp.A(K)', 'dr siti sp a k'],
    ['---', ''],
    ['', ''],
    ['Jl. Merdeka No.17/A', 'jl merdeka no 17 a'],
    ['12 345', '12 345'],
    ['王小明', '王小明'],
    ['a\tb\nc', 'a b c'],
    ["Qur'an", 'quran'],
    ['Ma`ruf', 'maruf'],
  ]
  for (const [text, expected] of rows)
    test(`of ${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => expect(normalForm(text)).toBe(expected))

  test('is its own normal form', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), text => expect(normalForm(normalForm(text))).toBe(normalForm(text))),
    ))
  test('does not depend on case for Latin letters', () =>
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), text => expect(normalForm(text.toUpperCase())).toBe(normalForm(text.toLowerCase()))),
    ))
  test('has at most 255 code points', () => {
    expect(normalForm('a'.repeat(1000))).toHaveLength(255)
    expect([...normalForm('𝐀'.repeat(1000))]).toHaveLength(255)
    expect([...normalForm('𐐨'.repeat(1000))]).toHaveLength(255)
  })
  test('of a megabyte is found in bounded time', () => {
    const started = performance.now()
    normalForm('é -'.repeat(400_000))
    expect(performance.now() - started).toBeLessThan(200)
  })
})

describe('What is too long', () => {
  test('keeps its beginning and tells the rest apart by a hash', () => {
    const [a, b] = ['x'.repeat(5000), `${'x'.repeat(4999)}y`]
    expect(tokenForm(a)).not.toBe(tokenForm(b))
    expect(Buffer.byteLength(tokenForm(a))).toBe(512)
    expect(exactForm(a)).not.toBe(exactForm(b))
    expect(exactForm(a)).toHaveLength(255)
  })
  test('is not cut in the middle of a character', () => {
    const cut = tokenForm(`a${'é'.repeat(400)}`)
    expect(cut).not.toContain('\ufffd')
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(512)
  })
  test('leaves 512 bytes as they are', () => expect(tokenForm('x'.repeat(512))).toBe('x'.repeat(512)))
})

test('Texts are ordered as their UTF-8 bytes', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) =>
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b))),
    ),
  ))
