import { ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { IndexSink } from '../index-sink.ts'
import { exactForm, normalForm } from '../normal-form.ts'
import { unescapeValue } from '../value-text.ts'
import { missing } from './missing.ts'
import { malformed, type Read, type SearchType } from './search-type.ts'

/** @see https://hl7.org/fhir/R4/search.html#string */
export const string: SearchType = {
  index({ type, value }, sink) {
    if (typeof value === 'string') sink.string(value)
    else if (type === 'HumanName') indexHumanName(value as HumanName, sink)
    else if (type === 'Address') indexAddress(value as Address, sink)
  },
  read: (text, asked, context) => within('prefix')(text, asked, context),
  modifiers: {
    missing,
    exact: {
      read(text, { param }) {
        const whole = unescapeValue(text)
        const normal = normalForm(whole)
        const exact = exactForm(whole)
        return ok({ op: 'string', param, match: 'exact', text: normal, exact: exact === normal ? '' : exact })
      },
    },
    contains: { read: (text, asked, context) => within('contains')(text, asked, context) },
    text: 'unsupported',
  },
}

const within =
  (match: 'prefix' | 'contains'): Read =>
  (text, { name, param }) => {
    const normal = normalForm(unescapeValue(text))
    return normal === '' ? malformed(name, rule('letter-or-digit')) : ok({ op: 'string', param, match, text: normal })
  }

// As JSON says it, before validation: any member may be of any kind.
type HumanName = { readonly [part in 'text' | 'family' | 'given' | 'prefix' | 'suffix']?: unknown }
type Address = { readonly [part in 'text' | 'line' | 'city' | 'district' | 'state' | 'postalCode' | 'country']?: unknown }

/** Each part, the text, and "given family", so that `name=Budi Santoso` finds who has no text. */
const indexHumanName = (name: HumanName, sink: IndexSink): void => {
  const given = texts(name.given)
  const family = texts(name.family)
  for (const part of [family, given, texts(name.prefix), texts(name.suffix), texts(name.text)]) for (const text of part) sink.string(text)
  if (given.length > 0 && family.length > 0) sink.string([...given, ...family].join(' '))
}

const addressParts = ['line', 'city', 'district', 'state', 'postalCode', 'country', 'text'] as const

const indexAddress = (address: Address, sink: IndexSink): void => {
  for (const part of addressParts) for (const text of texts(address[part])) sink.string(text)
}

const texts = (part: unknown): readonly string[] =>
  typeof part === 'string' ? [part] : Array.isArray(part) ? part.filter(text => typeof text === 'string') : []
