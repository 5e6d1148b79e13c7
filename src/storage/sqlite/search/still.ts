import type { Still } from '../../../search/plan.ts'
import { accessCondition } from '../access.ts'
import type { LeafCompiler } from './leaf.ts'
import { always, never, not, some, sql } from './sql.ts'

/** What a snapshot holds of an instance that was written since is asked of its newest version; few candidates are. */
export const still: LeafCompiler<Still> = {
  traits: () => ({ ordered: false, undrivable: true, check: 0.3 }),
  arms: () => [],
  check({ filter }, _type, seq, reading) {
    const [d, l, i] = [reading.alias(), reading.alias(), reading.alias()]
    const passes = accessCondition(filter, i, reading)
    if (passes === always) return always
    const superseded = sql`exists (select 1 from dead ${d} where ${d}.seq = ${seq})`
    const seen =
      passes === never
        ? never
        : sql`exists (select 1 from live ${l} cross join instance ${i} on ${i}.iid = ${l}.iid where ${l}.seq = ${seq} and ${passes})`
    return some([not(superseded), seen])
  },
  estimate: (_leaf, type, reading) => reading.total(type),
}
