import type { Ground } from '../ground.ts'
import { type Emergency, emergenciesMax, emergencyRecords } from './emergency.ts'

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

/** At most so many are listed at once. */
const listedMax = 200

/** What waits to be looked at, the oldest first: by default those that nobody has judged. */
export const emergenciesToReview = async (
  { store }: Pick<Ground, 'store'>,
  review: Emergency['review'] = 'open',
): Promise<readonly Emergency[]> => {
  const { rows } = await store.records<Emergency>(emergencyRecords).range('review', { from: [review], to: [review], limit: listedMax })
  return rows.map(({ value }) => value)
}

/** Every time that the glass was broken for a patient, the newest first: for the patient, and for who looks at it. */
export const emergenciesOfPatient = async ({ store }: Pick<Ground, 'store'>, patient: string): Promise<readonly Emergency[]> => {
  const range = { from: [patient], to: [patient], descending: true, limit: listedMax }
  const { rows } = await store.records<Emergency>(emergencyRecords).range('patient', range)
  return rows.map(({ value }) => value)
}
