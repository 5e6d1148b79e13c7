import { canonicalBase } from '../../base/canonical.ts'
import type { SearchParameterDefinition } from '../../fhir/definitions/definitions.ts'

/**
 * Search parameters that conditions of roles need and R4 has not. Index them like others; clients need not know them.
 * R5 has the first under the same code.
 */
export const accessParameters: readonly SearchParameterDefinition[] = [
  {
    code: 'category',
    url: `${canonicalBase}/SearchParameter/flag-category`,
    base: ['Flag'],
    type: 'token',
    expression: 'Flag.category',
  },
  {
    code: 'code',
    url: `${canonicalBase}/SearchParameter/clinical-impression-code`,
    base: ['ClinicalImpression'],
    type: 'token',
    expression: 'ClinicalImpression.code',
  },
]
