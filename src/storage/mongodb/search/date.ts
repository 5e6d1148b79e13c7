import { earliest, latest } from '../../../search/ranges.ts'
import type { Node } from '../../../search/tree.ts'
import type { Filter } from './filter.ts'
import { type LeafCompiler, ranges } from './leaf.ts'
import { boundsEnd, rangeHolds } from './range.ts'

type DateNode = Extract<Node, { op: 'date' }>

/** Walks by the beginning or the end of ranges, whichever the prefix bounds. */
export const date: LeafCompiler<DateNode> = {
  traits: () => ({ ordered: false, check: 0.9 }),
  entries: leaf => ranges(boundsEnd(leaf.test) ? 'dtHigh' : 'dtLow', [matches(leaf)]),
  check: matches,
}

function matches({ param, test }: DateNode): Filter {
  return { 'ix.dt': { $elemMatch: { p: param.code, ...rangeHolds(test, instant) } } }
}

/** Widened tests reach beyond the last instant there is. */
const instant = (ms: number): Date => new Date(Math.min(Math.max(ms, earliest), latest))
