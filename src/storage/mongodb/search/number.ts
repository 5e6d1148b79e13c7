import type { Traits } from '../../../search/plan.ts'
import type { Node, ParamRef, RangeTest } from '../../../search/tree.ts'
import type { Filter } from './filter.ts'
import { type Counters, type LeafCompiler, ranges } from './leaf.ts'
import { boundsEnd, rangeHolds } from './range.ts'

/** What numbers and quantities have in common; the unit of a number is ''. */
type Asked = { readonly param: ParamRef; readonly unit: string; readonly test: RangeTest }

export const number: LeafCompiler<Extract<Node, { op: 'number' }>> = {
  traits,
  entries: leaf => ranges('nq', [matches({ ...leaf, unit: '' })]),
  check: leaf => matches({ ...leaf, unit: '' }),
}

export const quantity: LeafCompiler<Extract<Node, { op: 'quantity' }>> = {
  traits,
  entries: leaf => ranges('nq', [matches(leaf)]),
  check: matches,
}

/** Entries lie by the beginning of their ranges: a test on the end looks at all of the unit. */
function traits({ param, test }: Pick<Asked, 'param' | 'test'>, type: string, counters: Counters): Traits {
  return { ordered: false, check: 1.2, ...(boundsEnd(test) ? { visits: counters.holders(type, param.code) } : {}) }
}

function matches({ param, unit, test }: Asked): Filter {
  return { 'ix.nq': { $elemMatch: { p: param.code, u: unit, ...rangeHolds(test, bound => bound) } } }
}
