import type { Interaction } from './parts.ts'
import { search } from './search.ts'

/** @see https://hl7.org/fhir/R4/http.html#search */
export const searchType: Interaction = (request, call, parts) => {
  const type = request.type as string // the route has one
  return search({ name: `search-type ${type}`, path: type, types: [type] }, request, call, parts)
}
