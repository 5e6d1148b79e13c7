import type { Node } from '../../../search/tree.ts'
import type { LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import { never, sql } from './sql.ts'

/** Whom nobody ever referred to has no number, and no entries. */
export const reference: LeafCompiler<Extract<Node, { op: 'reference' }>> = {
  traits: () => ({ ordered: true, check: 0.7 }),
  arms(leaf, _type, reading) {
    const p = param(leaf.param, reading)
    const iid = reading.iid(leaf.type, leaf.id)
    if (p === undefined || iid === undefined) return []
    const x = reading.alias()
    return [{ from: sql`ref ${x}`, where: sql`${x}.p = ${p} and ${x}.iid = ${iid}`, seq: sql`${x}.seq`, unique: true }]
  },
  check(leaf, _type, seq, reading) {
    const p = param(leaf.param, reading)
    const iid = reading.iid(leaf.type, leaf.id)
    if (p === undefined || iid === undefined) return never
    const x = reading.alias()
    return sql`exists (select 1 from ref ${x} where ${x}.p = ${p} and ${x}.iid = ${iid} and ${x}.seq = ${seq})`
  },
}
