import type { Key, WritePlan } from '../port.ts'
import { answered, asked } from './guards.ts'
import type { Keys, Mode } from './turnstile.ts'

export const instanceKey = ({ type, id }: Key): string => `instance ${type}/${id}`

/** What the plan may not share with another that is written at the same time. `records`: names and keys of those it writes. */
export const keysOf = (plan: WritePlan, records: readonly string[]): Keys => {
  const keys = new Map<string, Mode>()
  for (const key of plan.exists ?? []) keys.set(instanceKey(key), 'asks')
  for (const key of plan.expects) keys.set(instanceKey(key), 'own')
  for (const key of plan.versions) keys.set(instanceKey(key), 'own')
  for (const { key } of plan.unique ?? []) keys.set(`unique ${key}`, 'own')
  for (const { key } of plan.counters ?? []) keys.set(`counter ${key}`, 'own')
  for (const { id } of plan.blobs ?? []) keys.set(`blob ${id}`, 'own')
  for (const key of records) keys.set(`record ${key}`, 'own')
  if (plan.once !== undefined) keys.set(`once ${plan.once}`, 'own')
  for (const key of answered(plan.versions)) keys.set(key, 'writes')
  for (const { query } of plan.guards)
    for (const key of asked(query)) keys.set(key, keys.get(key) === 'writes' ? 'own' : (keys.get(key) ?? 'asks'))
  return keys
}

/** What a waiting plan holds in memory, roughly: its texts and some bytes for each value. */
export const bytesOf = (plan: WritePlan): number => {
  let bytes = 500
  for (const { text, values } of plan.versions) {
    bytes += text.length + 500
    if (values === undefined) continue
    const { tokens, strings, dates, numbers, references, composites } = values
    bytes += 60 * (tokens.length + strings.length + dates.length + numbers.length + references.length + composites.length)
  }
  return bytes
}
