import { parseReference } from '../../fhir/model/references.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import type { Key } from '../../storage/port.ts'
import { isRecord } from '../roles/json-shape.ts'

/** Stored references to our own instances are relative, so no address of ours is needed to read them. */
const noBase = '\0'

/** The instance that a Reference element names; undefined for everything else. */
export const instanceOf = (reference: unknown): Key | undefined => {
  if (!isRecord(reference) || typeof reference.reference !== 'string') return undefined
  const parsed = parseReference(reference.reference, noBase)
  return parsed.kind === 'local' ? { type: parsed.type, id: parsed.id } : undefined
}

/** The contained resource that a Reference element names. */
export const containedOf = (reference: unknown, { contained }: Resource): Resource | undefined => {
  if (!isRecord(reference) || typeof reference.reference !== 'string' || !reference.reference.startsWith('#')) return undefined
  const id = reference.reference.slice(1)
  return listOf(contained).find((part): part is Resource => isRecord(part) && part.id === id && typeof part.resourceType === 'string')
}

/** Elements as a list, whether there are none, one or many. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])

/** Members of each element that is an object. */
export const recordsOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] => listOf(value).filter(isRecord)
