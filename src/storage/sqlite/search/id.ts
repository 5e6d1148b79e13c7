import type { Node } from '../../../search/tree.ts'
import type { Arm, LeafCompiler } from './leaf.ts'
import { currentSeq } from './reading.ts'
import { sql } from './sql.ts'

/** From ids to instances to their current versions. */
export const id: LeafCompiler<Extract<Node, { op: 'id' }>> = {
  traits: leaf => ({ ordered: leaf.ids.length === 1, check: 1.5 + leaf.ids.length / 20 }),
  arms(leaf, type, reading) {
    const t = reading.dictionary.type(type)
    if (t === undefined) return []
    const i = reading.alias()
    const x = reading.alias()
    const joined = sql`instance ${i} cross join live ${x} on ${x}.seq = ${currentSeq(i, reading)}`
    const arm = { seq: sql`${x}.seq`, unique: true }
    if (leaf.ids.length === 1)
      return [{ ...arm, from: joined, where: sql`${i}.t = ${t} and ${i}.id = ${leaf.ids[0] as string}` } satisfies Arm]
    const list = reading.alias()
    const from = sql`json_each(${JSON.stringify(leaf.ids)}) ${list} cross join ${joined}`
    return [{ ...arm, from, where: sql`${i}.t = ${t} and ${i}.id = ${list}.value` }]
  },
  check(leaf, _type, seq, reading) {
    const i = reading.alias()
    const x = reading.alias()
    const named = sql`${i}.id in (select value from json_each(${JSON.stringify(leaf.ids)}))`
    return sql`exists (select 1 from live ${x} cross join instance ${i} on ${i}.iid = ${x}.iid where ${x}.seq = ${seq} and +${named})`
  },
  estimate: leaf => leaf.ids.length,
}
