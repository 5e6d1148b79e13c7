import type { SearchParamType } from '../../src/fhir/definitions/definitions.ts'
import type { GeneratedSearchParameter, GeneratedSearchParameters } from '../../src/fhir/definitions/generated-form.ts'
import type { Published, SearchParameter } from './package.ts'

const searchParamTypes = [
  'number',
  'date',
  'string',
  'token',
  'reference',
  'composite',
  'quantity',
  'uri',
  'special',
] as const satisfies SearchParamType[]

/** The server gives these values itself when it stores a version; they are not extracted from what was sent. */
const givenByServer = new Set(['Resource-id', 'Resource-lastUpdated'])

/** All base search parameters of R4, in the order of their ids. */
export const searchParametersOf = (published: Published): GeneratedSearchParameters => {
  const resourceTypes = [...published.structures.values()]
    .filter(({ kind, abstract }) => kind === 'resource' && !abstract)
    .map(({ type }) => type)
  const byUrl = new Map([...published.searchParameters.values()].map(parameter => [parameter.url, parameter]))
  return [...published.searchParameters.values()]
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(parameter => searchParameterOf(parameter, byUrl, resourceTypes))
}

const searchParameterOf = (
  parameter: SearchParameter,
  byUrl: ReadonlyMap<string, SearchParameter>,
  resourceTypes: readonly string[],
): GeneratedSearchParameter => {
  const { id, code, url, base, expression, target, component } = parameter
  const type = searchParamTypes.find(known => known === parameter.type)
  if (!type) throw new Error(`SearchParameter ${id}: type ${parameter.type} is unknown.`)
  const unknown = [...base, ...(target ?? [])].filter(
    name => !resourceTypes.includes(name) && name !== 'Resource' && name !== 'DomainResource',
  )
  if (unknown.length > 0) throw new Error(`SearchParameter ${id} names types that R4 does not have: ${unknown}.`)
  return {
    code,
    url,
    base,
    type,
    ...(expression !== undefined && !givenByServer.has(id) && { expression }),
    ...(target && { targets: isAny(target, resourceTypes) ? '*' : target.toSorted() }),
    ...(component && { components: component.map(part => componentOf(parameter, part, byUrl)) }),
  }
}

/** R4 writes Reference(Any) as the list of all types but Parameters, which is never stored to be referred to. */
const isAny = (target: readonly string[], resourceTypes: readonly string[]): boolean =>
  resourceTypes.every(type => type === 'Parameters' || target.includes(type))

const componentOf = (
  parameter: SearchParameter,
  part: { definition: string; expression: string },
  byUrl: ReadonlyMap<string, SearchParameter>,
) => {
  const definition = byUrl.get(part.definition)
  if (!definition) throw new Error(`SearchParameter ${parameter.id}: component ${part.definition} is unknown.`)
  return { code: definition.code, url: part.definition, expression: part.expression }
}
