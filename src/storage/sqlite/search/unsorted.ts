import type { Unsorted } from '../../../search/plan.ts'
import { unsortedCode } from '../../shape.ts'
import type { LeafCompiler } from './leaf.ts'
import type { Reading, Shape } from './reading.ts'
import { areFew, armsOfShapes, countOf, hasShape } from './shapes.ts'

/** Having a value is not yet having one to sort by (a CodeableConcept of text alone): shapes tell both. */
export const unsorted: LeafCompiler<Unsorted> = {
  // Many shapes without a value are most of the type: a walk over it soon has a page of them, in order.
  traits: (leaf, type, reading) =>
    areFew(shapesWithoutSort(leaf.key.code, type, reading)) ? { ordered: true, check: 1 } : { ordered: false, check: 1, undrivable: true },
  arms: (leaf, type, reading) => armsOfShapes(shapesWithoutSort(leaf.key.code, type, reading), reading),
  check: (leaf, type, seq, reading) => hasShape(shapesWithoutSort(leaf.key.code, type, reading), seq, reading),
  estimate: (leaf, type, reading) => countOf(shapesWithoutSort(leaf.key.code, type, reading)),
}

export const shapesWithoutSort = (code: string, type: string, { dictionary, shapes }: Reading): readonly Shape[] => {
  const t = dictionary.type(type)
  if (t === undefined) return []
  const p = dictionary.param(type, code)
  if (p === undefined) return shapes(t)
  const without = dictionary.param(type, unsortedCode(code))
  return shapes(t).filter(({ params }) => !params.has(p) || (without !== undefined && params.has(without)))
}
