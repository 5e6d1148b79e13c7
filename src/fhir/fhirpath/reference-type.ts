import type { Definitions } from '../definitions/definitions.ts'
import { isObject, type JsonObject } from './walk.ts'

/**
 * The resource type that a Reference says it points to: from `Type/id` (also at the end of an absolute URL, `/_history/n` allowed), from
 * the contained resource that `#id` names, else from `Reference.type`. Never looked up in a store.
 */
export const referredType = (reference: JsonObject, resource: JsonObject, definitions: Definitions): string | undefined => {
  const { reference: text, type } = reference
  const told = typeof text === 'string' ? (text.startsWith('#') ? containedType(text.slice(1), resource) : typeInUrl(text)) : undefined
  if (told !== undefined && definitions.isResourceType(told)) return told
  return typeof type === 'string' ? type.slice(type.lastIndexOf('/') + 1) : undefined
}

/** `#` alone is the resource around. */
const containedType = (id: string, resource: JsonObject): string | undefined => {
  const target = id === '' ? resource : asList(resource.contained).find(candidate => candidate.id === id)
  return typeof target?.resourceType === 'string' ? target.resourceType : undefined
}

const asList = (contained: unknown): readonly JsonObject[] => (Array.isArray(contained) ? contained.filter(isObject) : [])

const history = '/_history/'

const typeInUrl = (text: string): string | undefined => {
  const version = text.lastIndexOf(history)
  const idEnd = version < 0 ? text.length : version
  const typeEnd = text.lastIndexOf('/', idEnd - 1)
  return typeEnd < 0 ? undefined : text.slice(text.lastIndexOf('/', typeEnd - 1) + 1, typeEnd)
}
