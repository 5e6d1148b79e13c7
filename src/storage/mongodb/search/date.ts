import { earliest, latest } from '../../../search/ranges.ts'
import type { Node } from '../../../search/tree.ts'
import type { Filter } from './filter.ts'
import { type Entries, type LeafCompiler, ranges } from './leaf.ts'
import { boundsEnd, rangeHolds } from './range.ts'

export type DateNode = Extract<Node, { op: 'date' }>

/** Walks by the beginning or the end of ranges, whichever the prefix bounds. */
export const date: LeafCompiler<DateNode> = {
  traits: (leaf, type, counters) => ({ ordered: false, check: 0.9, narrows: !counters.repeats(type, leaf.param.code) }),
  entries: leaf => entriesOfOneDate([leaf]),
  check: leaf => matches([leaf]),
}

/** Where one stored range meets all of the tests, which are of one parameter. The first bounds the walk. */
export const entriesOfOneDate = (leaves: readonly [DateNode, ...DateNode[]]): readonly Entries[] =>
  ranges(boundsEnd(leaves[0].test) ? 'dtHigh' : 'dtLow', [matches(leaves)])

const matches = ([first, ...others]: readonly [DateNode, ...DateNode[]]): Filter => {
  const holds = { p: first.param.code, ...rangeHolds(first.test, instant) }
  const all = others.length === 0 ? holds : { $and: [holds, ...others.map(({ test }) => rangeHolds(test, instant))] }
  return { 'ix.dt': { $elemMatch: all } }
}

/** Widened tests reach beyond the last instant there is. */
const instant = (ms: number): Date => new Date(Math.min(Math.max(ms, earliest), latest))
