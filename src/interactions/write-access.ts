import type { Ruling } from '../auth/access.ts'
import { checkConsent } from '../auth/consent/check-consent.ts'
import { checkWrite, type WriteCheck } from '../auth/policy/write-check.ts'
import { type AccessFilter, lookupsOf } from '../base/access-filter.ts'
import { type Failure, fail, type Outcome, ok } from '../base/outcome.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Key, Relation, StoredVersion } from '../storage/port.ts'
import { checkAppState } from './app-state.ts'
import type { Call, Parts } from './parts.ts'
import { isWholeSight, type Sight, seenBy, sightConditions, sightOfNew, sightsOf, wholeSight } from './sight.ts'
import { type Inquiry, inquiryOf, lookUp, newState, relationsBeside, type State, stateOf } from './states.ts'
import { parseStored } from './stored-resource.ts'
import { isVisible } from './visible.ts'
import type { Draft } from './write.ts'

/** Who may write what: the stored state must be the caller's to change, and the new one his to bring about. @see auth.md 5.4 */

/**
 * Whether the caller may change or delete the newest version of an instance: `unknown-instance` for what he may not see, as for what never was;
 * `forbidden` for what he may see and not change.
 */
export const checkChangeable = async (
  key: Key,
  newest: StoredVersion | undefined,
  call: Call,
  parts: Parts,
): Promise<Outcome<undefined>> => {
  if (await isVisible(key, newest, call, parts)) return ok(undefined)
  const readable = await isVisible(key, newest, call, parts, 'read')
  return readable && newest !== undefined ? fail('forbidden', {}) : fail('unknown-instance', { what: `${key.type}/${key.id}` })
}

/** Whether an update of an id that nobody used may create: for all others a hidden id and a free one are alike. */
export const createsById = ({ access }: Call, type: string): boolean => access.ruling(access.interaction, type)?.check?.createsById === true

/** Who sees a state in part cannot replace it: if he could, he would learn by trying what is hidden. */
export const checkReplaceable = async (before: StoredVersion, old: Resource, call: Call, parts: Parts): Promise<Outcome<undefined>> => {
  if (call.access.open) return ok(undefined)
  const { views } = (await sightsOf([before], call, parts))(before)
  // Who may not read at all replaces by his right to write: that tells him nothing.
  const partial = { views: views.filter(layer => layer.length > 0) }
  return isWholeSight(partial) || seenBy(old, partial, parts) === old ? ok(undefined) : fail('forbidden', {})
}

// --- new states

/** A new state, what it takes the place of, and whose request it is of. `before` is absent for what is new or was deleted. */
export type NewWrite = {
  readonly draft: Draft
  readonly before: StoredVersion | undefined
  readonly call: Call
  /** Under an id that the client chose and nobody used: what is refused is then unknown, as it would be were it hidden. */
  readonly named?: boolean
}

/** How much of the new state its writer sees. */
export type Admitted = { readonly sight: Sight /** It makes a patient known to a house. */; readonly firstLink?: true }

/** One write. */
export const admitNew = async (write: NewWrite, parts: Parts): Promise<Outcome<Admitted>> => {
  const [verdict] = await admitAllNew([write], parts)
  return verdict as Outcome<Admitted> // one for one
}

/**
 * All writes that happen at once, in their order. What one of them says of relations counts for the others as soon as it is allowed by itself: a
 * registration brings a patient, the visit that links him to the house, and what happened there. None counts for itself.
 */
export const admitAllNew = async (writes: readonly NewWrite[], parts: Parts): Promise<readonly Outcome<Admitted>[]> => {
  const results: (Outcome<Admitted> | undefined)[] = writes.map(write => (write.call.access.open ? ok({ sight: wholeSight }) : undefined))
  let rows: readonly Relation[] = []
  for (;;) {
    const left = [...results.entries()].flatMap(([at, result]) => (result?.ok === true ? [] : [at]))
    if (left.length === 0) break
    const judged = await judgeAll(
      left.map(at => writes[at] as NewWrite),
      rows,
      parts,
    )
    for (const [index, at] of left.entries()) results[at] = judged[index] as Outcome<Admitted>
    const allowed = left.filter((_, index) => judged[index]?.ok === true)
    const found = allowed.flatMap(at => writes[at]?.draft.version.relations ?? [])
    if (found.length === 0 || allowed.length === left.length) break
    rows = [...rows, ...found]
  }
  return results.map((result, at) => asUnknown(result as Outcome<Admitted>, writes[at] as NewWrite)) // all judged
}

const asUnknown = (result: Outcome<Admitted>, { draft: { version }, named }: NewWrite): Outcome<Admitted> =>
  named !== true || result.ok || result.failure.kind !== 'forbidden'
    ? result
    : fail('unknown-instance', { what: `${version.type}/${version.id}` })

type Judging = NewWrite & { readonly ruling: Ruling; readonly check: WriteCheck; readonly after: State; readonly old?: State }

