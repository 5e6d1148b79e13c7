import { describe, expect, test } from '@jest/globals'
import { canonicalBase } from '../../src/base/canonical.ts'
import { type FailureKind, failureKinds, sentence } from '../../src/base/failure-kinds.ts'
import { type Failure, fail, issue } from '../../src/base/outcome.ts'
import { issuesOf, operationOutcome } from '../../src/fhir/operation-outcome.ts'

/** @see https://hl7.org/fhir/R4/operationoutcome.html */
const kinds = Object.keys(failureKinds) as FailureKind[]
const placesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()

const codedByHl7: Partial<Record<FailureKind, object[]>> = {
  'break-glass-possible': [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'BTG' }],
}

describe('every kind', () => {
  for (const kind of kinds) {
    test(`${kind} says the same in both languages and is whole as an outcome`, () => {
      const { en, id, code, status } = failureKinds[kind]
      expect(en).not.toBe('')
      expect(id).not.toBe(en)
      expect(placesOf(id)).toEqual(placesOf(en))
      const values = Object.fromEntries(placesOf(en).map(place => [place.slice(1, -1), 'X']))
      const severity = status === 200 ? 'information' : 'error'
      const outcome = operationOutcome([{ severity, kind, values, expression: ['Patient.name[0]'], location: ['http.name'] }], 'id')
      expect(outcome).toEqual({
        resourceType: 'OperationOutcome',
        issue: [
          {
            severity,
            code,
            details: {
              coding: [...(codedByHl7[kind] ?? []), { system: `${canonicalBase}/CodeSystem/outcome`, code: kind }],
              text: sentence(kind, values, 'id'),
            },
            diagnostics: sentence(kind, values, 'en'),
            expression: ['Patient.name[0]'],
            location: ['http.name'],
          },
        ],
      })
      expect(JSON.stringify(outcome)).not.toMatch(/\{\w+\}/)
    })
  }
})

test('speaks English when asked', () => {
  const [one] =
    operationOutcome(issuesOf(fail('unknown-instance', { what: 'Patient/17' }).failure), 'en', 'https://rs.example/fhir').issue ?? []
  expect(one?.details).toEqual({
    coding: [{ system: 'https://rs.example/fhir/CodeSystem/outcome', code: 'unknown-instance' }],
    text: 'Patient/17 is not known.',
  })
})

test('lists all issues of a failure, the deciding one first', () => {
  const failure: Failure = { ...fail('bad-id', {}).failure, versionId: 3, more: [issue('warning', 'id-ignored', {})] }
  expect(issuesOf(failure)).toEqual([
    { severity: 'error', kind: 'bad-id', values: {} },
    { severity: 'warning', kind: 'id-ignored', values: {} },
  ])
})

describe('diagnostics name the entry of a Bundle by its fullUrl', () => {
  const rows: readonly (readonly [fullUrl: string, isNamed: boolean])[] = [
    ['urn:uuid:88f151c0-a954-468a-88bd-5ae15c08e059', true],
    ['urn:oid:1.2.36.146', true],
    ['https://rs.example/fhir/Patient/17', true],
    [`https://rs.example/${'x'.repeat(181)}`, true],
    [`https://rs.example/${'x'.repeat(182)}`, false],
    ['https://rs.example/fhir/Patient?name=Siti', false],
    ['https://siti:secret@rs.example/fhir/Patient/17', false],
    ['urn:uuid:Siti Wati', false],
    ['Siti Wati', false],
    ['Patient/17', false],
    ['javascript:alert(1)', false],
    ['', false],
  ]
  for (const [fullUrl, isNamed] of rows) {
    test(`${isNamed ? 'names' : 'leaves out'} ${fullUrl.slice(0, 60)}`, () => {
      const failure: Failure = { ...fail('bad-id', {}).failure, fullUrl }
      const [one] = operationOutcome(issuesOf(failure), 'id').issue ?? []
      expect(one?.diagnostics).toBe(isNamed ? `${failureKinds['bad-id'].en} (${fullUrl})` : failureKinds['bad-id'].en)
      expect(one?.details?.text).toBe(failureKinds['bad-id'].id)
    })
  }
})
