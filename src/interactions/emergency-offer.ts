import type { Ruling } from '../auth/access.ts'
import { type AccessFilter, admitsState, lookupsOf } from '../base/access-filter.ts'
import { type Issue, issue, type Outcome, ok } from '../base/outcome.ts'
import type { Query } from '../search/tree.ts'
import type { Store } from '../storage/port.ts'
import type { Call, Parts } from './parts.ts'
import { patientNamed } from './restrict.ts'
import { type Inquiry, inquiryOf, lookUp, stateOf } from './states.ts'

/**
 * Tells those who may break the glass that something of the patient they ask for is closed to them by label or consent. It hangs on patient and
 * caller alone, never on what was asked of him, and tells no counts; of a patient outside the caller's relations it tells nothing.
 * @see auth.md 12.5
 */
export const emergencyOffer = async (query: Query, call: Call, parts: Parts): Promise<Outcome<readonly Issue[]>> => {
  const { access, principal } = call
  if (access.open || principal.kind !== 'user' || !access.holds('break-glass')) return ok([])
  const patient = patientNamed(query)
  const ruling = access.ruling('read', 'Patient')
  if (patient === undefined || ruling === undefined || principal.emergencies.includes(patient)) return ok([])
  if (!(await isRelated(patient, ruling, call, parts))) return ok([])
  const closed = await isClosed(patient, ruling, call, parts)
  if (!closed.ok) return closed
  return ok(closed.value ? [issue('information', 'break-glass-possible', {})] : [])
}

/** Whether but for labels and consents the caller would see the patient: of one who never was as much is asked of the store. */
const isRelated = async (patient: string, ruling: Ruling, call: Call, parts: Parts): Promise<boolean> => {
  const newest = await parts.store.newest('Patient', patient)
  const state = newest === undefined || newest.deleted ? undefined : (await stateOf(newest, parts)).state
  const filter = withoutClosing(ruling.filter)
  const unknown: Inquiry = { type: 'Patient', id: patient, state: undefined, filters: [filter] }
  const informed = await lookUp(state === undefined ? [unknown] : inquiryOf(state, [filter]), call, parts)
  return state !== undefined && admitsState(filter, informed(state))
}

/** The filter as if nothing were labelled and nobody had said anything. Neither stands under a `not`. */
const withoutClosing = (filter: AccessFilter): AccessFilter => {
  if (filter.op === 'and' || filter.op === 'or') return { ...filter, of: filter.of.map(withoutClosing) }
  return filter.op === 'labels' || filter.op === 'consent' ? { op: 'all' } : filter
}

const isClosed = async (patient: string, ruling: Ruling, call: Call, parts: Parts): Promise<Outcome<boolean>> => {
  for (const consent of lookupsOf(ruling.filter)) {
    if (consent.op === 'consent' && (await call.access.consents.closesAnything(consent, patient))) return ok(true)
  }
  return isClosedByLabel(patient, ruling.labels, call, parts)
}

// --- labels

/** To look through all types costs more than the searches that it stands beside. */
const rememberedMs = 30_000
const rememberedMax = 5_000

type Remembered = { readonly closed: boolean; readonly until: number }
const memories = new WeakMap<Store, Map<string, Remembered>>()

const isClosedByLabel = async (patient: string, labels: AccessFilter, call: Call, parts: Parts): Promise<Outcome<boolean>> => {
  if (labels.op === 'all') return ok(false)
  const memory = memories.get(parts.store) ?? new Map<string, Remembered>()
  memories.set(parts.store, memory)
  const key = JSON.stringify([patient, labels])
  const known = memory.get(key)
  if (known !== undefined && parts.clock() < known.until) return ok(known.closed)
  const closed: AccessFilter = {
    op: 'and',
    of: [
      { op: 'patient', id: patient },
      { op: 'not', of: labels },
    ],
  }
  const query: Query = { parts: typesOfPatients(parts).map(type => ({ type, where: { op: 'access', filter: closed } })), sort: [] }
  const found = await parts.store.search(query, { access: { op: 'all' }, count: 1, deadline: call.deadline })
  if (!found.ok) return found
  const [oldest] = memory.keys()
  if (memory.size >= rememberedMax && oldest !== undefined) memory.delete(oldest)
  memory.set(key, { closed: found.value.rows.length > 0, until: parts.clock() + rememberedMs })
  return ok(found.value.rows.length > 0)
}

/** Types whose instances can be about a patient. */
const typesOfPatients = ({ definitions }: Parts): readonly string[] =>
  definitions.resourceTypes.filter(type => type === 'Patient' || definitions.compartment('Patient')?.resources[type] !== undefined)
