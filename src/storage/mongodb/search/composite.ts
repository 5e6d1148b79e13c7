import type { Node } from '../../../search/tree.ts'
import { beginningWith, compositeEntry, compositeParam } from '../entries.ts'
import { type Filter, inside } from './filter.ts'
import { type LeafCompiler, points, ranges } from './leaf.ts'
import { boundsEnd, rangeHolds } from './range.ts'

type Composite = Extract<Node, { op: 'composite' }>

/** The joined equality parts, then a range (`nq`), a text or nothing (`st`). Only the last comes by seq. */
export const composite: LeafCompiler<Composite> = {
  traits(leaf, type, counters) {
    if (leaf.test && boundsEnd(leaf.test)) return { ordered: false, check: 1.2, visits: counters.holders(type, leaf.param.code) / 10 }
    return { ordered: isKeyAlone(leaf), check: 0.8 }
  },
  entries(leaf) {
    if (isKeyAlone(leaf)) return points('st', [compositeEntry(leaf.param.code, leaf.key, '')])
    return ranges(leaf.test ? 'nq' : 'st', [matches(leaf)])
  },
  check: matches,
}

const isKeyAlone = ({ test, prefix }: Composite): boolean => test === undefined && prefix === undefined

function matches({ param, key, test, prefix }: Composite): Filter {
  if (test) return { 'ix.nq': { $elemMatch: { p: compositeParam(param.code), u: key, ...rangeHolds(test, bound => bound) } } }
  if (prefix === undefined) return { 'ix.st': compositeEntry(param.code, key, '') }
  return { 'ix.st': inside(beginningWith(compositeEntry(param.code, key, prefix))) }
}
