import { describe, expect, test } from '@jest/globals'
import type { Meta } from '@medplum/fhirtypes'
import { metaForCreate, metaForPatch, metaForUpdate } from '../../../src/fhir/model/meta.ts'

/** @see https://hl7.org/fhir/R4/resource.html#meta */
const a = { system: 's', code: 'a' }
const b = { system: 's', code: 'b' }
const old: Meta = { versionId: '1', profile: ['old'], tag: [a], security: [a], source: 'x#old' }

describe('create', () => {
  const rows: [sent: Meta | undefined, stored: Meta][] = [
    [undefined, { source: '#r' }],
    [{ source: 'http://lab.example#7' }, { source: 'http://lab.example#r' }],
    [
      { versionId: '9', lastUpdated: '2020-01-01T00:00:00Z', profile: ['p'], tag: [a] },
      { source: '#r', profile: ['p'], tag: [a] },
    ],
    [
      { id: 'm', extension: [{ url: 'e' }] },
      { source: '#r', id: 'm', extension: [{ url: 'e' }] },
    ],
  ]
  for (const [sent, stored] of rows) test(JSON.stringify(sent ?? 'nothing'), () => expect(metaForCreate(sent, 'r')).toEqual(stored))
})

describe('update', () => {
  const rows: [name: string, sent: Meta | undefined, stored: Meta][] = [
    ['tags and labels survive, profiles go', undefined, { source: '#r', tag: [a], security: [a] }],
    [
      'tags are joined by system and code',
      { tag: [b, { ...a, display: 'A' }] },
      { source: '#r', tag: [{ ...a, display: 'A' }, b], security: [a] },
    ],
    ['the same code of another system is another tag', { tag: [{ code: 'a' }] }, { source: '#r', tag: [a, { code: 'a' }], security: [a] }],
    ['profiles are replaced', { profile: ['new'] }, { source: '#r', profile: ['new'], tag: [a], security: [a] }],
  ]
  for (const [name, sent, stored] of rows) test(name, () => expect(metaForUpdate(sent, old, 'r')).toEqual(stored))
})

test('patch: a tag that is gone is gone', () => {
  expect(metaForPatch({ ...old, tag: [b] }, old, 'r')).toEqual({ source: 'x#r', profile: ['old'], tag: [b], security: [a] })
})
