import { type AccessFilter, seesAll } from '../base/access-filter.ts'

/** What a principal may do with one request. It denies when in doubt; filters become conjuncts of the query. */
export type Access =
  | { readonly allow: false; readonly kind: 'forbidden' }
  | {
      readonly allow: true
      /** What of this type may be seen: matches, included resources, steps of chains and targets of references each ask for their own. */
      filterFor(type: string): AccessFilter
    }

/** Decides from who asks, what interaction and which type; never from the content of a record. */
export type Decide = (principal: { readonly kind: string }, interaction: string, type: string | undefined) => Access

const everything: Access = { allow: true, filterFor: () => seesAll }

/** The policy until the authorization issue lands: `serve` and `demo` accept it on loopback only. */
export const permitAll: Decide = () => everything
