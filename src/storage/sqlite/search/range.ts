import type { RangeTest } from '../../../search/tree.ts'
import { type Sql, sql } from './sql.ts'

/**
 * The table of prefixes on stored ranges and points, storage-and-search.md 8. `lo` and `hi` are columns. Terms that bound an index stand
 * bare, so that the walk begins and ends there.
 */
export const rangeHolds = ({ prefix, lo: sl, hi: sh }: RangeTest, lo: Sql, hi: Sql): Sql => {
  const within = sl === sh ? sql`${lo} = ${sl} and ${hi} = ${sl}` : sql`${lo} >= ${sl} and ${lo} < ${sh} and ${hi} <= ${sh}`
  switch (prefix) {
    case 'eq':
      return within
    case 'ne':
      return sql`not (${within})`
    case 'gt':
      return sql`${hi} > ${sh}`
    case 'lt':
      return sql`${lo} < ${sl}`
    case 'ge':
      return sql`${hi} >= ${sl} and (${lo} >= ${sl} or ${hi} > ${sh})`
    case 'le':
      return sql`${lo} <= ${sh} and (${hi} <= ${sh} or ${lo} < ${sl})`
    case 'sa':
      return sql`${lo} >= ${sh} and ${hi} > ${sh}`
    case 'eb':
      return sql`${hi} <= ${sl} and ${lo} < ${sl}`
    case 'ap':
      return sql`${lo} < ${sh} and ${hi} >= ${sl} and (${hi} > ${sl} or ${lo} >= ${sl})`
  }
}

/** Whether the test bounds the end of a range better than its beginning. */
export const boundsEnd = ({ prefix }: RangeTest): boolean => prefix === 'gt' || prefix === 'ge' || prefix === 'eb' || prefix === 'ap'

/**
 * Nearly the same test, bounded by the beginning alone: right for points, near for short ranges, and always a bounded walk where there is no
 * index by the end. Only for counting.
 */
export const nearlyHolds = ({ prefix, lo: sl, hi: sh }: RangeTest, lo: Sql): Sql | undefined => {
  switch (prefix) {
    case 'gt':
    case 'sa':
      return sql`${lo} > ${sh}`
    case 'ge':
      return sql`${lo} >= ${sl}`
    case 'eb':
    case 'lt':
      return sql`${lo} < ${sl}`
    case 'le':
      return sql`${lo} <= ${sh}`
    case 'ap':
      return sql`${lo} >= ${sl} and ${lo} < ${sh}`
    default:
      return undefined
  }
}
