import type { Leaf, Traits } from '../../../search/plan.ts'
import type { Window } from '../../seq-window.ts'
import type { NumberedShape } from '../dictionary.ts'
import type { Filter } from './filter.ts'

/** What is known of a type without looking at its documents; some seconds old. Only plans depend on it, never answers. */
export type Counters = {
  total(type: string): number
  holders(type: string, param: string): number
  shapes(type: string): readonly CountedShape[]
  /** Whether a parameter may have several values in one resource. */
  repeats(type: string, param: string): boolean
}
export type CountedShape = NumberedShape & { readonly live: number }

/** The numbers that stand for words in entries, all that were given up to the state that is read. */
export type Words = {
  /** Undefined when nothing was ever written with it. */
  system(uri: string): number | undefined
  shapes(type: string): readonly NumberedShape[]
}

/** The fields that indexes begin with whose entries, for one value, come by seq. */
export type PointIndex = 'id' | 'tk' | 'st'
export type RangeIndex = 'tk' | 'st' | 'dtLow' | 'dtHigh' | 'nq'

/** Documents of one index: those with any of the values (each value's come by seq), or those in any of the ranges, each of which bounds the index. */
export type Entries = { readonly window?: Window /** What its documents are asked besides. */; readonly rest?: Filter } & (
  | { readonly index: PointIndex; readonly points: readonly string[] }
  | { readonly index: RangeIndex; readonly ranges: readonly Filter[] }
)

/** One kind of node on MongoDB: where its documents are found, and how one document is asked. */
export type LeafCompiler<L extends Leaf> = {
  traits(leaf: L, type: string, counters: Counters): Traits
  /** None when nothing can match. */
  entries(leaf: L, type: string, words: Words): readonly Entries[]
  check(leaf: L, type: string, words: Words): Filter
  /** Where counting would be dear or is known without. */
  estimate?(leaf: L, type: string, counters: Counters): number | undefined
}

export const points = (index: PointIndex, values: readonly string[]): readonly Entries[] =>
  values.length === 0 ? [] : [{ index, points: values }]
export const ranges = (index: RangeIndex, filters: readonly Filter[]): readonly Entries[] =>
  filters.length === 0 ? [] : [{ index, ranges: filters }]

/** Values that one walk merges by seq; of more the server gathers and sorts all. @see internalQueryMaxScansToExplode */
export const mergedMax = 200
