import { describe, expect, test } from '@jest/globals'
import type { Definitions } from '../../../src/fhir/definitions/definitions.ts'
import { createExtractor, type TypedValue } from '../../../src/fhir/fhirpath/extraction.ts'
import { fhirPathFallback } from '../../../src/fhir/fhirpath/fallback.ts'
import { parseJson } from '../../../src/fhir/model/json.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { testDefinitions } from '../../support/definitions.ts'

/** @see https://hl7.org/fhir/R4/search.html */

const definitions = testDefinitions()
const extractor = createExtractor(definitions)

const valuesOf = (code: string, resource: Resource): readonly TypedValue[] =>
  extractor(resource.resourceType)
    .find(({ definition }) => definition.code === code)
    ?.extract(resource) ?? []

/** The published parameters with one replaced or added. */
const withParameter = (type: string, code: string, expression: string): Definitions => ({
  ...definitions,
  searchParameters: name => {
    const own = { code, url: `http://x/${code}`, base: [type], type: 'string' as const, expression }
    return name === type ? new Map([...definitions.searchParameters(name), [code, own]]) : definitions.searchParameters(name)
  },
})

describe('every base parameter', () => {
  test('of all 146 types compiles without the fallback', () => {
    const skipped: string[] = []
    const strict = createExtractor(definitions, { skipped: url => skipped.push(url) })
    for (const type of definitions.resourceTypes) {
      const expected = [...definitions.searchParameters(type).values()].filter(({ expression }) => expression !== undefined)
      expect([type, strict(type).map(({ definition }) => definition.code)]).toEqual([type, expected.map(({ code }) => code)])
    }
    expect(skipped).toEqual([])
  })

  test('has its components, with the types of their own parameters', () => {
    const composite = extractor('Observation').find(({ definition }) => definition.code === 'code-value-quantity')
    expect(composite?.components?.map(({ code, type }) => [code, type])).toEqual([
      ['code', 'token'],
      ['value-quantity', 'quantity'],
    ])
  })

  test('is asked of resource types only', () => {
    for (const name of ['DomainResource', 'HumanName', '', '__proto__']) expect(extractor(name)).toEqual([])
  })
})

describe('values', () => {
  const rows: readonly (readonly [string, Resource, readonly TypedValue[]])[] = [
    [
      'gender',
      { resourceType: 'Patient', gender: 'female' },
      [{ type: 'code', value: 'female', path: 'Patient.gender', system: 'http://hl7.org/fhir/administrative-gender' }],
    ],
    ['birthdate', { resourceType: 'Patient', birthDate: '1990' }, [{ type: 'date', value: '1990', path: 'Patient.birthDate' }]],
    ['birthdate', { resourceType: 'Patient', _birthDate: { extension: [] } }, []],
    [
      'given',
      { resourceType: 'Patient', name: [{ given: ['A', null], _given: [null, { id: 'x' }] }] },
      [{ type: 'string', value: 'A', path: 'HumanName.given' }],
    ],
    [
      'phone',
      {
        resourceType: 'Patient',
        telecom: [
          { system: 'phone', value: '1' },
          { system: 'email', value: '2' },
        ],
      },
      [{ type: 'ContactPoint', value: { system: 'phone', value: '1' }, path: 'Patient.telecom' }],
    ],
    ['deceased', { resourceType: 'Patient' }, [{ type: 'boolean', value: false }]],
    ['deceased', { resourceType: 'Patient', deceasedBoolean: false }, [{ type: 'boolean', value: false }]],
    ['deceased', { resourceType: 'Patient', deceasedBoolean: true }, [{ type: 'boolean', value: true }]],
    ['deceased', { resourceType: 'Patient', deceasedDateTime: '2020' }, [{ type: 'boolean', value: true }]],
    ['deceased', { resourceType: 'Patient', _deceasedDateTime: { extension: [] } }, [{ type: 'boolean', value: true }]],
    [
      'patient',
      { resourceType: 'Observation', subject: { reference: 'Patient/1' } },
      [{ type: 'Reference', value: { reference: 'Patient/1' }, path: 'Observation.subject' }],
    ],
    ['patient', { resourceType: 'Observation', subject: { reference: 'Group/1' } }, []],
    ['_tag', { resourceType: 'Basic', meta: { tag: [{ code: 'x' }] } }, [{ type: 'Coding', value: { code: 'x' }, path: 'Meta.tag' }]],
    [
      'composition',
      {
        resourceType: 'Bundle',
        entry: [{ resource: { resourceType: 'Composition', id: 'c' } }, { resource: { resourceType: 'Patient' } }],
      },
      [{ type: 'Composition', value: { resourceType: 'Composition', id: 'c' }, path: 'Bundle.entry.resource' }],
    ],
    ['onset-age', { resourceType: 'Condition', onsetAge: { value: 3 } }, [{ type: 'Age', value: { value: 3 }, path: 'Condition.onset' }]],
    [
      'probability',
      { resourceType: 'RiskAssessment', prediction: [{ probabilityDecimal: 0.5 }] },
      [{ type: 'decimal', value: 0.5, path: 'RiskAssessment.prediction.probability' }],
    ],
  ]
  for (const [code, resource, expected] of rows) {
    test(`${resource.resourceType}.${code} of ${JSON.stringify(resource).slice(0, 80)}`, () =>
      expect(valuesOf(code, resource)).toEqual(expected))
  }

  test('keep the digits of decimals', () => {
    const parsed = parseJson(new TextEncoder().encode('{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.50}]}'), {
      depthMax: 10,
    })
    const [value] = valuesOf('probability', (parsed.ok ? parsed.value : undefined) as Resource)
    expect([value?.type, JSON.stringify(value?.value)]).toEqual(['decimal', '0.50'])
  })
})

