import { type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { numberOf } from '../../fhir/model/decimal.ts'
import type { IndexSink } from '../index-sink.ts'
import { tokenForm } from '../normal-form.ts'
import { highest, lowest, numberTest, splitPrefix } from '../ranges.ts'
import type { Node, ParamRef, Prefix } from '../tree.ts'
import { canonicalUnit, ucumSystem } from '../units.ts'
import { splitValue, unescapeValue } from '../value-text.ts'
import { missing } from './missing.ts'
import { notANumber, type Range, rangeOf } from './number.ts'
import { malformed, type SearchType } from './search-type.ts'

/**
 * The units under which a value is kept, and asked for:
 * `''` any unit; `=g.m-3` canonical UCUM; `system|code` a code that is not convertible; `text` the unit's text, or the code of a foreign system.
 * What the canonical form already answers has no row of its own: `5.4||mg` asks for canonical grams and for the text `mg`.
 * @see https://hl7.org/fhir/R4/search.html#quantity
 */
export const quantity: SearchType = {
  index({ type, value }, sink) {
    if (typeof value !== 'object' || value === null) return
    if (type === 'Range') indexRange(value as Range & { low?: Unit; high?: Unit }, sink)
    else if (type === 'Ratio') indexRatio(value as Ratio, sink)
    else if (type === 'Money') indexMoney(value as Money, sink)
    else indexQuantity(value as Quantity, sink)
  },
  read(text, { name, param }) {
    const parts = splitValue(text, '|').map(unescapeValue)
    const { prefix, rest } = splitPrefix(parts[0] as string)
    if (parts.length === 1) return inUnit(param, '', prefix, rest, name)
    const [, system, code] = parts
    if (parts.length !== 3 || code === '') return malformed(name, rule('quantity-form'))
    return system === ''
      ? inAnySystem(param, code as string, prefix, rest, name)
      : inSystem(param, system as string, code as string, prefix, rest, name)
  },
  modifiers: { missing },
}

type Unit = { readonly unit?: unknown; readonly system?: unknown; readonly code?: unknown }
type Quantity = Unit & { readonly value?: unknown; readonly comparator?: unknown }
type Ratio = { readonly numerator?: Quantity; readonly denominator?: Quantity }
type Money = { readonly value?: unknown; readonly currency?: unknown }

const indexQuantity = (quantity: Quantity, sink: IndexSink): void => {
  const value = numberOf(quantity.value)
  if (value === undefined) return
  const { comparator } = quantity
  const below = comparator === '<' || comparator === '<='
  const above = comparator === '>' || comparator === '>='
  indexUnits(quantity, below ? lowest : value, above ? highest : value, sink)
}

const indexUnits = (unit: Unit, lo: number, hi: number, sink: IndexSink): void => {
  sink.number('', lo, hi)
  const code = typeof unit.code === 'string' ? unit.code : ''
  const system = typeof unit.system === 'string' ? unit.system : ''
  const canonical = system === ucumSystem ? canonicalUnit(code) : undefined
  if (canonical) indexCanonical(canonical.unit, canonical.convert(lo), canonical.convert(hi), sink)
  else if (code !== '') {
    if (system !== '') sink.number(`${system}|${code}`, lo, hi)
    sink.number(code, lo, hi)
  }
  if (typeof unit.unit === 'string' && unit.unit !== '' && unit.unit !== code) sink.number(unit.unit, lo, hi)
}

const indexCanonical = (unit: string, a: number, b: number, sink: IndexSink): void => sink.number(unit, Math.min(a, b), Math.max(a, b))

const indexRange = (range: Range & { low?: Unit; high?: Unit }, sink: IndexSink): void => {
  const ends = rangeOf(range)
  if (ends)
    indexUnits(range.low?.code === undefined && range.low?.unit === undefined ? (range.high ?? {}) : range.low, ends.lo, ends.hi, sink)
}

/** As quotient, `5 mg / 2 mL` is 2.5 mg/mL. */
const indexRatio = ({ numerator, denominator }: Ratio, sink: IndexSink): void => {
  const above = numberOf(numerator?.value)
  const below = numberOf(denominator?.value)
  if (above === undefined || below === undefined || below === 0) return
  const units = [numerator, denominator].map(part => (part?.system === ucumSystem && typeof part.code === 'string' ? part.code : undefined))
  const code = units.includes(undefined) ? {} : { system: ucumSystem, code: `(${units[0]})/(${units[1]})` }
  indexUnits(code, above / below, above / below, sink)
}

/** R4 binds currency to ISO 4217. */
const currencySystem = 'urn:iso:std:iso:4217'

const indexMoney = ({ value, currency }: Money, sink: IndexSink): void => {
  const amount = numberOf(value)
  if (amount !== undefined) indexUnits({ system: currencySystem, code: currency }, amount, amount, sink)
}

const inUnit = (
  param: ParamRef,
  unit: string,
  prefix: Prefix,
  digits: string,
  name: string,
  convert?: (value: number) => number,
): Outcome<Node> => {
  const test = numberTest(prefix, digits, convert)
  return test ? ok({ op: 'quantity', param, unit: tokenForm(unit), test }) : malformed(name, notANumber)
}

const inSystem = (param: ParamRef, system: string, code: string, prefix: Prefix, digits: string, name: string): Outcome<Node> => {
  const canonical = system === ucumSystem ? canonicalUnit(code) : undefined
  return canonical
    ? inUnit(param, canonical.unit, prefix, digits, name, canonical.convert)
    : inUnit(param, `${system}|${code}`, prefix, digits, name)
}

const inAnySystem = (param: ParamRef, code: string, prefix: Prefix, digits: string, name: string): Outcome<Node> => {
  const asText = inUnit(param, code, prefix, digits, name)
  const canonical = canonicalUnit(code)
  if (!asText.ok || !canonical) return asText
  const asUcum = inUnit(param, canonical.unit, prefix, digits, name, canonical.convert)
  return asUcum.ok ? ok({ op: 'or', of: [asUcum.value, asText.value] }) : asUcum
}
