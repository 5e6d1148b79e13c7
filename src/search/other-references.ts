import { eachReferencePlace } from '../fhir/model/reference-places.ts'
import { parseReference } from '../fhir/model/references.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { IndexSink } from './index-sink.ts'
import type { IndexContext } from './types/search-type.ts'

/**
 * References that no search parameter reaches: in extensions, in contained resources, in elements like `Annotation.authorReference`.
 * Nobody can search by them; a deletion asks whether anything refers to what it deletes.
 */

/** Stands for a parameter in the index values: no code of R4 is written so, and no search can name it. */
export const otherReferences = '*'

/** Their entries refer to each other, and are records of what was said elsewhere. */
const carriers: ReadonlySet<string> = new Set(['Bundle', 'Parameters'])

/** Comes after all parameters: what they have is not told again. */
export const indexOtherReferences = (resource: Resource, sink: IndexSink, { base, definitions }: IndexContext): void => {
  if (carriers.has(resource.resourceType)) return
  let known: Set<string> | undefined
  eachReferencePlace(resource, definitions, (place, text) => {
    if (place !== 'reference') return
    const parsed = parseReference(text, base)
    if (parsed.kind !== 'local' || !definitions.isResourceType(parsed.type)) return
    if (known === undefined) {
      known = new Set(sink.values().references.map(({ type, id }) => `${type}/${id}`))
      sink.begin(otherReferences)
    }
    const name = `${parsed.type}/${parsed.id}`
    if (known.has(name)) return
    known.add(name)
    sink.reference(parsed.type, parsed.id)
  })
}
