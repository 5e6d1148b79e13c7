import { fail, type Outcome, ok } from '../base/outcome.ts'
import { readFilter } from './filters.ts'
import { filterContext, queryOf, type SearchInput } from './parse.ts'
import type { SearchText } from './request.ts'
import { resultParameters } from './result-parameters.ts'
import type { Node, Query } from './tree.ts'
import { atParameter } from './types/search-type.ts'

export type CriteriaInput = Pick<SearchInput, 'definitions' | 'limits' | 'settings' | 'now'>

/**
 * The question of a conditional interaction, from its text as sent: `identifier=a|b`, `?identifier=…`, `Patient?identifier=…` or our own
 * absolute URL; percent-decoded here, once. Always strict: what cannot be applied fails, since leaving it out would look like "no match"
 * or match too much. Fails `criteria-not-selective` without a parameter that selects or with one that is about results.
 * @see https://hl7.org/fhir/R4/http.html#ccreate, rest-api.md 14
 */
export const parseCriteria = (type: string, text: string, input: CriteriaInput): Outcome<Query> => {
  const query = queryText(type, text, input.settings.base)
  if (!query.ok) return query
  const parameters = decodeQuery(query.value)
  return parameters.ok ? parseCriteriaParameters(type, parameters.value, input) : parameters
}

/** As `parseCriteria`, for parameters that came decoded (`PUT /Patient?identifier=…`). */
export const parseCriteriaParameters = (type: string, parameters: readonly SearchText[], input: CriteriaInput): Outcome<Query> => {
  if (parameters.length > input.limits.parametersMax) return fail('too-many-parameters', { max: input.limits.parametersMax })
  const context = filterContext(input)
  const filters: (readonly Node[])[] = []
  for (const parameter of parameters) {
    const [name = ''] = parameter.name.split(':')
    if (name === '_format' || name === '_pretty') continue
    if (name === '_type' || Object.hasOwn(resultParameters, name)) return fail('criteria-not-selective', {}, atParameter(parameter.name))
    const filter = readFilter(type, parameter, context)
    if (!filter.ok) return filter
    filters.push([filter.value])
  }
  const query = queryOf([type], filters, input)
  return query.parts.every(part => part.where.op === 'all') ? fail('criteria-not-selective', {}) : ok(query)
}

/** What follows the `?`, when what stands before it is this type. */
const queryText = (type: string, text: string, base: string): Outcome<string> => {
  const mark = text.indexOf('?')
  const equals = text.indexOf('=')
  if (mark < 0 || (equals >= 0 && equals < mark)) return ok(text)
  const before = text.slice(0, mark)
  const relative = before.startsWith(`${base}/`) ? before.slice(base.length + 1) : before
  return relative === '' || relative === type ? ok(text.slice(mark + 1)) : fail('wrong-resource-type', { expected: type })
}

const decodeQuery = (text: string): Outcome<readonly SearchText[]> => {
  const parameters: SearchText[] = []
  for (const pair of text.split('&')) {
    if (pair.trim() === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined) return fail('bad-url', {})
    parameters.push({ name, value })
  }
  return ok(parameters)
}

/** Undefined when the text is not percent-encoded UTF-8. */
const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
