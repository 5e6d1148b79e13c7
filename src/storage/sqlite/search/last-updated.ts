import type { Node, RangeTest } from '../../../search/tree.ts'
import { firstSeqOf } from '../../sequence.ts'
import type { LeafCompiler } from './leaf.ts'
import { always, every, never, not, type Sql, sql } from './sql.ts'

/** Seqs from `from` on and before `before`. */
export type Window = { readonly from?: number; readonly before?: number }

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

export const within = ({ from, before }: Window, seq: Sql): Sql => {
  if (from !== undefined && before !== undefined && from >= before) return never
  return every([...(from === undefined ? [] : [sql`${seq} >= ${from}`]), ...(before === undefined ? [] : [sql`${seq} < ${before}`])])
}

/** What is common to all windows. */
export const narrowest = (windows: readonly Window[]): Window => {
  const from = Math.max(...windows.map(window => window.from ?? Number.NEGATIVE_INFINITY))
  const before = Math.min(...windows.map(window => window.before ?? Number.POSITIVE_INFINITY))
  return { ...(from > Number.NEGATIVE_INFINITY ? { from } : {}), ...(before < Number.POSITIVE_INFINITY ? { before } : {}) }
}

/** The row of the prefix table for one instant, which lies in [ms, ms]; not for `ne`. */
export const windowOf = ({ prefix, lo, hi }: RangeTest): Window => {
  const at = (ms: number): number => seqAt(Math.ceil(ms))
  const after = (ms: number): number => seqAt(Math.floor(ms) + 1)
  switch (prefix) {
    case 'eq':
      return lo === hi ? { from: at(lo), before: after(lo) } : { from: at(lo), before: at(hi) }
    case 'gt':
    case 'sa':
      return { from: after(hi) }
    case 'lt':
    case 'eb':
      return { before: at(lo) }
    case 'ge':
      return { from: at(lo) }
    case 'le':
      return { before: after(hi) }
    case 'ap':
      return { from: at(lo), before: at(hi) }
    case 'ne':
      return {}
  }
}

/** Seqs are safe integers; dates reach farther than seqs do. */
const seqAt = (ms: number): number => Math.min(Math.max(firstSeqOf(ms), 0), Number.MAX_SAFE_INTEGER)
