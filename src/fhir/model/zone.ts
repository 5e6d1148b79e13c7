/**
 * Offset of a zone from UTC in milliseconds at an instant (ms). Zones that have kept one offset since 1970 and keep it (Indonesia's three, UTC)
 * cost a look into a map; for others, and for the years before, the runtime's zone data are asked.
 */
export const zoneOffsetMs = (instant: number, zone: string): number => {
  const known = zones.get(zone) ?? remember(zone)
  return known.fixed !== undefined && instant >= fixedSince ? known.fixed : offsetFromRuntime(instant, known)
}

type Zone = {
  readonly format: Intl.DateTimeFormat
  /** Present when the zone has had just one offset in the time that is fast. */
  readonly fixed: number | undefined
  /** Offsets of quarter days already asked for. */
  readonly asked: Map<number, number>
}

const hourMs = 3_600_000
const quarterDayMs = 6 * hourMs
const fixedSince = 0

/** A process reads dates in the zones of its configuration: some few. */
const zones = new Map<string, Zone>()
const askedMax = 20_000

/** Throws for a name that is no zone: configuration checks it before. */
const remember = (name: string): Zone => {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  })
  const zone = { format, fixed: fixedOffset(format), asked: new Map<number, number>() }
  zones.set(name, zone)
  return zone
}

/** The offset, if it is the same in every month from 1970 to 2100. */
const fixedOffset = (format: Intl.DateTimeFormat): number | undefined => {
  const first = offsetAt(format, fixedSince)
  for (let year = 1970; year <= 2100; year += 1) {
    for (let month = 0; month < 12; month += 1) if (offsetAt(format, Date.UTC(year, month, 15)) !== first) return undefined
  }
  return first
}

/** A quarter day is remembered only when its offset is the same at both ends: then no clock was changed in it. */
const offsetFromRuntime = (instant: number, { format, asked }: Zone): number => {
  const quarter = Math.floor(instant / quarterDayMs)
  const remembered = asked.get(quarter)
  if (remembered !== undefined) return remembered
  const offset = offsetAt(format, instant)
  const start = quarter * quarterDayMs
  if (offsetAt(format, start) === offset && offsetAt(format, start + quarterDayMs - 1) === offset) {
    if (asked.size >= askedMax) asked.clear()
    asked.set(quarter, offset)
  }
  return offset
}

const offsetAt = (format: Intl.DateTimeFormat, instant: number): number => {
  const parts: Record<string, string> = {}
  for (const { type, value } of format.formatToParts(instant)) parts[type] = value
  const { era, year, month, day, hour, minute, second } = parts
  const signed = era === 'BC' ? 1 - Number(year) : Number(year)
  const wall = new Date(0)
  wall.setUTCFullYear(signed, Number(month) - 1, Number(day))
  wall.setUTCHours(Number(hour), Number(minute), Number(second))
  return wall.getTime() - Math.floor(instant / 1000) * 1000
}
