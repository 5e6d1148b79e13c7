import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../../src/base/limits.ts'
import { Decimal } from '../../../src/fhir/model/decimal.ts'
import { parseJson, stringify } from '../../../src/fhir/model/json.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { applyJsonPatch } from '../../../src/fhir/patch/json-patch.ts'
import { testData } from '../../support/test-data.ts'

/** @see https://www.rfc-editor.org/rfc/rfc6902 */
const patient: Resource = {
  resourceType: 'Patient',
  id: 'p',
  meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00.000+00:00' },
  name: [{ family: 'Wati', given: ['Siti', 'Nur'] }],
  active: true,
}

const apply = (patch: unknown, to: Resource = patient) => applyJsonPatch(to, patch, defaultLimits)
const kindOf = (patch: unknown): string => {
  const result = apply(patch)
  return result.ok ? 'applied' : result.failure.kind
}
const parsed = (text: string): unknown => {
  const result = parseJson(Buffer.from(text), { depthMax: 100 })
  if (!result.ok) throw new Error(result.failure.kind)
  return result.value
}

const folder = testData('fhir-test-cases')
if (folder !== undefined) {
  describe('the JSON Patch cases of the FHIR test cases', () => {
    const cases: { comment: string; doc: object; patch: unknown; expected?: object; error?: string }[] = JSON.parse(
      readFileSync(join(folder, 'patch/json-patch.json'), 'utf8'),
    )
    for (const { comment, doc, patch, expected, error } of cases) {
      test(comment, () => {
        // Their documents are no resources; ours all are.
        const result = apply(patch, { resourceType: 'Basic', ...doc })
        if (error !== undefined) expect(result.ok).toBe(false)
        else expect(result).toEqual({ ok: true, value: { resourceType: 'Basic', ...expected } })
      })
    }
  })
}

describe('operations', () => {
  const rows: [name: string, patch: unknown, changed: object][] = [
    ['adds a member', [{ op: 'add', path: '/gender', value: 'female' }], { gender: 'female' }],
    ['add replaces a member that exists', [{ op: 'add', path: '/active', value: false }], { active: false }],
    [
      'inserts into an array',
      [{ op: 'add', path: '/name/0/given/1', value: 'B' }],
      { name: [{ family: 'Wati', given: ['Siti', 'B', 'Nur'] }] },
    ],
    ['appends with -', [{ op: 'add', path: '/name/-', value: { text: 'x' } }], { name: [patient.name, { text: 'x' }].flat() }],
    ['removes', [{ op: 'remove', path: '/active' }], { active: undefined }],
    ['replaces', [{ op: 'replace', path: '/name/0/family', value: 'Sari' }], { name: [{ family: 'Sari', given: ['Siti', 'Nur'] }] }],
    ['moves', [{ op: 'move', from: '/name/0/given/0', path: '/name/0/given/1' }], { name: [{ family: 'Wati', given: ['Nur', 'Siti'] }] }],
    ['copies', [{ op: 'copy', from: '/name/0/given', path: '/x' }], { x: ['Siti', 'Nur'] }],
    ['moves to the same place', [{ op: 'move', from: '/active', path: '/active' }], {}],
    ['tests', [{ op: 'test', path: '/name/0/given', value: ['Siti', 'Nur'] }], {}],
    ['tests what it must not change', [{ op: 'test', path: '/meta/versionId', value: '3' }], {}],
    [
      'replaces the whole by one of the same identity',
      [{ op: 'replace', path: '', value: { ...patient, active: false } }],
      { active: false },
    ],
  ]
  for (const [name, patch, changed] of rows) {
    test(name, () => {
      const before = structuredClone(patient)
      const expected = JSON.parse(JSON.stringify({ ...patient, ...changed }))
      expect(apply(patch)).toEqual({ ok: true, value: expected })
      expect(patient).toEqual(before)
    })
  }
})

