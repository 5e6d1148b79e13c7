import { history } from './history.ts'
import type { Interaction } from './parts.ts'

/** @see https://hl7.org/fhir/R4/http.html#history */
export const historySystem: Interaction = (request, call, parts) =>
  history({ name: 'history-system', path: '_history', types: parts.definitions.resourceTypes }, request, call, parts)
