import { type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { TypedValue } from '../../fhir/fhirpath/extraction.ts'
import type { IndexSink } from '../index-sink.ts'
import { tokenForm } from '../normal-form.ts'
import type { Node, ParamRef } from '../tree.ts'
import { splitValue, unescapeValue } from '../value-text.ts'
import { missing } from './missing.ts'
import { malformed, type Read, type SearchType } from './search-type.ts'

const read: Read = (text, { name, param }) => readToken(text, name, param)

/** @see https://hl7.org/fhir/R4/search.html#token */
export const token: SearchType = {
  index: (value, sink) => indexToken(value, sink),
  read,
  modifiers: {
    missing,
    not: { read, negated: true },
    text: 'unsupported',
    in: 'unsupported',
    'not-in': 'unsupported',
    above: 'unsupported',
    below: 'unsupported',
    'of-type': 'unsupported',
  },
}

/** The four forms `code`, `system|code`, `|code` and `system|`. */
export const readToken = (text: string, name: string, param: ParamRef): Outcome<Node> => {
  const parts = splitValue(text, '|').map(unescapeValue)
  if (parts.length > 2) return malformed(name, rule('token-form'))
  if (parts.length === 1) return ok({ op: 'token', param, code: tokenForm(parts[0] as string) })
  const [system, code] = parts as [string, string]
  if (code !== '') return ok({ op: 'token', param, system, code: tokenForm(code) })
  return system === '' ? malformed(name, rule('token-empty')) : ok({ op: 'token', param, system })
}

type Coded = { readonly [member in 'system' | 'code' | 'value' | 'coding']?: unknown }

/** A `code` has no system of its own: it takes that of its required binding, when that is a single one. */
const indexToken = ({ type, value, system }: TypedValue, sink: IndexSink): void => {
  if (typeof value === 'string') sink.token(system ?? '', value)
  else if (typeof value === 'boolean' || typeof value === 'number') sink.token('', String(value))
  else if (typeof value === 'object' && value !== null) indexCoded(type, value as Coded, sink)
}

const indexCoded = (type: string, coded: Coded, sink: IndexSink): void => {
  if (type === 'Coding') indexCode(coded.system, coded.code, sink)
  else if (type === 'CodeableConcept') indexCodings(coded.coding, sink)
  else if (type === 'Identifier') indexCode(coded.system, coded.value, sink)
  else if (type === 'ContactPoint') indexContactPoint(coded, sink)
}

const indexCodings = (codings: unknown, sink: IndexSink): void => {
  if (!Array.isArray(codings)) return
  for (const coding of codings as (Coded | null)[]) indexCode(coding?.system, coding?.code, sink)
}

const indexCode = (system: unknown, code: unknown, sink: IndexSink): void => {
  if (typeof code === 'string') sink.token(typeof system === 'string' ? system : '', code)
  else if (typeof system === 'string') sink.token(system, '')
}

/** System is the kind (`phone`); the value without blanks, and as written: `phone|+62811234` finds `+62 811 234`. */
const indexContactPoint = ({ system, value }: Coded, sink: IndexSink): void => {
  if (typeof value !== 'string') return
  const kind = typeof system === 'string' ? system : ''
  sink.token(kind, value.replace(/\s+/g, ''))
  sink.token(kind, value)
}
