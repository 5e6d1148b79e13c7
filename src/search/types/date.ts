import { ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { dateRange } from '../../fhir/model/dates.ts'
import type { IndexSink } from '../index-sink.ts'
import { dateTest, earliest, latest, splitPrefix } from '../ranges.ts'
import { missing } from './missing.ts'
import { type IndexContext, malformed, type Read, type SearchType } from './search-type.ts'

const read: Read = (text, { name, param }, context) => {
  const { prefix, rest } = splitPrefix(text)
  const range = searchedRange(rest, context.zone)
  return range ? ok({ op: 'date', param, test: dateTest(prefix, range.lo, range.hi, context.now) }) : malformed(name, notADate)
}

/** @see https://hl7.org/fhir/R4/search.html#date */
export const date: SearchType = {
  index({ type, value }, sink, context) {
    if (typeof value === 'string') indexDate(value, sink, context)
    else if (typeof value !== 'object' || value === null) return
    else if (type === 'Period') indexPeriod(value as Period, sink, context)
    else if (type === 'Timing') indexTiming(value as Timing, sink, context)
  },
  read,
  modifiers: { missing },
}

export const notADate = rule('date-form')

/**
 * The range a searched date covers. Searches may leave the seconds away (R4), and a `+` that arrived as a blank stands before `hh:mm`.
 * Undefined when `text` is no date.
 */
export const searchedRange = (text: string, zone: string): { readonly lo: number; readonly hi: number } | undefined => {
  const plus = mendedDate(text)
  const minutes = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(Z|[+-]\d{2}:\d{2})?$/.exec(plus)
  if (!minutes) return dateRange(plus, zone)
  const start = dateRange(`${minutes[1]}:00${minutes[2] ?? ''}`, zone)
  return start && { lo: start.lo, hi: start.lo + 60_000 }
}

/** A bare `+` of a URL arrives as a blank. */
export const mendedDate = (text: string): string => text.replace(/(T[\d:.]+) (\d{2}:\d{2})/g, '$1+$2')

type Period = { readonly start?: unknown; readonly end?: unknown }
type Timing = { readonly event?: unknown; readonly repeat?: { readonly boundsPeriod?: Period } }
type Ends = { readonly lo: number; readonly hi: number }

const indexDate = (text: string, sink: IndexSink, { zone }: IndexContext): void => {
  const range = dateRange(text, zone)
  if (range) sink.date(range.lo, range.hi)
}

const indexPeriod = (period: Period, sink: IndexSink, context: IndexContext): void => {
  const ends = periodEnds(period, context)
  if (ends) sink.date(ends.lo, ends.hi)
}

/** An end that is not given is open. A Period that ends before it starts is taken to last as long as its start. */
const periodEnds = ({ start, end }: Period, { zone }: IndexContext): Ends | undefined => {
  const from = typeof start === 'string' ? dateRange(start, zone) : undefined
  const to = typeof end === 'string' ? dateRange(end, zone) : undefined
  if (!from && !to) return undefined
  const lo = from?.lo ?? earliest
  const hi = to?.hi ?? latest
  return { lo, hi: hi > lo ? hi : (from?.hi ?? hi) }
}

/** The outer bounds of all events and of the period that bounds the repetition. */
const indexTiming = ({ event, repeat }: Timing, sink: IndexSink, context: IndexContext): void => {
  let bounds = repeat?.boundsPeriod ? periodEnds(repeat.boundsPeriod, context) : undefined
  for (const text of Array.isArray(event) ? event : []) {
    const ends = typeof text === 'string' ? dateRange(text, context.zone) : undefined
    if (ends) bounds = bounds ? { lo: Math.min(bounds.lo, ends.lo), hi: Math.max(bounds.hi, ends.hi) } : ends
  }
  if (bounds) sink.date(bounds.lo, bounds.hi)
}
