import { atMost } from '../base/at-most.ts'
import { isOver } from '../base/deadline.ts'
import { type Failure, fail, type Outcome, ok } from '../base/outcome.ts'
import { sameContent } from '../fhir/model/same-content.ts'
import type { Node, Query } from '../search/tree.ts'
import type { IndexValues } from '../search/values.ts'
import type { Key, StoredVersion, WritePlan } from '../storage/port.ts'
import { demandsIfMatch } from './app-state.ts'
import { failAll, inEntry } from './bundle-entries.ts'
import { checkConditions } from './conditions.ts'
import { findDeletions } from './delete.ts'
import { findMatches, guardOf, meets } from './match-criteria.ts'
import type { Call, Parts } from './parts.ts'
import { criteriaKey, type Slot } from './transaction-slots.ts'
import { checkUpdate, targetOf, type UpdateTarget } from './update.ts'
import { checkChangeable } from './write-access.ts'

/**
 * Phases 1 to 3 of a transaction: *resolve, identities, overlap*. Everything is looked up before anything is written, in the state before
 * the transaction without what it deletes, plus its own unconditional entries.
 */

type Guard = WritePlan['guards'][number]

/** What an entry comes to. */
export type Target =
  /** A new version of this instance; `before` is its newest one. */
  | (UpdateTarget & { readonly do: 'write'; readonly guard?: Guard })
  | { readonly do: 'delete'; readonly matches: readonly StoredVersion[]; readonly gone?: StoredVersion; readonly guards: readonly Guard[] }
  /** A conditional create that found an instance. */
  | { readonly do: 'match'; readonly version: StoredVersion; readonly guard: Guard }
  /** A conditional create that found what another entry writes. */
  | { readonly do: 'share'; readonly with: Slot; readonly guard: Guard }
  | { readonly do: 'read' }

export type Targets = ReadonlyMap<Slot, Target>

const lookupsAtOnceMax = 8

/** What criteria give inside this transaction. */
export type Found = { readonly stored: readonly StoredVersion[]; readonly entries: readonly Slot[]; readonly guard: Guard }
export type Finder = (type: string, criteria: Query, call: Call) => Promise<Outcome<Found>>

/** A matching with more than this many matches is refused anyway. */
const matchesMax = 2

const without = (query: Query, ids: readonly string[]): Query => {
  if (ids.length === 0) return query
  const others: Node = { op: 'not', of: { op: 'id', ids } }
  return { ...query, parts: query.parts.map(part => ({ ...part, where: { op: 'and', of: [part.where, others] } })) }
}

/** Finds in the store, without what is deleted here, and among the entries; equal questions are asked once. */
const createFinder = (
  deleted: ReadonlyMap<string, readonly string[]>,
  written: readonly (readonly [Slot, string])[],
  parts: Parts,
): Finder => {
  const asked = new Map<string, Promise<Outcome<Found>>>()
  const values = new Map<Slot, IndexValues>()
  const valuesOf = (slot: Slot, id: string): IndexValues => {
    const known =
      values.get(slot) ??
      parts.index({ ...('resource' in slot.task ? slot.task.resource : { resourceType: '' }), id } as { resourceType: string })
    values.set(slot, known)
    return known
  }
  const find: Finder = async (type, criteria, call) => {
    if (isOver(call.deadline)) return fail('too-costly', { parameter: `${type}?…` })
    const query = without(criteria, deleted.get(type) ?? [])
    const matches = await findMatches(query, call, parts, matchesMax)
    if (!matches.ok) return matches
    const { rows: stored, asked: question } = matches.value
    const found = written.filter(
      ([slot, id]) => 'type' in slot.task && slot.task.type === type && meets(criteria, { type, id, values: valuesOf(slot, id) }),
    )
    const ids = new Set(stored.map(({ id }) => id))
    const entries = found.filter(([, id]) => !ids.has(id)).map(([slot]) => slot)
    return ok({ stored, entries, guard: guardOf(question, stored[0]) })
  }
  return (type, criteria, call) => {
    const key = `${criteriaKey(type, criteria)} ${call.access.interaction}`
    const known = asked.get(key) ?? find(type, criteria, call)
    asked.set(key, known)
    return known
  }
}

