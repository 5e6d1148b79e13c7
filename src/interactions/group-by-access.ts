import { type AccessFilter, seesAll } from '../base/access-filter.ts'
import type { Call } from './parts.ts'
import { upperBound } from './upper-bound.ts'

/** Types whose versions the caller sees under one filter of the store, each to be judged by their own. Types of which nothing may be seen are in no group. */
export type AccessGroup = { readonly filter: AccessFilter; readonly types: readonly string[] }

export const groupByAccess = (types: readonly string[], access: Call['access']): readonly AccessGroup[] => {
  if (access.open || types.every(type => access.filterFor(type).op === 'all')) return [{ filter: seesAll, types }]
  const groups = new Map<string, { filter: AccessFilter; types: string[] }>()
  for (const type of types) {
    const filter = upperBound(access.filterFor(type))
    if (filter.op === 'none') continue
    const key = JSON.stringify(filter)
    const group = groups.get(key) ?? { filter, types: [] }
    group.types.push(type)
    groups.set(key, group)
  }
  return [...groups.values()]
}
