import type { Node } from '../../../search/tree.ts'
import type { NumberedShape } from '../dictionary.ts'
import type { LeafCompiler } from './leaf.ts'
import { areFew, countOf, entriesOfShapes, hasShape } from './shapes.ts'

type Missing = Extract<Node, { op: 'missing' }>

/** Answered by shapes: resources that have values for the same parameters lie together. */
export const missing: LeafCompiler<Missing> = {
  traits: (leaf, type, counters) => ({ ordered: areFew(wanted(leaf, counters.shapes(type))), check: 1 }),
  entries: (leaf, type, words) => entriesOfShapes(wanted(leaf, words.shapes(type))),
  check: (leaf, type, words) => hasShape(wanted(leaf, words.shapes(type))),
  estimate: (leaf, type, counters) => countOf(wanted(leaf, counters.shapes(type))),
}

const wanted = <S extends NumberedShape>(leaf: Missing, shapes: readonly S[]): readonly S[] =>
  shapes.filter(({ codes }) => codes.has(leaf.param.code) !== leaf.missing)
