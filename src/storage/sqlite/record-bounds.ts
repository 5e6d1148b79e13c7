import type { RecordBounds, RecordPosition, RecordValue } from '../port.ts'
import type { RecordTable } from './record-tables.ts'

export type Bounds = RecordBounds & { readonly after?: RecordPosition; readonly descending?: boolean }
/** Parts of a statement without values in them, and the values to bind for `where`. */
export type BoundSql = {
  readonly sql: { readonly from: string; readonly where: string; readonly order: string }
  readonly values: readonly RecordValue[]
  /** Columns that make up the position of a row. */
  readonly columns: readonly string[]
}

/** Where in an index to read, as row values over its first columns, so that one seek finds the beginning. Throws for an index that is not there. */
export const boundsOf = ({ definition, table, indexes }: RecordTable, index: string, bounds: Bounds): BoundSql => {
  const found = indexes.get(index)
  if (found === undefined) throw new Error(`The records ${definition.name} have no index ${index}`)
  const { columns } = found
  const { from = [], to = [], after, descending = false } = bounds
  if (Math.max(from.length, to.length) > columns.length || (after !== undefined && after.length !== columns.length))
    throw new Error(`The index ${index} of the records ${definition.name} has ${columns.length} values`)
  // The row before the page lies in the range: its bound is the closer one, and with one bound in each direction SQLite seeks by both.
  const lower = after === undefined || descending ? from : []
  const upper = after === undefined || !descending ? to : []
  const compared = (operator: string, values: readonly RecordValue[]): string =>
    `(${columns.slice(0, values.length).join(', ')}) ${operator} (${values.map(() => '?').join(', ')})`
  const where = [
    found.where,
    ...(lower.length === 0 ? [] : [compared('>=', lower)]),
    ...(upper.length === 0 ? [] : [compared('<=', upper)]),
    ...(after === undefined ? [] : [compared(descending ? '<' : '>', after)]),
  ]
  const order = columns.map(column => `${column} ${descending ? 'DESC' : 'ASC'}`)
  return {
    sql: { from: `${table} INDEXED BY ${found.name}`, where: where.join(' AND '), order: order.join(', ') },
    values: [...lower, ...upper, ...(after ?? [])],
    columns,
  }
}
