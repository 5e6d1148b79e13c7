import type { AccessFilter, PatientsFilter } from '../../../base/access-filter.ts'
import type { Dictionary } from '../dictionary.ts'
import { always, empty, type Sql, sql, word } from './sql.ts'

/** The set of parameters that resources of one shape have. */
export type Shape = { readonly sh: number; readonly params: ReadonlySet<number>; readonly live: number }

/** What compiling a question needs to know of the state it is asked of. */
export type Reading = {
  readonly dictionary: Dictionary
  /** The instant (ms) that relations are asked at. */
  readonly now: number
  /** The state to answer from; absent: the newest. */
  readonly snapshotSeq?: number
  /** Whether superseded versions have entries: then each candidate is asked. */
  readonly someDead: boolean
  /** Shapes of a type, those without live instances included. */
  shapes(t: number): readonly Shape[]
  /** Resources of the type, and those that have a value of the parameter, by the counters of shapes. */
  total(type: string): number
  holders(type: string, param: string): number
  /** Patients who ever stood in such a relation, as far as it is worth counting; some seconds old. */
  patients(filter: PatientsFilter): number
  /** The filter without relations that nobody stands in. */
  known(filter: AccessFilter): AccessFilter
  /** Number of an instance, looked up once for each question. */
  iid(type: string, id: string): number | undefined
  /** A new name for a table in this statement. */
  alias(): Sql
}

/** Names of tables in a statement: x1, x2 …, the same for the same shape. */
export const aliases = (): (() => Sql) => {
  let last = 0
  return () => word(`x${++last}`)
}

/** The same answer to the same question. */
export const onceEach = (find: Reading['iid']): Reading['iid'] => {
  const found = new Map<string, number | undefined>()
  return (type, id) => {
    const key = `${type}/${id}`
    if (!found.has(key)) found.set(key, find(type, id))
    return found.get(key)
  }
}

/** That the entry counts in the state read. The upper bound by the snapshot is asked apart: it bounds walks. */
export const undead = (seq: Sql, { someDead, snapshotSeq }: Reading): Sql => {
  if (!someDead) return always
  const until = snapshotSeq === undefined ? empty : sql` and dead.until <= ${snapshotSeq}`
  return sql`not exists (select 1 from dead where dead.seq = ${seq}${until})`
}

/** Seq of the version of an instance that is current in the state read; `i` is a row of the table instance. */
export const currentSeq = (i: Sql, { snapshotSeq, someDead }: Reading): Sql =>
  // Without superseded entries the newest version is the only one that can be met.
  snapshotSeq === undefined || !someDead
    ? sql`${i}.seq`
    : sql`(select max(v.seq) from version v indexed by version_iid where v.iid = ${i}.iid and v.seq <= ${snapshotSeq})`
