import { atMost } from '../base/at-most.ts'
import { type Failure, fail, issue, type Outcome, ok } from '../base/outcome.ts'
import { pathOf } from '../fhir/model/reference-places.ts'
import type { NewVersion, WritePlan } from '../storage/port.ts'
import { type Entry, failAll, inEntry } from './bundle-entries.ts'
import { responseBundle } from './bundle-response.ts'
import { deletedAnswer } from './delete.ts'
import { readCriteria } from './match-criteria.ts'
import type { Call, Parts } from './parts.ts'
import type { Answer, InteractionRequest, Prefer } from './request.ts'
import { checkReads, runReads } from './transaction-reads.ts'
import { type PendingConditional, type Rewriting, rewriteReferences, rewrittenResource } from './transaction-references.ts'
import { readSlots, type Slot } from './transaction-slots.ts'
import { type Finder, findTargets, type Targets } from './transaction-targets.ts'
import { admitBuilt, type Built, buildDeletions, buildVersions } from './transaction-versions.ts'
import { answerOf, type Held, type Preparation, seenNow, type Told, write } from './write.ts'

/**
 * transaction: all entries or none. *Read the entries; then, as often as a race is lost: resolve, identities, overlap, rewrite references,
 * build, commit; at last the reads, on the new state.*
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */
export const runTransaction = async (
  entries: readonly Entry[],
  request: InteractionRequest,
  call: Call,
  parts: Parts,
): Promise<Outcome<Answer>> => {
  const prefer: Prefer = { ...request.prefer, return: request.prefer.return ?? 'minimal' }
  const slots = readSlots(entries, prefer, call, parts)
  if (!slots.ok) return slots
  let last: Rewriting | undefined
  const prepare = async (): Promise<Outcome<Preparation<Results>>> => {
    last?.changes.undo()
    const targets = await findTargets(slots.value, parts)
    if (!targets.ok) return targets
    last = rewriteReferences(slots.value, targets.value.targets, parts)
    return prepareTransaction(slots.value, targets.value, last, prefer, parts)
  }
  const written = await write(prepare, call, parts)
  if (!written.ok) return written
  const results: Results = new Map([...written.value, ...(await runReads(slots.value, parts))])
  const inOrder = entries.map(entry => named(results.get(entry.index) as Outcome<Answer>, entry)) // every slot has a result
  return ok(responseBundle('transaction-response', inOrder, call, parts))
}

/** Results by the entry's index. */
type Results = ReadonlyMap<number, Outcome<Answer>>

const named = (result: Outcome<Answer>, entry: Entry): Outcome<Answer> =>
  result.ok ? result : { ok: false, failure: inEntry(result.failure, entry) }

const prepareTransaction = async (
  slots: readonly Slot[],
  { targets, find }: { readonly targets: Targets; readonly find: Finder },
  rewriting: Rewriting,
  prefer: Prefer,
  parts: Parts,
): Promise<Outcome<Preparation<Results>>> => {
  const { issuesMax } = parts.limits
  const conditional = await resolveConditional(rewriting, find, parts)
  const unresolved = [...rewriting.failures, ...conditional.failures]
  if (unresolved.length > 0) return failAll(unresolved, issuesMax)
  const { built, failures } = await buildVersions(slots, targets, rewriting, parts)
  if (failures.length > 0) return failAll(failures, issuesMax)
  const admitted = await admitBuilt(built, parts)
  if (admitted.failures.length > 0) return failAll(admitted.failures, issuesMax)
  const told = new Map([...admitted.told, ...(await seenMatches(slots, targets, parts))])
  const reads = await checkReads(slots, targets, parts)
  if (reads.failures.length > 0) return failAll(reads.failures, issuesMax)

  const plan = await planOf(slots, targets, built, parts)
  const whole = { ...plan, expects: [...plan.expects, ...reads.expects], guards: [...plan.guards, ...conditional.guards] }
  if (plan.versions.length === 0) return ok({ answer: resultsOf(slots, targets, built, told, whole, undefined, prefer) })
  return ok({ plan: whole, answered: held => resultsOf(slots, targets, built, told, whole, held, prefer) })
}

const lookupsAtOnceMax = 8

type Conditional = { readonly failures: readonly Failure[]; readonly guards: WritePlan['guards'] }

/** Conditional references become literal ones. Each must match exactly one instance, in the store or among the entries. */
const resolveConditional = async ({ conditional, changes }: Rewriting, find: Finder, parts: Parts): Promise<Conditional> => {
  const failures: Failure[] = []
  const guards = new Map<string, WritePlan['guards'][number]>()
  const found = await atMost(lookupsAtOnceMax, conditional, pending => resolveOne(pending, find, parts))
  for (const [at, result] of found.entries()) {
    const { slot, holder, member, type, criteria } = conditional[at] as PendingConditional
    if (result.ok) {
      changes.set(holder, member, `${type}/${result.value.id}`)
      guards.set(`${type}?${criteria}`, result.value.guard)
    } else {
      const resource = rewrittenResource(slot)
      const expression = resource === undefined ? [] : [pathOf(resource, holder, member)]
      failures.push(inEntry({ ...result.failure, expression }, slot.entry))
    }
  }
  return { failures, guards: [...guards.values()] }
}

