import type { ParamFilter } from '../base/access-filter.ts'
import { filterContext } from '../search/parse.ts'
import { readFilter } from '../search/filters.ts'
import type { Node } from '../search/tree.ts'
import type { Parts } from './parts.ts'

/**
 * The condition of an access filter on a search parameter, as a search of that type would ask it. Undefined where the type has no such parameter or the
 * values do not fit it: then nobody can tell whom it lets through.
 */
export const paramNode = (
  type: string,
  { code, values }: ParamFilter,
  parts: Pick<Parts, 'definitions' | 'limits' | 'settings' | 'clock'>,
): Node | undefined => {
  if (values.length === 0) return { op: 'none' }
  const read = readFilter(type, { name: code, value: values.join(',') }, filterContext({ ...parts, now: parts.clock() }))
  return read.ok ? read.value : undefined
}
