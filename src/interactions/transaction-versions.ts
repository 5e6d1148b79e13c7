import { setImmediate } from 'node:timers/promises'
import { isOver } from '../base/deadline.ts'
import { type Failure, fail, type Issue, type Outcome, ok } from '../base/outcome.ts'
import { metaForCreate } from '../fhir/model/meta.ts'
import type { NewVersion, StoredVersion } from '../storage/port.ts'
import { accessToNobody } from './access-attributes.ts'
import { inEntry } from './bundle-entries.ts'
import { checkMeets } from './match-criteria.ts'
import type { Parts } from './parts.ts'
import { patched } from './patch.ts'
import type { PendingVersion, Rewriting } from './transaction-references.ts'
import type { Slot } from './transaction-slots.ts'
import type { Target, Targets } from './transaction-targets.ts'
import { mergedOver } from './update.ts'
import { attributesOf } from './visible.ts'
import { admitsNew, deletionOf, type IndexedVersion, newVersion } from './write.ts'

/** Phases 5 and 6 of a transaction: every entry's new version, or that its instance stays as it is. */
export type Built =
  | { readonly do: 'new'; readonly version: IndexedVersion; readonly status: 200 | 201; readonly issues: readonly Issue[] }
  | { readonly do: 'kept'; readonly version: StoredVersion }

/** Entries between two turns of the event loop, so that others are served while thousands are prepared. */
const entriesPerTurn = 128

type WriteTarget = Extract<Target, { do: 'write' }>

/**
 * Versions of all writing slots. Those that refer to versions of others come last, when it is known whether the others change; where
 * they refer to each other in a circle, they are taken to change.
 */
export const buildVersions = async (
  slots: readonly Slot[],
  targets: Targets,
  { versioned, changes }: Rewriting,
  parts: Parts,
): Promise<{ readonly built: ReadonlyMap<Slot, Built>; readonly failures: readonly Failure[] }> => {
  const built = new Map<Slot, Built>()
  const failures: Failure[] = []
  const mustChange = new Set<Slot>()
  const waiting = new Map<Slot, PendingVersion[]>()
  for (const pending of versioned) waiting.set(pending.slot, [...(waiting.get(pending.slot) ?? []), pending])

  const build = async (slot: Slot, target: WriteTarget): Promise<void> => {
    const result = await buildOne(slot, target, mustChange.has(slot), parts)
    if (result.ok) built.set(slot, result.value)
    else failures.push(inEntry(result.failure, slot.entry))
  }
  const writers = slots.flatMap(slot => {
    const target = targets.get(slot)
    return target?.do === 'write' ? [[slot, target] as const] : []
  })

  let turn = 0
  for (const [slot, target] of writers) {
    if (waiting.has(slot)) continue
    if (turn++ % entriesPerTurn === entriesPerTurn - 1) {
      await setImmediate()
      if (isOver(slot.call.deadline))
        return { built, failures: [inEntry(fail('too-costly', { parameter: 'Bundle.entry' }).failure, slot.entry)] }
    }
    await build(slot, target)
  }
  for (const [slot, target] of writers) {
    for (const pending of waiting.get(slot) ?? []) {
      const versionId = await versionOf(pending.to, slot, targets, built, mustChange, parts)
      const text = pending.holder[pending.member]
      const [address = ''] = String(text).split('#')
      if (versionId !== undefined) changes.set(pending.holder, pending.member, `${address}/_history/${versionId}${pending.suffix}`)
    }
    if (waiting.has(slot)) await build(slot, target)
  }
  return { built, failures }
}

/** The version that a reference means: the one written or kept here, or the current one of an instance outside. */
const versionOf = async (
  to: PendingVersion['to'],
  from: Slot,
  targets: Targets,
  built: ReadonlyMap<Slot, Built>,
  mustChange: Set<Slot>,
  parts: Parts,
): Promise<number | undefined> => {
  if (!('entry' in to)) {
    const newest = await parts.store.newest(to.type, to.id)
    return newest === undefined || newest.deleted ? undefined : newest.versionId
  }
  const target = targets.get(to)
  if (target?.do === 'match') return target.version.versionId
  if (target?.do === 'share') return versionOf(target.with, from, targets, built, mustChange, parts)
  const known = built.get(to)
  if (known !== undefined) return known.version.versionId
  if (target?.do !== 'write') return undefined
  mustChange.add(to)
  return (target.before?.versionId ?? 0) + 1
}

const buildOne = async (slot: Slot, target: WriteTarget, mustChange: boolean, parts: Parts): Promise<Outcome<Built>> => {
  const { task, call } = slot
  const { id, before } = target
  if (task.do === 'create') {
    const resource = { ...task.resource, id, meta: metaForCreate(task.resource.meta, call.requestId) }
    return newState(slot, newVersion(resource, { type: task.type, id, versionId: 1, method: 'POST' }, parts), 201)
  }
  if (task.do === 'update') {
    const merged = mergedOver(task.resource, id, before, call.requestId, parts)
    if (merged.same && !mustChange) return ok({ do: 'kept', version: before as StoredVersion }) // same as something
    const version = newVersion(merged.next, { type: task.type, id, versionId: (before?.versionId ?? 0) + 1, method: 'PUT' }, parts)
    return newState(slot, version, before === undefined || before.deleted ? 201 : 200)
  }
  if (task.do !== 'patch') throw new Error('Only creates, updates and patches make versions.')
  const result = await patched({ type: task.type, id, before, document: task.document, conditions: task.conditions }, call, parts)
  if (!result.ok) return result
  const { next, same } = result.value
  if (same && !mustChange) return ok({ do: 'kept', version: result.value.before })
  return newState(slot, newVersion(next, { type: task.type, id, versionId: result.value.before.versionId + 1, method: 'PUT' }, parts), 200)
}

/** The caller must be allowed the new state, and what conditional writes leave should match their criteria. */
const newState = ({ task, call }: Slot, version: Outcome<IndexedVersion>, status: 200 | 201): Outcome<Built> => {
  if (!version.ok) return version
  if (!admitsNew(version.value, call)) return fail('forbidden', {})
  const criteria = task.do === 'create' || task.do === 'update' ? task.criteria : undefined
  const met: Outcome<readonly Issue[]> = criteria === undefined ? ok([]) : checkMeets(criteria, version.value)
  return met.ok ? ok({ do: 'new', version: version.value, status, issues: met.value }) : met
}

/** Deletions of a slot, one for each instance that it deletes. */
export const buildDeletions = (target: Extract<Target, { do: 'delete' }>, parts: Parts): Promise<readonly NewVersion[]> =>
  Promise.all(target.matches.map(async match => deletionOf(match, (await attributesOf(match, parts)) ?? accessToNobody)))
