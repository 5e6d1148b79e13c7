import type { Prefix, RangeTest } from './tree.ts'

/** Open ends of dates: the first and last instant of JavaScript and of every engine, in milliseconds. */
export const earliest = -8.64e15
export const latest = 8.64e15
/** Open ends of numbers. Finite, so that JSON and both engines can carry them. */
export const lowest = -Number.MAX_VALUE
export const highest = Number.MAX_VALUE

const prefixPattern = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)/

/** `ge2024` is `ge` and `2024`; without prefix `eq`. */
export const splitPrefix = (text: string): { readonly prefix: Prefix; readonly rest: string } => {
  const prefix = prefixPattern.exec(text)?.[0] as Prefix | undefined
  return prefix ? { prefix, rest: text.slice(2) } : { prefix: 'eq', rest: text }
}

/**
 * Whether a stored range [lo, hi), or a stored point (lo = hi), meets the test. This is the table of prefixes that both engines compile;
 * its second halves (`lo < sh`, `hi > sh`, `lo < sl`) only matter for points, which lie at their own end.
 * @see https://hl7.org/fhir/R4/search.html#prefix
 */
export const holds = ({ prefix, lo: sl, hi: sh }: RangeTest, lo: number, hi: number): boolean => {
  switch (prefix) {
    case 'eq':
      return sl <= lo && hi <= sh && (lo < sh || sl === sh)
    case 'ne':
      return !(sl <= lo && hi <= sh && (lo < sh || sl === sh))
    case 'gt':
      return hi > sh
    case 'lt':
      return lo < sl
    case 'ge':
      return lo >= sl || hi > sh
    case 'le':
      return hi <= sh || lo < sl
    case 'sa':
      return lo >= sh && hi > sh
    case 'eb':
      return hi <= sl && lo < sl
    case 'ap':
      return lo < sh && (hi > sl || lo >= sl)
  }
}

/** The test of a date: `ap` is widened here by a tenth of its distance from now, so that nothing below needs a clock. */
export const dateTest = (prefix: Prefix, lo: number, hi: number, now: number): RangeTest => {
  if (prefix !== 'ap') return { prefix, lo, hi }
  const distance = now < lo ? lo - now : now > hi ? now - hi : 0
  const widening = Math.ceil(distance / 10)
  return { prefix, lo: lo - widening, hi: hi + widening }
}

const decimalPattern = /^(-?)(\d{1,100})(?:\.(\d{1,100}))?(?:[eE]([+-]?\d{1,3}))?$/

/**
 * The number in `text` and the range its digits cover, computed on the digits: `5.4` is [5.35, 5.45), `100` is [99.5, 100.5).
 * With an exponent R4's example counts one digit more than is written: `1e2` is [95, 105).
 * Undefined when `text` is no decimal, or one beyond what a double can hold. @see https://hl7.org/fhir/R4/search.html#number
 */
export const digitsRange = (text: string): { readonly value: number; readonly lo: number; readonly hi: number } | undefined => {
  const parts = decimalPattern.exec(text)
  if (!parts) return undefined
  const [, sign, whole = '', fraction = '', exponent] = parts
  const digits = BigInt(`${sign}${whole}${fraction}`)
  const last = Number(exponent ?? 0) - fraction.length
  const [tens, at] = exponent === undefined ? [10n, last - 1] : [100n, last - 2]
  const value = Number(text)
  const lo = Number(`${digits * tens - 5n}e${at}`)
  const hi = Number(`${digits * tens + 5n}e${at}`)
  return Number.isFinite(value) && Number.isFinite(lo) && Number.isFinite(hi) ? { value, lo, hi } : undefined
}

const comparesTheNumber: ReadonlySet<Prefix> = new Set(['gt', 'lt', 'ge', 'le', 'sa', 'eb'])

/**
 * The test of a number: eq and ne compare with the range of its digits, ap with a tenth of the number around it, the others with the number
 * itself. `convert` brings all of them to another unit. Undefined when `text` is no decimal.
 */
export const numberTest = (prefix: Prefix, text: string, convert: (value: number) => number = same): RangeTest | undefined => {
  const range = digitsRange(text)
  if (!range) return undefined
  if (comparesTheNumber.has(prefix)) {
    const value = convert(range.value)
    return { prefix, lo: value, hi: value, value }
  }
  const widening = prefix === 'ap' ? Math.abs(range.value) / 10 : 0
  const lo = convert(range.lo - widening)
  const hi = convert(range.hi + widening)
  // Units like pH fall while what they measure rises.
  return { prefix, lo: Math.min(lo, hi), hi: Math.max(lo, hi) }
}

const same = (value: number): number => value
