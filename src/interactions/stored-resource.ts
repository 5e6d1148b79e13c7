import type { Limits } from '../base/limits.ts'
import { parseJson } from '../fhir/model/json.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { StoredVersion } from '../storage/port.ts'

/** The resource of a stored version. What is stored was parsed when it came in: failure here is damage, so it throws. */
export const parseStored = (
  version: Pick<StoredVersion, 'type' | 'id' | 'versionId' | 'text'>,
  parts: { readonly limits: Pick<Limits, 'depthMax'> },
): Resource => {
  const parsed = parseJson(version.text, { depthMax: parts.limits.depthMax + 1 })
  if (!parsed.ok) throw new Error(`The stored text of ${version.type}/${version.id}/_history/${version.versionId} is damaged.`)
  return parsed.value as Resource // stored texts are resources
}
