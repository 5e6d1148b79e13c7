import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import { mendedDate, searchedRange } from '../search/types/date.ts'
import type { Parts } from './parts.ts'
import { badParameter, type Readers, readParameters } from './read-parameters.ts'
import type { Parameter } from './request.ts'
import { checkView, type View, viewReaders } from './view.ts'

/** What the parameters of a history ask for. Instants in milliseconds. */
export type HistoryParameters = View & {
  readonly count: number
  readonly since?: number
  readonly current?: { readonly lo: number; readonly hi: number }
  readonly oldestFirst?: boolean
  /** Of the whole system: only these types. */
  readonly types?: readonly string[]
  /** As they were applied, the page size included: the text of `self`. */
  readonly applied: readonly Parameter[]
}

type HistoryParts = Pick<Parts, 'definitions' | 'limits' | 'settings'>

/** @see rest-api.md 15 */
export const readHistoryParameters = (
  parameters: readonly Parameter[],
  types: readonly string[],
  parts: HistoryParts,
): Outcome<HistoryParameters> => {
  const read = readParameters<HistoryParameters>(parameters, readersFor(types, parts), 'history')
  if (!read.ok) return read
  const checked = checkView(read.value)
  if (!checked.ok) return checked
  if (read.value.since !== undefined && read.value.current !== undefined)
    return fail('parameter-clash', { first: '_since', second: '_at' }, { location: ['http._since'] })
  const { count = Math.min(parts.limits.historyCountDefault, parts.limits.countMax) } = read.value
  return ok({ ...read.value, count, applied: appliedWith(count, parameters) })
}

const readersFor = (types: readonly string[], { definitions, limits, settings }: HistoryParts): Readers<HistoryParameters> => ({
  ...viewReaders(types, { definitions, limits }),
  _count: (value, name) => countOf(value, name, limits),
  _since: (value, name) => {
    const range = searchedRange(value, settings.zone)
    return range === undefined ? badParameter(name, aDate) : ok({ since: range.lo })
  },
  _at: (value, name) => {
    const range = searchedRange(value, settings.zone)
    return range === undefined ? badParameter(name, aDate) : ok({ current: range })
  },
  _sort: (value, name) => {
    if (value !== '-_lastUpdated' && value !== '_lastUpdated')
      return badParameter(name, rule('one-of', { words: '-_lastUpdated, _lastUpdated' }))
    return ok({ oldestFirst: value === '_lastUpdated' })
  },
  _list: (_, name) => fail('unsupported-parameter', { parameter: name }, { location: [`http.${name}`] }),
  ...(types.length === 1 ? {} : { _type: (value: string, name: string) => typesOf(value, name, types) }),
})

const aDate = rule('instant-or-date')

const countOf = (value: string, name: string, limits: Limits): Outcome<{ count: number }> =>
  /^\d{1,15}$/.test(value) ? ok({ count: Math.min(Number(value), limits.countMax) }) : badParameter(name, rule('whole-number'))

const typesOf = (value: string, name: string, known: readonly string[]): Outcome<{ types: readonly string[] }> => {
  const types = [...new Set(value.split(','))]
  return types.every(type => known.includes(type)) ? ok({ types }) : badParameter(name, rule('type-list'))
}

/** `_count` shows what was answered with, not what was asked for; a `+` that arrived as a blank is a `+` again. */
const appliedWith = (count: number, parameters: readonly Parameter[]): readonly Parameter[] => {
  const size = { name: '_count', value: String(count) }
  const shown = parameters.map(parameter => {
    if (parameter.name === '_count') return size
    return instants.has(parameter.name) ? { ...parameter, value: mendedDate(parameter.value) } : parameter
  })
  return shown.includes(size) ? shown : [...shown, size]
}

const instants: ReadonlySet<string> = new Set(['_since', '_at'])
