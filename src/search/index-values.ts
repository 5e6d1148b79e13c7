import type { Definitions } from '../fhir/definitions/definitions.ts'
import { createExtractor, type ExtractedParameter, type ExtractorOptions } from '../fhir/fhirpath/extraction.ts'
import type { Resource } from '../fhir/model/resource.ts'
import { IndexSink } from './index-sink.ts'
import { indexOtherReferences } from './other-references.ts'
import { membersOf } from './parameters.ts'
import type { Indexer } from './request.ts'
import { indexComposite } from './types/composite.ts'
import { searchTypes, simpleTypes } from './types/index.ts'
import type { IndexContext } from './types/search-type.ts'

/** The store knows these of every instance; they are not indexed. */
const knownToTheStore: ReadonlySet<string> = new Set(['_id', '_lastUpdated'])

/**
 * Index values of resources: every search parameter of the type, and what else it refers to, without duplicates, the same for every engine.
 * Never fails; what a parameter cannot make sense of is left out, and `options.skipped` is told the URL of one that could not be evaluated.
 */
export const createIndexer = (
  definitions: Definitions,
  settings: { readonly base: string; readonly zone: string },
  options: ExtractorOptions = {},
): Indexer => {
  const extracted = createExtractor(definitions, options)
  const context: IndexContext = { definitions, base: settings.base, zone: settings.zone }
  const byType = new Map<string, readonly ExtractedParameter[]>()

  /** In the order of their codes, so that shapes come out sorted. */
  const parametersOf = (type: string): readonly ExtractedParameter[] => {
    const known = byType.get(type)
    if (known) return known
    const parameters = extracted(type)
      .filter(({ definition }) => !knownToTheStore.has(definition.code) && membersOf(definitions, type, definition).length === 0)
      .toSorted((a, b) => (a.definition.code < b.definition.code ? -1 : 1))
    if (definitions.isResourceType(type)) byType.set(type, parameters)
    return parameters
  }

  return resource => {
    const sink = new IndexSink()
    for (const parameter of parametersOf(resource.resourceType)) indexParameter(parameter, resource as Resource, sink, context)
    indexOtherReferences(resource as Resource, sink, context)
    return sink.values()
  }
}

const indexParameter = (parameter: ExtractedParameter, resource: Resource, sink: IndexSink, context: IndexContext): void => {
  const values = parameter.extract(resource)
  if (values.length === 0) return
  const { code, type } = parameter.definition
  sink.begin(code)
  if (parameter.components) {
    indexComposite(values, parameter.components, resource, simpleTypes, sink, context)
    if (!sink.hasComposites()) return
  } else for (const value of values) searchTypes[type].index(value, sink, context)
  sink.end()
}
