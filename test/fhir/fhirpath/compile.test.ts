import { describe, expect, test } from '@jest/globals'
import { compilerFor } from '../../../src/fhir/fhirpath/compile.ts'
import { Unsupported } from '../../../src/fhir/fhirpath/compiler.ts'
import { parse } from '../../../src/fhir/fhirpath/parser.ts'
import { resourceType } from '../../../src/fhir/fhirpath/static-type.ts'
import { jsonValue } from '../../../src/fhir/fhirpath/walk.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { testDefinitions } from '../../support/definitions.ts'

/** @see https://hl7.org/fhirpath/N1/ */

const definitions = testDefinitions()

const evaluate = (expression: string, resource: Resource): unknown[] => {
  const tree = parse(expression)
  if (!tree.ok) throw new Error(expression)
  const root = resourceType(resource.resourceType)
  const items = compilerFor(root, definitions).items(tree.value, root)
  return items(resource, resource).map(item => jsonValue(item.value))
}

const patient: Resource = {
  resourceType: 'Patient',
  id: 'p',
  active: true,
  birthDate: '1990-02-03',
  _gender: { extension: [{ url: 'http://absent', valueCode: 'unknown' }] },
  name: [
    {
      use: 'official',
      family: 'Sari',
      given: ['Dewi', null, 'Ayu'],
      _given: [null, { id: 'g1', extension: [{ url: 'http://x', valueString: 'y' }] }, null],
    },
    { use: 'usual', text: 'Dewi' },
  ],
  telecom: [{ system: 'phone', value: '021' }, { system: 'email', value: 'd@example.org' }, { value: 'none' }],
  deceasedBoolean: false,
  extension: [
    { url: 'http://a', valueDecimal: 1.5 },
    { url: 'http://b', extension: [{ url: 'c', valueReference: { reference: 'Patient/q' } }] },
  ],
  contained: [
    { resourceType: 'Organization', id: 'o', name: 'RS' },
    { resourceType: 'Patient', id: 'q', name: [{ family: 'In' }] },
  ],
  managingOrganization: { reference: '#o' },
  generalPractitioner: [
    { reference: 'Practitioner/1/_history/2' },
    { reference: 'http://other.example/fhir/Organization/2' },
    { type: 'PractitionerRole', identifier: { value: 'x' } },
    { reference: 'urn:uuid:0c1d2e3f', type: 'Practitioner' },
    { display: 'nobody knows' },
  ],
}

const rows: readonly (readonly [string, readonly unknown[]])[] = [
  ['Patient.name.family', ['Sari']],
  ['name.given', ['Dewi', undefined, 'Ayu']],
  ['Resource.id', ['p']],
  ['DomainResource.id | Patient.birthDate', ['p', '1990-02-03']],
  ['Observation.id', []],
  ['name.nothing', []],
  ['deceased', [false]],
  ['deceased.ofType(boolean)', [false]],
  ['deceased.ofType(dateTime)', []],
  ['(deceased as boolean) | deceased.as(FHIR.boolean)', [false, false]],
  ['deceased is boolean', [true]],
  ['deceased.is(dateTime)', [false]],
  ['active is System.Boolean', [false]],
  ['photo is Attachment', []],
  ["telecom.where(system = 'phone').value", ['021']],
  ["telecom.where(system != 'phone').value", ['d@example.org']],
  ["telecom.where(system = 'phone' or value = 'none').value", ['021', 'none']],
  ['telecom.where(system.exists().not()).value', ['none']],
  ['telecom.where(system.empty() and value.exists()).value', ['none']],
  ["telecom.exists(system = 'email')", [true]],
  ["telecom.exists(system = 'fax')", [false]],
  ['telecom[1].value', ['d@example.org']],
  ['telecom[9].value', []],
  ['telecom.first().value | telecom.last().value', ['021', 'none']],
  ['name.select(given.first())', ['Dewi']],
  ['gender.exists()', [true]],
  ['gender.hasValue()', [false]],
  ['birthDate.hasValue()', [true]],
  ["gender.extension('http://absent').value", ['unknown']],
  ['name.given.id', ['g1']],
  ["name.given.extension('http://x').value", ['y']],
  ["extension('http://a').value", [1.5]],
  ["extension('http://b').extension('c').value.ofType(Reference).reference", ['Patient/q']],
  ['contained.name', ['RS', { family: 'In' }]],
  ['contained.ofType(Patient).name.family', ['In']],
  ['contained.where($this is Organization).name', ['RS']],
  ['managingOrganization.where(resolve() is Organization).exists()', [true]],
  ['managingOrganization.where(resolve() is Patient).exists()', [false]],
  ['generalPractitioner.where(resolve() is Practitioner).reference', ['Practitioner/1/_history/2', 'urn:uuid:0c1d2e3f']],
  ['generalPractitioner.where(resolve() is Organization).reference', ['http://other.example/fhir/Organization/2']],
  ['generalPractitioner.where(resolve() is PractitionerRole).identifier.value', ['x']],
  ['%resource.id | %context.id | %rootResource.id', ['p', 'p', 'p']],
  ['%sct', ['http://snomed.info/sct']],
  ["'a' = 'a' and 1 = 1", [true]],
  ['{} = 1', []],
  ['true xor {}', []],
  ['false implies {}', [true]],
  ['(active and {}) | (active or {}) | ({} and false)', [true, false]],
]

describe('compiled expressions', () => {
  for (const [expression, expected] of rows) {
    test(expression, () => expect(evaluate(expression, patient)).toEqual(expected))
  }

  const unsupported = [
    'birthDate > @1990',
    'name.count()',
    'birthDate = @1990',
    'name[active]',
    '1 + 1',
    '%vs',
    'x is Nothing',
    'name.resolve()',
    '-1',
    "matches('a')",
  ]
  for (const expression of unsupported) {
    test(`${expression} is left to the fallback`, () => expect(() => evaluate(expression, patient)).toThrow(Unsupported))
  }
})

describe('hostile resources', () => {
  const shapes = ['text', 7, true, null, [], {}, [[]], [null], [{ given: 7 }], [{ given: [[]] }], [{ _given: 'x' }], { given: { a: 1 } }]
  for (const name of shapes) {
    test(`name ${JSON.stringify(name)} has no given name that is an object or a list`, () => {
      for (const value of evaluate('Patient.name.given', { resourceType: 'Patient', name })) expect(typeof value).not.toBe('object')
    })
  }
})
