import type { Coding, OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes'
import { canonicalBase as ourBase } from '../base/canonical.ts'
import { type FailureKind, failureKinds, sentence } from '../base/failure-kinds.ts'
import type { Failure, Issue } from '../base/outcome.ts'

/** All issues of a failure, the one that decides the status first. */
export const issuesOf = ({ more = [], severity, kind, values, expression, location, fullUrl }: Failure): Issue[] => [
  { severity, kind, values, ...(expression && { expression }), ...(location && { location }), ...(fullUrl && { fullUrl }) },
  ...more,
]

/**
 * The resource that tells a client what went wrong, or what to look at beside a success. `details.coding` is the stable message id,
 * `details.text` its sentence in the client's language, `diagnostics` the English one with the fullUrl of the entry it is about.
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export const operationOutcome = (issues: readonly Issue[], language: 'en' | 'id', canonicalBase: string = ourBase): OperationOutcome => ({
  resourceType: 'OperationOutcome',
  issue: issues.map(one => issueElement(one, language, canonicalBase)),
})

/** Messages for which HL7 has a code. */
const codedElsewhere: Readonly<Partial<Record<FailureKind, readonly Coding[]>>> = {
  'break-glass-possible': [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'BTG' }],
}

const issueElement = (
  { severity, kind, values, expression, location, fullUrl }: Issue,
  language: 'en' | 'id',
  canonicalBase: string,
): OperationOutcomeIssue => ({
  severity,
  code: failureKinds[kind].code,
  details: {
    coding: [...(codedElsewhere[kind] ?? []), { system: `${canonicalBase}/CodeSystem/outcome`, code: kind }],
    text: sentence(kind, values, language),
  },
  diagnostics: sentence(kind, values, 'en') + namedEntry(fullUrl),
  ...(location && { location: [...location] }),
  ...(expression && { expression: [...expression] }),
})

const fullUrlCharactersMax = 200
/** A URN of an id, or an address without query and fragment: what could carry words about a patient is not repeated. */
const addressPattern = /^(?:urn:(?:uuid|oid):[A-Za-z0-9._-]+|https?:\/\/[^\s?#@"<>]+)$/

const namedEntry = (fullUrl: string | undefined): string =>
  fullUrl !== undefined && fullUrl.length <= fullUrlCharactersMax && addressPattern.test(fullUrl) ? ` (${fullUrl})` : ''
