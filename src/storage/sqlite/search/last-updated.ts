import type { Node, RangeTest } from '../../../search/tree.ts'
import { isEmpty, type Window, windowOf } from '../../seq-window.ts'
import type { LeafCompiler } from './leaf.ts'
import { always, every, never, not, type Sql, sql } from './sql.ts'

/** `_lastUpdated` is the millisecond of the seq, so its tests are ranges of seqs. */
export const lastUpdated: LeafCompiler<Extract<Node, { op: 'lastUpdated' }>> = {
  traits: () => ({ ordered: true, check: 0.1 }),
  arms(leaf, type, reading) {
    const t = reading.dictionary.type(type)
    if (t === undefined) return []
    const x = reading.alias()
    const where = sql`${x}.t = ${t} and ${holds(leaf.test, sql`${x}.seq`)}`
    return [{ from: sql`live ${x} indexed by live_t`, where, seq: sql`${x}.seq`, unique: true }]
  },
  check: (leaf, _type, seq) => bracketed(holds(leaf.test, seq)),
}

/** A constant keeps its identity, by which it is known. */
const bracketed = (condition: Sql): Sql => (condition === never || condition === always ? condition : sql`(${condition})`)

const holds = (test: RangeTest, seq: Sql): Sql => {
  if (test.prefix === 'ne') return not(within(windowOf({ ...test, prefix: 'eq' }), seq))
  return within(windowOf(test), seq)
}

export const within = (window: Window, seq: Sql): Sql => {
  if (isEmpty(window)) return never
  const { from, before } = window
  return every([...(from === undefined ? [] : [sql`${seq} >= ${from}`]), ...(before === undefined ? [] : [sql`${seq} < ${before}`])])
}
