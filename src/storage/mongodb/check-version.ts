import { confidentialityLevels } from '../../base/access-filter.ts'
import { msOfSeq } from '../sequence.ts'
import { unsortedCode } from '../shape.ts'
import type { IndexEntries, NewestDocument, PastDocument } from './documents.ts'
import {
  authorEntry,
  confidentialityEntry,
  everything,
  nobodyEntry,
  ofSeveral,
  ownerEntry,
  patientEntry,
  sensitivityEntry,
  sortField,
  sortSuffix,
} from './entries.ts'

/** What the numbers of shapes mean. */
export type Shapes = ReadonlyMap<number, ReadonlySet<string>>

/** A rule that no version may break, and whether it does. */
type Rule<T> = readonly [what: string, isBroken: (given: T) => boolean]

type Version = {
  readonly type: string
  readonly id: string
  /** Undefined for a deletion. */
  readonly text: string | undefined
  readonly document: Pick<NewestDocument | PastDocument, 'seq' | 'versionId' | 'lastUpdated'>
}

const versionRules: readonly Rule<Version>[] = [
  ['a version whose time is not that of its seq', ({ document }) => document.lastUpdated.getTime() !== msOfSeq(Number(document.seq))],
  ['a version whose text is that of another', version => version.text !== undefined && !isOf(version, parsed(version.text))],
]

type Live = { readonly document: NewestDocument & { readonly ix: IndexEntries }; readonly text: string; readonly shapes: Shapes }

const liveRules: readonly Rule<Live>[] = [
  ['a resource for people that is not what the text says', ({ document, text }) => !saysTheSame(document, text)],
  ['a version without the entry that every one has', ({ document }) => !document.ix.tk.includes(everything)],
  [
    'a version without its one shape',
    ({ document, shapes }) => shapesOf(document.ix).length !== 1 || !shapes.has(shapesOf(document.ix)[0] ?? 0),
  ],
  ['a version whose shape says otherwise than its sort values', ({ document, shapes }) => !isShapedAsSorted(document.ix, shapes)],
  ['a version whose access entries are not its attributes', ({ document }) => !hasAccessEntries(document)],
  ['a token that is known with or without its system alone', ({ document }) => !hasPairedTokens(document.ix)],
  ['a reference that is known by or without its parameter alone', ({ document }) => !hasPairedReferences(document.ix)],
  ['a range that ends before it begins', ({ document: { ix } }) => [...(ix.dt ?? []), ...(ix.nq ?? [])].some(({ l, h }) => h < l)],
  ['sort values of another version, or out of order', ({ document }) => !isSortedBySeq(document)],
]

/** What is wrong with a version by itself, newest or past. */
export const versionFindings = (version: Version): readonly string[] => broken(versionRules, version)
/** And with the entries of one that searches meet. */
export const liveFindings = (live: Live): readonly string[] => broken(liveRules, live)

const broken = <T>(rules: readonly Rule<T>[], given: T): readonly string[] =>
  rules.filter(([, isBroken]) => isBroken(given)).map(([what]) => what)

export const shapesOf = ({ tk }: IndexEntries): readonly number[] =>
  tk.flatMap(entry => (entry.startsWith('shape#') ? [Number(entry.slice('shape#'.length))] : []))

type Parsed = {
  readonly resourceType?: unknown
  readonly id?: unknown
  readonly meta?: { readonly versionId?: unknown; readonly lastUpdated?: unknown }
}

/** Undefined when it is no JSON. */
const parsed = (text: string): Parsed | undefined => {
  try {
    return JSON.parse(text) as Parsed
  } catch {
    return undefined
  }
}

const isOf = ({ type, id, document: { versionId, lastUpdated } }: Version, found: Parsed | undefined): boolean =>
  found?.resourceType === type &&
  found.id === id &&
  found.meta?.versionId === String(versionId) &&
  Date.parse(String(found.meta.lastUpdated)) === lastUpdated.getTime()

