import type { RangeTest } from '../search/tree.ts'
import { firstSeqOf } from './sequence.ts'

/** Seqs from `from` on and before `before`. */
export type Window = { readonly from?: number; readonly before?: number }

/** What is common to all windows. */
export const narrowest = (windows: readonly Window[]): Window => {
  const from = Math.max(...windows.map(window => window.from ?? Number.NEGATIVE_INFINITY))
  const before = Math.min(...windows.map(window => window.before ?? Number.POSITIVE_INFINITY))
  return { ...(from > Number.NEGATIVE_INFINITY ? { from } : {}), ...(before < Number.POSITIVE_INFINITY ? { before } : {}) }
}

export const isEmpty = ({ from, before }: Window): boolean => from !== undefined && before !== undefined && from >= before

/** The row of the prefix table for `_lastUpdated`: one instant, which lies in [ms, ms]; not for `ne`. */
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
