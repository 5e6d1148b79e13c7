import { type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import { readyParameter } from './parameters.ts'
import type { Include } from './request.ts'
import type { ParamRef } from './tree.ts'
import { malformed } from './types/search-type.ts'

export type IncludeText = { /** With modifier, for messages. */ readonly name: string; readonly value: string; readonly iterate: boolean }

/**
 * `_include=Observation:subject:Patient`, `Observation:*` or `*`. Without `:iterate` it must start from a type that is searched.
 * @see https://hl7.org/fhir/R4/search.html#include
 */
export const readInclude = (text: IncludeText, types: readonly string[], definitions: Definitions): Outcome<Include> => {
  const parts = partsOf(text)
  if (!parts.ok) return parts
  const { source, code, targetType } = parts.value
  const sources = source === '*' ? (text.iterate ? definitions.resourceTypes : types) : [source]
  if (!text.iterate && !sources.every(type => types.includes(type))) return malformed(text.name, rule('include-searched-source'))
  const params = paramsOf(text, sources, code, targetType, definitions)
  return params.ok ? ok(includeOf(text, params.value, targetType)) : params
}

/** `_revinclude=Observation:subject`: what refers to the matches. The parameter must be able to refer to a type that is searched. */
export const readRevinclude = (text: IncludeText, types: readonly string[], definitions: Definitions): Outcome<Include> => {
  const parts = partsOf(text)
  if (!parts.ok) return parts
  const { source, code, targetType } = parts.value
  const sources = source === '*' ? definitions.resourceTypes : [source]
  const params = paramsOf(text, sources, code, targetType, definitions)
  if (!params.ok) return params
  const wanted = targetType === undefined ? types : types.filter(type => type === targetType)
  const referring = text.iterate ? params.value : params.value.filter(param => refersTo(param, wanted, definitions))
  return referring.length === 0 ? malformed(text.name, rule('include-searched-target')) : ok(includeOf(text, referring, targetType))
}

const includeOf = ({ value, iterate }: IncludeText, params: readonly ParamRef[], targetType: string | undefined): Include => ({
  text: value,
  params,
  ...(targetType === undefined ? {} : { targetType }),
  iterate,
})

type Parts = { readonly source: string; readonly code: string; readonly targetType: string | undefined }

const partsOf = ({ name, value }: IncludeText): Outcome<Parts> => {
  if (value === '*') return ok({ source: '*', code: '*', targetType: undefined })
  const [source = '', code = '', targetType, more] = value.split(':')
  return source === '' || source === '*' || code === '' || targetType === '' || more !== undefined
    ? malformed(name, rule('include-form'))
    : ok({ source, code, targetType })
}

const paramsOf = (
  text: IncludeText,
  sources: readonly string[],
  code: string,
  targetType: string | undefined,
  definitions: Definitions,
): Outcome<readonly ParamRef[]> => {
  if (targetType !== undefined && !definitions.isResourceType(targetType)) return malformed(text.name, rule('include-target'))
  const params: ParamRef[] = []
  for (const source of sources) {
    if (!definitions.isResourceType(source)) return malformed(text.name, rule('include-source'))
    if (code === '*') params.push(...referencesOf(source, targetType, definitions))
    else {
      const definition = readyParameter(definitions, source, code, text.name)
      if (!definition.ok) return definition
      if (definition.value.type !== 'reference') return malformed(text.name, rule('include-reference'))
      const param: ParamRef = { type: source, code, kind: 'reference' }
      if (targetType !== undefined && !refersTo(param, [targetType], definitions))
        return malformed(text.name, rule('include-refers-to', { type: targetType }))
      params.push(param)
    }
  }
  return ok(params)
}

const referencesOf = (type: string, targetType: string | undefined, definitions: Definitions): readonly ParamRef[] =>
  [...definitions.searchParameters(type).values()]
    .filter(definition => definition.type === 'reference')
    .map(({ code }): ParamRef => ({ type, code, kind: 'reference' }))
    .filter(param => targetType === undefined || refersTo(param, [targetType], definitions))

const refersTo = ({ type, code }: ParamRef, targets: readonly string[], definitions: Definitions): boolean => {
  const known = definitions.searchParameters(type).get(code)?.targets
  return known === undefined || targets.some(target => known.includes(target))
}
