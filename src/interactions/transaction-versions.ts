import { setImmediate } from 'node:timers/promises'
import { withCreator } from '../auth/relations/creator.ts'
import type { Written } from '../auth/relations/written.ts'
import { isOver } from '../base/deadline.ts'
import { type Failure, fail, type Issue, type Outcome, ok } from '../base/outcome.ts'
import { metaForCreate } from '../fhir/model/meta.ts'
import type { Key, NewVersion, StoredVersion } from '../storage/port.ts'
import { accessToNobody } from './access-attributes.ts'
import { surroundingsOf } from './access-surroundings.ts'
import { inEntry } from './bundle-entries.ts'
import { checkMeets } from './match-criteria.ts'
import type { Parts } from './parts.ts'
import { patched } from './patch.ts'
import type { PendingVersion, Rewriting } from './transaction-references.ts'
import type { Slot } from './transaction-slots.ts'
import type { Target, Targets } from './transaction-targets.ts'
import { mergedOver } from './update.ts'
import { attributesOf, isVisible } from './visible.ts'
import { type Draft, deletionOf, type IndexedVersion, newVersion, newVersionAlone, type Told, seenAs, seenNow, writerOf } from './write.ts'
import { admitAllNew } from './write-access.ts'

/** Phases 5 and 6 of a transaction: every entry's new version, or that its instance stays as it is. */
export type Built =
  | {
      readonly do: 'new'
      readonly version: IndexedVersion
      readonly draft: Draft
      readonly before: StoredVersion | undefined
      /** Under an id that the client chose and nobody used. */
      readonly named: boolean
      readonly status: 200 | 201
      readonly issues: readonly Issue[]
    }
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

  const writtenOf = await surroundingsOfAll(slots, targets, parts)
  const build = async (slot: Slot, target: WriteTarget): Promise<void> => {
    const result = await buildOne(slot, target, mustChange.has(slot), writtenOf, parts)
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

type WrittenOf = (key: Key) => Written

/** What is known beside each entry: what the others write, too. A patch is known when it was applied. */
const surroundingsOfAll = async (slots: readonly Slot[], targets: Targets, parts: Parts): Promise<WrittenOf> => {
  const prospects = slots.flatMap(slot => {
    const target = targets.get(slot)
    const { task } = slot
    if (target?.do !== 'write' || (task.do !== 'create' && task.do !== 'update')) return []
    const follows = target.before !== undefined && !target.before.deleted
    return [{ key: { type: task.type, id: target.id }, resource: task.resource, follows }]
  })
  const [first] = slots
  return surroundingsOf(prospects, first && writerOf(first.call.principal), parts)
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
    const seen = await isVisible(to, newest, from.call, parts, 'read')
    return !seen || newest === undefined || newest.deleted ? undefined : newest.versionId
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

const buildOne = async (
  slot: Slot,
  target: WriteTarget,
  mustChange: boolean,
  writtenOf: WrittenOf,
  parts: Parts,
): Promise<Outcome<Built>> => {
  const { task, call } = slot
  const { id, before } = target
  if (task.do === 'create') {
    const meta = metaForCreate(task.resource.meta, call.requestId)
    const resource = withCreator({ ...task.resource, id, meta }, undefined, writerOf(call.principal))
    return newState(
      slot,
      newVersion(resource, { type: task.type, id, versionId: 1, method: 'POST' }, writtenOf({ type: task.type, id }), parts),
      undefined,
    )
  }
  if (task.do === 'update') {
    const merged = await mergedOver(task.resource, id, before, call, parts)
    if (!merged.ok) return merged
    if (merged.value.same && !mustChange) return ok({ do: 'kept', version: before as StoredVersion }) // same as something
    const current = before?.deleted === true ? undefined : before
    const as = { type: task.type, id, versionId: (before?.versionId ?? 0) + 1, method: 'PUT' } as const
    const named = before === undefined && target.ownId !== true
    return newState(slot, newVersion(merged.value.next, as, writtenOf({ type: task.type, id }), parts), current, named)
  }
  if (task.do !== 'patch') throw new Error('Only creates, updates and patches make versions.')
  const result = await patched({ type: task.type, id, before, document: task.document, conditions: task.conditions }, call, parts)
  if (!result.ok) return result
  const { before: old, next, same } = result.value
  if (same && !mustChange) return ok({ do: 'kept', version: old })
  const as = { type: task.type, id, versionId: old.versionId + 1, method: 'PUT' } as const
  return newState(slot, await newVersionAlone(next, as, old, call, parts), old)
}

/** What conditional writes leave should match their criteria. Whether the caller is allowed it is decided for all entries together. */
const newState = ({ task }: Slot, draft: Outcome<Draft>, before: StoredVersion | undefined, named = false): Outcome<Built> => {
  if (!draft.ok) return draft
  const { version } = draft.value
  const criteria = task.do === 'create' || task.do === 'update' ? task.criteria : undefined
  const met: Outcome<readonly Issue[]> = criteria === undefined ? ok([]) : checkMeets(criteria, version)
  if (!met.ok) return met
  return ok({ do: 'new', version, draft: draft.value, before, named, status: before === undefined ? 201 : 200, issues: met.value })
}

/** How each entry's version is seen by whoever wrote it; fails entry by entry where he may not bring about what is new. */
export const admitBuilt = async (
  built: ReadonlyMap<Slot, Built>,
  parts: Parts,
): Promise<{ readonly told: ReadonlyMap<Slot, Told>; readonly failures: readonly Failure[] }> => {
  const told = new Map<Slot, Told>()
  const failures: Failure[] = []
  const fresh = [...built].flatMap(([slot, one]) => (one.do === 'new' ? [{ slot, one }] : []))
  const admitted = await admitAllNew(
    fresh.map(({ slot: { call }, one: { draft, before, named } }) => ({ draft, before, call, named })),
    parts,
  )
  for (const [at, result] of admitted.entries()) {
    const { slot } = fresh[at] as (typeof fresh)[number] // one for one
    if (result.ok) told.set(slot, { seen: seenAs(result.value.sight, parts), firstLink: result.value.firstLink })
    else failures.push(inEntry(result.failure, slot.entry))
  }
  for (const [slot, one] of built) if (one.do === 'kept') told.set(slot, { seen: await seenNow(one.version, slot.call, parts) })
  return { told, failures }
}

/** Deletions of a slot, one for each instance that it deletes. */
export const buildDeletions = (target: Extract<Target, { do: 'delete' }>, parts: Parts): Promise<readonly NewVersion[]> =>
  Promise.all(target.matches.map(async match => deletionOf(match, (await attributesOf(match, parts)) ?? accessToNobody)))
