import { describe, expect, test } from '@jest/globals'
import { parseReference, relativeToBase } from '../../../src/fhir/model/references.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'

/** @see https://hl7.org/fhir/R4/references.html */
const base = 'https://simpul.example/fhir'

describe('a reference means', () => {
  const rows: [text: string, meaning: object][] = [
    ['Patient/1', { kind: 'local', type: 'Patient', id: '1' }],
    ['Patient/1/_history/3', { kind: 'local', type: 'Patient', id: '1', versionId: '3' }],
    [`${base}/Patient/1`, { kind: 'local', type: 'Patient', id: '1' }],
    [`${base}/Patient/1/_history/3`, { kind: 'local', type: 'Patient', id: '1', versionId: '3' }],
    [`${base}/metadata`, { kind: 'absolute', url: `${base}/metadata` }],
    [`${base}2/Patient/1`, { kind: 'absolute', url: `${base}2/Patient/1` }],
    ['http://other.example/fhir/Patient/1', { kind: 'absolute', url: 'http://other.example/fhir/Patient/1' }],
    ['#a', { kind: 'fragment', id: 'a' }],
    ['#', { kind: 'fragment', id: '' }],
    ['Patient?identifier=a|b', { kind: 'conditional', type: 'Patient', criteria: 'identifier=a|b' }],
    [`${base}/Patient?identifier=a|b`, { kind: 'conditional', type: 'Patient', criteria: 'identifier=a|b' }],
    ['Patient?', { kind: 'conditional', type: 'Patient', criteria: '' }],
    ['urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9', { kind: 'urn', urn: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9' }],
    ['urn:oid:1.2.3', { kind: 'urn', urn: 'urn:oid:1.2.3' }],
    ['', { kind: 'other', text: '' }],
    ['Patient', { kind: 'other', text: 'Patient' }],
    ['Patient/', { kind: 'other', text: 'Patient/' }],
    ['Patient/..', { kind: 'other', text: 'Patient/..' }],
    ['patient/1', { kind: 'other', text: 'patient/1' }],
    ['Patient/1/', { kind: 'other', text: 'Patient/1/' }],
    ['/Patient/1', { kind: 'other', text: '/Patient/1' }],
    ['Patient/1/_history', { kind: 'other', text: 'Patient/1/_history' }],
    ['Patient/a_b', { kind: 'other', text: 'Patient/a_b' }],
  ]
  for (const [text, meaning] of rows) test(JSON.stringify(text), () => expect(parseReference(text, base)).toEqual(meaning))
})

const resource: Resource = {
  resourceType: 'Immunization',
  patient: { reference: `${base}/Patient/1`, display: 'x' },
  contained: [{ resourceType: 'Encounter', subject: { reference: 'Patient/2' } }],
  extension: [{ url: 'x', valueReference: { reference: `${base}/Group/3/_history/1` } }],
  education: [{ reference: `${base}/Binary/4` }, { documentType: 'x', reference: 'http://other.example' }],
  performer: [{ actor: { reference: `${base}/metadata` } }, { actor: { identifier: { value: 'x' } } }],
}

test('makes references under our own base relative, and leaves all else', () => {
  const before = structuredClone(resource)
  expect(relativeToBase(resource, base)).toEqual({
    ...resource,
    patient: { reference: 'Patient/1', display: 'x' },
    extension: [{ url: 'x', valueReference: { reference: 'Group/3/_history/1' } }],
  })
  expect(resource).toEqual(before)
  const relative = relativeToBase(resource, base)
  expect(relativeToBase(relative, base)).toBe(relative)
})
