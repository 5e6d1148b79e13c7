import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseJson } from '../../../src/fhir/model/json.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { lastUpdatedPlaceholder, storedForm, writeLastUpdated } from '../../../src/fhir/model/stored-form.ts'

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const instant = Date.UTC(2026, 10, 21, 7, 0, 0, 5)

const rows: [name: string, resource: Resource, text: string][] = [
  ['nothing but a type', { resourceType: 'Patient' }, '{"resourceType":"Patient","id":"i","meta":{"versionId":"12","lastUpdated":"@"}}'],
  [
    'identity and meta first, the rest as sent',
    {
      name: [{ text: 'Ü' }],
      meta: { lastUpdated: 'x', tag: [{ code: 't' }], versionId: '3' },
      id: 'other',
      active: true,
      resourceType: 'Patient',
    },
    '{"resourceType":"Patient","id":"i","meta":{"versionId":"12","lastUpdated":"@","tag":[{"code":"t"}]},"name":[{"text":"Ü"}],"active":true}',
  ],
]
for (const [name, resource, text] of rows) {
  test(name, () => {
    const form = storedForm(resource, { id: 'i', versionId: 12 })
    expect(textOf(form.text)).toBe(text.replace('@', lastUpdatedPlaceholder))
    writeLastUpdated(form.text, form.lastUpdatedOffset, instant)
    expect(textOf(form.text)).toBe(text.replace('@', '2026-11-21T07:00:00.005+00:00'))
  })
}

test('keeps digits', () => {
  const parsed = parseJson(Buffer.from('{"resourceType":"Observation","valueQuantity":{"value":1.10}}'), { depthMax: 10 })
  const { text } = storedForm(parsed.ok ? (parsed.value as Resource) : { resourceType: 'x' }, { id: 'i', versionId: 1 })
  expect(textOf(text)).toContain('"value":1.10')
})

test('the offset always leads to the placeholder, and what is stored is read as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.nat(), (members, versionId) => {
      const { resourceType: _, id: _i, meta: _m, ...others } = members
      const { text, lastUpdatedOffset } = storedForm({ ...others, resourceType: 'Basic' }, { id: 'i', versionId })
      expect(textOf(text.subarray(lastUpdatedOffset, lastUpdatedOffset + lastUpdatedPlaceholder.length))).toBe(lastUpdatedPlaceholder)
      const { resourceType, id, meta, ...rest } = JSON.parse(textOf(text))
      expect([resourceType, id, meta.versionId]).toEqual(['Basic', 'i', String(versionId)])
      expect(JSON.stringify(rest)).toBe(JSON.stringify(others))
    }),
  )
})

test('every instant fits over the placeholder', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(9999, 0) }), ms => {
      const bytes = Buffer.from(lastUpdatedPlaceholder)
      writeLastUpdated(bytes, 0, ms)
      expect(Date.parse(textOf(bytes))).toBe(ms)
    }),
  )
})
