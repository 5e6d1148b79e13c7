import { type Document, MaxKey, MinKey } from 'mongodb'
import type { RecordBounds, RecordPosition, RecordValue } from '../port.ts'
import type { RecordCollection, RecordIndex } from './record-collections.ts'
import { longOf } from './record-documents.ts'

export type Bounds = RecordBounds & { readonly after?: RecordPosition; readonly descending?: boolean }

/** Where in an index to read: from `min`, up to but not including `max`, as one stretch of its keys. */
export type Stretch = {
  readonly index: RecordIndex
  readonly min?: Document
  readonly max?: Document
  readonly sort: Readonly<Record<string, 1 | -1>>
}

/** An end of a stretch: values of the first fields, and on which side of all that begin so it lies. */
type Edge = { readonly values: readonly RecordValue[]; readonly side: 'before' | 'behind' }

/** Undefined when nothing can lie there. Throws for an index that is not there. */
export const stretchOf = ({ definition, indexes }: RecordCollection, name: string, bounds: Bounds): Stretch | undefined => {
  const index = indexes.get(name)
  if (index === undefined) throw new Error(`The records ${definition.name} have no index ${name}`)
  const { fields } = index
  const { from = [], to = [], after, descending = false } = bounds
  if (Math.max(from.length, to.length) > fields.length || (after !== undefined && after.length !== fields.length))
    throw new Error(`The index ${name} of the records ${definition.name} has ${fields.length} values`)
  // The row before the page lies in the range: its bound is the closer one.
  const low: Edge = after === undefined || descending ? { values: from, side: 'before' } : { values: after, side: 'behind' }
  const high: Edge = after === undefined || !descending ? { values: to, side: 'behind' } : { values: after, side: 'before' }
  // The server takes no empty stretch.
  if (low.values.length > 0 && high.values.length > 0 && compareEdges(low, high) >= 0) return undefined
  return {
    index,
    ...(low.values.length === 0 ? {} : { min: keyAt(fields, low) }),
    ...(high.values.length === 0 ? {} : { max: keyAt(fields, high) }),
    sort: Object.fromEntries(fields.map(field => [field, descending ? -1 : 1])),
  }
}

/** Numbers before text, text by its UTF-8 bytes: the order of BSON, of SQLite, and of the port. */
export const compareValues = (a: RecordValue, b: RecordValue): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return typeof a === 'number' ? -1 : 1
}

const compareEdges = (a: Edge, b: Edge): number => {
  for (const [at, value] of a.values.entries()) {
    const other = b.values[at]
    if (other === undefined) return b.side === 'before' ? 1 : -1
    const compared = compareValues(value, other)
    if (compared !== 0) return compared
  }
  if (a.values.length < b.values.length) return a.side === 'before' ? -1 : 1
  return a.side === b.side ? 0 : a.side === 'before' ? -1 : 1
}

/** The key of the index that comes first behind the edge. */
const keyAt = (fields: readonly string[], { values, side }: Edge): Document => {
  const whole = side === 'behind' && values.length === fields.length
  return Object.fromEntries(
    fields.map((field, at) => {
      const value = values[at]
      if (value === undefined) return [field, side === 'before' ? new MinKey() : new MaxKey()]
      return [field, whole && at === fields.length - 1 ? successorOf(value) : keyOf(value)]
    }),
  )
}

const keyOf = (value: RecordValue): unknown => (Number.isSafeInteger(value) ? longOf(value as number) : value)

/** The least value above: nothing lies between. */
const successorOf = (value: RecordValue): unknown => (typeof value === 'string' ? `${value}\0` : nextNumber(value))

const bits = new DataView(new ArrayBuffer(8))

const nextNumber = (value: number): number => {
  if (value === 0) return Number.MIN_VALUE
  if (value === Number.POSITIVE_INFINITY) return value
  bits.setFloat64(0, value)
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? 1n : -1n))
  return bits.getFloat64(0)
}
