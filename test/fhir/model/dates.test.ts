import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { dateRange } from '../../../src/fhir/model/dates.ts'

/** @see https://hl7.org/fhir/R4/search.html#date and https://hl7.org/fhir/R4/datatypes.html#dateTime */
const vectors = (file: string): string[] =>
  readFileSync(join(import.meta.dirname, '../../vectors/date', file), 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))

describe('a date covers', () => {
  for (const line of vectors('valid.txt')) {
    const [text = '', zone = '', lo = '', hi = ''] = line.split(' | ')
    test(line, () => {
      const range = dateRange(text, zone)
      expect(range && [range.lo, range.hi].map(ms => new Date(ms).toISOString())).toEqual([lo, hi])
    })
  }
})

describe('is no date', () => {
  for (const line of vectors('invalid.txt')) {
    const text = line.replace('\\n', '\n')
    test(line, () => expect(dateRange(text, 'Asia/Jakarta')).toBeUndefined())
  }
})

test('minutes without seconds are for searches only', () => {
  expect(dateRange('2024-05-01T10:00', 'UTC')).toBeUndefined()
  expect(dateRange('2024-05-01T10:00+07:00', 'UTC', { minutes: true })).toEqual({
    lo: Date.UTC(2024, 4, 1, 3),
    hi: Date.UTC(2024, 4, 1, 3, 1),
  })
})

for (const zone of ['Asia/Jakarta', 'UTC', 'Europe/Berlin']) {
  test(`days follow each other without gap or overlap in ${zone}`, () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('1900-01-02'), max: new Date('2100-01-01'), noInvalidDate: true }), date => {
        const day = (offset: number) => dateRange(new Date(date.getTime() + offset * 86_400_000).toISOString().slice(0, 10), zone)
        expect(day(0)?.hi).toBe(day(1)?.lo)
      }),
    )
  })
}

test('years are made of months and months of days', () => {
  const [year, january, december, last] = ['2024', '2024-01', '2024-12', '2024-12-31'].map(text => dateRange(text, 'Europe/Berlin'))
  expect([january?.lo, december?.hi, last?.hi]).toEqual([year?.lo, year?.hi, year?.hi])
})
