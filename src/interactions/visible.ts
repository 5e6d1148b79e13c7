import type { Ruling } from '../auth/access.ts'
import { type AccessFilter, admitsState, lookupsOf } from '../base/access-filter.ts'
import type { Key, Store, StoredVersion } from '../storage/port.ts'
import type { AccessAttributes } from './access-attributes.ts'
import type { Call, Parts } from './parts.ts'
import { residual } from './residual.ts'
import { bare, type Inquiry, inquiryOf, lookUp, type State, type StateFound, stateKnown, stateOf } from './states.ts'

/** The attributes of a stored state; a deletion has those of the state before it. */
export const attributesOf = async (version: StoredVersion, parts: Parts): Promise<AccessAttributes | undefined> =>
  (await stateOf(version, parts)).state?.attributes

/** Whether a type is seen whole by this ruling: no state needs to be looked at. */
const isWhole = ({ filter, labels, obligations }: Ruling): boolean =>
  filter.op === 'all' && labels.op === 'all' && !obligations.some(({ kind }) => kind === 'security-context')

const hasContext = ({ obligations }: Ruling, { context }: State): boolean =>
  context !== undefined && obligations.some(({ kind }) => kind === 'security-context')

const residualsMax = 1_000
const residuals = new WeakMap<Store, WeakMap<AccessFilter, Map<number, AccessFilter>>>()

/** What a stored version itself leaves open of a filter. Neither changes, so it is found out once: a decision keeps its filters as long as it holds. */
const leftOf = (filter: AccessFilter, state: State, seq: number, { store }: Parts): AccessFilter => {
  const ofStore = residuals.get(store) ?? new WeakMap<AccessFilter, Map<number, AccessFilter>>()
  const ofFilter = ofStore.get(filter) ?? new Map<number, AccessFilter>()
  const known = ofFilter.get(seq)
  if (known !== undefined) return known
  const left = residual(filter, bare(state))
  if (ofFilter.size >= residualsMax) ofFilter.clear()
  residuals.set(store, ofStore.set(filter, ofFilter.set(seq, left)))
  return left
}

/** Never a version. */
const noVersion = 2 ** 40

/**
 * Whether the caller may see the newest version of an instance: decided before anything else is said about it. What is hidden and what never was
 * cost the same questions to the store, whatever the answer hangs on.
 */
export const isVisible = async (
  key: Key,
  newest: StoredVersion | undefined,
  call: Call,
  parts: Parts,
  interaction = call.access.interaction,
): Promise<boolean> => {
  if (call.access.open) return newest !== undefined
  const ruling = call.access.ruling(interaction, key.type)
  if (ruling === undefined) return false
  if (isWhole(ruling)) return newest !== undefined
  const own = await judged(key, newest, ruling, call, parts)
  if (key.type !== 'Binary') {
    if (own.seen) return true
    await askAlike(key, ruling, own.asked, call, parts)
    return false
  }
  const context = await contextOf(own, ruling, call, parts)
  if (own.seen && context.seen) return true
  await askAlike(key, ruling, own.asked, call, parts)
  await askAlike(key, ruling, context.asked, call, parts)
  return false
}

/** What was asked of the store to judge a state. */
type Asked = { readonly relations: boolean; readonly consents: boolean; readonly version: boolean }
type Judged = { readonly seen: boolean; readonly state?: State | undefined; readonly asked: Asked }

const neverWas: StateFound = { state: undefined, asked: false }
const nothingAsked: Asked = { relations: false, consents: false, version: false }

/** By its own ruling, whatever it names. */
const judged = async (key: Key, newest: StoredVersion | undefined, ruling: Ruling, call: Call, parts: Parts): Promise<Judged> => {
  const { state, asked } = newest === undefined ? neverWas : (stateKnown(newest, parts) ?? (await stateOf(newest, parts)))
  const left = state === undefined || newest === undefined ? ruling.filter : leftOf(ruling.filter, state, newest.seq, parts)
  if (left.op === 'all' && state !== undefined) return { seen: true, state, asked: { ...nothingAsked, version: asked } }
  const informed = await lookUp(left.op === 'all' || left.op === 'none' ? [] : [{ ...key, state, filters: [left] }], call, parts)
  return { seen: state !== undefined && admitsState(left, informed(state)), state, asked: { ...informed.asked, version: asked } }
}

/** Whatever the answer hung on: once for relations, once for consents, once for a version. */
const askAlike = async ({ type, id }: Key, { filter }: Ruling, asked: Asked, call: Call, parts: Parts): Promise<void> => {
  const [consent] = asked.consents ? [] : lookupsOf(filter).filter(one => one.op === 'consent')
  if (consent !== undefined) await call.access.consents.of(consent, type, [id])
  if (!asked.relations) await parts.store.related([{ from: 'care', of: ['-'], patient: id }])
  if (!asked.version) await parts.store.version(type, id, noVersion)
}

