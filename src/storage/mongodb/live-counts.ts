import type { Database } from './database.ts'
import type { Slots } from './slots.ts'

/** Live instances per type: the counts of all shapes, by the type of each. */
export const liveCounts = async (database: Database, slots: Slots): Promise<Readonly<Record<string, number>>> => {
  const [byShape, shapes] = await Promise.all([slots.counts(), database.dictionary.typesOfShapes()])
  const counts: Record<string, number> = {}
  for (const { shape, type } of shapes) {
    const live = byShape.get(shape) ?? 0
    if (live !== 0) counts[type] = (counts[type] ?? 0) + live
  }
  return Object.fromEntries(Object.entries(counts).filter(([, live]) => live > 0))
}
