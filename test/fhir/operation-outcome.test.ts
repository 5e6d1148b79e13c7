import { describe, expect, test } from '@jest/globals'
import { canonicalBase } from '../../src/base/canonical.ts'
import { type FailureKind, failureKinds, sentence } from '../../src/base/failure-kinds.ts'
import { fail, type Failure, issue } from '../../src/base/outcome.ts'
import { issuesOf, operationOutcome } from '../../src/fhir/operation-outcome.ts'

/** @see https://hl7.org/fhir/R4/operationoutcome.html */
const kinds = Object.keys(failureKinds) as FailureKind[]
const placesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()

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
            details: { coding: [{ system: `${canonicalBase}/CodeSystem/outcome`, code: kind }], text: sentence(kind, values, 'id') },
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

test('names at most 500 issues and says that there are more', () => {
  const many = (count: number) =>
    operationOutcome(
      Array.from({ length: count }, () => issue('error', 'bad-id', {})),
      'en',
    ).issue ?? []
  expect(many(500)).toHaveLength(500)
  expect(many(500).at(-1)?.details?.coding?.[0]?.code).toBe('bad-id')
  expect(many(501)).toHaveLength(500)
  expect(many(501).at(-1)?.details?.coding?.[0]?.code).toBe('more-issues')
})
