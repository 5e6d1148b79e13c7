import type { Outcome } from '../base/outcome.ts'

/** Where a page walk stands. JSON data; sealed so that no search value and no position shows, or can be changed, in a URL. */
export type Cursor = {
  /** `search-type Patient`, `history-system` …: what the link belongs to. */
  readonly scope: string
  /** The parameters of the first page. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[]
  readonly snapshot: { readonly token: string; readonly at: number }
  readonly position?: { readonly values: readonly (string | number | null)[]; readonly seq: number }
  readonly backward?: boolean
  /** ms */
  readonly expires: number
}

export type CursorSealer = {
  seal(cursor: Cursor): string
  /** Fails `bad-cursor` when damaged or of another scope, `expired-cursor` when too old. */
  open(text: string, scope: string): Outcome<Cursor>
}