const keyOf = ({ type, id }: Key): string => `${type}/${id}`

/** Targets of all slots, and the finder for conditional references. Fails with all issues of the first phase that has any. */
export const findTargets = async (
  slots: readonly Slot[],
  parts: Parts,
): Promise<Outcome<{ readonly targets: Targets; readonly find: Finder }>> => {
  const targets = new Map<Slot, Target>()
  const failures: Failure[] = []
  const settle = (slot: Slot, target: Outcome<Target>): void => {
    if (target.ok) targets.set(slot, target.value)
    else failures.push(inEntry(target.failure, slot.entry))
  }

  const newest = await newestOf(slots, parts)
  for (const slot of slots) if (slot.task.do === 'delete') settle(slot, await deleteTarget(slot, slot.task, newest, parts))
  const deleted = deletedIds(targets)

  const written: [Slot, string][] = []
  for (const slot of slots) {
    const { task } = slot
    if (task.do === 'read') targets.set(slot, { do: 'read' })
    if (task.do === 'delete' || task.do === 'read' || task.criteria !== undefined) continue
    if (task.do === 'create') settle(slot, ok({ do: 'write', id: slot.newId, before: undefined, ownId: true }))
    else {
      const id = task.id as string // without criteria there is an id
      settle(slot, await writeTarget(slot, { id, before: newest.get(keyOf({ type: task.type, id })) }, parts))
    }
    if (task.do !== 'patch') written.push([slot, task.do === 'create' ? slot.newId : (task.id as string)])
  }

  const find = createFinder(deleted, written, parts)
  const conditional = slots.filter(({ task }) => task.do !== 'delete' && task.do !== 'read' && task.criteria !== undefined)
  const results = await atMost(lookupsAtOnceMax, conditional, slot => conditionalTarget(slot, find, parts))
  for (const [at, result] of results.entries()) settle(conditional[at] as Slot, result)

  if (failures.length > 0) return failAll(failures, parts.limits.issuesMax)
  const overlaps = [...shareEqualCreates(slots, targets), ...overlapping(slots, targets)]
  return overlaps.length > 0 ? failAll(overlaps, parts.limits.issuesMax) : ok({ targets, find })
}

/** Newest versions of all instances that are named by id, in one question. */
const newestOf = async (slots: readonly Slot[], parts: Parts): Promise<ReadonlyMap<string, StoredVersion>> => {
  const keys = slots.flatMap(({ task }) => ('id' in task && task.id !== undefined ? [{ type: task.type, id: task.id }] : []))
  const versions = keys.length === 0 ? [] : await parts.store.newestMany(keys)
  return new Map(versions.flatMap(version => (version === undefined ? [] : [[keyOf(version), version] as const])))
}

const deleteTarget = async (
  slot: Slot,
  task: Extract<Slot['task'], { do: 'delete' }>,
  newest: ReadonlyMap<string, StoredVersion>,
  parts: Parts,
): Promise<Outcome<Target>> => {
  const { type, id, criteria, conditions } = task
  if (criteria !== undefined) {
    const found = await findDeletions(type, criteria, slot.call, parts)
    if (!found.ok) return found
    if (found.value.matches.length === 0 && conditions.ifMatch !== undefined) return fail('version-mismatch', { what: type })
    for (const match of found.value.matches) {
      const checked = checkConditions(keyOf(match), match, conditions, demandsIfMatch(slot.call, type, parts))
      if (!checked.ok) return checked
    }
    return ok({ do: 'delete', ...found.value })
  }
  const known = newest.get(`${type}/${id}`)
  const changeable = await checkChangeable({ type, id: id as string }, known, slot.call, parts) // without criteria there is an id
  if (!changeable.ok && changeable.failure.kind !== 'unknown-instance') return changeable
  const before = changeable.ok ? known : undefined
  const current = before?.deleted ? undefined : before
  const checked = checkConditions(`${type}/${id}`, current, conditions, demandsIfMatch(slot.call, type, parts))
  if (!checked.ok) return checked
  return ok({ do: 'delete', matches: current === undefined ? [] : [current], guards: [], ...(before?.deleted ? { gone: before } : {}) })
}

