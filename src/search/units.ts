import { createRequire } from 'node:module'
import { highest, lowest } from './ranges.ts'

/** A UCUM unit brought to base units. `unit` names them (`=g.m-3`; `=1` for none); `convert` rounds to 12 significant digits. */
export type CanonicalUnit = { readonly unit: string; readonly convert: (value: number) => number }

export const ucumSystem = 'http://unitsofmeasure.org'

const cache = new Map<string, CanonicalUnit | undefined>()
const cacheEntriesMax = 10_000
const codeCharactersMax = 64

/** The canonical form of a UCUM code; undefined for what is no UCUM unit or cannot be converted (`[IU]`). Cached per code. */
export const canonicalUnit = (code: string): CanonicalUnit | undefined => {
  if (cache.has(code)) return cache.get(code)
  const canonical = code !== '' && code.length <= codeCharactersMax ? convertible(code) : undefined
  if (cache.size >= cacheEntriesMax) cache.clear()
  cache.set(code, canonical)
  return canonical
}

type InBaseUnits = {
  readonly status: string
  readonly magnitude: number
  readonly unitToExp: Readonly<Record<string, number>>
  readonly fromUnitIsSpecial: boolean
}
/** The part of the package that we use; it brings no types. */
type Ucum = { convertToBaseUnits(code: string, value: number): InBaseUnits }

let loaded: Ucum | undefined

/** Loaded at the first unit (25 ms, 13 MB): a server that meets no quantity does not pay. */
const ucum = (): Ucum => {
  loaded ??= createRequire(import.meta.url)('@lhncbc/ucum-lhc').UcumLhcUtils.getInstance() as Ucum
  return loaded
}

const convertible = (code: string): CanonicalUnit | undefined => {
  const one = ucum().convertToBaseUnits(code, 1)
  if (one.status !== 'succeeded' || !Number.isFinite(one.magnitude)) return undefined
  const unit = `=${baseUnits(one.unitToExp)}`
  // Degrees, pH and levels in bel have no factor.
  const inBase = one.fromUnitIsSpecial
    ? (value: number) => ucum().convertToBaseUnits(code, value).magnitude
    : (value: number) => value * one.magnitude
  return { unit, convert: value => rounded(value === lowest || value === highest ? value : inBase(value)) }
}

const baseUnits = (exponents: Readonly<Record<string, number>>): string =>
  Object.keys(exponents)
    .toSorted()
    .map(unit => (exponents[unit] === 1 ? unit : `${unit}${exponents[unit]}`))
    .join('.') || '1'

/** 12 digits: enough for any measurement, few enough that 0.0054 g and 5.4 mg are one number. */
const rounded = (value: number): number => {
  if (!(value > lowest)) return lowest
  if (value >= highest) return highest
  return Number(value.toPrecision(12))
}