describe('what a patch leaves empty goes too, since R4 knows no empty objects and arrays', () => {
  const remove = (...paths: string[]) => paths.map(path => ({ op: 'remove', path }))
  const extension = [{ url: 'u', valueCode: 'c' }]
  const rows: [name: string, before: object, patch: unknown, after: object][] = [
    ['the last item of a list', { a: [1], b: 2 }, remove('/a/0'), { b: 2 }],
    ['one of two items', { a: [1, 2] }, remove('/a/0'), { a: [2] }],
    ['the last member of an object', { a: { b: 1 } }, remove('/a/b'), {}],
    ['everything below, upward', { a: [{ b: { c: [1] } }], d: 1 }, remove('/a/0/b/c/0'), { d: 1 }],
    ['an item of a list that has others', { a: [{ b: 1 }, { c: 1 }] }, remove('/a/0/b'), { a: [{ c: 1 }] }],
    ['what was moved away', { a: [1], b: {} }, [{ op: 'move', from: '/a/0', path: '/b/c' }], { b: { c: 1 } }],
    ['nothing that is filled again', { a: [1] }, [...remove('/a/0'), { op: 'add', path: '/a/-', value: 2 }], { a: [2] }],
    ['nothing that is tested for', { a: [1] }, [...remove('/a/0'), { op: 'test', path: '/a', value: [] }], {}],
    ['nothing that was empty before', { a: [], b: { c: {} }, d: 1 }, remove('/d'), { a: [], b: { c: {} } }],
    ['nothing that the patch gives', { d: 1 }, [...remove('/d'), { op: 'add', path: '/a', value: { b: [] } }], { a: { b: [] } }],
    [
      'a place among extensions of a list',
      { _a: [{ extension }, null, { extension }] },
      remove('/_a/2/extension/0'),
      { _a: [{ extension }, null, null] },
    ],
    ['all extensions of a list', { a: ['x', 'y'], _a: [null, { extension }] }, remove('/_a/1/extension'), { a: ['x', 'y'] }],
  ]
  for (const [name, before, patch, after] of rows) {
    test(name, () => {
      const resource = { resourceType: 'Basic', ...before }
      const kept = structuredClone(resource)
      expect(apply(patch, resource)).toEqual({ ok: true, value: { resourceType: 'Basic', ...after } })
      expect(resource).toEqual(kept)
    })
  }

  test('numbers keep their digits', () => {
    const resource = parsed('{"resourceType":"Basic","a":{"b":[1.10],"c":1.10}}') as Resource
    const result = apply(remove('/a/b/0'), resource)
    expect(result.ok && stringify(result.value)).toBe('{"resourceType":"Basic","a":{"c":1.10}}')
  })
})

