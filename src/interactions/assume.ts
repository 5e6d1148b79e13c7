import { isSame, simplified } from '../auth/policy/simplify.ts'
import type { AccessFilter } from '../base/access-filter.ts'

/** The filter where some words are known to hold of every row, in its shortest form. */
export const assuming = (filter: AccessFilter, holds: (word: AccessFilter) => boolean): AccessFilter => simplified(replaced(filter, holds))

const replaced = (filter: AccessFilter, holds: (word: AccessFilter) => boolean): AccessFilter => {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { op: filter.op, of: filter.of.map(part => replaced(part, holds)) }
    case 'not':
      return { op: 'not', of: replaced(filter.of, holds) }
    default:
      return holds(filter) ? { op: 'all' } : filter
  }
}

/** What a conjunction says once of every row it need not say again inside: `p and (a or (p and b))` is `p and (a or b)`. */
export const saidOnce = (filter: AccessFilter): AccessFilter => {
  if (filter.op !== 'and') return filter
  const words = filter.of.filter(({ op }) => op === 'patient')
  if (words.length === 0) return filter
  const others = filter.of.filter(({ op }) => op !== 'patient')
  const left = others.map(part => assuming(part, word => words.some(known => isSame(known, word))))
  return simplified({ op: 'and', of: [...words, ...left] })
}
