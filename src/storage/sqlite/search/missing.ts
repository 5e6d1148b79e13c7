import type { Node } from '../../../search/tree.ts'
import type { LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import type { Reading, Shape } from './reading.ts'
import { areFew, armsOfShapes, countOf, hasShape } from './shapes.ts'

type Missing = Extract<Node, { op: 'missing' }>

/** Answered by shapes: resources that have values for the same parameters lie together. */
export const missing: LeafCompiler<Missing> = {
  traits: (leaf, type, reading) => ({ ordered: areFew(shapesOf(leaf, type, reading)), check: 1 }),
  arms: (leaf, type, reading) => armsOfShapes(shapesOf(leaf, type, reading), reading),
  check: (leaf, type, seq, reading) => hasShape(shapesOf(leaf, type, reading), seq, reading),
  estimate: (leaf, type, reading) => countOf(shapesOf(leaf, type, reading)),
}

const shapesOf = (leaf: Missing, type: string, reading: Reading): readonly Shape[] => {
  const t = reading.dictionary.type(type)
  if (t === undefined) return []
  const p = param(leaf.param, reading)
  return reading.shapes(t).filter(({ params }) => leaf.missing !== (p !== undefined && params.has(p)))
}
