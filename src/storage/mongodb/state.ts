import type { ClientSession, Timestamp } from 'mongodb'

/**
 * What a question is asked of: the newest committed state (nothing given), the state at a cluster time, or that of a transaction under way,
 * which sees what it wrote.
 */
export type State = { readonly at?: Timestamp; readonly session?: ClientSession }

/** Options of a read command. `committed`: each command one majority-committed state; a transaction has its own and allows none. */
export const readConcernOf = ({
  at,
  session,
}: State): { readonly readConcern?: { readonly level: 'snapshot'; readonly atClusterTime?: Timestamp } } => {
  if (session?.inTransaction() === true) return {}
  return { readConcern: at === undefined ? { level: 'snapshot' } : { level: 'snapshot', atClusterTime: at } }
}
