import { fail } from '../base/outcome.ts'
import type { Interaction } from './parts.ts'
import { search } from './search.ts'
import { maySee } from './visible.ts'

/** What belongs to one patient, encounter, practitioner …: of one type, or of all. @see https://hl7.org/fhir/R4/http.html#vsearch */
export const searchCompartment: Interaction = async (request, call, parts) => {
  const compartment = request.compartment as { type: string; id: string } // the route has one
  const owner = `${compartment.type}/${compartment.id}`
  const newest = await parts.store.newest(compartment.type, compartment.id)
  if (newest === undefined || newest.deleted || !(await maySee(newest, call, parts))) return fail('unknown-instance', { what: owner })
  const path = `${owner}/${request.type ?? '*'}`
  const types = request.type === undefined ? parts.definitions.resourceTypes : [request.type]
  return search({ name: `search-compartment ${path}`, path, types, compartment }, request, call, parts)
}
