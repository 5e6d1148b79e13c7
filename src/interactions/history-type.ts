import { history } from './history.ts'
import type { Interaction } from './parts.ts'

/** @see https://hl7.org/fhir/R4/http.html#history */
export const historyType: Interaction = (request, call, parts) => {
  const type = request.type as string // the route has one
  return history({ name: `history-type ${type}`, path: `${type}/_history`, types: [type] }, request, call, parts)
}
