import type { Node } from '../../../search/tree.ts'
import { beginningWith, codeContaining, codeEntry } from '../entries.ts'
import { type Filter, never } from './filter.ts'
import { type LeafCompiler, points, ranges } from './leaf.ts'

type Uri = Extract<Node, { op: 'uri' }>

/** Longer ones are kept as a hash behind their beginning: a text of this length is part of none. */
const charactersMax = 512

/** Only `:contains` comes here, which looks at every uri of the parameter; an exact one is a token. */
export const uri: LeafCompiler<Uri> = {
  traits: (leaf, type, counters) => ({ ordered: false, check: 2, visits: counters.holders(type, leaf.param.code) }),
  entries(leaf) {
    if (leaf.match === 'exact') return points('tk', [codeEntry(leaf.param.code, leaf.uri)])
    const filter = matches(leaf)
    return filter === never ? [] : ranges('tk', [filter])
  },
  check: matches,
  estimate: (leaf, type, counters) => counters.holders(type, leaf.param.code) / 10,
}

function matches({ param, match, uri: text }: Uri): Filter {
  if (match === 'exact') return { 'ix.tk': codeEntry(param.code, text) }
  if (text.length > charactersMax) return never
  const { from, before } = beginningWith(codeEntry(param.code, ''))
  return { 'ix.tk': { $elemMatch: { $gte: from, $lt: before, $regex: codeContaining(param.code, text) } } }
}
