import { every, negate, some } from './three-valued.ts'

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

/** What a filter asks of one state in hand. What is not known of it is absent. */
export type AccessSubject = {
  readonly id: string
  readonly patients?: readonly string[]
  readonly organizations?: readonly string[]
  readonly authors?: readonly string[]
}

/** Whether the filter lets a state through, with the meaning that the engines give it; undefined when that cannot be told. */
export const permits = (filter: AccessFilter, subject: AccessSubject): boolean | undefined => {
  switch (filter.op) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return every(filter.of, part => permits(part, subject))
    case 'or':
      return some(filter.of, part => permits(part, subject))
    case 'not':
      return negate(permits(filter.of, subject))
    case 'ids':
      return filter.ids.includes(subject.id)
    case 'patient':
      return subject.patients?.includes(filter.id)
    case 'author':
      return subject.authors?.includes(filter.ref)
    case 'owner':
      return subject.organizations && filter.organizations.some(organization => subject.organizations?.includes(organization))
  }
}
