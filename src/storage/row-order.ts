import { compareUtf8 } from '../search/normal-form.ts'
import type { SortKey } from '../search/tree.ts'
import type { Position } from './port.ts'

/**
 * The order of rows, which is total and the same on every engine: each key in its direction, those without a value last; then seq in the
 * direction of the first key. Those without a first value come newest first, whatever its direction.
 */
export const compareRows = (a: Position, b: Position, sort: readonly SortKey[]): number => {
  for (const [i, { descending }] of sort.entries()) {
    const x = a.values[i] ?? null
    const y = b.values[i] ?? null
    if (x === y) continue
    if (x === null) return 1
    if (y === null) return -1
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : compareUtf8(String(x), String(y))
    if (order !== 0) return descending ? -order : order
  }
  const [first] = sort
  const newestFirst = (first?.descending ?? true) || (a.values[0] ?? null) === null
  return newestFirst ? b.seq - a.seq : a.seq - b.seq
}
