import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../../src/fhir/model/decimal.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { sameContent } from '../../../src/fhir/model/same-content.ts'

const patient = (rest: object): Resource => ({ resourceType: 'Patient', id: 'p', ...rest })

describe('is the same', () => {
  const rows: [name: string, a: object, b: object][] = [
    ['in another order of members', { active: true, gender: 'male' }, { gender: 'male', active: true }],
    ['with another version and instant', { meta: { versionId: '1', lastUpdated: 'x' } }, { meta: { versionId: '2' } }],
    ['with another fragment of the source', { meta: { source: 'x#1' } }, { meta: { source: 'x#2' } }],
    ['with a source that only we gave', { meta: { source: '#1' } }, {}],
    ['with the same digits', { x: new Decimal('1.10') }, { x: new Decimal('1.10') }],
  ]
  for (const [name, a, b] of rows)
    test(name, () => expect([sameContent(patient(a), patient(b)), sameContent(patient(b), patient(a))]).toEqual([true, true]))
})

describe('is not the same', () => {
  const rows: [name: string, a: object, b: object][] = [
    ['in another order of a list', { name: [{ text: 'a' }, { text: 'b' }] }, { name: [{ text: 'b' }, { text: 'a' }] }],
    ['with other digits', { x: new Decimal('1.10') }, { x: 1.1 }],
    ['with another narrative', { text: { div: '<div>a</div>' } }, { text: { div: '<div> a</div>' } }],
    ['with another source', { meta: { source: 'x' } }, { meta: { source: 'y' } }],
    ['with another tag', { meta: { tag: [{ code: 'a' }] } }, { meta: {} }],
    ['with a member less', { active: true }, {}],
    ['with null for nothing', { active: null }, {}],
    ['with a list for an object', { x: [] }, { x: {} }],
    ['with a text for a number', { x: '1' }, { x: 1 }],
    ['with a member that objects inherit', { toString: {} }, { gender: {} }],
  ]
  for (const [name, a, b] of rows)
    test(name, () => expect([sameContent(patient(a), patient(b)), sameContent(patient(b), patient(a))]).toEqual([false, false]))
})
