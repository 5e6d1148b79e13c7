import { zoneOffsetMs } from './zone.ts'

const datePattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** R4: offsets lie between -14:00 and +14:00. */
const offsetHoursMax = 14

export type DateOptions = {
  /** Minutes without seconds: R4 allows them in searches, not in resources. */
  readonly minutes?: boolean
}

/**
 * The half-open range of instants a FHIR date, dateTime or instant covers: `2024-02` is [2024-02-01, 2024-03-01).
 * Milliseconds since the epoch, UTC; a text without offset is read in `zone` (IANA name). A leap second is the first of the next minute.
 * Fractions beyond milliseconds are cut. Undefined when the text is no FHIR date: days must exist, 24:00 does not.
 * @see https://hl7.org/fhir/R4/search.html#date
 */
export const dateRange = (
  text: string,
  zone: string,
  options: DateOptions = {},
): { readonly lo: number; readonly hi: number } | undefined => {
  const parts = datePattern.exec(text)
  if (parts === null) return undefined
  const [, yearText, monthText, dayText, hourText, minuteText, secondText, fraction, offsetText] = parts
  const year = Number(yearText)
  if (year === 0) return undefined
  if (monthText === undefined) return days(civil(year, 1, 1), civil(year + 1, 1, 1), zone)
  const month = Number(monthText)
  if (month < 1 || month > 12) return undefined
  if (dayText === undefined) return days(civil(year, month, 1), civil(year, month + 1, 1), zone)
  const day = Number(dayText)
  const midnight = civil(year, month, day)
  if (day < 1 || midnight >= civil(year, month + 1, 1)) return undefined
  if (hourText === undefined) return days(midnight, civil(year, month, day + 1), zone)
  if (secondText === undefined && !options.minutes) return undefined
  const hour = Number(hourText)
  const minute = Number(minuteText)
  const second = Number(secondText ?? 0)
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const wall = midnight + hour * hourMs + minute * minuteMs + second * 1000 + millisecondsOf(fraction)
  const offset = offsetText === undefined ? undefined : offsetMsOf(offsetText)
  if (offsetText !== undefined && offset === undefined) return undefined
  const lo = offset === undefined ? instantOf(wall, zone) : wall - offset
  return { lo, hi: lo + spanOf(secondText, fraction) }
}

/** Wall-clock time as if it were UTC. Days and months beyond their end run over; years below 100 are meant. */
const civil = (year: number, month: number, day: number): number =>
  year > 99 ? Date.UTC(year, month - 1, day) : new Date(0).setUTCFullYear(year, month - 1, day)

const days = (from: number, to: number, zone: string): { readonly lo: number; readonly hi: number } => ({
  lo: instantOf(from, zone),
  hi: instantOf(to, zone),
})

const millisecondsOf = (fraction: string | undefined): number => (fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0')))

/** What the precision given leaves open: a minute, a second, a tenth, a hundredth or a thousandth of one. */
const spanOf = (second: string | undefined, fraction: string | undefined): number => {
  if (second === undefined) return minuteMs
  return fraction === undefined ? 1000 : Math.max(1, 10 ** (3 - fraction.length))
}

const offsetMsOf = (text: string): number | undefined => {
  if (text === 'Z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(4, 6))
  if (minutes > 59 || hours > offsetHoursMax || (hours === offsetHoursMax && minutes > 0)) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * hourMs + minutes * minuteMs)
}

/**
 * The instant at which clocks in `zone` show `wall`. An hour that a change of the clock repeats is taken the first time; one that it
 * leaves out as if the clock had not been changed yet.
 */
const instantOf = (wall: number, zone: string): number => {
  const day = 24 * hourMs
  const before = zoneOffsetMs(wall - day, zone)
  const after = zoneOffsetMs(wall + day, zone)
  if (before === after) return wall - before
  const early = wall - before
  return zoneOffsetMs(early, zone) === before ? early : zoneOffsetMs(wall - after, zone) === after ? wall - after : early
}
