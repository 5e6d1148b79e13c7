import type { AccessFilter } from '../base/access-filter.ts'
import type { SearchParamType } from '../fhir/definitions/definitions.ts'

/** A search parameter of one concrete type; `code` may be a companion (`subject:identifier`), see values.ts. */
export type ParamRef = { readonly type: string; readonly code: string; readonly kind: SearchParamType }

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap'

/** How a stored range [lo, hi) is compared with the searched one; `value` is the number itself for prefixes that do not widen it. */
export type RangeTest = { readonly prefix: Prefix; readonly lo: number; readonly hi: number; readonly value?: number }

/** What a search asks of one resource. Comma became `or`, repetition `and`; values are typed, nothing below knows URLs. */
export type Node =
  | { readonly op: 'and' | 'or'; readonly of: readonly Node[] }
  | { readonly op: 'not'; readonly of: Node }
  | { readonly op: 'all' }
  | { readonly op: 'none' }
  /** `system` absent: any; '': none. `code` absent: any code of the system. Also uris and references to other servers. */
  | { readonly op: 'token'; readonly param: ParamRef; readonly system?: string; readonly code?: string }
  | {
      readonly op: 'string'
      readonly param: ParamRef
      readonly match: 'prefix' | 'exact' | 'contains'
      readonly text: string
      readonly exact?: string
    }
  | { readonly op: 'uri'; readonly param: ParamRef; readonly match: 'exact' | 'contains'; readonly uri: string }
  | { readonly op: 'date'; readonly param: ParamRef; readonly test: RangeTest }
  | { readonly op: 'number'; readonly param: ParamRef; readonly test: RangeTest }
  /** `unit` as in NumberValue. */
  | { readonly op: 'quantity'; readonly param: ParamRef; readonly unit: string; readonly test: RangeTest }
  | { readonly op: 'reference'; readonly param: ParamRef; readonly type: string; readonly id: string }
  | { readonly op: 'composite'; readonly param: ParamRef; readonly key: string; readonly test?: RangeTest; readonly prefix?: string }
  | { readonly op: 'missing'; readonly param: ParamRef; readonly missing: boolean }
  | { readonly op: 'id'; readonly ids: readonly string[] }
  /** _lastUpdated: the version's instant is the range [ms, ms + 1), so `gt` the last millisecond seen gives what came after it. */
  | { readonly op: 'lastUpdated'; readonly test: RangeTest }
  | { readonly op: 'chain'; readonly param: ParamRef; readonly of: readonly Part[] }
  | { readonly op: 'reverse'; readonly param: ParamRef; readonly of: Part }
  /** In the compartment of `owner` (`Patient/1`) by any of the parameters. */
  | { readonly op: 'compartment'; readonly owner: { readonly type: string; readonly id: string }; readonly params: readonly ParamRef[] }
  | { readonly op: 'access'; readonly filter: AccessFilter }

/** What is asked of one resource type. A search over several types has one part each, merged by order. */
export type Part = { readonly type: string; readonly where: Node }

/** `_id`, `_lastUpdated`, or a parameter that every part's type has, of the same kind. */
export type SortKey = { readonly code: string; readonly kind: SearchParamType; readonly descending: boolean }

/** A whole question to the store. Without sort keys: newest first. The sequence is always the last key, in the direction of the first. */
export type Query = { readonly parts: readonly Part[]; readonly sort: readonly SortKey[] }
