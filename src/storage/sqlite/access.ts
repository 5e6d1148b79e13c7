import type { AccessFilter } from '../../base/access-filter.ts'

export type Condition = { readonly sql: string; readonly values: readonly (string | number)[] }

/**
 * An access filter as a condition on `i`, a row of `instance`: what its newest version says decides, for all its versions.
 * Entries of live versions stand in pat, own and aut; those of deletions in gone.
 */
export const accessCondition = (filter: AccessFilter): Condition => {
  if (filter.op === 'all') return { sql: '1', values: [] }
  if (filter.op === 'none') return { sql: '0', values: [] }
  if (filter.op === 'not') return not(accessCondition(filter.of))
  if (filter.op === 'ids') return { sql: 'i.id IN (SELECT value FROM json_each(?))', values: [JSON.stringify(filter.ids)] }
  if (filter.op === 'patient') return oneOf('pat', 'patient', 1, [filter.id])
  if (filter.op === 'author') return oneOf('aut', 'author', 3, [filter.ref])
  if (filter.op === 'owner') return oneOf('own', 'org', 2, filter.organizations)
  if (filter.op === 'and' || filter.op === 'or') return joined(filter.op, filter.of.map(accessCondition))
  throw new Error(`No engine knows the filter ${filter.op}`)
}

const not = ({ sql, values }: Condition): Condition => ({ sql: `NOT ${sql}`, values })

/** No alternative is never true, no demand always. */
const joined = (op: 'and' | 'or', parts: readonly Condition[]): Condition => ({
  sql: parts.length === 0 ? (op === 'and' ? '1' : '0') : `(${parts.map(part => part.sql).join(op === 'and' ? ' AND ' : ' OR ')})`,
  values: parts.flatMap(part => part.values),
})

const oneOf = (table: string, column: string, kind: number, wanted: readonly string[]): Condition => {
  const list = JSON.stringify(wanted)
  return {
    sql: `EXISTS (SELECT 1 FROM json_each(?) wanted WHERE EXISTS (SELECT 1 FROM ${table} WHERE ${column} = wanted.value AND t = i.t AND seq = i.seq)
            OR EXISTS (SELECT 1 FROM gone WHERE gone.seq = i.seq AND gone.kind = ${kind} AND gone.value = wanted.value))`,
    values: [list],
  }
}
