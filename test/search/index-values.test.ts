// Speaks for storage-and-search.md 7: what each kind of value becomes in the index.
import { describe, expect, test } from '@jest/globals'
import type { Resource } from '../../src/fhir/model/resource.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import type { IndexValues } from '../../src/search/values.ts'
import { testDefinitions } from '../support/definitions.ts'

const base = 'https://rs.example/fhir'
const index = createIndexer(testDefinitions(), { base, zone: 'Asia/Jakarta' })
const highest = Number.MAX_VALUE
const wib = 7 * 3_600_000
const day = 86_400_000

/** The rows of one parameter and its companions, one line each. */
const rowsOf = (values: IndexValues, code: string): readonly string[] => {
  const own = (row: { param: string }): boolean => row.param === code || row.param.startsWith(`${code}:`)
  const name = (row: { param: string }): string => row.param.slice(code.length)
  return [
    ...values.tokens.filter(own).map(row => `${name(row)}${row.system}|${row.code}`),
    ...values.strings.filter(own).map(row => (row.exact === '' ? row.value : `${row.value} (${row.exact})`)),
    ...values.dates.filter(own).map(row => `${row.lo}..${row.hi}`),
    ...values.numbers.filter(own).map(row => `${row.lo === row.hi ? row.lo : `${row.lo}..${row.hi}`} "${row.unit}"`),
    ...values.references.filter(own).map(row => `${row.type}/${row.id}`),
    ...values.composites
      .filter(own)
      .map(row => `${row.key}${row.range ? ` ${row.range.lo}..${row.range.hi}` : ''}${row.text === undefined ? '' : ` "${row.text}"`}`),
  ]
}

const ucum = 'http://unitsofmeasure.org'
const loinc = 'http://loinc.org'
const quantity = (value: number, code: string, more: object = {}) => ({ valueQuantity: { value, unit: code, system: ucum, code, ...more } })
const observation = (more: object) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: loinc, code: 'c' }] },
  ...more,
})