describe('what cannot be applied', () => {
  const deep = parsed(`${'['.repeat(99)}${']'.repeat(99)}`)
  const rows: [name: string, patch: unknown, kind: string][] = [
    ['an object', {}, 'patch-document'],
    ['an operation without path', [{ op: 'remove' }], 'patch-document'],
    ['an unknown operation', [{ op: 'toString', path: '/a' }], 'patch-document'],
    ['add without value', [{ op: 'add', path: '/a' }], 'patch-document'],
    ['copy without from', [{ op: 'copy', path: '/a' }], 'patch-document'],
    ['a pointer that does not begin with a slash', [{ op: 'remove', path: 'active' }], 'patch-document'],
    ['a pointer with a bad escape', [{ op: 'remove', path: '/a~2' }], 'patch-document'],
    ['1,001 operations', Array.from({ length: 1001 }, () => ({ op: 'test', path: '/active', value: true })), 'patch-document'],
    ['a test that is false', [{ op: 'test', path: '/active', value: false }], 'patch-failed'],
    ['a test of nothing for null', [{ op: 'test', path: '/gender', value: null }], 'patch-failed'],
    ['remove of nothing', [{ op: 'remove', path: '/gender' }], 'patch-failed'],
    ['replace of nothing', [{ op: 'replace', path: '/gender', value: 'female' }], 'patch-failed'],
    ['remove of the whole', [{ op: 'remove', path: '' }], 'patch-failed'],
    ['an index behind the end', [{ op: 'add', path: '/name/2', value: {} }], 'patch-failed'],
    ['an index with a leading zero', [{ op: 'replace', path: '/name/00', value: {} }], 'patch-failed'],
    ['remove at -', [{ op: 'remove', path: '/name/-' }], 'patch-failed'],
    ['a negative index', [{ op: 'remove', path: '/name/-1' }], 'patch-failed'],
    ['length of an array', [{ op: 'replace', path: '/name/length', value: 0 }], 'patch-failed'],
    ['a move into itself', [{ op: 'move', from: '/name', path: '/name/0/x' }], 'patch-failed'],
    ['__proto__', [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'patch-failed'],
    ['constructor', [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }], 'patch-failed'],
    ['__proto__ as source', [{ op: 'copy', from: '/__proto__', path: '/x' }], 'patch-failed'],
    ['an inherited member', [{ op: 'copy', from: '/toString', path: '/x' }], 'patch-failed'],
    ['a result that is too deep', [{ op: 'add', path: '/name/0/x', value: deep }], 'patch-failed'],
    ['the id', [{ op: 'replace', path: '/id', value: 'q' }], 'patch-protected'],
    ['the removal of the id', [{ op: 'remove', path: '/id' }], 'patch-protected'],
    ['the resourceType', [{ op: 'replace', path: '/resourceType', value: 'Group' }], 'patch-protected'],
    ['the version', [{ op: 'replace', path: '/meta/versionId', value: '9' }], 'patch-protected'],
    ['the removal of meta', [{ op: 'remove', path: '/meta' }], 'patch-protected'],
    ['the instant', [{ op: 'add', path: '/meta/lastUpdated', value: 'x' }], 'patch-protected'],
    ['the whole by an array', [{ op: 'replace', path: '', value: [] }], 'patch-protected'],
  ]
  for (const [name, patch, kind] of rows) test(`${name} is ${kind}`, () => expect(kindOf(patch)).toBe(kind))

  test('a copy doubled forty times stops at the limit', () => {
    const doubling = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/name', path: '/name/-' }))
    expect(kindOf(doubling)).toBe('body-too-large')
  })

  test('a copy into its own depth stops at the limit', () => {
    const deepening = Array.from({ length: 1000 }, () => ({ op: 'copy', from: '', path: '/x' }))
    expect(kindOf(deepening)).toBe('patch-failed')
  })

  test('nothing was polluted', () => expect(({} as Record<string, unknown>).polluted).toBeUndefined())

  test('says which operation failed and never the value', () => {
    const result = apply([
      { op: 'test', path: '/active', value: true },
      { op: 'test', path: '/name/0/family', value: 'secret' },
    ])
    expect(result).toMatchObject({ ok: false, failure: { kind: 'patch-failed', values: { number: 2 } } })
    expect(JSON.stringify(result)).not.toContain('secret')
  })
})

describe('numbers', () => {
  const observation = parsed('{"resourceType":"Observation","valueQuantity":{"value":1.10}}') as Resource
  test('keep their digits', () => {
    const result = apply(parsed('[{"op":"add","path":"/referenceRange","value":[{"low":{"value":2.50}}]}]'), observation)
    expect(result.ok && stringify(result.value)).toContain('"value":2.50')
    expect(result.ok && stringify(result.value)).toContain('"value":1.10')
  })
  test('compare by value', () => {
    expect(apply([{ op: 'test', path: '/valueQuantity/value', value: 1.1 }], observation).ok).toBe(true)
    expect(apply([{ op: 'test', path: '/valueQuantity/value', value: new Decimal('110e-2') }], observation).ok).toBe(true)
    expect(apply([{ op: 'test', path: '/valueQuantity/value', value: 1.2 }], observation).ok).toBe(false)
    expect(apply([{ op: 'test', path: '/valueQuantity/value', value: '1.1' }], observation).ok).toBe(false)
  })
})
