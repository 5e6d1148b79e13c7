import type { AccessFilter } from '../base/access-filter.ts'
import { simplified } from '../auth/policy/simplify.ts'

/**
 * A filter in words of engines that keeps out nobody whom the filter lets in: what they do not know lets everything through, and nothing where it
 * is denied. Whatever it lets in besides must be judged by the filter itself.
 */
export const upperBound = (filter: AccessFilter): AccessFilter => simplified(bounded(filter, true))

const bounded = (filter: AccessFilter, keeps: boolean): AccessFilter => {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { op: filter.op, of: filter.of.map(part => bounded(part, keeps)) }
    case 'not':
      return { op: 'not', of: bounded(filter.of, !keeps) }
    case 'param':
    case 'consent':
      return { op: keeps ? 'all' : 'none' }
    default:
      return filter
  }
}