// biome-ignore format: a table
const rows: readonly (readonly [string, Resource, string, readonly string[]])[] = [
  ['a name', { resourceType: 'Patient', name: [{ family: 'Santoso', given: ['Budi', 'Eko'], prefix: ['dr.'], text: 'dr. Budi Santoso' }] }, 'name',
    ['santoso (Santoso)', 'budi (Budi)', 'eko (Eko)', 'dr (dr.)', 'dr budi santoso (dr. Budi Santoso)', 'budi eko santoso (Budi Eko Santoso)']],
  ['one part of a name', { resourceType: 'Patient', name: [{ family: 'santoso', given: ['Budi'] }] }, 'family', ['santoso']],
  ['an address', { resourceType: 'Patient', address: [{ line: ['Jl. A'], city: 'Bandung', postalCode: '40111', use: 'home' }] }, 'address', ['jl a (Jl. A)', 'bandung (Bandung)', '40111']],
  ['a code with its bound system', { resourceType: 'Patient', gender: 'male' }, 'gender', ['http://hl7.org/fhir/administrative-gender|male']],
  ['a boolean', { resourceType: 'Patient', active: true }, 'active', ['|true']],
  ['a patient who died', { resourceType: 'Patient', deceasedDateTime: '2024' }, 'deceased', ['|true']],
  ['identifiers, each once', { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }, { system: 's', value: '1' }, { value: '2' }, { system: 'only' }, { type: { text: 'x' } }] }, 'identifier', ['s|1', '|2', 'only|']],
  ['a phone', { resourceType: 'Patient', telecom: [{ system: 'phone', value: '+62 811 234' }] }, 'phone', ['phone|+62811234', 'phone|+62 811 234']],
  ['a concept', observation({ code: { coding: [{ system: loinc, code: 'a' }, { code: 'b' }], text: 'x' } }), 'code', [`${loinc}|a`, '|b']],
  ['a tag', { resourceType: 'Patient', meta: { tag: [{ system: 's', code: 't' }] } }, '_tag', ['s|t']],
  ['a profile with version', { resourceType: 'Patient', meta: { profile: ['http://p|1'] } }, '_profile', ['|http://p|1', '|http://p']],
  ['a source', { resourceType: 'Patient', meta: { source: 'urn:x#1' } }, '_source', ['|urn:x#1']],
  ['no id', { resourceType: 'Patient', id: '1', meta: { lastUpdated: '2024-01-01T00:00:00Z' } }, '_id', []],
  ['no lastUpdated', { resourceType: 'Patient', id: '1', meta: { lastUpdated: '2024-01-01T00:00:00Z' } }, '_lastUpdated', []],
  ['a local reference', observation({ subject: { reference: 'Patient/1' } }), 'subject', ['Patient/1']],
  ['what no parameter reaches', observation({ subject: { reference: 'Patient/1' }, note: [{ authorReference: { reference: 'Patient/2' }, text: 'x' }], extension: [{ url: 'u', valueReference: { reference: `${base}/Patient/3` } }, { url: 'u', valueReference: { reference: 'Patient/1' } }, { url: 'u', valueReference: { reference: 'Patient/3/_history/1' } }] }), '*', ['Patient/2', 'Patient/3']],
  ['what a contained resource refers to', observation({ contained: [{ resourceType: 'Encounter', subject: { reference: 'Patient/4' } }], encounter: { reference: '#e' } }), '*', ['Patient/4']],
  ['what is addressed elsewhere', observation({ extension: [{ url: 'u', valueReference: { reference: 'https://other/Patient/1' } }, { url: 'u', valueReference: { reference: 'urn:uuid:1' } }, { url: 'u', valueUri: 'Patient/1' }] }), '*', []],
  ['what the entries of a Bundle refer to', { resourceType: 'Bundle', type: 'collection', entry: [{ resource: observation({ subject: { reference: 'Patient/1' } }) }] } as Resource, '*', []],
  ['our own URL', observation({ subject: { reference: `${base}/Patient/1` } }), 'subject', ['Patient/1']],
  ['a versioned reference', observation({ subject: { reference: 'Patient/1/_history/2' } }), 'subject', ['|Patient/1/_history/2', 'Patient/1']],
  ['a URL of another server', observation({ subject: { reference: 'https://other/Patient/1' } }), 'subject', ['|https://other/Patient/1']],
  ['a urn', observation({ subject: { reference: 'urn:uuid:1' } }), 'subject', ['|urn:uuid:1']],
  ['a contained reference', observation({ subject: { reference: '#p' } }), 'subject', []],
  ['a reference of no type', observation({ subject: { reference: 'Nothing/1' } }), 'subject', []],
  ['a logical reference', observation({ subject: { identifier: { system: 's', value: '1' } } }), 'subject', [':identifiers|1']],
  ['a patient by where(resolve() is Patient)', observation({ subject: { reference: 'Group/1' } }), 'patient', []],
  ['a canonical', { resourceType: 'QuestionnaireResponse', questionnaire: 'http://q|2', status: 'completed' }, 'questionnaire', ['|http://q|2', '|http://q']],
  ['a canonical under our own base', { resourceType: 'QuestionnaireResponse', questionnaire: `${base}/Questionnaire/1`, status: 'completed' }, 'questionnaire', ['Questionnaire/1']],
  ['a day', { resourceType: 'Patient', birthDate: '1970-01-02' }, 'birthdate', [`${day - wib}..${2 * day - wib}`]],
  ['a month', { resourceType: 'Patient', birthDate: '1970-01' }, 'birthdate', [`${-wib}..${31 * day - wib}`]],
  ['an instant', observation({ effectiveInstant: '1970-01-01T00:00:00.000Z' }), 'date', ['0..1']],
  ['a period', observation({ effectivePeriod: { start: '1970-01-01T00:00:00Z', end: '1970-01-01T00:00:09Z' } }), 'date', ['0..10000']],
  ['a period without end', observation({ effectivePeriod: { start: '1970-01-01T00:00:00Z' } }), 'date', ['0..8640000000000000']],
  ['a period without start', observation({ effectivePeriod: { end: '1970-01-01T00:00:00Z' } }), 'date', ['-8640000000000000..1000']],
  ['a period that ends before it starts', observation({ effectivePeriod: { start: '1970-01-01T00:00:10Z', end: '1970-01-01T00:00:00Z' } }), 'date', ['10000..11000']],
  ['an empty period', observation({ effectivePeriod: {} }), 'date', []],
  ['a timing', observation({ effectiveTiming: { event: ['1970-01-01T00:00:00Z', '1970-01-01T00:01:00Z'] } }), 'date', ['0..61000']],
  ['the bounds of a timing', observation({ effectiveTiming: { repeat: { boundsPeriod: { start: '1970-01-01T00:00:00Z', end: '1970-01-01T00:00:00Z' } } } }), 'date', ['0..1000']],
  ['no date', { resourceType: 'Patient', birthDate: 'yesterday' }, 'birthdate', []],
  ['a number', { resourceType: 'RiskAssessment', prediction: [{ probabilityDecimal: 0.8 }] }, 'probability', ['0.8 ""']],
  ['a range of numbers', { resourceType: 'RiskAssessment', prediction: [{ probabilityRange: { low: { value: 0.1 }, high: { value: 0.2 } } }] }, 'probability', ['0.1..0.2 ""']],
  ['a quantity', observation(quantity(5.4, 'mg')), 'value-quantity', ['5.4 ""', '0.0054 "=g"']],
  ['a quantity with a text of its own', observation(quantity(120, 'mm[Hg]', { unit: 'mmHg' })), 'value-quantity', ['120 ""', '15998640 "=g.m-1.s-2"', '120 "mmHg"']],
  ['degrees', observation(quantity(36.5, 'Cel')), 'value-quantity', ['36.5 ""', '309.65 "=K"']],
  ['arbitrary units', observation(quantity(5, '[IU]')), 'value-quantity', ['5 ""', `5 "${ucum}|[IU]"`, '5 "[IU]"']],
  ['a code of another system', observation({ valueQuantity: { value: 2, system: 's', code: 'tab', unit: 'tablet' } }), 'value-quantity', ['2 ""', '2 "s|tab"', '2 "tab"', '2 "tablet"']],
  ['a unit alone', observation({ valueQuantity: { value: 2, unit: 'tablet' } }), 'value-quantity', ['2 ""', '2 "tablet"']],
  ['a number alone', observation({ valueQuantity: { value: 2 } }), 'value-quantity', ['2 ""']],
  ['less than', observation(quantity(5, 'g', { comparator: '<' })), 'value-quantity', [`${-highest}..5 ""`, `${-highest}..5 "=g"`]],
  ['more than', observation(quantity(5, 'kg', { comparator: '>=' })), 'value-quantity', [`5..${highest} ""`, `5000..${highest} "=g"`]],
  ['a quantity without value', observation({ valueQuantity: { unit: 'g' } }), 'value-quantity', []],
  ['money', { resourceType: 'Invoice', status: 'issued', totalGross: { value: 150000, currency: 'IDR' } }, 'totalgross', ['150000 ""', '150000 "urn:iso:std:iso:4217|IDR"', '150000 "IDR"']],
  ['a code with a quantity', observation(quantity(5.4, 'mg')), 'code-value-quantity', ['c$ 5.4..5.4', 'c$=g 0.0054..0.0054', `${loinc}|c$ 5.4..5.4`, `${loinc}|c$=g 0.0054..0.0054`]],
  ['a code with a concept', observation({ valueCodeableConcept: { coding: [{ code: 'v' }] } }), 'code-value-concept', ['c$v', 'c$|v', `${loinc}|c$v`, `${loinc}|c$|v`]],
  ['a code with a string', observation({ valueString: 'Very bad' }), 'code-value-string', ['c "very bad"', `${loinc}|c "very bad"`]],
  ['two ranges of one item', { resourceType: 'MolecularSequence', coordinateSystem: 0, referenceSeq: { chromosome: { coding: [{ code: '1' }] }, windowStart: 10, windowEnd: 20 } }, 'chromosome-window-coordinate',
    ['1 10..10', '1$2 20..20', '|1 10..10', '|1$2 20..20']],
  ['components apart', observation({ component: [{ code: { coding: [{ code: 'a' }] }, ...quantity(1, 'g') }, { code: { coding: [{ code: 'b' }] }, ...quantity(2, 'g') }] }), 'component-code-value-quantity',
    ['a$ 1..1', 'a$=g 1..1', '|a$ 1..1', '|a$=g 1..1', 'b$ 2..2', 'b$=g 2..2', '|b$ 2..2', '|b$=g 2..2']],
  ['nothing for a union of composites', observation(quantity(5.4, 'mg')), 'combo-code-value-quantity', []],
]

