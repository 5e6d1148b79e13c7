import { ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { numberOf } from '../../fhir/model/decimal.ts'
import { highest, lowest, numberTest, splitPrefix } from '../ranges.ts'
import { unescapeValue } from '../value-text.ts'
import { missing } from './missing.ts'
import { malformed, type SearchType } from './search-type.ts'

/** @see https://hl7.org/fhir/R4/search.html#number */
export const number: SearchType = {
  index({ type, value }, sink) {
    const number = numberOf(value)
    if (number !== undefined) sink.number('', number, number)
    else if (type === 'Range') {
      const range = rangeOf(value as Range)
      if (range) sink.number('', range.lo, range.hi)
    }
  },
  read(text, { name, param }) {
    const { prefix, rest } = splitPrefix(unescapeValue(text))
    const test = numberTest(prefix, rest)
    return test ? ok({ op: 'number', param, test }) : malformed(name, notANumber)
  },
  modifiers: { missing },
}

export const notANumber = rule('number-form')

export type Range = { readonly low?: { readonly value?: unknown }; readonly high?: { readonly value?: unknown } }

/** Both ends of a Range, open where it says nothing; undefined when it says nothing at all. */
export const rangeOf = ({ low, high }: Range): { readonly lo: number; readonly hi: number } | undefined => {
  const lo = numberOf(low?.value)
  const hi = numberOf(high?.value)
  return lo === undefined && hi === undefined ? undefined : { lo: lo ?? lowest, hi: hi ?? highest }
}
