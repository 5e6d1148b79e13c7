import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes'
import { canonicalBase as ourBase } from '../base/canonical.ts'
import { failureKinds, sentence } from '../base/failure-kinds.ts'
import { type Failure, type Issue, issue } from '../base/outcome.ts'

/** An outcome names at most so many issues; then the last one says that there are more. */
const issuesMax = 500

/** All issues of a failure, the one that decides the status first. */
export const issuesOf = ({ more = [], severity, kind, values, expression, location }: Failure): Issue[] => [
  { severity, kind, values, ...(expression && { expression }), ...(location && { location }) },
  ...more,
]

/**
 * The resource that tells a client what went wrong, or what to look at beside a success. `details.coding` is the stable message id,
 * `details.text` its sentence in the client's language, `diagnostics` the English one.
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export const operationOutcome = (issues: readonly Issue[], language: 'en' | 'id', canonicalBase: string = ourBase): OperationOutcome => {
  const named =
    issues.length > issuesMax ? [...issues.slice(0, issuesMax - 1), issue('information', 'more-issues', { max: issuesMax - 1 })] : issues
  return { resourceType: 'OperationOutcome', issue: named.map(one => issueElement(one, language, canonicalBase)) }
}

const issueElement = (
  { severity, kind, values, expression, location }: Issue,
  language: 'en' | 'id',
  canonicalBase: string,
): OperationOutcomeIssue => ({
  severity,
  code: failureKinds[kind].code,
  details: {
    coding: [{ system: `${canonicalBase}/CodeSystem/outcome`, code: kind }],
    text: sentence(kind, values, language),
  },
  diagnostics: sentence(kind, values, 'en'),
  ...(location && { location: [...location] }),
  ...(expression && { expression: [...expression] }),
})
