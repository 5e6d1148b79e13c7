import { atMost } from '../base/at-most.ts'
import { type Failure, fail, type Outcome, ok } from '../base/outcome.ts'
import type { WritePlan } from '../storage/port.ts'
import { inEntry } from './bundle-entries.ts'
import { withoutBody } from './bundle-response.ts'
import type { Parts } from './parts.ts'
import type { Answer } from './request.ts'
import { identityOf } from './transaction-references.ts'
import type { Slot } from './transaction-slots.ts'
import type { Targets } from './transaction-targets.ts'
import { isVisible } from './visible.ts'

/**
 * The GET entries of a transaction. They are answered from the state after its writes, and a failing one fails the whole: so whether they
 * can be answered is found out before the commit, and what that saw becomes an expectation of the plan.
 */

const readsAtOnceMax = 8

type Reads = { readonly failures: readonly Failure[]; readonly expects: WritePlan['expects'] }

/** What the transaction does to an instance that a read asks for. */
const fates = (targets: Targets): ReadonlyMap<string, 'written' | 'deleted'> => {
  const known = new Map<string, 'written' | 'deleted'>()
  for (const [slot, target] of targets) {
    if (target.do === 'delete') for (const { type, id } of target.matches) known.set(`${type}/${id}`, 'deleted')
    const identity = identityOf(slot, targets)
    if (identity !== undefined) known.set(`${identity.type}/${identity.id}`, 'written')
  }
  return known
}

export const checkReads = async (slots: readonly Slot[], targets: Targets, parts: Parts): Promise<Reads> => {
  const reads = slots.filter(({ task }) => task.do === 'read')
  if (reads.length === 0) return { failures: [], expects: [] }
  const known = fates(targets)
  const expects: WritePlan['expects'][number][] = []
  const failures: Failure[] = []
  await atMost(readsAtOnceMax, reads, async slot => {
    const checked = await checkRead(slot, known.get(`${slot.request.type}/${slot.request.id}`), parts)
    if (!checked.ok) failures.push(inEntry(checked.failure, slot.entry))
    else if (checked.value !== undefined) expects.push(checked.value)
  })
  return { failures, expects }
}

const checkRead = async (
  slot: Slot,
  fate: 'written' | 'deleted' | undefined,
  parts: Parts,
): Promise<Outcome<WritePlan['expects'][number] | undefined>> => {
  const { interaction, type, id } = slot.request
  if (interaction !== 'read' || type === undefined || id === undefined) {
    if (fate === 'written') return ok(undefined)
    const tried = await performRead(slot, parts)
    return tried.ok ? ok(undefined) : tried
  }
  const what = `${type}/${id}`
  if (fate === 'written') return ok(undefined)
  if (fate === 'deleted') return fail('deleted-instance', { what })
  const newest = await parts.store.newest(type, id)
  if (!(await isVisible({ type, id }, newest, slot.call, parts)) || newest === undefined) return fail('unknown-instance', { what })
  return newest.deleted ? fail('deleted-instance', { what }, { versionId: newest.versionId }) : ok({ type, id, seq: newest.seq })
}

const performRead = async ({ entry, request, call }: Slot, parts: Parts): Promise<Outcome<Answer>> => {
  const { principal, requestId, deadline, language } = call
  const answer = await parts.perform(request, {
    principal,
    requestId,
    deadline,
    via: 'batch',
    ...(language === undefined ? {} : { language }),
  })
  return answer.ok && entry.method === 'HEAD' ? ok(withoutBody(answer.value)) : answer
}

/** Answers by the entry's index, on the new state. */
export const runReads = async (slots: readonly Slot[], parts: Parts): Promise<ReadonlyMap<number, Outcome<Answer>>> => {
  const reads = slots.filter(({ task }) => task.do === 'read')
  const answers = await atMost(readsAtOnceMax, reads, slot => performRead(slot, parts))
  return new Map(reads.map((slot, at) => [slot.entry.index, answers[at] as Outcome<Answer>]))
}
