import type { RangeTest } from '../../../search/tree.ts'
import type { Filter } from './filter.ts'

/**
 * The table of prefixes on stored ranges [l, h) and points (l = h), for the members of an array's element; storage-and-search.md 8.
 * `stored` makes of a bound what is stored.
 */
export const rangeHolds = ({ prefix, lo, hi }: RangeTest, stored: (bound: number) => unknown): Filter => {
  const sl = stored(lo)
  const sh = stored(hi)
  const within: Filter = lo === hi ? { l: sl, h: sl } : { l: { $gte: sl, $lt: sh }, h: { $lte: sh } }
  switch (prefix) {
    case 'eq':
      return within
    case 'ne':
      return { $nor: [within] }
    case 'gt':
      return { h: { $gt: sh } }
    case 'lt':
      return { l: { $lt: sl } }
    case 'ge':
      return { h: { $gte: sl }, $or: [{ l: { $gte: sl } }, { h: { $gt: sh } }] }
    case 'le':
      return { l: { $lte: sh }, $or: [{ h: { $lte: sh } }, { l: { $lt: sl } }] }
    case 'sa':
      return { l: { $gte: sh }, h: { $gt: sh } }
    case 'eb':
      return { h: { $lte: sl }, l: { $lt: sl } }
    case 'ap':
      return { l: { $lt: sh }, h: { $gte: sl }, $or: [{ h: { $gt: sl } }, { l: { $gte: sl } }] }
  }
}

/** Whether the test bounds the end of a range better than its beginning. */
export const boundsEnd = ({ prefix }: RangeTest): boolean => prefix === 'gt' || prefix === 'ge' || prefix === 'eb' || prefix === 'ap'
