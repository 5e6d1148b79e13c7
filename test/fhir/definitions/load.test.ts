import { describe, expect, test } from '@jest/globals'
import { testDefinitions } from '../../support/definitions.ts'

const definitions = testDefinitions()

describe('types', () => {
  test('are asked for by name', () => {
    expect(definitions.isResourceType('Patient')).toBe(true)
    expect(definitions.type('Patient')).toMatchObject({
      kind: 'resource',
      abstract: false,
      base: 'DomainResource',
      url: 'http://hl7.org/fhir/StructureDefinition/Patient',
    })
    expect(definitions.type('code')).toMatchObject({ kind: 'primitive', base: 'string' })
    expect(definitions.type('HumanName')).toMatchObject({ kind: 'complex', base: 'Element' })
    expect(definitions.type('DomainResource')).toMatchObject({ kind: 'resource', abstract: true })
  })

  for (const name of [
    'patient',
    'DomainResource',
    'Resource',
    'Element',
    'HumanName',
    '',
    'constructor',
    '__proto__',
    'toString',
    'Bot',
    'SubscriptionStatus',
  ]) {
    test(`"${name}" is no resource type`, () => {
      expect(definitions.isResourceType(name)).toBe(false)
      expect(definitions.searchParameters(name).size).toBe(0)
    })
  }
  for (const name of ['', 'constructor', '__proto__', 'toString']) {
    test(`"${name}" is no type, member, compartment or value set`, () => {
      expect(definitions.type(name)).toBeUndefined()
      expect(definitions.compartment(name)).toBeUndefined()
      expect(definitions.codeSystem(name)).toBeUndefined()
      expect(definitions.member('Patient', name)).toBeUndefined()
      expect(definitions.members(name).size).toBe(0)
      expect(definitions.isKindOf(name, name)).toBe(false)
    })
  }

  const kinds = [
    ['Patient', 'Resource', true],
    ['Bundle', 'DomainResource', false],
    ['Age', 'Quantity', true],
    ['code', 'string', true],
    ['string', 'code', false],
    ['Timing', 'BackboneElement', true],
  ] as const
  for (const [name, base, expected] of kinds) {
    test(`${name} is ${expected ? 'a kind' : 'no kind'} of ${base}`, () => expect(definitions.isKindOf(name, base)).toBe(expected))
  }
})

describe('members by JSON name', () => {
  const rows = [
    ['Patient', 'gender', 'code', 'code'],
    ['Patient', 'deceasedBoolean', 'boolean', 'boolean'],
    ['Patient', 'deceasedDateTime', 'dateTime', 'dateTime'],
    ['Patient', 'contact', 'BackboneElement', 'Patient.contact'],
    ['Patient.contact', 'name', 'HumanName', 'HumanName'],
    ['HumanName', 'given', 'string', 'string'],
    ['Timing', 'repeat', 'Element', 'Timing.repeat'],
    ['Timing.repeat', 'boundsPeriod', 'Period', 'Period'],
    ['Questionnaire.item.item', 'linkId', 'string', 'string'],
    ['Bundle.entry', 'resource', 'Resource', 'Resource'],
    ['Observation.component', 'referenceRange', undefined, 'Observation.referenceRange'],
    ['Observation.component.referenceRange', 'low', 'Quantity', 'Quantity'],
  ] as const
  for (const [within, name, code, next] of rows) {
    test(`${name} within ${within}`, () => {
      const member = definitions.member(within, name)
      expect([member?.type?.code, member?.within]).toEqual([code, next])
    })
  }
  for (const [within, name] of [
    ['Patient', 'deceased'],
    ['Patient', 'valueString'],
    ['Patient.nowhere', 'id'],
    ['Nothing', 'id'],
  ] as const) {
    test(`there is no ${name} within ${within}`, () => expect(definitions.member(within, name)).toBeUndefined())
  }

  test('an element says what it is', () => {
    expect(definitions.member('Patient', 'gender')?.element).toEqual({
      name: 'gender',
      path: 'Patient.gender',
      min: 0,
      max: 1,
      types: [{ code: 'code' }],
      choice: false,
      binding: { strength: 'required', valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1' },
      modifier: false,
      summary: true,
      order: 12,
    })
  })
})

describe('code systems of required bindings', () => {
  const rows = [
    ['http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1', 'http://hl7.org/fhir/administrative-gender'],
    ['http://hl7.org/fhir/ValueSet/observation-status|4.0.1', 'http://hl7.org/fhir/observation-status'],
    ['http://hl7.org/fhir/ValueSet/condition-code', undefined],
  ] as const
  for (const [valueSet, system] of rows) test(`${valueSet}: ${system}`, () => expect(definitions.codeSystem(valueSet)).toBe(system))
})
