import type { Issue } from '../base/outcome.ts'
import type { ParamRef, Query } from './tree.ts'
import type { IndexValues } from './values.ts'

/** One decoded `name=value`, in the order sent. */
export type SearchText = { readonly name: string; readonly value: string }

/** What `parseSearch` (parse.ts) makes of the parameters of a search: the question and how to answer it. */
export type ParsedSearch = {
  readonly query: Query
  readonly count: number
  readonly total: 'cheap' | 'none' | 'estimate' | 'accurate'
  readonly summary: 'false' | 'true' | 'text' | 'data' | 'count'
  /** Element names asked for by `_elements`; a name `Type.element` only concerns that type. */
  readonly elements?: readonly string[]
  readonly includes: readonly Include[]
  readonly revincludes: readonly Include[]
  /** The parameters that were applied, in order, with defaults added: the text of `self`. */
  readonly applied: readonly SearchText[]
  /** Under lenient handling: a warning for each parameter left out. */
  readonly ignored: readonly Issue[]
}

/** `_include=Observation:subject:Patient`. `params` holds one reference parameter per source type it expands to (`*` expands to all). */
export type Include = {
  /** As the client wrote it, for messages: `Observation:subject`. */
  readonly text: string
  readonly params: readonly ParamRef[]
  readonly targetType?: string
  readonly iterate: boolean
}

/** Values of a resource for the index. Never fails: a parameter that cannot be evaluated is left out and reported. */
export type Indexer = (resource: { readonly resourceType: string }) => IndexValues
