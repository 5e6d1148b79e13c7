import { describe, expect, test } from '@jest/globals'
import { array, assert, constantFrom, property, string } from 'fast-check'
import { clause, rule } from '../../../src/base/rules.ts'
import { parse } from '../../../src/fhir/fhirpath/parser.ts'
import type { Expression } from '../../../src/fhir/fhirpath/tree.ts'

/** @see https://hl7.org/fhirpath/N1/grammar.html */

/** A tree as text with every bracket written, so that precedence shows. */
const shown = (e: Expression): string => {
  switch (e.kind) {
    case 'literal':
      if (e.literal.type === 'empty') return '{}'
      if (e.literal.type === 'boolean') return String(e.literal.value)
      return e.literal.type === 'quantity' ? `${e.literal.text}'${e.literal.unit}'` : `${e.literal.type}:${e.literal.text}`
    case 'external':
      return `%${e.name}`
    case 'member':
      return e.of ? `${shown(e.of)}.${e.name}` : e.name
    case 'call':
      return `${e.of ? `${shown(e.of)}.` : ''}${e.name}(${e.arguments.map(shown).join(', ')})`
    case 'indexer':
      return `${shown(e.of)}[${shown(e.index)}]`
    case 'polarity':
      return `${e.operator}${shown(e.of)}`
    case 'type':
      return `(${shown(e.of)} ${e.operator} ${e.type})`
    case 'binary':
      return `(${shown(e.left)} ${e.operator} ${shown(e.right)})`
    default:
      return `$${e.kind}`
  }
}

const valid = [
  ['Patient.name.given', 'Patient.name.given'],
  ['a | b | c', '((a | b) | c)'],
  ['a or b and c', '(a or (b and c))'],
  ['a implies b or c', '(a implies (b or c))'],
  ['a = b | c', '(a = (b | c))'],
  ['a in b = c', '(a in (b = c))'],
  ['1 + 2 * 3 - 4', '((number:1 + (number:2 * number:3)) - number:4)'],
  ['-a.b', '-a.b'],
  ['a & b < c', '((a & b) < c)'],
  ['a is FHIR.Patient and b', '((a is FHIR.Patient) and b)'],
  ['(x as Quantity).value', '(x as Quantity).value'],
  ['value as Quantity | x', '((value as Quantity) | x)'],
  ["telecom.where(system = 'phone')[0]", 'telecom.where((system = string:phone))[number:0]'],
  ['$this.select($index + $total)', '$this.select(($index + $total))'],
  ["%resource.id.exists() and %'vs-x' and %`ext-y`", '((%resource.id.exists() and %vs-x) and %ext-y)'],
  ['text.`div`', 'text.div'],
  ['is.as.contains.in', 'is.as.contains.in'],
  ['{}', '{}'],
  ['1.exists()', 'number:1.exists()'],
  ["4.5 'mg' + 2 days", "(4.5'mg' + 2'days')"],
  [
    '@2014-01 = @T14:30 and @2014-01-25T14:30:14.559+07:00 > @2014T',
    '((date:2014-01 = time:14:30) and (dateTime:2014-01-25T14:30:14.559+07:00 > dateTime:2014T))',
  ],
  [String.raw`'it\'s \u0041\n'`, "string:it's A\n"],
  ['a /* or */ . // end\n b', 'a.b'],
  ['a.iif(b, c, d)', 'a.iif(b, c, d)'],
] as const

const invalid = [
  ['', rule('path-name')],
  ['a.', rule('path-name')],
  ['a b', rule('path-end')],
  ['(a', rule('path-symbol', { symbol: ')' })],
  ['a[0', rule('path-symbol', { symbol: ']' })],
  ['a.where(', rule('path-name')],
  ['and', rule('path-name')],
  ["'open", rule('path-token')],
  [String.raw`'\q'`, rule('path-escape')],
  ['a # b', rule('path-token')],
  ['$that', rule('path-variable')],
  ['('.repeat(200) + 'a' + ')'.repeat(200), rule('path-levels', { max: 100 })],
  [`${'-'.repeat(200)}1`, rule('path-levels', { max: 100 })],
  ['a'.repeat(10_001), rule('at-most-characters', { max: 10_000 })],
  [`a${'.b'.repeat(600)}`, rule('path-steps', { max: 500 })],
  [`a${'|b'.repeat(600)}`, rule('path-operators', { max: 500 })],
] as const

describe('the parser', () => {
  for (const [text, expected] of valid) {
    test(`reads ${text}`, () => {
      const tree = parse(text)
      expect(tree.ok && shown(tree.value)).toBe(expected)
    })
  }
  for (const [text, expected] of invalid) {
    test(`refuses ${text.slice(0, 30)}: ${clause(expected, 'en')} is expected`, () => {
      expect(parse(text)).toMatchObject({ ok: false, failure: { kind: 'bad-fhirpath', values: { rule: expected } } })
    })
  }

  const pieces = ['a', '.', '(', ')', '[', ']', '|', ' and ', ' is ', "'x'", '1', '@2014', '%', '$this', '`', '-', ',', '{}', '\\', '/*']
  test('answers every text with a tree or a failure, never with an error', () => {
    assert(property(array(constantFrom(...pieces), { maxLength: 40 }), list => typeof parse(list.join('')).ok === 'boolean'))
    assert(property(string(), text => typeof parse(text).ok === 'boolean'))
  })
})