const deletedIds = (targets: Targets): ReadonlyMap<string, readonly string[]> => {
  const ids = new Map<string, string[]>()
  for (const target of targets.values()) {
    if (target.do !== 'delete') continue
    for (const { type, id } of target.matches) ids.set(type, [...(ids.get(type) ?? []), id])
  }
  return ids
}

/** The target of an update or patch whose instance is known, if its conditions hold. */
const writeTarget = async (
  { task, call }: Slot,
  target: UpdateTarget & { readonly guard?: Guard },
  parts: Parts,
): Promise<Outcome<Target>> => {
  // What a patch demands is checked where it is applied.
  if (task.do !== 'update') return ok({ do: 'write', ...target })
  const checked = await checkUpdate({ resource: task.resource, conditions: task.conditions, ...target }, call, parts)
  return checked.ok ? ok({ do: 'write', ...target }) : checked
}

const conditionalTarget = async (slot: Slot, find: Finder, parts: Parts): Promise<Outcome<Target>> => {
  const { task, call, newId } = slot
  if (task.do === 'delete' || task.do === 'read' || task.criteria === undefined) throw new Error('A conditional write has criteria.')
  const { type } = task
  const found = await find(type, task.criteria, call)
  if (!found.ok) return found
  const { stored, entries, guard } = found.value
  if (stored.length + entries.length > 1) return fail('multiple-matches', { type })
  const [match] = stored
  const [other] = entries
  if (other !== undefined) {
    if (task.do === 'create') return ok({ do: 'share', with: other, guard })
    return fail('overlapping-entries', { first: other.entry.index, second: slot.entry.index })
  }
  if (task.do === 'create') {
    if (match !== undefined) return ok({ do: 'match', version: match, guard })
    return ok({ do: 'write', id: newId, before: undefined, ownId: true, guard })
  }
  if (task.do === 'patch') {
    return match === undefined ? fail('no-match', { type }) : ok({ do: 'write', id: match.id, before: match, guard })
  }
  const target = await targetOf(task.resource, match, newId, call, parts)
  return target.ok ? writeTarget(slot, { ...target.value, guard }, parts) : target
}

const overlap = (first: Slot, second: Slot): Failure => {
  const indices = [first.entry.index, second.entry.index].toSorted((a, b) => a - b) as [number, number]
  return fail(
    'overlapping-entries',
    { first: indices[0], second: indices[1] },
    { expression: indices.map(index => `Bundle.entry[${index}]`) },
  ).failure
}

/** Conditional writes with equal criteria that found nothing: equal creates share one instance, others overlap. */
const shareEqualCreates = (slots: readonly Slot[], targets: Map<Slot, Target>): Failure[] => {
  const failures: Failure[] = []
  const firsts = new Map<string, Slot>()
  for (const slot of slots) {
    const { task } = slot
    const target = targets.get(slot)
    if (
      target?.do !== 'write' ||
      target.before !== undefined ||
      target.guard === undefined ||
      !('criteria' in task) ||
      task.criteria === undefined
    )
      continue
    const key = criteriaKey(task.type, task.criteria)
    const first = firsts.get(key)
    if (first === undefined) firsts.set(key, slot)
    else if (task.do === 'create' && first.task.do === 'create' && sameContent(first.task.resource, task.resource)) {
      targets.set(slot, { do: 'share', with: first, guard: target.guard })
    } else failures.push(overlap(first, slot))
  }
  return failures
}

/** R4: the identities that entries write must not overlap. */
const overlapping = (slots: readonly Slot[], targets: Targets): Failure[] => {
  const failures: Failure[] = []
  const owners = new Map<string, Slot>()
  for (const slot of slots) {
    const target = targets.get(slot)
    const { task } = slot
    const keys =
      target?.do === 'write' && 'type' in task
        ? [keyOf({ type: task.type, id: target.id })]
        : target?.do === 'delete'
          ? [...new Set([...target.matches.map(keyOf), ...('id' in task && task.id !== undefined ? [`${task.type}/${task.id}`] : [])])]
          : []
    for (const key of keys) {
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, slot)
      else failures.push(overlap(owner, slot))
    }
  }
  return failures
}
