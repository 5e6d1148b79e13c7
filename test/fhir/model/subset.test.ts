import { describe, expect, test } from '@jest/globals'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { type Subset, subset } from '../../../src/fhir/model/subset.ts'
import { testDefinitions } from '../../support/definitions.ts'

/** @see https://hl7.org/fhir/R4/search.html#summary */
const definitions = testDefinitions()
const tag = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' }]

const patient: Resource = {
  resourceType: 'Patient',
  id: 'p',
  meta: { versionId: '1', profile: ['http://example.org/p'] },
  implicitRules: 'http://example.org/rules',
  language: 'id',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
  contained: [{ resourceType: 'Organization', id: 'o' }],
  extension: [{ url: 'http://example.org/e', valueString: 'x' }],
  modifierExtension: [{ url: 'http://example.org/m', valueBoolean: true }],
  name: [{ family: 'Wati', extension: [{ url: 'http://example.org/e' }] }],
  birthDate: '1990',
  _birthDate: { id: 'b' },
  deceasedBoolean: false,
  photo: [{ contentType: 'image/png' }],
  contact: [{ name: { text: 'x' } }],
  link: [{ other: { reference: 'Patient/2' }, type: 'seealso' }],
  nonsense: 1,
}
const observation: Resource = {
  resourceType: 'Observation',
  id: 'o',
  status: 'final',
  code: { text: 'x' },
  valueQuantity: { value: 1 },
  note: [{ text: 'x' }],
  component: [{ code: { text: 'c' }, valueString: 'x', referenceRange: [{ text: 'r' }] }],
}

const rows: [name: string, resource: Resource, how: Subset, members: readonly string[]][] = [
  [
    'summary',
    patient,
    { summary: 'true' },
    ['implicitRules', 'modifierExtension', 'name', 'birthDate', '_birthDate', 'deceasedBoolean', 'link'],
  ],
  ['text', patient, { summary: 'text' }, ['implicitRules', 'text', 'modifierExtension', 'deceasedBoolean', 'link']],
  [
    'data',
    patient,
    { summary: 'data' },
    [
      'implicitRules',
      'language',
      'contained',
      'extension',
      'modifierExtension',
      'name',
      'birthDate',
      '_birthDate',
      'deceasedBoolean',
      'photo',
      'contact',
      'link',
    ],
  ],
  [
    'elements',
    patient,
    { elements: ['birthDate', 'photo'] },
    ['implicitRules', 'modifierExtension', 'birthDate', '_birthDate', 'deceasedBoolean', 'photo', 'link'],
  ],
  ['a choice by its element', observation, { elements: ['value'] }, ['status', 'code', 'valueQuantity']],
  ['a choice by its member', observation, { elements: ['valueQuantity'] }, ['status', 'code', 'valueQuantity']],
  ['mandatory elements alone', observation, { elements: ['nothing'] }, ['status', 'code']],
]

describe('keeps what is asked for and what is needed', () => {
  for (const [name, resource, how, members] of rows) {
    test(name, () => {
      const before = structuredClone(resource)
      const { resourceType, id, meta, ...rest } = subset(resource, definitions, how)
      expect({ resourceType, id }).toEqual({ resourceType: resource.resourceType, id: resource.id })
      expect(meta).toEqual({ ...resource.meta, tag })
      expect(Object.keys(rest).sort()).toEqual([...members].sort())
      expect(resource).toEqual(before)
    })
  }
})

test('a summary goes down into data types and backbones', () => {
  expect(subset(patient, definitions, { summary: 'true' })).toMatchObject({ name: [{ family: 'Wati' }] })
  expect(subset(patient, definitions, { summary: 'true' }).name).toEqual([{ family: 'Wati' }])
  expect(subset(observation, definitions, { summary: 'true' }).component).toEqual([{ code: { text: 'c' }, valueString: 'x' }])
})

test('a summary of a Bundle summarises its resources', () => {
  const bundle: Resource = { resourceType: 'Bundle', type: 'collection', entry: [{ fullUrl: 'urn:x', resource: patient }] }
  expect(subset(bundle, definitions, { summary: 'true' })).toEqual({
    resourceType: 'Bundle',
    meta: { tag },
    type: 'collection',
    entry: [{ fullUrl: 'urn:x', resource: subset(patient, definitions, { summary: 'true' }) }],
  })
})

test('is tagged once and keeps other tags', () => {
  const tags = [{ system: 'http://example.org', code: 'x' }, ...tag]
  expect(subset({ ...patient, meta: { tag: tags } }, definitions, { summary: 'data' }).meta?.tag).toEqual(tags)
})
