import type { Node } from '../../../search/tree.ts'
import type { LeafCompiler } from './leaf.ts'
import { param } from './param.ts'
import { boundsEnd, rangeHolds } from './range.ts'
import { never, sql, word } from './sql.ts'

const byEnd = word(' indexed by dat_hi')
const byBeginning = word('')

/** Walks by the beginning or the end of ranges, whichever the prefix bounds. */
export const date: LeafCompiler<Extract<Node, { op: 'date' }>> = {
  traits: () => ({ ordered: false, check: 0.9 }),
  arms(leaf, _type, reading) {
    const p = param(leaf.param, reading)
    if (p === undefined) return []
    const x = reading.alias()
    const index = boundsEnd(leaf.test) ? byEnd : byBeginning
    const where = sql`${x}.p = ${p} and ${rangeHolds(leaf.test, sql`${x}.lo`, sql`${x}.hi`)}`
    return [{ from: sql`dat ${x}${index}`, where, seq: sql`${x}.seq`, unique: false }]
  },
  check(leaf, _type, seq, reading) {
    const p = param(leaf.param, reading)
    if (p === undefined) return never
    const x = reading.alias()
    // The plus keeps the columns from bounding another index.
    const holds = rangeHolds(leaf.test, sql`+${x}.lo`, sql`+${x}.hi`)
    return sql`exists (select 1 from dat ${x} indexed by dat_f where ${x}.seq = ${seq} and ${x}.p = ${p} and ${holds})`
  },
}
