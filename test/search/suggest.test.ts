import { describe, expect, test } from '@jest/globals'
import { suggest } from '../../src/search/suggest.ts'

const known = ['name', 'given', 'family', 'birthdate', 'general-practitioner', '_count', 'active']

describe('A mistyped word', () => {
  // biome-ignore format: a table
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['naem', 'name'], ['Name', 'name'], ['birthDate', 'birthdate'], ['birhtdate', 'birthdate'], ['famly', 'family'], ['_COUNT', '_count'], ['count', '_count'],
    ['general-practicioner', 'general-practitioner'], ['_count', undefined], ['name', undefined], ['x', undefined], ['', undefined], ['xyz', undefined], ['n'.repeat(100_000), undefined],
  ]
  for (const [word, expected] of rows)
    test(`${word.slice(0, 20)} is taken for ${expected}`, () => expect(suggest(word, known)).toBe(expected))
})
