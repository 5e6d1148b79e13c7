/**
 * What a principal may see, as the store understands it: a conjunct of every query, never a filter on a page.
 * It lives on the ground floor because the rooms that decide it and the engines that apply it do not know each other.
 * @see docs/decisions/access-in-the-query.md
 */
export type AccessFilter =
  | { readonly op: 'all' }
  | { readonly op: 'none' }
  | { readonly op: 'and' | 'or'; readonly of: readonly AccessFilter[] }
  | { readonly op: 'not'; readonly of: AccessFilter }
  | { readonly op: 'ids'; readonly ids: readonly string[] }
  | { readonly op: 'patient'; readonly id: string }
  | { readonly op: 'author'; readonly ref: string }
  | { readonly op: 'owner'; readonly organizations: readonly string[] }

export const seesAll: AccessFilter = { op: 'all' }
