import { type Outcome, ok } from '../base/outcome.ts'
import type { Snapshot } from '../storage/port.ts'
import type { Call, Parts } from './parts.ts'
import type { Restricted } from './restrict.ts'

/** Number of matches; `count` is absent when nobody knows it for the price allowed. */
export type Total = { readonly count?: number; readonly exact?: boolean }

/** Counting for an estimate ends here, and `total` is then what was counted so far. */
const estimateCountedMax = 10_000

/** @see https://hl7.org/fhir/R4/search.html#total */
export const readTotal = async (
  { query, access }: Restricted,
  wanted: 'estimate' | 'accurate',
  snapshot: Snapshot | undefined,
  call: Call,
  parts: Parts,
): Promise<Outcome<Total>> => {
  const options = { access, deadline: call.deadline, ...(snapshot === undefined ? {} : { snapshot }) }
  const counted = await parts.store.count(query, {
    ...options,
    ...(wanted === 'estimate' ? { cap: estimateCountedMax } : {}),
  })
  if (!counted.ok) return counted
  const { count, exact, reached } = counted.value
  if (exact && !reached) return ok({ count, exact: true })
  return ok({ count, exact: false })
}
