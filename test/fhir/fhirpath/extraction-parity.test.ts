import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { createExtractor, type TypedValue } from '../../../src/fhir/fhirpath/extraction.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { testDefinitions } from '../../support/definitions.ts'
import { testData } from '../../support/test-data.ts'
import { narrowedText, type Oracle, oracle } from './fhirpath-js.ts'

/**
 * Extraction against fhirpath.js 5.2.0 on the same expressions, value for value, over all R4 examples.
 * @see https://hl7.org/fhir/R4/searchparameter.html
 */

/** Parameters that we mean to read otherwise than the strict engine. */
const exceptions: Readonly<Record<string, string>> = {
  'http://hl7.org/fhir/SearchParameter/Patient-deceased': 'hand-written: the published expression compares a dateTime with a boolean',
}

const definitions = testDefinitions()
const extractor = createExtractor(definitions)
const oracles = new Map<string, Oracle>()
let compared = 0

const oracleFor = (key: string, make: () => Oracle): Oracle => {
  const known = oracles.get(key) ?? make()
  oracles.set(key, known)
  return known
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const valuesOf = (values: readonly TypedValue[]): unknown[] => values.map(value => plain(value.value))

/** Differences as lines that name the parameter, never silently equal. */
const differences = (resource: Resource): string[] => {
  const type = resource.resourceType
  return extractor(type).flatMap(parameter => {
    const { url, expression = '' } = parameter.definition
    if (url in exceptions) return []
    const expected = oracleFor(`${type} ${url}`, () => oracle(narrowedText(type, expression, definitions)))(structuredClone(resource))
    const items = parameter.extract(resource)
    compared += items.length
    const same = JSON.stringify(valuesOf(items)) === JSON.stringify(plain(expected))
    const own = same ? [] : [`${type}/${resource.id} ${url}`]
    return [...own, ...items.flatMap(item => componentDifferences(parameter, item, resource))]
  })
}

const componentDifferences = (parameter: ReturnType<typeof extractor>[number], item: TypedValue, resource: Resource): string[] =>
  (parameter.components ?? []).flatMap((component, i) => {
    const expression = parameter.definition.components?.[i]?.expression ?? ''
    const run = oracleFor(`${item.path} ${parameter.definition.url} ${i}`, () =>
      oracle(narrowedText(item.type, expression, definitions), item.path),
    )
    const expected = run(structuredClone(item.value), { resource: structuredClone(resource) })
    const found = valuesOf(component.extract(item, resource))
    return JSON.stringify(found) === JSON.stringify(plain(expected)) ? [] : [`${resource.id} ${parameter.definition.url} ${component.code}`]
  })

const folder = testData('r4-examples')

describe('extraction agrees with fhirpath.js', () => {
  const files = folder === undefined ? [] : readdirSync(join(folder, 'json')).toSorted()
  const byType = Map.groupBy(files, file => file.split('-')[0] ?? file)
  for (const [type, names] of byType) {
    test(`on every parameter of the ${names.length} example(s) of ${type}`, () => {
      const resources = names.map(name => JSON.parse(readFileSync(join(folder ?? '', 'json', name), 'utf8')) as Resource)
      expect(resources.flatMap(differences)).toEqual([])
    })
  }
  if (byType.size === 0) test.skip('the examples are absent', () => {})
  else test('and thousands of values were compared', () => expect(compared).toBeGreaterThan(4000))
})
