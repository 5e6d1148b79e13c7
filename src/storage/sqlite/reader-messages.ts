import type { AccessFilter } from '../../base/access-filter.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Query } from '../../search/tree.ts'
import type { Count, Position, SearchPage } from '../port.ts'

/** A question to a reader thread. `now`: of the store's clock; `ms`: what is left of the deadline, for clocks of threads do not agree. */
export type Question = {
  readonly query: Query
  readonly access: AccessFilter
  readonly now: number
  readonly snapshotSeq?: number
  readonly ms?: number
} & (
  | { readonly kind: 'search'; readonly count: number; readonly total?: boolean; readonly position?: Position; readonly backward?: boolean }
  | { readonly kind: 'count'; readonly cap?: number }
)

export type ToReader = { readonly id: number; readonly question: Question }
export type FromReader =
  | { readonly id: number; readonly outcome: Outcome<SearchPage | Count> }
  | { readonly id: number; readonly broken: string }
