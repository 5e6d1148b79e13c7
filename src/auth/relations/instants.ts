import { dateRange } from '../../fhir/model/dates.ts'
import { isRecord } from '../roles/json-shape.ts'
import type { Written } from './written.ts'

export const dayMs = 86_400_000

/** From and until, not including, an instant (ms); absent: since ever, for ever. */
export type Span = { readonly since?: number; readonly until?: number }

const defaultZone = 'Asia/Jakarta'

/** First instant of a FHIR date; undefined for what is none. */
export const beginOf = (date: unknown, { zone = defaultZone }: Pick<Written, 'zone'>): number | undefined =>
  typeof date === 'string' ? dateRange(date, zone)?.lo : undefined

/** First instant after a FHIR date. */
export const endOf = (date: unknown, { zone = defaultZone }: Pick<Written, 'zone'>): number | undefined =>
  typeof date === 'string' ? dateRange(date, zone)?.hi : undefined

/** Undefined where an end is given that cannot be read: it may be over. */
export const spanOf = (period: unknown, written: Pick<Written, 'zone'>): Span | undefined => {
  if (period === undefined) return {}
  if (!isRecord(period)) return undefined
  const [since, until] = [beginOf(period.start, written), endOf(period.end, written)]
  if ((period.start !== undefined && since === undefined) || (period.end !== undefined && until === undefined)) return undefined
  return span(since, until)
}

export const span = (since: number | undefined, until: number | undefined): Span => ({
  ...(since === undefined ? {} : { since }),
  ...(until === undefined ? {} : { until }),
})

/** While both last; undefined when they never do. */
export const during = (a: Span, b: Span): Span | undefined => {
  const since = greatest([a.since, b.since])
  const until = least([a.until, b.until])
  return since !== undefined && until !== undefined && since >= until ? undefined : span(since, until)
}

export const greatest = (instants: readonly (number | undefined)[]): number | undefined => bound(instants, Math.max)
export const least = (instants: readonly (number | undefined)[]): number | undefined => bound(instants, Math.min)

const bound = (instants: readonly (number | undefined)[], of: (...numbers: number[]) => number): number | undefined => {
  const known = instants.filter(instant => instant !== undefined)
  return known.length === 0 ? undefined : of(...known)
}
