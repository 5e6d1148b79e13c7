/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export type Random = () => number

export const seeded = (seed: number): Random => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Throws on an empty list. */
export const oneOf = <T>(items: readonly T[], random: Random): T => {
  if (items.length === 0) throw new Error('nothing to choose from')
  return items[Math.floor(random() * items.length)] as T // an index of the list
}

export const shuffled = <T>(items: readonly T[], random: Random): readonly T[] =>
  items
    .map(item => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)

export const isLong = process.env.SIMPUL_TEST_LONG === '1'

/** As all properties: the same on every run, so that a change is judged by itself; SIMPUL_TEST_SEED=n draws others, the long run new ones each time. */
export const seedOfRun = (): number => Number(process.env.SIMPUL_TEST_SEED ?? (isLong ? Math.floor(Math.random() * 2 ** 31) : 4711))
