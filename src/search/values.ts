/**
 * What the index holds of one resource version: engine-neutral, without duplicates, the same on every engine.
 * `param` is a search parameter's code, or a companion of it: `subject:identifier` (Reference.identifier as token).
 * `mark` says whether the value is the least (1), the greatest (2) or both (3) of its parameter in this resource: sorting walks marked values.
 */
export type Mark = 0 | 1 | 2 | 3

/** `''` stands for no system, and for a system without code. Also uris, canonicals and references to other servers (code = URL). */
export type TokenValue = { readonly param: string; readonly system: string; readonly code: string; readonly mark: Mark }
/** `value` is the normal form; `exact` the text itself, or '' when equal to the normal form. */
export type StringValue = { readonly param: string; readonly value: string; readonly exact: string; readonly mark: Mark }
/** Half-open [lo, hi) in milliseconds UTC. */
export type DateValue = { readonly param: string; readonly lo: number; readonly hi: number; readonly mark: Mark }
/** Numbers have unit ''. Quantities give one value with unit '' (any unit), one with `system|code` or the unit text, one with `=code` (canonical UCUM). */
export type NumberValue = { readonly param: string; readonly unit: string; readonly lo: number; readonly hi: number; readonly mark: Mark }
/** A literal reference to an instance of this server. */
export type ReferenceValue = { readonly param: string; readonly type: string; readonly id: string }
/** `key` is the joined equality components; beside it one range, or one string, or neither (`range` and `text` absent). */
export type CompositeValue = {
  readonly param: string
  readonly key: string
  readonly range?: { readonly lo: number; readonly hi: number }
  readonly text?: string
}

/** Sort values of a parameter that has values: text (compared by UTF-8 bytes) or number; `greatest` only when it differs. */
export type SortValue = { readonly param: string; readonly least: string | number; readonly greatest?: string | number }

export type IndexValues = {
  readonly tokens: readonly TokenValue[]
  readonly strings: readonly StringValue[]
  readonly dates: readonly DateValue[]
  readonly numbers: readonly NumberValue[]
  readonly references: readonly ReferenceValue[]
  readonly composites: readonly CompositeValue[]
  readonly sort: readonly SortValue[]
  /** Codes of all parameters that have a value, sorted: answers `:missing` for every parameter at the price of one entry. */
  readonly shape: readonly string[]
}
