import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Decimal, decimalText, numberOf } from '../../../src/fhir/model/decimal.ts'
import { parseJson, stringify } from '../../../src/fhir/model/json.ts'
import { testData } from '../../support/test-data.ts'

/** @see https://hl7.org/fhir/R4/json.html */
const parse = (text: string | Uint8Array, depthMax = 100) => parseJson(typeof text === 'string' ? Buffer.from(text) : text, { depthMax })
const valueOf = (text: string): unknown => {
  const result = parse(text)
  if (!result.ok) throw new Error(JSON.stringify(result.failure))
  return result.value
}

describe('numbers come back digit for digit', () => {
  const texts = [
    '0',
    '-0',
    '-0.0',
    '1',
    '-1',
    '1.10',
    '1.1',
    '100',
    '1e3',
    '1E+3',
    '0.5',
    '-0.5',
    '0.000001',
    '0.0000001',
    '0.00000012',
    '123456789012345',
  ]
  const long = [
    '1234567890123456',
    '12345678901234567890',
    '0.1234567890123456789',
    '1e400',
    '-1e-400',
    '9'.repeat(400),
    `0.${'1'.repeat(400)}`,
  ]
  for (const text of [...texts, ...long]) {
    test(text.slice(0, 30), () => {
      for (const form of [text, `{"a":${text}}`, `[${text},${text}]`, `{"ü":[ ${text} ]}`])
        expect(stringify(valueOf(form)).replace(/ /g, '')).toBe(form.replace(/ /g, ''))
    })
  }
  test('and are plain numbers where that is enough', () => {
    expect(valueOf('[1,1.5,-2,0.25,1000000]')).toEqual([1, 1.5, -2, 0.25, 1000000])
    expect(valueOf('[1.50,1.5]')).toEqual([new Decimal('1.50'), 1.5])
  })
  test('with the value they mean', () => {
    expect(numberOf(valueOf('1.10'))).toBe(1.1)
    expect(numberOf(valueOf('1e400'))).toBeUndefined()
    expect(numberOf('1')).toBeUndefined()
    expect(decimalText(valueOf('1.10'))).toBe('1.10')
    expect(decimalText(1.5)).toBe('1.5')
    expect(decimalText('1.5')).toBe('')
  })
})

describe('refuses', () => {
  const rows: [name: string, text: string | Uint8Array, kind: string, values: object][] = [
    ['nothing', '', 'empty-body', {}],
    ['a byte order mark alone', '\ufeff', 'empty-body', {}],
    ['blanks', ' \n ', 'json-syntax', { line: 2, column: 2 }],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'not-utf8', {}],
    ['an encoded surrogate', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'not-utf8', {}],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'json-syntax', { line: 1, column: 2 }],
    ['101 levels', '['.repeat(101) + ']'.repeat(101), 'too-deep', { max: 100 }],
    ['a hundred thousand open brackets', '['.repeat(100_000), 'too-deep', { max: 100 }],
    ['a member twice', '{\n "a": 1,\n  "a": 2}', 'duplicate-member', { member: 'a', line: 3, column: 3 }],
    ['a member twice, escaped', '{"a":1,"\\u0061":2}', 'duplicate-member', { member: 'a', line: 1, column: 8 }],
    ['a member twice, deep', '{"x":[{"b":{"c":1,"c":1}}]}', 'duplicate-member', { member: 'c', line: 1, column: 19 }],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'duplicate-member', { member: '__proto__' }],
    ['a member twice beside an odd number', '{"a":1.0,"a":1.0}', 'duplicate-member', { member: 'a', line: 1, column: 10 }],
    ['half of a surrogate pair', '{"ü":"x\\ud800"}', 'lone-surrogate', { line: 1, column: 8 }],
    ['the other half', '["\\uDC00"]', 'lone-surrogate', { line: 1, column: 3 }],
    ['two first halves', '["\\ud83d\\ud83d\\ude00"]', 'lone-surrogate', { line: 1, column: 3 }],
    ['half of a pair in a name', '{"\\udfff":1}', 'lone-surrogate', { line: 1, column: 3 }],
    ['a number of 1,001 characters', '1'.repeat(1001), 'json-syntax', { line: 1, column: 1 }],
    ['an open object', '{"a":1', 'json-syntax', { line: 1, column: 7 }],
    ['a comma too many', '{"a":1,}', 'json-syntax', { line: 1, column: 8 }],
    ['a comma too many in a list', '[1,]', 'json-syntax', { line: 1, column: 4 }],
    ['no comma', '[1 2]', 'json-syntax', { line: 1, column: 4 }],
    ['no colon', '{"a" 1}', 'json-syntax', { line: 1, column: 6 }],
    ['single quotes', "{'a':1}", 'json-syntax', { line: 1, column: 2 }],
    ['a comment', '{} // x', 'json-syntax', { line: 1, column: 4 }],
    ['two documents', '{}{}', 'json-syntax', { line: 1, column: 3 }],
    ['a number for a name', '{1.0:1}', 'json-syntax', { line: 1, column: 2 }],
    ['a number for a name, after a blank', '{"a":2.0, 1.0 :1}', 'json-syntax', { line: 1, column: 11 }],
    ['two odd numbers in a row', '[1.0 2.0]', 'json-syntax', { line: 1, column: 6 }],
    ['an odd number after a string', '["a"1.0]', 'json-syntax', { line: 1, column: 5 }],
    ['a malformed odd number', '[1.0.0]', 'json-syntax', { line: 1 }],
    ['NaN', '[NaN]', 'json-syntax', { line: 1, column: 2 }],
    ['a leading zero', '[01]', 'json-syntax', { line: 1, column: 3 }],
    ['a bare point', '[1.]', 'json-syntax', { line: 1 }],
    ['a plus', '[+1]', 'json-syntax', { line: 1, column: 2 }],
    ['a line break in a string', '["a\nb"]', 'json-syntax', { line: 1, column: 4 }],
    ['an unknown escape', '["\\x41"]', 'json-syntax', { line: 1, column: 3 }],
    ['an open string', '["abc', 'json-syntax', { line: 1, column: 6 }],
    ['XML', '<Patient/>', 'json-syntax', { line: 1, column: 1 }],
  ]
  for (const [name, text, kind, values] of rows) {
    test(`${name}: ${kind}`, () => expect(parse(text)).toMatchObject({ ok: false, failure: { kind, values } }))
  }

  test('without repeating what was sent', () => {
    for (const text of ['{"name":"Siti Wati"', '["Siti Wati" "x"]', 'Siti Wati', '"Siti Wati\\ud800"']) {
      expect(JSON.stringify(parse(text))).not.toContain('Wati')
    }
  })
  test('and cuts long names', () => {
    const name = 'x'.repeat(10_000)
    expect(parse(`{"${name}":1,"${name}":1}`)).toMatchObject({ failure: { values: { member: 'x'.repeat(64) } } })
  })
})

