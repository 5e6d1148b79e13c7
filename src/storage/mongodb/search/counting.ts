import type { Source } from '../../../search/plan.ts'
import type { Matching } from './matching.ts'
import type { Reading } from './reading.ts'

/** How many match, up to one more than `cap`. One question that needs no verifying is counted where the documents are. */
export const countSources = async (source: Source, matching: Matching, reading: Reading, cap: number): Promise<number> => {
  const arms = await matching.allArms(source)
  const [only] = arms
  if (only === undefined) return 0
  if (arms.length === 1 && only.verify.length === 0) {
    const limit = Number.isFinite(cap) ? [{ $limit: cap + 1 }] : []
    const pipeline = [{ $match: only.filter }, ...limit, { $count: 'n' }]
    const [answer] = await reading.rows({ aggregate: only.type, pipeline, hint: only.hint })
    return answer?.n ?? 0
  }
  let count = 0
  for await (const batch of matching.all(source)) {
    count += batch.length
    if (count > cap) break
  }
  return Math.min(count, cap + 1)
}
