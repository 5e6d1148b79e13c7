import { describe, expect, test } from '@jest/globals'
import { readPublished } from '../../../scripts/definitions/package.ts'
import { accessParameters } from '../../../src/auth/roles/access-parameters.ts'
import { testDefinitions } from '../../support/definitions.ts'

/** @see https://hl7.org/fhir/R4/searchparameter-registry.html */

const definitions = testDefinitions()
const published = [...readPublished().searchParameters.values()]
const dropped = ['DetectedIssue-status', 'DeviceDefinition-classification', 'ServiceRequest-order-detail']

describe('search parameters', () => {
  test('every type has those that the package has for it and its bases, less the dropped ones, and what roles ask besides', () => {
    for (const type of definitions.resourceTypes) {
      const expected = published.filter(({ id, base }) => !dropped.includes(id) && base.some(name => definitions.isKindOf(type, name)))
      const own = accessParameters.filter(({ base }) => base.includes(type))
      expect([type, [...definitions.searchParameters(type).keys()].toSorted()]).toEqual([
        type,
        [...expected, ...own].map(({ code }) => code).toSorted(),
      ])
    }
  })

  test('those of Resource and DomainResource are there', () => {
    const common = ['_content', '_id', '_lastUpdated', '_profile', '_query', '_security', '_source', '_tag']
    expect([...definitions.searchParameters('Patient').keys()]).toEqual(expect.arrayContaining([...common, '_text']))
    expect([...definitions.searchParameters('Bundle').keys()]).toEqual(expect.arrayContaining(common))
    expect(definitions.searchParameters('Bundle').has('_text')).toBe(false)
  })

  test('what the server gives itself has no expression', () => {
    const bare = [...definitions.searchParameters('Patient').values()].filter(({ expression }) => expression === undefined)
    expect(bare.map(({ code }) => code).toSorted()).toEqual(['_content', '_id', '_lastUpdated', '_query', '_text'])
  })

  test('targets are resource types of R4', () => {
    for (const type of definitions.resourceTypes) {
      for (const { targets = [] } of definitions.searchParameters(type).values()) {
        expect(targets.filter(target => !definitions.isResourceType(target))).toEqual([])
      }
    }
  })

  const targets = [
    ['Condition', 'patient', ['Group', 'Patient']],
    ['MeasureReport', 'subject', ['Device', 'Group', 'Location', 'Patient', 'Practitioner', 'PractitionerRole', 'RelatedPerson']],
    ['Patient', 'organization', ['Organization']],
  ] as const
  for (const [type, code, expected] of targets) {
    test(`${type}.${code} targets ${expected}`, () => expect(definitions.searchParameters(type).get(code)?.targets).toEqual(expected))
  }

  test('a reference to anything targets every type that is stored to be referred to', () => {
    expect(definitions.searchParameters('Provenance').get('target')?.targets).toHaveLength(145)
  })

  test('components of composites are parameters of every type the composite is for', () => {
    for (const type of definitions.resourceTypes) {
      const urls = new Set([...definitions.searchParameters(type).values()].map(({ url }) => url))
      for (const { url, type: kind, components } of definitions.searchParameters(type).values()) {
        expect([url, components !== undefined]).toEqual([url, kind === 'composite'])
        expect([url, (components ?? []).filter(part => !urls.has(part.url)).map(part => part.url)]).toEqual([url, []])
      }
    }
  })
})

describe('compartments', () => {
  const sizes = [
    ['Device', 33],
    ['Encounter', 25],
    ['Patient', 66],
    ['Practitioner', 59],
    ['RelatedPerson', 32],
  ] as const
  for (const [code, count] of sizes) {
    test(`${code} has ${count} types`, () => expect(Object.keys(definitions.compartment(code)?.resources ?? {})).toHaveLength(count))
  }

  test('parameters that put a type into a compartment exist and are references', () => {
    for (const [code] of sizes) {
      for (const [type, codes] of Object.entries(definitions.compartment(code)?.resources ?? {})) {
        for (const param of codes) {
          const kind = definitions.searchParameters(type).get(param)?.type
          expect([code, type, param, kind]).toEqual([code, type, param, param === '_id' ? 'token' : 'reference'])
        }
      }
    }
  })

  test('the owner is in its compartment by its own id', () => {
    for (const [code] of sizes) expect(definitions.compartment(code)?.resources[code]).toContain('_id')
  })

  test('others are there by their references', () => {
    expect(definitions.compartment('Patient')?.resources.Observation).toEqual(['subject', 'performer'])
    expect(definitions.compartment('Patient')?.resources.Patient).toEqual(['_id', 'link'])
    expect(definitions.compartment('Patient')?.resources.Organization).toBeUndefined()
  })
})
