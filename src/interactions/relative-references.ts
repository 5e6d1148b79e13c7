import { eachReferencePlace } from '../fhir/model/reference-places.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Parts } from './parts.ts'

/** `Type/id` of a reference to ourselves; the text itself when it points elsewhere. */
export const relativeReference = (text: string, base: string): string => (text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text)

/** References that name our own base become relative, in place: they mean the same and survive a change of host. */
export const relativeToBase = (resource: Resource, parts: Pick<Parts, 'definitions' | 'settings'>): Resource => {
  const { base } = parts.settings
  eachReferencePlace(resource, parts.definitions, (place, text, holder, member) => {
    if (place === 'reference' && text.startsWith(base)) holder[member] = relativeReference(text, base)
  })
  return resource
}
