import { canonicalBase } from '../base/canonical.ts'
import type { Issue } from '../base/outcome.ts'
import { operationOutcome } from '../fhir/operation-outcome.ts'
import type { BundleEntry } from './bundle.ts'
import type { Parts } from './parts.ts'
import type { Context } from './request.ts'

/** What a search has to say beside its matches. @see https://hl7.org/fhir/R4/search.html#errors */
export const outcomeEntry = (issues: readonly Issue[], { language = 'en' }: Context, parts: Pick<Parts, 'ids'>): BundleEntry => ({
  fullUrl: `urn:uuid:${parts.ids()}`,
  resource: Buffer.from(JSON.stringify(operationOutcome(issues, language, canonicalBase))),
  mode: 'outcome',
})
