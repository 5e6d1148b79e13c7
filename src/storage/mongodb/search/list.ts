import type { List, Listed } from '../../../search/plan.ts'
import { type Filter, some } from './filter.ts'
import { type Entries, type LeafCompiler, mergedMax, points, ranges, type Words } from './leaf.ts'
import { entryOf as referenceEntryOf } from './reference.ts'
import { beginningEntries, exactEntry } from './string.ts'
import { entryOf as tokenEntryOf } from './token.ts'

/** Alternatives whose documents are counted to guess those of all. */
const sampleMax = 16

/** Many alternatives of one parameter. */
export const list: LeafCompiler<List> = {
  traits: leaf => ({ ordered: !isOfPrefixes(leaf) && leaf.of.length <= mergedMax, check: 0.7 * leaf.of.length }),
  entries(leaf, _type, words): readonly Entries[] {
    if (isOfPrefixes(leaf)) return ranges('st', prefixesOf(leaf))
    return points(leaf.of[0]?.op === 'string' ? 'st' : 'tk', valuesOf(leaf, words))
  },
  check(leaf, _type, words) {
    if (isOfPrefixes(leaf)) return some(prefixesOf(leaf))
    return { [leaf.of[0]?.op === 'string' ? 'ix.st' : 'ix.tk']: { $in: valuesOf(leaf, words) } }
  },
}

/** The alternatives counted for an estimate, and by what to multiply. */
export const sampleOf = ({ of }: List): { readonly of: readonly Listed[]; readonly times: number } => {
  const sample = of.slice(0, sampleMax)
  return { of: sample, times: of.length / sample.length }
}

const isOfPrefixes = ({ of: [first] }: List): boolean => first?.op === 'string' && first.match === 'prefix'

const prefixesOf = ({ of }: List): readonly Filter[] => of.flatMap(one => (one.op === 'string' ? { 'ix.st': beginningEntries(one) } : []))

const valuesOf = ({ of }: List, words: Words): readonly string[] =>
  of.flatMap(one => {
    if (one.op === 'token') return tokenEntryOf(one, words) ?? []
    return one.op === 'reference' ? referenceEntryOf(one) : exactEntry(one)
  })
