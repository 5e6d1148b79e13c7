import { type AccessFilter, type AccessSubject, permits, seesAll } from '../base/access-filter.ts'

const nothing: AccessFilter = { op: 'none' }

/**
 * What is left to be found out of a filter for one state of which not everything is known: `all` and `none` where nothing is. It asks tables for no more
 * than decides.
 */
export const residual = (filter: AccessFilter, subject: AccessSubject): AccessFilter => {
  if (filter.op === 'and' || filter.op === 'or') return residualOf(filter, subject)
  const known = permits(filter, subject)
  if (known !== undefined) return known ? seesAll : nothing
  return filter.op === 'not' ? { op: 'not', of: residual(filter.of, subject) } : filter
}

const residualOf = ({ op, of }: Extract<AccessFilter, { op: 'and' | 'or' }>, subject: AccessSubject): AccessFilter => {
  const [neutral, final] = op === 'and' ? ['all', 'none'] : ['none', 'all']
  const left: AccessFilter[] = []
  for (const part of of) {
    const one = residual(part, subject)
    if (one.op === final) return one
    if (one.op !== neutral) left.push(one)
  }
  const [only, ...others] = left
  if (only === undefined) return op === 'and' ? seesAll : nothing
  return others.length === 0 ? only : { op, of: left }
}