/** As JSON: decimals are doubles on both sides then. */
const saysTheSame = ({ resource, partial }: NewestDocument, text: string): boolean => {
  // BSON has no halves of surrogate pairs.
  const said = JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value)) as Parsed
  if (partial !== true) return JSON.stringify(resource) === JSON.stringify(said)
  const head = (resource ?? {}) as Parsed
  return head.resourceType === said.resourceType && head.id === said.id && head.meta?.versionId === said.meta?.versionId
}

const isShapedAsSorted = (ix: IndexEntries, shapes: Shapes): boolean => {
  const codes = shapes.get(shapesOf(ix)[0] ?? 0) ?? new Set<string>()
  return [...codes].filter(code => !code.endsWith(unsortedCode(''))).every(code => isSortedBy(ix, code) !== codes.has(unsortedCode(code)))
}

const isSortedBy = ({ so = {} }: IndexEntries, code: string): boolean =>
  [sortField(code), ofSeveral(sortField(code))].some(field => Object.hasOwn(so, field))

const hasAccessEntries = ({ ix, patients, organizations, authors, conf, sens = [] }: Live['document']): boolean =>
  isSame(
    ix.tk.filter(entry => /^(patient|nobody|owner|author|conf|sens)#/.test(entry)),
    [
      ...patients.map(patientEntry),
      ...(patients.length === 0 ? [nobodyEntry] : []),
      ...organizations.map(ownerEntry),
      ...authors.map(authorEntry),
      ...(conf === confidentialityLevels.N ? [] : [confidentialityEntry(conf)]),
      ...sens.map(sensitivityEntry),
    ],
  )

/** The parameter stands before the first mark: no code of one holds a mark. */
const entryPattern = /^(?<param>[^|=>#]*)(?<mark>[|=>#])(?<rest>.*)$/s

const entriesBy = ({ tk }: IndexEntries, mark: string): { readonly param: string; readonly rest: string }[] =>
  tk.flatMap(entry => {
    const found = entryPattern.exec(entry)?.groups
    return found?.mark === mark ? [{ param: found.param ?? '', rest: found.rest ?? '' }] : []
  })

const tokensOf = (ix: IndexEntries): { readonly system: number; readonly entry: string }[] =>
  entriesBy(ix, '|').map(({ param, rest }) => {
    const mark = rest.indexOf('|')
    return { system: Number(rest.slice(0, mark)), entry: `${param}=${rest.slice(mark + 1)}` }
  })

/** Numbers of the systems in its tokens. */
export const systemsIn = (ix: IndexEntries): readonly number[] => tokensOf(ix).flatMap(({ system }) => (system === 0 ? [] : [system]))

const hasPairedTokens = (ix: IndexEntries): boolean =>
  isSame(
    tokensOf(ix).map(({ entry }) => entry),
    entriesBy(ix, '=').map(({ param, rest }) => `${param}=${rest}`),
  )

const hasPairedReferences = (ix: IndexEntries): boolean => {
  const all = entriesBy(ix, '>')
  return isSame(
    all.filter(({ param }) => param !== '').map(({ rest }) => rest),
    all.filter(({ param }) => param === '').map(({ rest }) => rest),
  )
}

const isSame = (a: readonly string[], b: readonly string[]): boolean => new Set(a).symmetricDifference(new Set(b)).size === 0

const isSortedBySeq = ({ ix: { so = {}, sd = {} }, seq }: Live['document']): boolean => {
  const suffix = sortSuffix(Number(seq))
  return (
    [...Object.values(so), ...Object.values(sd)].every(text => text.endsWith(suffix)) &&
    Object.keys(so).every(field => !Object.hasOwn(so, ofSeveral(field))) &&
    Object.entries(sd).every(([field, greatest]) => isBelow(so[ofSeveral(field)], greatest)) &&
    Object.keys(so).every(field => !field.endsWith(ofSeveral('')) || Object.hasOwn(sd, field.slice(0, -ofSeveral('').length)))
  )
}

const isBelow = (least: string | undefined, greatest: string): boolean =>
  least !== undefined && Buffer.compare(Buffer.from(least), Buffer.from(greatest)) < 0