const judgeAll = async (writes: readonly NewWrite[], rows: readonly Relation[], parts: Parts): Promise<readonly Outcome<Admitted>[]> => {
  const [first] = writes
  if (first === undefined) return []
  const judgings = await Promise.all(writes.map(write => judgingOf(write, parts)))
  const inquiries = judgings.flatMap(judging => ('check' in judging ? inquiriesOf(judging) : []))
  const besides = rows.length === 0 ? undefined : relationsBeside(rows, parts.clock())
  // One request, one caller: consents and relations are those of one principal.
  const informed = await lookUp(inquiries, first.call, parts, besides)
  // Where a consent closes everything, and where patients come from what is written about, nothing may be left to ask of relations: they are asked all the
  // same, or one could tell what is hidden from what never was.
  const owed = informed.asked.consents || judgings.some(judging => 'check' in judging && hangsOnOthers(judging))
  if (owed && !informed.asked.relations) await parts.store.related([{ from: 'care', of: ['-'], patient: '-' }])
  return judgings.map(judging => {
    if ('free' in judging) return enforceable(judging.draft, { sight: wholeSight }, parts)
    if ('kind' in judging) return { ok: false, failure: judging }
    const { draft, before, check, ruling, after, old, call } = judging
    const subject = informed(after)
    const states = {
      ...(before && old ? { before: { resource: parseStored(before, parts), subject: informed(old) } } : {}),
      after: { resource: draft.resource, subject },
    }
    const verdict = checkWrite(check, states, ruling.fields, parts.definitions)
    if (!verdict.ok) return fail('forbidden', {})
    if (verdict.firstLink && !linksToOwnHouse(draft, call)) return fail('forbidden', {})
    const state = checkAppState(draft.resource, draft.version.text.length, call, parts)
    return state.ok
      ? enforceable(draft, { sight: sightOfNew(ruling, subject, call), ...(verdict.firstLink && { firstLink: true }) }, parts)
      : state
  })
}

/** What must be known, or why nothing need be. */
const judgingOf = async (write: NewWrite, parts: Parts): Promise<Judging | Failure | Free> => {
  const { draft, before, call } = write
  const { access } = call
  const { type, id, values } = draft.version
  const ruling = access.ruling(access.interaction, type)
  if (ruling === undefined) return access.refusal(access.interaction, type)
  if (isFree(ruling)) return { free: true, draft }
  if (ruling.check === undefined) return fail('forbidden', {}).failure
  const after = newState(draft.resource, id, values, draft.claimed, parts)
  const old = before === undefined ? undefined : (await stateOf(before, parts)).state
  if (before !== undefined && old === undefined) return fail('forbidden', {}).failure
  return { ...write, ruling, check: ruling.check, after, ...(old && { old }) }
}

type Free = { readonly free: true; readonly draft: Draft }

/** No consent is stored that cannot be enforced. */
const enforceable = ({ resource }: Draft, admitted: Admitted, { settings }: Parts): Outcome<Admitted> => {
  const checked = checkConsent(resource, { zone: settings.zone })
  return checked.ok ? ok(admitted) : checked
}

/** Every state may become every other: there is nothing to compare. */
const isFree = ({ check, fields }: Ruling): boolean =>
  check !== undefined &&
  fields.length === 0 &&
  check.lowers &&
  check.after.op === 'all' &&
  check.alternatives.some(
    ({ before, after, elements, without, firstLink }) =>
      before.op === 'all' && after.op === 'all' && elements === undefined && without.length === 0 && firstLink !== true,
  )

/** Only what the states themselves leave open is asked. */
const inquiriesOf = (judging: Judging): readonly Inquiry[] => {
  const { check, ruling, after, old } = judging
  const ofOld = [...check.alternatives.map(one => one.before), ...sightConditions(ruling)]
  return [...inquiryOf(after, conditionsOfNew(judging)), ...(old === undefined ? [] : inquiryOf(old, ofOld))]
}

const conditionsOfNew = ({ check, ruling }: Judging): readonly AccessFilter[] => [
  ...check.alternatives.map(one => one.after),
  check.after,
  ...sightConditions(ruling),
]

/** Whether what the new state speaks of, seen or not, decides what must be asked. */
const hangsOnOthers = (judging: Judging): boolean =>
  judging.after.speaksOf !== undefined && conditionsOfNew(judging).some(filter => lookupsOf(filter).length > 0)

/** The first link of a patient makes him known where its writer works, and nowhere else. */
const linksToOwnHouse = ({ version }: Draft, { principal }: Call): boolean => {
  if (principal.kind === 'anonymous') return false
  const houses = new Set(principal.roles.flatMap(({ organizations = [] }) => organizations))
  const linked = new Set(
    (version.relations ?? []).flatMap(({ from, of, patient }) => (from === 'facility' && houses.has(of) ? [patient] : [])),
  )
  return version.patients.length > 0 && version.patients.every(patient => linked.has(patient))
}
