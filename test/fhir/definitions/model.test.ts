import { createRequire } from 'node:module'
import { describe, expect, test } from '@jest/globals'
import type { Element, ElementType } from '../../../src/fhir/definitions/definitions.ts'
import { testDefinitions } from '../../support/definitions.ts'

/** Our model against the R4 model that ships with the package fhirpath, both ways. @see https://hl7.org/fhir/R4/elementdefinition.html */

const load = createRequire(import.meta.url)
const peer = <T>(file: string): T => load(`fhirpath/fhir-context/r4/${file}.json`) as T
const peerTypes = peer<Record<string, string | { code: string; refType?: string[] }>>('path2Type')
const peerChoices = peer<Record<string, string[]>>('choiceTypePaths')
const peerElsewhere = peer<Record<string, string>>('pathsDefinedElsewhere')
const peerRepeating = peer<string[]>('path2Repeating')
const peerParents = peer<Record<string, string>>('type2Parent')

/** Paths that only the peer has, by pattern, with the reason. */
const exceptions: readonly (readonly [RegExp, string])[] = [
  [/^MetadataResource\./, 'a logical model: no resource is one, no type derives from it'],
  [/^[a-z][A-Za-z0-9]*\.value$/, 'the value of a primitive is the JSON value itself, not a member'],
  [/^ElementDefinition\.extension\./, 'slices of a profile on ElementDefinition that the peer took for elements'],
]
const excepted = (path: string): boolean => exceptions.some(([pattern]) => pattern.test(path))

const definitions = testDefinitions()
const typeNames = [...definitions.resourceTypes, ...Object.keys(peerParents), 'Element', 'Resource', 'BackboneElement']

const allElements = (elements: readonly Element[]): readonly Element[] =>
  elements.flatMap(element => [element, ...allElements(element.children ?? [])])
const elements = new Map(
  typeNames.flatMap(name => allElements(definitions.type(name)?.elements ?? []).map(element => [element.path, element] as const)),
)

const capitalised = (code: string): string => code.charAt(0).toUpperCase() + code.slice(1)
const jsonPaths = new Map<string, ElementType>(
  [...elements.values()].flatMap(element =>
    element.types.map(type => [element.choice ? element.path + capitalised(type.code) : element.path, type] as const),
  ),
)

describe('the model and that of fhirpath', () => {
  test('146 concrete resource types', () => {
    expect(definitions.resourceTypes).toHaveLength(146)
    expect(definitions.resourceTypes).toEqual(definitions.resourceTypes.toSorted())
  })

  test('no path of ours is missing there', () => {
    expect([...jsonPaths.keys()].filter(path => !(path in peerTypes))).toEqual([])
  })

  test('no path of theirs is missing here', () => {
    const missing = Object.keys(peerTypes).filter(path => path.includes('.') && !jsonPaths.has(path) && !excepted(path))
    expect(missing).toEqual([])
  })

  test('every exception is still one', () => {
    const peerOnly = Object.keys(peerTypes).filter(path => path.includes('.') && !jsonPaths.has(path))
    for (const [pattern] of exceptions) expect(peerOnly.some(path => pattern.test(path))).toBe(true)
  })

  test('types and reference targets are the same', () => {
    const differing = [...jsonPaths].filter(([path, type]) => {
      const other = peerTypes[path]
      const code = typeof other === 'object' ? other.code : other
      // The peer calls ids and urls System.String; the FHIR type comes from an extension that it does not read.
      if (code === 'System.String') return !['id', 'string', 'uri'].includes(type.code)
      const targets = typeof other === 'object' ? (other.refType ?? []) : []
      return code !== type.code || (code === 'Reference' && targets.toSorted().join() !== (type.targets ?? []).toSorted().join())
    })
    expect(differing.map(([path]) => path)).toEqual([])
  })

  test('choices have the same types in the same order', () => {
    const ours = [...elements.values()]
      .filter(element => element.choice)
      .map(({ path, types }) => [path, types.map(({ code }) => capitalised(code))])
    const theirs = Object.entries(peerChoices).filter(([path]) => !path.startsWith('ElementDefinition.extension.'))
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs))
  })

  test('contentReferences point to the same elements', () => {
    const ours = [...elements.values()].flatMap(({ path, contentReference }) =>
      contentReference === undefined ? [] : [[path, contentReference]],
    )
    expect(Object.fromEntries(ours)).toEqual(peerElsewhere)
  })

  test('the same elements repeat', () => {
    const ours = [...elements.values()].filter(element => element.max > 1 && element.contentReference === undefined)
    const theirs = peerRepeating.filter(path => !excepted(path) && !(path in peerElsewhere))
    expect(ours.map(element => element.path).toSorted()).toEqual(theirs.toSorted())
  })

  test('types derive alike', () => {
    const profiles = ['SimpleQuantity', 'MoneyQuantity', 'MetadataResource'] // on Quantity; a logical model
    for (const [name, parent] of Object.entries(peerParents)) {
      if (!profiles.includes(name)) expect([name, definitions.type(name)?.base]).toEqual([name, parent])
    }
  })
})

const element = (path: string): Element | undefined => elements.get(path)

describe('where R4 is more than paths', () => {
  test('ids of resources are ids, of elements strings, urls of extensions uris', () => {
    expect(element('Patient.id')?.types).toEqual([{ code: 'id' }])
    expect(element('Patient.contact.id')?.types).toEqual([{ code: 'string' }])
    expect(element('Extension.url')?.types).toEqual([{ code: 'uri' }])
  })

  test('restored elements have their cardinality, binding and place', () => {
    const characteristic = element('EvidenceVariable.characteristic')
    expect(characteristic?.min).toBe(1)
    expect(characteristic?.children?.map(({ name }) => name)).toEqual([
      'id',
      'extension',
      'modifierExtension',
      'description',
      'definition',
      'usageContext',
      'exclude',
      'participantEffective',
      'timeFromStart',
      'groupMeasure',
    ])
    expect(element('EvidenceVariable.characteristic.groupMeasure')?.binding).toEqual({
      strength: 'required',
      valueSet: 'http://hl7.org/fhir/ValueSet/group-measure|4.0.1',
    })
  })

  test('summary and modifier flags come along', () => {
    expect(element('Patient.active')).toMatchObject({ summary: true, modifier: true })
    expect(element('Patient.photo')).toMatchObject({ summary: false, modifier: false })
    expect(element('Observation.status')).toMatchObject({ min: 1, max: 1, summary: true, modifier: true })
  })

  test('an element shows where it stands in the definition', () => {
    expect(element('Patient.identifier')?.order).toBe(8)
    expect(element('Patient.contact.relationship')?.order).toBe(3)
  })
})