describe('The index holds of', () => {
  for (const [what, resource, code, expected] of rows)
    test(`${what}: ${expected.length} rows of ${code}`, () =>
      expect([...rowsOf(index(resource), code)].sort()).toEqual([...expected].sort()))
})

describe('The least and the greatest value of a parameter', () => {
  const patient = index({
    resourceType: 'Patient',
    birthDate: '1990-01-01',
    name: [{ family: 'Zed', given: ['Ana', 'Mira'] }],
    identifier: [
      { system: 'b', value: '2' },
      { system: 'a', value: '1' },
    ],
  } as { resourceType: string })
  const sortOf = (values: IndexValues, code: string) => values.sort.find(row => row.param === code)
  test('are marked', () => {
    expect(patient.strings.filter(row => row.param === 'name').map(row => [row.value, row.mark])).toEqual([
      ['zed', 2],
      ['ana', 1],
      ['mira', 0],
      ['ana mira zed', 0],
    ])
    expect(patient.tokens.filter(row => row.param === 'identifier').map(row => [row.code, row.mark])).toEqual([
      ['2', 2],
      ['1', 1],
    ])
    expect(patient.dates.map(row => row.mark)).toEqual([3])
  })
  test('are its sort values', () => {
    expect(sortOf(patient, 'name')).toEqual({ param: 'name', least: 'ana', greatest: 'zed' })
    expect(sortOf(patient, 'identifier')).toEqual({ param: 'identifier', least: '1', greatest: '2' })
    expect(sortOf(patient, 'birthdate')).toEqual({ param: 'birthdate', least: Date.UTC(1990, 0, 1) - wib })
  })
  test('of a quantity are canonical', () => {
    const values = index(observation(quantity(5.4, 'mg')))
    expect(sortOf(values, 'value-quantity')).toEqual({ param: 'value-quantity', least: 0.0054 })
    expect(values.numbers.filter(row => row.param === 'value-quantity').map(row => [row.unit, row.mark])).toEqual([
      ['', 0],
      ['=g', 3],
    ])
  })
  test('of a reference are its text', () =>
    expect(sortOf(index(observation({ subject: { reference: 'Patient/1' } })), 'subject')).toEqual({
      param: 'subject',
      least: 'Patient/1',
    }))
})

