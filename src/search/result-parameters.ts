import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import { readInclude, readRevinclude } from './includes.ts'
import { readyParameter } from './parameters.ts'
import type { Include, ParsedSearch, SearchText } from './request.ts'
import type { SortKey } from './tree.ts'
import { atParameter, malformed, shortName } from './types/search-type.ts'

/** How to answer, as far as the parameters say it. */
export type ResultParameters = {
  sort?: readonly SortKey[]
  count?: number
  total?: ParsedSearch['total']
  summary?: ParsedSearch['summary']
  elements?: readonly string[]
  includes: Include[]
  revincludes: Include[]
}

export type ResultContext = { readonly types: readonly string[]; readonly definitions: Definitions; readonly limits: Limits }

/** Reads one parameter into `results` and answers the value as it was applied. */
type ReadResult = (
  text: SearchText & { readonly modifier: string | undefined },
  results: ResultParameters,
  context: ResultContext,
) => Outcome<string>

const unchanged = ({ value }: SearchText): Outcome<string> => ok(value)

const oneOf = <T extends string>({ name, value }: SearchText, allowed: readonly T[]): Outcome<T> => {
  const found = allowed.find(one => one === value)
  return found === undefined ? malformed(name, rule('one-of', { words: allowed.join(', ') })) : ok(found)
}

const count: ReadResult = ({ name, value }, results, { limits }) => {
  if (!/^\d{1,15}$/.test(value)) return malformed(name, rule('whole-number'))
  results.count = Math.min(Number(value), limits.countMax)
  return ok(String(results.count))
}

const total: ReadResult = (text, results) => {
  const value = oneOf(text, ['none', 'estimate', 'accurate'])
  if (value.ok) results.total = value.value
  return value
}

const summary: ReadResult = (text, results) => {
  const value = oneOf(text, ['true', 'text', 'data', 'count', 'false'])
  if (value.ok) results.summary = value.value
  return value
}

const sortKeysMax = 10

const sort: ReadResult = ({ name, value }, results, context) => {
  const keys: SortKey[] = []
  for (const part of value.split(',')) {
    const key = readSortKey(part, name, context)
    if (!key.ok) return key
    if (keys.some(other => other.code === key.value.code)) return malformed(name, rule('sort-twice'))
    keys.push(key.value)
  }
  if (keys.length > sortKeysMax) return malformed(name, rule('sort-at-most', { max: sortKeysMax }))
  results.sort = keys
  return ok(value)
}

const readSortKey = (part: string, name: string, { types, definitions }: ResultContext): Outcome<SortKey> => {
  const descending = part.startsWith('-')
  const code = descending ? part.slice(1) : part
  if (code === '') return malformed(name, rule('sort-form'))
  let kind: SortKey['kind'] | undefined
  for (const type of types) {
    const definition = readyParameter(definitions, type, code, name)
    if (!definition.ok) return definition
    kind ??= definition.value.type
    if (definition.value.type !== kind) return malformed(name, rule('sort-kinds', { parameter: shortName(code) }))
  }
  if (kind === undefined || kind === 'composite') return malformed(name, rule('not-sortable', { parameter: shortName(code) }))
  return ok({ code, kind, descending })
}

const elements: ReadResult = ({ name, value }, results, { types, definitions }) => {
  const names = value.split(',')
  for (const element of names) {
    const dot = element.indexOf('.')
    const owners = dot < 0 ? types : [element.slice(0, dot)]
    if (!owners.some(type => hasElement(type, element.slice(dot + 1), definitions)))
      return fail('unknown-element', { element: shortName(element) }, atParameter(name))
  }
  results.elements = names
  return ok(value)
}

/** By the name of the definition (`value`, `value[x]`) or that of the JSON member (`valueQuantity`). */
const hasElement = (type: string, element: string, definitions: Definitions): boolean => {
  if (element === 'resourceType') return true
  const plain = element.replace(/\[x\]$/, '')
  return definitions.member(type, plain) !== undefined || (definitions.type(type)?.elements.some(({ name }) => name === plain) ?? false)
}

const includeReader =
  (list: 'includes' | 'revincludes'): ReadResult =>
  ({ name, value, modifier }, results, { types, definitions }) => {
    const read = list === 'includes' ? readInclude : readRevinclude
    const include = read({ name, value, iterate: modifier === 'iterate' }, types, definitions)
    if (!include.ok) return include
    results[list].push(include.value)
    return ok(value)
  }

type Row = { readonly read: ReadResult; readonly repeats?: true; readonly modifiers?: readonly string[] }

/** The parameters that say how to answer. `_type` is read before all others (parse.ts). */
export const resultParameters: Readonly<Record<string, Row>> = {
  _count: { read: count },
  _total: { read: total },
  _summary: { read: summary },
  _sort: { read: sort },
  _elements: { read: elements },
  _include: { read: includeReader('includes'), repeats: true, modifiers: ['iterate'] },
  _revinclude: { read: includeReader('revincludes'), repeats: true, modifiers: ['iterate'] },
  // Read by http; they stay in `self`.
  _format: { read: unchanged },
  _pretty: { read: unchanged },
}

/** Rules between the parameters. */
export const checkTogether = ({ summary: how, elements: names, includes, revincludes }: ResultParameters): Outcome<undefined> => {
  const clash = (first: string, second: string): Outcome<undefined> => fail('parameter-clash', { first, second }, atParameter(first))
  if (how !== undefined && names !== undefined) return clash('_summary', '_elements')
  if (how === 'text' && includes.length > 0) return clash('_summary', '_include')
  if (how === 'text' && revincludes.length > 0) return clash('_summary', '_revinclude')
  return ok(undefined)
}
