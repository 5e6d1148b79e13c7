import type { Unsorted } from '../../../search/plan.ts'
import type { LeafCompiler } from './leaf.ts'
import { sortValue } from './sort.ts'
import { sql } from './sql.ts'

/** Having a value is not yet having one to sort by (a CodeableConcept of text alone): only the sort values themselves know. */
export const unsorted: LeafCompiler<Unsorted> = {
  traits: () => ({ ordered: false, check: 1.2, undrivable: true }),
  arms: () => [],
  check(leaf, type, seq, reading) {
    const x = reading.alias()
    return sql`exists (select 1 from live ${x} where ${x}.seq = ${seq} and ${sortValue(leaf.key, type, x, reading)} is null)`
  },
  estimate: (leaf, type, reading, holders) => {
    return Math.max(1, reading.total(type) - holders(leaf.key.code))
  },
}
