/** A condition on one document as MongoDB understands it. Values of users stand only where no operator can: as text or number behind a field or an operator of ours. */
export type Filter = Readonly<Record<string, unknown>>

export const always: Filter = {}
/** Known by its identity: what it is part of is not asked. */
export const never: Filter = { $nor: [{}] }

/** All must hold; what always holds is left out, and one that never does decides. */
export const every = (filters: readonly Filter[]): Filter => {
  if (filters.includes(never)) return never
  const asked = filters.filter(filter => filter !== always)
  return asked.length === 0 ? always : asked.length === 1 ? (asked[0] as Filter) : { $and: asked }
}

export const some = (filters: readonly Filter[]): Filter => {
  if (filters.includes(always)) return always
  const asked = filters.filter(filter => filter !== never)
  return asked.length === 0 ? never : asked.length === 1 ? (asked[0] as Filter) : { $or: asked }
}

/** That no element of an array may meet it: `$not` would mean something else there. */
export const not = (filter: Filter): Filter => (filter === never ? always : filter === always ? never : { $nor: [filter] })

/** Nobody has it: beside one condition it keeps `$nor` from becoming a `$not`, which could bound an index. */
const nobody: Filter = { seq: -1 }

/**
 * The conditions in a form that can never bound an index, so that the index is walked by nothing but what it was chosen for: where two
 * conditions could bound the same index the server would try out both, each time.
 */
export const unbounding = (filters: readonly Filter[]): Filter => {
  const asked = filters.filter(filter => filter !== always)
  if (asked.length === 0) return always
  const refused = asked.map(denied)
  return { $nor: refused.length === 1 ? [...refused, nobody] : refused }
}

const denied = (filter: Filter): Filter => {
  const { $nor, ...rest } = filter
  return Array.isArray($nor) && $nor.length === 1 && Object.keys(rest).length === 0 ? ($nor[0] as Filter) : { $nor: [filter] }
}

/** An element of the array that lies in [from, before). */
export const inside = ({ from, before }: { readonly from: string; readonly before: string }): Filter => ({
  $elemMatch: { $gte: from, $lt: before },
})
