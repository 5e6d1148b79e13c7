import type { Database } from './database.ts'
import type { Slots } from './slots.ts'

/** Live instances per type: the counts of all shapes, by the type of each. */
export const liveCounts = async (database: Database, slots: Slots): Promise<Readonly<Record<string, number>>> => {
  const [byShape, types] = await Promise.all([slots.counts(), database.collections.types()])
  const counts: Record<string, number> = {}
  for (const type of types) {
    let live = 0
    for (const { shape } of await database.dictionary.shapes(type)) live += byShape.get(shape) ?? 0
    if (live > 0) counts[type] = live
  }
  return counts
}
