import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BundleEntry, bundleChunks } from '../../src/interactions/bundle.ts'
import { fitting, queryText } from '../../src/interactions/pages.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const parsed = (chunks: readonly Uint8Array[]) => JSON.parse(Buffer.concat(chunks).toString())
const head = { id: 'x', type: 'searchset', at: 0, timestamp: 1, links: [{ relation: 'self', url: 'http://x/Patient?name="' }] } as const

describe('a Bundle', () => {
  test('is JSON without entries', () => {
    expect(parsed(bundleChunks({ ...head, total: 0 }, []))).toEqual({
      resourceType: 'Bundle',
      id: 'x',
      meta: { lastUpdated: '1970-01-01T00:00:00.000+00:00' },
      type: 'searchset',
      timestamp: '1970-01-01T00:00:00.001+00:00',
      total: 0,
      link: [{ relation: 'self', url: 'http://x/Patient?name="' }],
    })
  })

  test('holds the very bytes of its resources', () => {
    const resource = bytes('{"resourceType":"Basic","n":1.00}')
    const entries: BundleEntry[] = [
      { fullUrl: 'http://x/Basic/1', resource, mode: 'match' },
      { fullUrl: 'http://x/Basic/2', history: { request: '{"method":"DELETE"}', response: '{"status":"204"}' } },
      { fullUrl: 'http://x/Basic/3', resource, mode: 'include' },
    ]
    const chunks = bundleChunks(head, entries)
    expect(chunks.filter(chunk => chunk === resource)).toHaveLength(2)
    expect(parsed(chunks).entry).toEqual([
      { fullUrl: 'http://x/Basic/1', resource: { resourceType: 'Basic', n: 1 }, search: { mode: 'match' } },
      { fullUrl: 'http://x/Basic/2', request: { method: 'DELETE' }, response: { status: '204' } },
      { fullUrl: 'http://x/Basic/3', resource: { resourceType: 'Basic', n: 1 }, search: { mode: 'include' } },
    ])
  })
})

describe('a page', () => {
  const rows = (...sizes: number[]) => sizes.map((size, at) => ({ at, text: new Uint8Array(size) }))
  const kept = (sizes: number[], backward: boolean, max: number) => fitting(rows(...sizes), backward, max).rows.map(({ at }) => at)

  test('is cut before the entry that does not fit', () => {
    expect(kept([100, 100, 100], false, 1100)).toEqual([0, 1])
    expect(kept([100, 100, 100], true, 1100)).toEqual([1, 2])
    expect(kept([100, 100, 100], false, 5000)).toEqual([0, 1, 2])
  })

  test('holds one entry at least, however large', () => {
    expect(kept([9000, 1], false, 100)).toEqual([0])
    expect(kept([1, 9000], true, 100)).toEqual([1])
  })

  test('loses no row: what is kept and what is left are all, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { maxLength: 20 }), fc.boolean(), fc.nat(20_000), (sizes, backward, max) => {
        const all = rows(...sizes)
        const { rows: taken, cut } = fitting(all, backward, max)
        expect(taken).toEqual(backward ? all.slice(all.length - taken.length) : all.slice(0, taken.length))
        expect(cut).toBe(taken.length < all.length)
        expect(taken.length > 0 || all.length === 0).toBe(true)
      }),
    )
  })
})

describe('the text of self', () => {
  test('is read back as it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))), pairs => {
        const text = queryText(pairs.map(([name, value]) => ({ name, value })))
        const expected = pairs.map(([name, value]) => [name, value])
        expect([...new URLSearchParams(text)].filter(pair => pair.join('') !== '')).toEqual(expected.filter(pair => pair.join('') !== ''))
        expect(text).toMatch(/^[\x21-\x7e]*$/)
      }),
    )
  })

  test('keeps what FHIR values are full of readable, and a plus unmistakable', () => {
    expect(queryText([{ name: 'date', value: 'ge2024-05-01T10:00:00+07:00' }])).toBe('date=ge2024-05-01T10:00:00%2B07:00')
    expect(queryText([{ name: '_include', value: 'Observation:subject' }])).toBe('_include=Observation:subject')
  })
})
