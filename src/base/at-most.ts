/** Runs `work` on every item, at most `max` at a time, and gives the results in the order of the items. */
export const atMost = async <T, R>(max: number, items: readonly T[], work: (item: T, at: number) => Promise<R>): Promise<R[]> => {
  const results: R[] = []
  let next = 0
  const runner = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at] as T, at)
    }
  }
  await Promise.all(Array.from({ length: Math.min(max, items.length) }, runner))
  return results
}
