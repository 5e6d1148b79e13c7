// Speaks for rest-api.md 17, rows "cursor" and "cursor of another user, other type".
import { describe, expect, test } from '@jest/globals'
import { type Cursor, createCursorSealer } from '../../src/search/cursor.ts'

const hour = 3_600_000
const noon = Date.UTC(2026, 10, 21, 12)
const secret = new Uint8Array(32).fill(7)

const cursor: Cursor = {
  scope: 'search-type Patient',
  parameters: [
    { name: 'name', value: 'Santoso' },
    { name: 'birthdate', value: 'ge1990-01-01' },
    { name: '_count', value: '20' },
  ],
  snapshot: { token: '374213000000000', at: noon },
  position: { values: ['santoso budi', null, 12.5], seq: 374_213_000_000_001 },
  expires: noon + hour,
}

const sealerAt = (now: number, key = secret) => createCursorSealer({ secret: key, clock: () => now })

describe('A sealed cursor', () => {
  const sealed = sealerAt(noon).seal(cursor)

  test('opens as what was sealed', () => expect(sealerAt(noon + 1).open(sealed, cursor.scope)).toEqual({ ok: true, value: cursor }))
  test('opens after midnight under the key of its day', () => {
    const late = { ...cursor, expires: noon + 24 * hour }
    expect(sealerAt(noon + 13 * hour).open(sealerAt(noon).seal(late), cursor.scope)).toEqual({ ok: true, value: late })
  })
  test('fits a URL and shows nothing of the search', () => {
    expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(sealed.length).toBeLessThan(1536)
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('Santoso')
  })
  test('differs each time it is sealed', () => expect(sealerAt(noon).seal(cursor)).not.toBe(sealed))
  test('opens when it is short as well', () => {
    const short: Cursor = { scope: 'history-system', parameters: [], snapshot: { token: '1', at: 1 }, expires: noon + 1 }
    expect(sealerAt(noon).open(sealerAt(noon).seal(short), 'history-system')).toEqual({ ok: true, value: short })
  })
  test('of 40 long parameters stays below 1.5 KB', () => {
    const parameters = Array.from({ length: 40 }, (_, i) => ({ name: 'identifier', value: `https://fhir.kemkes.go.id/id/nik|3174${i}` }))
    expect(sealerAt(noon).seal({ ...cursor, parameters }).length).toBeLessThan(1536)
  })

  const refusals: readonly (readonly [string, string, string])[] = [
    ['of another scope', sealed, 'search-type Observation'],
    ['that is empty', '', cursor.scope],
    ['that is not base64url', `${sealed}=`, cursor.scope],
    ['that was cut', sealed.slice(0, -4), cursor.scope],
    ['that was made longer', `${sealed}AAAA`, cursor.scope],
    ['of one character', 'A', cursor.scope],
    ['of 100,000 characters', 'A'.repeat(100_000), cursor.scope],
  ]
  for (const [what, text, scope] of refusals)
    test(`${what} is refused as bad`, () =>
      expect(sealerAt(noon).open(text, scope)).toMatchObject({ ok: false, failure: { kind: 'bad-cursor' } }))

  test('with any one bit changed is refused as bad', () => {
    const bytes = Buffer.from(sealed, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(sealerAt(noon).open(changed.toString('base64url'), cursor.scope)).toMatchObject({ ok: false, failure: { kind: 'bad-cursor' } })
    }
  })
  test('of another server is refused as bad', () =>
    expect(sealerAt(noon, new Uint8Array(32).fill(8)).open(sealed, cursor.scope)).toMatchObject({ failure: { kind: 'bad-cursor' } }))
  test('is expired from its last millisecond on', () =>
    expect(sealerAt(cursor.expires).open(sealed, cursor.scope)).toMatchObject({ ok: false, failure: { kind: 'expired-cursor' } }))
})
