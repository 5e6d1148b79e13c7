import { describe, expect, test } from '@jest/globals'
import { defaultLimits } from '../../../src/base/limits.ts'
import type { Resource } from '../../../src/fhir/model/resource.ts'
import { applyMergePatch } from '../../../src/fhir/patch/merge-patch.ts'

const apply = (resource: Resource, patch: unknown) => applyMergePatch(resource, patch, defaultLimits)

describe('the examples of RFC 7396, appendix A', () => {
  const rows: [target: object, patch: object, result: object][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  ]
  for (const [target, patch, result] of rows) {
    test(`${JSON.stringify(target)} with ${JSON.stringify(patch)}`, () => {
      expect(apply({ resourceType: 'Basic', ...target }, patch)).toEqual({ ok: true, value: { resourceType: 'Basic', ...result } })
    })
  }
})

describe('what nulls leave empty goes too, since R4 knows no empty objects', () => {
  const rows: [target: object, patch: object, result: object][] = [
    [{ a: { b: 'c' }, d: 1 }, { a: { b: null } }, { d: 1 }],
    [{ a: { b: { c: 'd' } } }, { a: { b: { c: null } } }, {}],
    [{ a: { b: { c: 'd' }, e: 1 } }, { a: { b: { c: null } } }, { a: { e: 1 } }],
    // Unlike the last example of RFC 7396, appendix A: removing what is not there makes nothing.
    [{}, { a: { bb: { ccc: null } } }, {}],
    // What was empty before, or is given so, stays for validation to judge.
    [{ a: {} }, { a: { b: null } }, { a: {} }],
    [{ a: {} }, { b: 1 }, { a: {}, b: 1 }],
    [{}, { a: {}, b: [] }, { a: {}, b: [] }],
    [{ a: { b: 1 } }, { a: {} }, { a: { b: 1 } }],
  ]
  for (const [target, patch, result] of rows) {
    test(`${JSON.stringify(target)} with ${JSON.stringify(patch)}`, () => {
      expect(apply({ resourceType: 'Basic', ...target }, patch)).toEqual({ ok: true, value: { resourceType: 'Basic', ...result } })
    })
  }
})

describe('refuses', () => {
  const rows: [name: string, patch: unknown, kind: string][] = [
    ['an array', [], 'patch-document'],
    ['null', null, 'patch-document'],
    ['a text', 'x', 'patch-document'],
    ['another type', { resourceType: 'Group' }, 'patch-protected'],
    ['removal of the id', { id: null }, 'patch-protected'],
    ['removal of meta', { meta: null }, 'patch-protected'],
    ['another version', { meta: { versionId: '7' } }, 'patch-protected'],
    ['__proto__', JSON.parse('{"name":[{"__proto__":{"polluted":1}}]}'), 'patch-failed'],
    ['constructor', { constructor: { prototype: { polluted: 1 } } }, 'patch-failed'],
  ]
  const resource: Resource = { resourceType: 'Patient', id: 'p', meta: { versionId: '1' } }
  for (const [name, patch, kind] of rows) {
    test(`${name} with ${kind}`, () => {
      expect(apply(resource, patch)).toMatchObject({ ok: false, failure: { kind } })
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    })
  }
})
