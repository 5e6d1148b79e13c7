import { confidentialityLevels } from '../../base/access-filter.ts'
import type { IndexValues } from '../../search/values.ts'
import type { LoadedVersion } from '../port.ts'
import { shapeOf } from '../shape.ts'
import type { Dictionary } from './dictionary.ts'
import type { IndexEntries } from './documents.ts'
import {
  anyReferenceEntry,
  authorEntry,
  codeEntry,
  codeOfPatientEntry,
  codeParam,
  compositeEntry,
  compositeParam,
  confidentialityEntry,
  everything,
  nobodyEntry,
  ofSeveral,
  ownerEntry,
  patientEntry,
  referenceEntry,
  sensitivityEntry,
  shapeEntry,
  sortField,
  orderedText,
  sortSuffix,
  stringEntry,
  tokenEntry,
} from './entries.ts'

/** What entries are made of. A deletion has none. */
export type Indexed = Pick<
  LoadedVersion,
  'type' | 'values' | 'patients' | 'organizations' | 'authors' | 'confidentiality' | 'sensitivities'
>

/** Where the shape of a version stands in `tk`, for who takes it away again. */
export const shapePlace = 1

const noValues: IndexValues = { tokens: [], strings: [], dates: [], numbers: [], references: [], composites: [], sort: [], shape: [] }

/**
 * `ix` of a version. Systems and shapes must have their numbers (`Dictionary.prepare`). The meaning of each entry is in `entries.ts`; like
 * SQLite's rows they keep every character but halves of surrogate pairs, which both engines write as U+FFFD. Only NUL has no place where
 * it separates: a composite with it in its key, which no search can ask for, has no entry, and sort texts have other characters for it.
 */
export const indexEntries = (version: Indexed, seq: number, shape: number, dictionary: Dictionary): IndexEntries => {
  const { values = noValues } = version
  const texts = textsOf(values)
  const numbers = numbersOf(values)
  return {
    tk: keysOf(version, values, shape, dictionary),
    ...(texts.length === 0 ? {} : { st: texts }),
    ...(values.dates.length === 0 ? {} : { dt: values.dates.map(({ param, lo, hi }) => ({ p: param, l: new Date(lo), h: new Date(hi) })) }),
    ...(numbers.length === 0 ? {} : { nq: numbers }),
    ...sortTexts(values, seq),
  }
}

/** The words that entries of the version need numbers for. */
export const systemsOf = ({ values }: Pick<Indexed, 'values'>): readonly string[] => values?.tokens.map(({ system }) => system) ?? []
export const shapeCodesOf = ({ values }: Pick<Indexed, 'values'>): readonly string[] => shapeOf(values ?? noValues)

const keysOf = (version: Indexed, values: IndexValues, shape: number, dictionary: Dictionary): readonly string[] => {
  // In the order of `shapePlace`.
  const keys = new Set<string>([everything, shapeEntry(shape)])
  for (const { param, system, code } of values.tokens) {
    const number = dictionary.systemNumber(system)
    keys.add(tokenEntry(param, number, code))
    keys.add(codeEntry(param, code))
    if (param === codeParam) for (const patient of version.patients) keys.add(codeOfPatientEntry(patient, number, code))
  }
  for (const { param, type, id } of values.references) {
    keys.add(referenceEntry(param, type, id))
    keys.add(anyReferenceEntry(type, id))
  }
  addAccess(keys, version)
  return [...keys]
}

/** A resource about one patient that is as confidential as any has one of these, beside its owners and authors. */
const addAccess = (keys: Set<string>, version: Indexed): void => {
  if (version.patients.length === 0) keys.add(nobodyEntry)
  for (const patient of version.patients) keys.add(patientEntry(patient))
  for (const organization of version.organizations) keys.add(ownerEntry(organization))
  for (const author of version.authors) keys.add(authorEntry(author))
  if (version.confidentiality !== confidentialityLevels.N) keys.add(confidentialityEntry(version.confidentiality))
  for (const code of version.sensitivities ?? []) keys.add(sensitivityEntry(code))
}

const textsOf = (values: IndexValues): readonly string[] => {
  const texts = values.strings.map(({ param, value, exact }) => stringEntry(param, value, exact))
  for (const { param, key, range, text = '' } of values.composites)
    if (range === undefined && !key.includes('\0')) texts.push(compositeEntry(param, key, text))
  return texts
}

const numbersOf = (values: IndexValues): NonNullable<IndexEntries['nq']> => {
  const numbers = values.numbers.map(({ param, unit, lo, hi }) => ({ p: param, u: unit, l: lo, h: hi }))
  for (const { param, key, range } of values.composites)
    if (range !== undefined && !key.includes('\0')) numbers.push({ p: compositeParam(param), u: key, l: range.lo, h: range.hi })
  return numbers
}

/** Where a parameter has several values only the least stands in `so`, under a name of its own, so that either order is a walk that skips nothing. */
const sortTexts = ({ sort }: IndexValues, seq: number): Pick<IndexEntries, 'so' | 'sd'> => {
  if (sort.length === 0) return {}
  const so: Record<string, string> = {}
  const sd: Record<string, string> = {}
  const suffix = sortSuffix(seq)
  for (const { param, least, greatest = least } of sort) {
    const field = sortField(param)
    so[greatest === least ? field : ofSeveral(field)] = orderedText(least) + suffix
    if (greatest !== least) sd[field] = orderedText(greatest) + suffix
  }
  return { so, ...(Object.keys(sd).length === 0 ? {} : { sd }) }
}
