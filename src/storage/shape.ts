import type { IndexValues } from '../search/values.ts'

/** The companion of a parameter that stands in the shape of a resource whose values of it give nothing to sort by (a CodeableConcept of text alone). */
export const unsortedCode = (code: string): string => `${code}:unsorted`

/** The set of parameters that a resource has values for, and apart from them those whose values cannot be sorted by. One entry of the index tells them all. */
export const shapeOf = ({ shape, sort }: Pick<IndexValues, 'shape' | 'sort'>): readonly string[] => {
  const sorted = new Set(sort.map(({ param }) => param))
  return [...shape, ...shape.filter(code => !sorted.has(code)).map(unsortedCode)]
}
