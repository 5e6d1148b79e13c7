import type { AccessFilter, PatientsFilter } from '../../../base/access-filter.ts'
import { referenceEntry } from '../entries.ts'
import { every, type Filter, not, some } from './filter.ts'

/** What is asked of a document: by the server beside finding it, or, where other documents decide, of a batch of candidates. */
export type Condition =
  | { readonly is: 'filter'; readonly filter: Filter }
  | { readonly is: 'every' | 'some'; readonly of: readonly Condition[] }
  | { readonly is: 'not'; readonly of: Condition }
  | Referring
  | Referred
  | Among
  | Seen

/** By the parameter it refers to a document that meets the conditions of its type. */
export type Referring = {
  readonly is: 'referring'
  readonly code: string
  readonly to: readonly { readonly type: string; readonly conditions: Conditions }[]
}
/** A document of that type that meets the conditions refers to it (an instance of `type`) by the parameter. */
export type Referred = {
  readonly is: 'referred'
  readonly code: string
  readonly type: string
  readonly by: { readonly type: string; readonly conditions: Conditions }
}
/** One of its references, or its id, is among what was gathered. `begins`: what such references begin with. */
export type Among = { readonly is: 'among'; readonly begins?: readonly string[]; readonly keys: ReadonlySet<string> }

/**
 * It passes the filter, relations as they are now: by what it has itself, or by what the newest version of its instance has. `patients`: of those
 * relations that were looked up beforehand.
 */
export type Seen = {
  readonly is: 'seen'
  readonly by: 'itself' | 'newest'
  readonly access: AccessFilter
  readonly patients?: ReadonlyMap<PatientsFilter, ReadonlySet<string>>
}

/** All must hold. Lists of the same identity are the same conditions: documents found by several of its ways need one question. */
export type Conditions = { readonly filters: readonly Filter[]; readonly verify: readonly Condition[] }

export const noConditions: Conditions = { filters: [], verify: [] }

export const asFilter = (filter: Filter): Condition => ({ is: 'filter', filter })

/** What filters alone can answer becomes one. */
export const joined = (is: 'every' | 'some', of: readonly Condition[]): Condition => {
  const filters = of.flatMap(one => (one.is === 'filter' ? [one.filter] : []))
  const others = of.filter(one => one.is !== 'filter')
  const filter = asFilter(is === 'every' ? every(filters) : some(filters))
  if (others.length === 0) return filter
  return { is, of: filters.length === 0 ? others : [filter, ...others] }
}

export const opposite = (of: Condition): Condition => (of.is === 'filter' ? asFilter(not(of.filter)) : { is: 'not', of })

/** The conditions of a source and what its whole asks besides. */
export const added = (own: readonly Condition[], more: Conditions): Conditions => {
  if (own.length === 0) return more
  const verify = own.filter(one => one.is !== 'filter')
  return {
    filters: [...own.flatMap(one => (one.is === 'filter' ? [one.filter] : [])), ...more.filters],
    verify: verify.length === 0 ? more.verify : [...verify, ...more.verify],
  }
}

/** What the references of a candidate begin with that have to be known to verify it. */
export const referencesFor = (conditions: readonly Condition[]): readonly string[] => [...new Set(conditions.flatMap(beginnings))]

/** Whether verifying them needs what access filters ask for. */
export const asksAccess = (conditions: readonly Condition[]): boolean =>
  conditions.some(condition => {
    if (condition.is === 'every' || condition.is === 'some') return asksAccess(condition.of)
    return condition.is === 'not' ? asksAccess([condition.of]) : condition.is === 'seen' && condition.by === 'itself'
  })

const beginnings = (condition: Condition): readonly string[] => {
  switch (condition.is) {
    case 'filter':
    case 'referred':
    case 'seen':
      return []
    case 'every':
    case 'some':
      return condition.of.flatMap(beginnings)
    case 'not':
      return beginnings(condition.of)
    case 'referring':
      return condition.to.map(({ type }) => referenceEntry(condition.code, type, ''))
    case 'among':
      return condition.begins ?? []
  }
}