const component = (code: string, value: number) => ({ code: { text: code }, valueQuantity: { value } })

const pairs = (code: string, resource: Resource) => {
  const parameter = extractor(resource.resourceType).find(({ definition }) => definition.code === code)
  return parameter?.extract(resource).map(item => parameter.components?.map(part => part.extract(item, resource).map(({ value }) => value)))
}

describe('composites', () => {
  const observation: Resource = {
    resourceType: 'Observation',
    code: { text: 'bp' },
    valueString: 's',
    component: [component('a', 1), component('b', 2)],
  }
  test('pair the components of one item only', () => {
    expect(pairs('component-code-value-quantity', observation)).toEqual([
      [[{ text: 'a' }], [{ value: 1 }]],
      [[{ text: 'b' }], [{ value: 2 }]],
    ])
  })

  test('whose item is the whole resource', () => {
    expect(pairs('code-value-string', observation)).toEqual([[[{ text: 'bp' }], ['s']]])
  })

  test('that look at the resource around', () => {
    const sequence: Resource = { resourceType: 'MolecularSequence', referenceSeq: { chromosome: { text: '1' } }, variant: [{ start: 5 }] }
    expect(pairs('chromosome-variant-coordinate', sequence)).toEqual([[[{ text: '1' }], [5], []]])
  })
})

describe('what cannot be compiled', () => {
  const expression = "Patient.name.where(family.matches('^S')).family"
  const patient: Resource = { resourceType: 'Patient', name: [{ family: 'Sari' }, { family: 'Ayu' }] }
  const of = (options: Parameters<typeof createExtractor>[1]) =>
    createExtractor(withParameter('Patient', 'own', expression), options)('Patient').find(({ definition }) => definition.code === 'own')

  test('is left out and named', () => {
    const skipped: unknown[] = []
    expect(of({ skipped: (...told) => skipped.push(told) })).toBeUndefined()
    expect(skipped).toEqual([['http://x/own', 'compiling']])
  })

  test('goes to the fallback', () => {
    expect(of({ fallback: fhirPathFallback })?.extract(patient)).toEqual([{ type: 'string', value: 'Sari' }])
  })

  test('is left out when nobody can read it', () => {
    const own = createExtractor(withParameter('Patient', 'own', 'Patient.('), { fallback: fhirPathFallback })
    expect(own('Patient').some(({ definition }) => definition.code === 'own')).toBe(false)
  })
})

describe('an error in one parameter', () => {
  test('skips that parameter for that resource and tells its URL', () => {
    const skipped: unknown[] = []
    const own = createExtractor(withParameter('Patient', 'own', 'Patient.where(name.family is string).id'), {
      skipped: (...told) => skipped.push(told),
    })
    const parameter = own('Patient').find(({ definition }) => definition.code === 'own')
    const two: Resource = { resourceType: 'Patient', id: 'p', name: [{ family: 'A' }, { family: 'B' }] }
    expect(parameter?.extract(two)).toEqual([])
    expect(skipped).toEqual([['http://x/own', 'extracting']])
    expect(parameter?.extract({ resourceType: 'Patient', id: 'p', name: [{ family: 'A' }] })).toMatchObject([{ value: 'p' }])
  })

  const junk = [7, 'x', true, null, [], [null], [[]], {}, [{ reference: 7 }], { reference: {} }, [{ coding: 'x', system: [], value: {} }]]
  test('junk in place of every element is survived', () => {
    for (const type of ['Patient', 'Observation', 'Encounter', 'Bundle', 'Claim', 'MolecularSequence']) {
      for (const value of junk) {
        const members = [...definitions.members(type).keys()].filter(name => name !== 'resourceType')
        const resource = {
          ...Object.fromEntries(
            members.flatMap(name => [
              [name, value],
              [`_${name}`, value],
            ]),
          ),
          resourceType: type,
        } as Resource
        for (const parameter of extractor(type)) {
          for (const item of parameter.extract(resource)) for (const part of parameter.components ?? []) part.extract(item, resource)
        }
      }
    }
  })
})
