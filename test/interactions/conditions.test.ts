import { describe, expect, test } from '@jest/globals'
import { checkConditions, namesVersion, parseETags, parseIfModifiedSince, type WriteConditions } from '../../src/interactions/conditions.ts'

// https://hl7.org/fhir/R4/http.html#concurrency, RFC 9110 sections 8.8.3, 13.1, 5.6.7

describe('ETags of If-Match and If-None-Match', () => {
  const rows: readonly (readonly [string, '*' | readonly string[] | 'refused'])[] = [
    ['W/"3"', ['3']],
    ['"3"', ['3']],
    ['3', ['3']],
    ['W/"3", "4",5', ['3', '4', '5']],
    ['"abc"', ['abc']],
    ['*', '*'],
    [' * ', '*'],
    ['W/3"', 'refused'],
    ['w/"3"', 'refused'],
    ['', 'refused'],
    ['"3" "4"', 'refused'],
    ['"3",', 'refused'],
    ['abc', 'refused'],
    ['*, "3"', 'refused'],
    ['"3', 'refused'],
    ['-1', 'refused'],
  ]
  for (const [text, expected] of rows) {
    test(`${JSON.stringify(text)} is ${expected}`, () => {
      const read = parseETags('If-Match', text)
      if (expected === 'refused') expect(read).toMatchObject({ ok: false, failure: { kind: 'bad-header', location: ['http.If-Match'] } })
      else expect(read).toEqual({ ok: true, value: expected })
    })
  }

  test('absence is no condition', () => expect(parseETags('If-Match', undefined)).toEqual({ ok: true, value: undefined }))
  test('a version with a zero in front is another tag', () => expect(namesVersion(['03'], 3)).toBe(false))
})

describe('If-Modified-Since', () => {
  const now = Date.UTC(2026, 10, 21, 7)
  const rows: readonly (readonly [string, number | undefined | 'refused'])[] = [
    ['Sat, 21 Nov 2026 06:00:00 GMT', Date.UTC(2026, 10, 21, 6)],
    ['Saturday, 21-Nov-26 06:00:00 GMT', Date.UTC(2026, 10, 21, 6)],
    ['Sat Nov 21 06:00:00 2026', Date.UTC(2026, 10, 21, 6)],
    ['Sat, 21 Nov 2026 08:00:00 GMT', undefined],
    ['yesterday', 'refused'],
    ['2026-11-21T06:00:00Z', 'refused'],
    ['', 'refused'],
  ]
  for (const [text, expected] of rows) {
    test(`${JSON.stringify(text)} is ${expected}`, () => {
      const read = parseIfModifiedSince(text, now)
      if (expected === 'refused') expect(read).toMatchObject({ ok: false, failure: { kind: 'bad-header' } })
      else expect(read).toEqual({ ok: true, value: expected })
    })
  }
})

describe('conditions on what is there', () => {
  const rows: readonly (readonly [string, number | undefined, WriteConditions, boolean, string])[] = [
    ['no condition', 3, {}, false, 'holds'],
    ['If-Match names it', 3, { ifMatch: ['3'] }, false, 'holds'],
    ['If-Match names it in a list', 3, { ifMatch: ['1', '3'] }, false, 'holds'],
    ['If-Match names another', 3, { ifMatch: ['2'] }, false, 'version-mismatch'],
    ['If-Match * on something', 3, { ifMatch: '*' }, false, 'holds'],
    ['If-Match * on nothing', undefined, { ifMatch: '*' }, false, 'version-mismatch'],
    ['If-None-Match * on something', 3, { ifNoneMatch: '*' }, false, 'already-exists'],
    ['If-None-Match * on nothing', undefined, { ifNoneMatch: '*' }, false, 'holds'],
    ['If-None-Match names it', 3, { ifNoneMatch: ['3'] }, false, 'already-exists'],
    ['If-None-Match names another', 3, { ifNoneMatch: ['2'] }, false, 'holds'],
    ['nothing said where If-Match is demanded', 3, {}, true, 'if-match-required'],
    ['nothing said and nothing there where If-Match is demanded', undefined, {}, true, 'holds'],
  ]
  for (const [name, versionId, conditions, required, expected] of rows) {
    test(`${name}: ${expected}`, () => {
      const checked = checkConditions('Patient/1', versionId === undefined ? undefined : { versionId }, conditions, required)
      expect(checked.ok ? 'holds' : checked.failure.kind).toBe(expected)
    })
  }
})
