import type { NumberedShape } from '../dictionary.ts'
import { shapeEntry } from '../entries.ts'
import type { Filter } from './filter.ts'
import { type CountedShape, type Entries, mergedMax, points } from './leaf.ts'

/** Resources of some shapes: those of one shape lie together, by seq. */
export const entriesOfShapes = (shapes: readonly NumberedShape[]): readonly Entries[] => points('tk', namesOf(shapes))

export const hasShape = (shapes: readonly NumberedShape[]): Filter => ({ 'ix.tk': { $in: namesOf(shapes) } })

export const areFew = (shapes: readonly NumberedShape[]): boolean => shapes.length <= mergedMax

export const countOf = (shapes: readonly CountedShape[]): number => shapes.reduce((sum, { live }) => sum + live, 0)

const namesOf = (shapes: readonly NumberedShape[]): readonly string[] => shapes.map(({ shape }) => shapeEntry(shape))