/** A Binary is decided as what it names. Nothing is named twice over: what leads to another Binary leads nowhere. */
const contextOf = async ({ state }: Pick<Judged, 'state'>, ruling: Ruling, call: Call, parts: Parts): Promise<Judged> => {
  const context = state !== undefined && hasContext(ruling, state) ? (state.context as Key) : undefined
  const type = context?.type ?? ''
  const newest = await parts.store.newest(type === '' ? 'Binary' : type, context?.id ?? '-')
  if (context === undefined) return { seen: true, asked: nothingAsked }
  if (newest === undefined || newest.deleted || type === 'Binary') return { seen: false, asked: nothingAsked }
  const ofContext = call.access.ruling('read', type)
  if (ofContext === undefined) return { seen: false, asked: nothingAsked }
  return isWhole(ofContext) ? { seen: true, asked: nothingAsked } : judged(context, newest, ofContext, call, parts)
}

/** Those of the newest versions that the caller may see, all judged in one question. */
export const visibleOf = async <V extends StoredVersion>(
  versions: readonly V[],
  call: Call,
  parts: Parts,
  interaction = call.access.interaction,
): Promise<readonly V[]> => {
  const passing = await passingOf(
    versions.map(version => ({ newest: version, version })),
    call,
    parts,
    interaction,
  )
  return passing.map(({ version }) => version)
}

/** A version, and the newest one of its instance. */
export type Dated<V extends StoredVersion = StoredVersion> = { readonly version: V; readonly newest: StoredVersion }

/**
 * Those that the caller may see: the newest version must pass, and a past one by its own labels too, so that a label raised now works on what
 * was, and one taken off does not open what was closed.
 */
export const passingOf = async <D extends Dated>(
  dated: readonly D[],
  call: Call,
  parts: Parts,
  interaction: string | ((type: string) => string) = call.access.interaction,
): Promise<readonly D[]> => {
  const { access } = call
  if (access.open) return dated
  const inquiries: Inquiry[] = []
  const judged: { readonly one: D; readonly ruling: Ruling; readonly state: State | undefined; readonly past: State | undefined }[] = []
  for (const one of dated) {
    const { version, newest } = one
    const ruling = access.ruling(typeof interaction === 'string' ? interaction : interaction(newest.type), newest.type)
    if (ruling === undefined) continue
    if (isWhole(ruling)) {
      judged.push({ one, ruling, state: undefined, past: undefined })
      continue
    }
    const { state } = await stateOf(newest, parts)
    const past = version.seq === newest.seq ? state : (await stateOf(version, parts)).state
    judged.push({ one, ruling, state, past })
    if (state !== undefined) inquiries.push(...inquiryOf(state, [ruling.filter]))
    if (past !== undefined && past !== state) inquiries.push(...inquiryOf(past, [ruling.labels]))
  }
  const informed = await lookUp(inquiries, call, parts)
  const passing: D[] = []
  for (const { one, ruling, state, past } of judged) {
    if (isWhole(ruling)) passing.push(one)
    else if (state !== undefined && past !== undefined && admitsState(ruling.filter, informed(state))) {
      const byLabels = past === state || admitsState(ruling.labels, informed(past))
      const byContext = byLabels && (await contextsAdmit([state, past], ruling, call, parts))
      if (byLabels && byContext) passing.push(one)
    }
  }
  return passing
}

const contextsAdmit = async (states: readonly State[], ruling: Ruling, call: Call, parts: Parts): Promise<boolean> => {
  for (const state of new Set(states)) {
    if (hasContext(ruling, state) && !(await contextOf({ state }, ruling, call, parts)).seen) return false
  }
  return true
}

/** Whether the caller may see a version by its number: the newest is asked for in any case. */
export const isPastVisible = async (key: Key, version: StoredVersion | undefined, call: Call, parts: Parts): Promise<boolean> => {
  if (call.access.open) return version !== undefined
  const newest = await parts.store.newest(key.type, key.id)
  if (!(await isVisible(key, newest, call, parts)) || newest === undefined || version === undefined) return false
  return version.seq === newest.seq || (await passingOf([{ version, newest }], call, parts)).length > 0
}

/** Those of the versions that pass a filter by themselves. */
export const passingFilter = async (
  versions: readonly StoredVersion[],
  filter: AccessFilter,
  call: Call,
  parts: Parts,
): Promise<readonly StoredVersion[]> => {
  const found = await Promise.all(versions.map(async version => ({ version, state: (await stateOf(version, parts)).state })))
  const informed = await lookUp(
    found.flatMap(({ state }) => (state === undefined ? [] : inquiryOf(state, [filter]))),
    call,
    parts,
  )
  return found.flatMap(({ version, state }) => (state !== undefined && admitsState(filter, informed(state)) ? [version] : []))
}