const resolveOne = async (
  { slot, type, criteria }: PendingConditional,
  find: Finder,
  parts: Parts,
): Promise<Outcome<{ readonly id: string; readonly guard: WritePlan['guards'][number] }>> => {
  const access = parts.decide(slot.call.principal, 'search-type', type)
  if (!access.allow) return { ok: false, failure: access.failure }
  const query = readCriteria(type, criteria, parts)
  if (!query.ok) return query
  const found = await find(type, query.value, { ...slot.call, access })
  if (!found.ok) return found
  const { stored, entries, guard } = found.value
  const ids = [
    ...stored.map(({ id }) => id),
    ...entries.map(other => (other.task.do === 'update' && other.task.id !== undefined ? other.task.id : other.newId)),
  ]
  const [id] = ids
  return id !== undefined && ids.length === 1 ? ok({ id, guard }) : fail('conditional-reference', { count: ids.length })
}

/** Everything that is to hold and to be written, in processing order. */
const planOf = async (slots: readonly Slot[], targets: Targets, built: ReadonlyMap<Slot, Built>, parts: Parts): Promise<WritePlan> => {
  const expects: WritePlan['expects'][number][] = []
  const guards: WritePlan['guards'][number][] = []
  const versions: NewVersion[] = []
  const unreferenced: { type: string; id: string }[] = []
  for (const slot of slots) {
    const target = targets.get(slot)
    if (target?.do === 'delete') {
      guards.push(...target.guards)
      for (const { type, id, seq } of target.matches) {
        expects.push({ type, id, seq })
        unreferenced.push({ type, id })
      }
      versions.push(...(await buildDeletions(target, parts)))
    } else if (target?.do === 'write' && 'type' in slot.task) {
      expects.push({ type: slot.task.type, id: target.id, seq: target.before?.seq ?? 'none' })
      const result = built.get(slot)
      if (result?.do === 'new') versions.push(result.version)
    }
    if (target !== undefined && 'guard' in target && target.guard !== undefined) guards.push(target.guard)
  }
  const refuses = parts.settings.deleteReferenced === 'refuse' && unreferenced.length > 0
  return { expects, guards, versions, ...(refuses ? { unreferenced } : {}) }
}

const nothingTold: Told = { seen: () => undefined }

/** What conditional creates found, as their callers see it. */
const seenMatches = async (slots: readonly Slot[], targets: Targets, parts: Parts): Promise<readonly (readonly [Slot, Told])[]> => {
  const seen: (readonly [Slot, Told])[] = []
  for (const slot of slots) {
    const target = targets.get(slot)
    if (target?.do === 'match') seen.push([slot, { seen: await seenNow(target.version, slot.call, parts) }])
  }
  return seen
}

/** What each writing entry answers, once the plan held. `held` is absent when there was nothing to write. */
const resultsOf = (
  slots: readonly Slot[],
  targets: Targets,
  built: ReadonlyMap<Slot, Built>,
  toldBySlot: ReadonlyMap<Slot, Told>,
  plan: WritePlan,
  held: Held | undefined,
  prefer: Prefer,
): Results => {
  const writtenAt = new Map(plan.versions.map((version, at) => [version, held?.versions[at]?.lastUpdated ?? 0]))
  const deletions = new Map(
    plan.versions.flatMap(version => (version.method === 'DELETE' ? [[`${version.type}/${version.id}`, version] as const] : [])),
  )

  const answerFor = (slot: Slot): Answer | undefined => {
    const target = targets.get(slot)
    const told = toldBySlot.get(slot) ?? nothingTold
    if (target?.do === 'share') {
      const shared = answerFor(target.with)
      return shared && { ...shared, status: 200 }
    }
    if (target?.do === 'match') return answerOf(200, target.version, target.version.lastUpdated, { prefer }, told)
    if (target?.do === 'delete') return deletionAnswer(target)
    const result = built.get(slot)
    if (result?.do === 'kept')
      return answerOf(
        200,
        result.version,
        result.version.lastUpdated,
        { prefer },
        { ...told, issues: [issue('information', 'nothing-changed', {})] },
      )
    return (
      result && answerOf(result.status, result.version, writtenAt.get(result.version) ?? 0, { prefer }, { ...told, issues: result.issues })
    )
  }
  const deletionAnswer = ({ matches, gone }: Extract<ReturnType<Targets['get']>, { do: 'delete' }>): Answer => {
    const versions = matches.flatMap(({ type, id }) => deletions.get(`${type}/${id}`) ?? [])
    const [only] = versions
    const shown = versions.length === 1 && only !== undefined ? { versionId: only.versionId, lastUpdated: writtenAt.get(only) ?? 0 } : gone
    return { ...deletedAnswer({ prefer }, shown), touched: versions.map(({ type, id, versionId }) => ({ type, id, versionId })) }
  }
  return new Map(
    slots.flatMap(slot => {
      const answer = answerFor(slot)
      return answer === undefined ? [] : [[slot.entry.index, ok(answer)] as const]
    }),
  )
}
