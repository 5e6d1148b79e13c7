import { Long } from 'mongodb'
import type { AccessFilter } from '../../../base/access-filter.ts'
import type { Still } from '../../../search/plan.ts'
import { type Attributes, admittedOf, attributes, relatedNow } from '../access-of-versions.ts'
import { hints } from '../collections.ts'
import type { AccessBounds } from './access-bounds.ts'
import type { LeafCompiler } from './leaf.ts'
import type { Reading } from './reading.ts'

/** What is seen through a snapshot is decided by the newest version too: beside the documents of the snapshot, not by them. */
export const still: LeafCompiler<Still> = {
  traits: () => ({ ordered: false, undrivable: true, check: 0.5 }),
  entries: () => [],
  check: () => {
    throw new Error('The newest version is not what a snapshot has')
  },
  estimate: (_leaf, type, counters) => counters.total(type),
}

const slotsMax = 64

/** Ids of the instances that were written since the state and that the filter does not let through any more; undefined where too many were written. */
export const closedSince = async (
  type: string,
  access: AccessFilter,
  reading: Reading,
  { changed: changedMax }: AccessBounds,
): Promise<readonly string[] | undefined> => {
  const [found = []] = await reading.latest([
    {
      find: type,
      filter: { seq: { $gte: Long.fromNumber(await leastSeqSince(reading)) } },
      hint: hints.seq,
      projection: attributes,
      limit: changedMax + 1,
      batchSize: changedMax + 1,
      singleBatch: true,
    },
  ])
  const changed = found as readonly Attributes[] // as projected
  if (changed.length > changedMax) return undefined
  const admitted = new Set(
    await admittedOf(
      changed,
      access,
      relatedNow(reading.now, commands => reading.latest(commands)),
    ),
  )
  return changed.flatMap(one => (admitted.has(one) ? [] : [one._id]))
}

/** What writers had promised by then: whatever was committed later has at least this seq. Without writers, whoever came began above them all. */
const leastSeqSince = async (reading: Reading): Promise<number> => {
  const slots = await reading.rows({
    find: reading.database.collections.own('slots').collectionName,
    filter: { _id: { $gte: 0 } },
    hint: hints.id,
    projection: { writer: 1, bound: 1 },
    limit: slotsMax,
    batchSize: slotsMax,
  })
  const live = slots.filter(({ writer }) => writer !== undefined)
  const bounds = (live.length > 0 ? live : slots).map(({ bound }) => Number(bound))
  return live.length > 0 ? Math.min(...bounds) : Math.max(0, ...bounds)
}
