import type { Unsorted } from '../../../search/plan.ts'
import { unsortedCode } from '../../shape.ts'
import type { NumberedShape } from '../dictionary.ts'
import type { LeafCompiler } from './leaf.ts'
import { areFew, countOf, entriesOfShapes } from './shapes.ts'
import { leastField, onlyField } from './sort.ts'

/** Having a value is not yet having one to sort by (a CodeableConcept of text alone): shapes tell both, and so does the document. */
export const unsorted: LeafCompiler<Unsorted> = {
  // Many shapes without a value are most of the type: a walk over it soon has a page of them, in order.
  traits: (leaf, type, counters) =>
    areFew(withoutSort(leaf.key.code, counters.shapes(type)))
      ? { ordered: true, check: 1 }
      : { ordered: false, check: 1, undrivable: true },
  entries: (leaf, type, words) => entriesOfShapes(withoutSort(leaf.key.code, words.shapes(type))),
  check: leaf => ({ [onlyField(leaf.key)]: { $exists: false }, [leastField(leaf.key)]: { $exists: false } }),
  estimate: (leaf, type, counters) => countOf(withoutSort(leaf.key.code, counters.shapes(type))),
}

export const withoutSort = <S extends NumberedShape>(code: string, shapes: readonly S[]): readonly S[] => {
  const without = unsortedCode(code)
  return shapes.filter(({ codes }) => !codes.has(code) || codes.has(without))
}
