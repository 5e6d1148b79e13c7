import { type AccessFilter, confidentialityLevels } from '../../../base/access-filter.ts'
import { conjunctsOf } from '../../../search/plain.ts'
import type { PlainPart } from '../../../search/plan.ts'
import { everything } from '../entries.ts'
import { type Clearance, closedTo } from './access.ts'
import type { AccessBounds } from './access-bounds.ts'
import { boundsOf } from './arms.ts'
import type { Reading } from './reading.ts'
import { closedSince } from './still.ts'

/** A clearance of normal or more, and nothing else of a type: all of it but for what is labelled. */
export const clearanceOf = ({ where }: PlainPart): Clearance['filter'] | undefined => {
  const [first, second, ...others] = conjunctsOf(where)
  if (first?.op !== 'access' || first.filter.op !== 'labels' || others.length > 0) return undefined
  if (confidentialityLevels[first.filter.max] < confidentialityLevels.N) return undefined
  return second === undefined || (second.op === 'still' && isSame(second.filter, first.filter)) ? first.filter : undefined
}

const isSame = (a: AccessFilter, b: AccessFilter): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Of more, each resource is asked. */
const closedMax = 20_000

/** How many of the type it keeps out in the state; undefined where they are too many to be counted one by one. */
export const countClosed = async (
  type: string,
  filter: Clearance['filter'],
  reading: Reading,
  bounds: AccessBounds,
): Promise<number | undefined> => {
  const since = reading.asked.at === undefined ? [] : await closedSince(type, filter, reading, bounds)
  if (since === undefined) return undefined
  const ways = [...closedTo(filter).map(boundsOf), ...(since.length === 0 ? [] : [{ _id: { $in: since }, 'ix.tk': everything }])]
  const [answer] = await reading.rows({
    aggregate: type,
    pipeline: [{ $match: { $or: ways } }, { $limit: closedMax + 1 }, { $count: 'n' }],
  })
  const closed = Number(answer?.n ?? 0)
  return closed > closedMax ? undefined : closed
}