describe('The shape', () => {
  test('is the sorted list of parameters that have a value', () =>
    expect(index(observation({ subject: { display: 'somebody' } })).shape).toEqual(['code', 'combo-code', 'status', 'subject']))
})

describe('A resource of hostile size', () => {
  const many = 100_000
  // biome-ignore format: a table
  const resources: readonly Resource[] = [
    { resourceType: 'Patient', identifier: Array.from({ length: many }, (_, i) => ({ system: 's', value: `${i % 50_000}` })) },
    { resourceType: 'Patient', name: Array.from({ length: many }, (_, i) => ({ family: `n${i}` })) },
    { resourceType: 'Observation', effectiveTiming: { event: Array.from({ length: many }, () => '2024-01-01') } },
    { resourceType: 'Observation', performer: Array.from({ length: many }, (_, i) => ({ reference: `Practitioner/${i}` })) },
    { resourceType: 'Observation', code: { coding: Array.from({ length: many }, (_, i) => ({ system: 's', code: `${i}` })) }, valueQuantity: { value: 1 } },
  ]
  for (const resource of resources)
    test(`is indexed in time that grows with it: ${Object.keys(resource)[1]}`, () => {
      const started = performance.now()
      index(resource)
      expect(performance.now() - started).toBeLessThan(4000)
    })
})

describe('What is no resource as R4 means it', () => {
  // biome-ignore format: a table
  const odd: readonly object[] = [
    { resourceType: 'Nothing' }, { resourceType: 'Patient', name: 'Budi' }, { resourceType: 'Patient', name: [null, 5, ['x']] },
    { resourceType: 'Patient', birthDate: 5, gender: ['male'], identifier: { value: 1 }, telecom: [{ value: {} }] },
    { resourceType: 'Observation', valueQuantity: 'five', code: [], subject: 'Patient/1' }, { resourceType: 'Observation', valueQuantity: { value: { a: 1 } }, subject: { reference: 5 } },
    { resourceType: 'Observation', effectiveTiming: { event: 'x', repeat: { boundsPeriod: 5 } }, code: { coding: [null] } },
  ]
  for (const resource of odd)
    test(`${JSON.stringify(resource)} never fails`, () => expect(() => index(resource as { resourceType: string })).not.toThrow())
})
