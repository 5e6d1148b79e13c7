import type { Interaction } from './parts.ts'
import { search } from './search.ts'

/** All types, or those that `_type` names. @see https://hl7.org/fhir/R4/http.html#search */
export const searchSystem: Interaction = (request, call, parts) =>
  search({ name: 'search-system', path: '', types: parts.definitions.resourceTypes }, request, call, parts)
