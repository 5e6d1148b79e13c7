import { canonicalBase } from '../../base/canonical.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import { recordsOf } from './references.ts'

/** In `meta`: who created an instance of a type that has no element for it, and belongs to whoever made it. */
const creatorUrl = `${canonicalBase}/StructureDefinition/created-by`

const types: ReadonlySet<string> = new Set(['Basic', 'Binary', 'Group', 'Subscription'])

/** `Practitioner/1`; undefined where nobody is named. */
export const creatorOf = ({ resourceType, meta }: Resource): string | undefined => {
  if (!types.has(resourceType) || meta?.extension === undefined) return undefined
  const reference = recordsOf(meta.extension).find(({ url }) => url === creatorUrl)?.valueReference
  const named = recordsOf(reference)[0]?.reference
  return typeof named === 'string' ? named : undefined
}

/**
 * The resource with its creator in `meta`: the one it had, or of a new one whoever writes (`by`, a fhirUser). What the writer says of it himself does not
 * count. The very resource when there is nothing to change.
 */
export const withCreator = (resource: Resource, before: Resource | undefined, by: string | undefined): Resource => {
  if (!types.has(resource.resourceType)) return resource
  const creator = before === undefined ? by : creatorOf(before)
  if (creatorOf(resource) === creator) return resource
  const { extension = [], ...meta } = resource.meta ?? {}
  const kept = extension.filter(({ url }) => url !== creatorUrl)
  const all = creator === undefined ? kept : [...kept, { url: creatorUrl, valueReference: { reference: creator } }]
  return { ...resource, meta: all.length === 0 ? meta : { ...meta, extension: all } }
}
