import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { RecordPosition } from '../../storage/port.ts'
import type { Ground } from '../ground.ts'
import { type Emergency, emergenciesMax, emergencyRecords, withNotice } from './emergency.ts'

export type EmergencyOf = {
  readonly account: string
  readonly session: string /** '' or absent: our own pages. */
  readonly client?: string
}

/** Those that hold now, for one session of one client, the last to end first. */
export const openEmergencies = async (
  { store, clock }: Pick<Ground, 'store' | 'clock'>,
  { account, session, client = '' }: EmergencyOf,
): Promise<readonly Emergency[]> => {
  const range = { from: [session, client, clock() + 1], to: [session, client], descending: true, limit: 4 * emergenciesMax }
  const { rows } = await store.records<Emergency>(emergencyRecords).range('session', range)
  return rows.map(({ value }) => value).filter(one => one.account === account)
}

/** Ids of the patients whom they open, each once: what a `Principal` carries. */
export const emergenciesOf = async (ground: Pick<Ground, 'store' | 'clock'>, about: EmergencyOf): Promise<readonly string[]> =>
  [...new Set((await openEmergencies(ground, about)).map(({ patient }) => patient))].slice(0, emergenciesMax)

/** Fails `unknown-instance`. */
export const emergencyById = async ({ store }: Pick<Ground, 'store'>, id: string): Promise<Outcome<Emergency>> => {
  const kept = await store.records<Emergency>(emergencyRecords).get(id)
  return kept === undefined ? fail('unknown-instance', { what: 'Emergency' }) : ok(withNotice(kept).value)
}

/** A page of those with this judgement, or of those of which the patient does not know yet; the oldest first. */
export const emergencyPage = async (
  { store }: Pick<Ground, 'store'>,
  by: { readonly review: Emergency['review'] } | { readonly notice: 'due' },
  { limit, after }: { readonly limit: number; readonly after?: RecordPosition },
): Promise<{ readonly emergencies: readonly Emergency[]; readonly next?: RecordPosition }> => {
  const [index, word] = 'notice' in by ? ['notice', by.notice] : ['review', by.review]
  const range = { from: [word], to: [word], limit, ...(after === undefined ? {} : { after }) }
  const page = await store.records<Emergency>(emergencyRecords).range(index, range)
  const last = page.rows.at(-1)
  return { emergencies: page.rows.map(row => withNotice(row).value), ...(page.more && last !== undefined ? { next: last.position } : {}) }
}

/** At most so many are listed at once. */
const listedMax = 200

/** Every time that the glass was broken for a patient, the newest first: for the patient, and for who looks at it. */
export const emergenciesOfPatient = async ({ store }: Pick<Ground, 'store'>, patient: string): Promise<readonly Emergency[]> => {
  const range = { from: [patient], to: [patient], descending: true, limit: listedMax }
  const { rows } = await store.records<Emergency>(emergencyRecords).range('patient', range)
  return rows.map(row => withNotice(row).value)
}
