import type { Resource } from '../fhir/model/resource.ts'
import type { StoredVersion } from '../storage/port.ts'
import { type AccessAttributes, accessAttributes, admits } from './access-attributes.ts'
import type { Call, Parts } from './parts.ts'
import { parseStored } from './stored-resource.ts'

/** The attributes of a stored state; a deletion has those of the state before it. */
export const attributesOf = async (version: StoredVersion, parts: Parts): Promise<AccessAttributes | undefined> => {
  const state = version.deleted ? await parts.store.version(version.type, version.id, version.versionId - 1) : version
  if (state === undefined || state.deleted) return undefined
  const resource: Resource = parseStored(state, parts)
  return accessAttributes(resource, state.id, parts.index(resource))
}

/** Whether the caller may see this version: decided before anything else is said about the instance. */
export const maySee = async (version: StoredVersion, call: Call, parts: Parts): Promise<boolean> => {
  const filter = call.access.filterFor(version.type)
  if (filter.op === 'all' || filter.op === 'none') return filter.op === 'all'
  const attributes = await attributesOf(version, parts)
  return attributes !== undefined && admits(filter, version.id, attributes)
}
