import type { Node } from '../../../search/tree.ts'
import { beginningWith, containing, stringEntry } from '../entries.ts'
import { type Filter, inside } from './filter.ts'
import { type LeafCompiler, points, ranges } from './leaf.ts'

type Text = Extract<Node, { op: 'string' }>

/** A prefix is a range of values, so its documents come by value; only an exact value's come by seq. `:contains` looks at every value. */
export const string: LeafCompiler<Text> = {
  traits(leaf, type, counters) {
    if (leaf.match === 'exact') return { ordered: true, check: 0.8 }
    if (leaf.match === 'prefix') return { ordered: false, check: 0.8 }
    return { ordered: false, check: 2, visits: counters.holders(type, leaf.param.code) * 2 }
  },
  entries: leaf => (leaf.match === 'exact' ? points('st', [exactEntry(leaf)]) : ranges('st', [matches(leaf)])),
  check: matches,
  estimate: (leaf, type, counters) => (leaf.match === 'contains' ? counters.holders(type, leaf.param.code) / 10 : undefined),
}

export const exactEntry = ({ param, text, exact = '' }: Text): string => stringEntry(param.code, text, exact)

export const beginningEntries = ({ param, text }: Text): Filter => inside(beginningWith(stringEntry(param.code, text, '')))

function matches(leaf: Text): Filter {
  switch (leaf.match) {
    case 'exact':
      return { 'ix.st': exactEntry(leaf) }
    case 'prefix':
      return { 'ix.st': beginningEntries(leaf) }
    case 'contains': {
      const { from, before } = beginningWith(stringEntry(leaf.param.code, '', ''))
      return { 'ix.st': { $elemMatch: { $gte: from, $lt: before, $regex: containing(leaf.param.code, leaf.text) } } }
    }
  }
}
