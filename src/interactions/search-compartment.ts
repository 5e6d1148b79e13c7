import { fail } from '../base/outcome.ts'
import type { Key, StoredVersion } from '../storage/port.ts'
import type { Call, Interaction, Parts } from './parts.ts'
import { search } from './search.ts'
import { isVisible } from './visible.ts'

/** What belongs to one patient, encounter, practitioner …: of one type, or of all. @see https://hl7.org/fhir/R4/http.html#vsearch */
export const searchCompartment: Interaction = async (request, call, parts) => {
  const compartment = request.compartment as { type: string; id: string } // the route has one
  const owner = `${compartment.type}/${compartment.id}`
  const newest = await parts.store.newest(compartment.type, compartment.id)
  if (!(await isOwnerSeen(compartment, newest, call, parts))) return fail('unknown-instance', { what: owner })
  const path = `${owner}/${request.type ?? '*'}`
  const types = request.type === undefined ? parts.definitions.resourceTypes : [request.type]
  return search({ name: `search-compartment ${path}`, path, types, compartment }, request, call, parts)
}

/** Who has no right to owners of that type is told nothing about one: then what matches is decided by itself. */
const isOwnerSeen = async (owner: Key, newest: StoredVersion | undefined, call: Call, parts: Parts): Promise<boolean> => {
  if (call.access.ruling('read', owner.type) === undefined) return true
  return (await isVisible(owner, newest, call, parts, 'read')) && newest?.deleted !== true
}