describe('accepts', () => {
  test('a byte order mark', () => expect(parse('\ufeff{"a":1}')).toEqual({ ok: true, value: { a: 1 } }))
  test('100 levels', () => expect(parse('['.repeat(100) + ']'.repeat(100)).ok).toBe(true))
  test('pairs of surrogates', () => expect(valueOf('["\\ud83d\\ude00","\\uD83D\\uDE00","😀"]')).toEqual(['😀', '😀', '😀']))
  test('a backslash before what looks like a surrogate', () => expect(valueOf('["\\\\ud800"]')).toEqual(['\\ud800']))
  test('brackets, colons and digits in strings', () => expect(valueOf('{"a":"{[:1.0","b\\"":"]}"}')).toEqual({ a: '{[:1.0', 'b"': ']}' }))
  test('members like __proto__ as data, without polluting', () => {
    const value = valueOf('{"__proto__":{"polluted":1.0},"constructor":{"prototype":{"polluted":1}}}')
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
  test('strings that begin with an escaped NUL as what they are', () =>
    expect(valueOf('{"a":"\\u00001.0","b":1.0,"ü":["\\u00002"]}')).toEqual({ a: '\u00001.0', b: new Decimal('1.0'), ü: ['\u00002'] }))
  test('a view into a larger buffer', () => {
    const whole = Buffer.from('xx{"a":1.0}yy')
    expect(parse(whole.subarray(2, 11))).toEqual({ ok: true, value: { a: new Decimal('1.0') } })
  })
})

describe('in general', () => {
  test('what JSON.stringify writes is read and written again alike', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), value => {
        const text = JSON.stringify(value)
        expect(stringify(valueOf(text))).toBe(text)
      }),
    )
  })
  test('what JSON.parse refuses is refused with a place, and the reverse', () => {
    const alphabet = fc.constantFrom(
      '1.0',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '.',
      '0',
      '-',
      'e',
      'true',
      'null',
      ' ',
      '\n',
      '\\',
      'u',
    )
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 12 }), pieces => {
        const text = pieces.join('')
        const accepted = acceptedByEngine(text)
        const result = parse(text)
        if (!accepted) expect(result).toMatchObject({ ok: false })
        else if (!result.ok) expect(result.failure.kind).toBe('duplicate-member')
        if (!accepted && text !== '')
          expect(result).toMatchObject({ failure: { kind: 'json-syntax', values: { line: expect.any(Number) } } })
      }),
      { numRuns: 2000 },
    )
  })
})

const acceptedByEngine = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const folder = testData('r4-examples')
if (folder !== undefined) {
  test('the R4 examples come back with every digit', () => {
    const files = readdirSync(join(folder, 'json')).filter(name => name.endsWith('.json'))
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      const text = readFileSync(join(folder, 'json', file), 'utf8')
      const numbers = (json: string) => json.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/-?\d[\d.eE+-]*/g)
      expect(numbers(stringify(valueOf(text)))).toEqual(numbers(text))
    }
  })
}
