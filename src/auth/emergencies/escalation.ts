import { type Outcome, ok } from '../../base/outcome.ts'
import { commitFacts, type Ground } from '../ground.ts'
import { mailAbout } from '../pages/mails/outbox.ts'
import { type Emergency, emergencyRecords } from './emergency.ts'
import { reviewDue } from './review.ts'

/** At most so many are counted: more are not done in a day either. */
const countedMax = 1_000

export type Overdue = {
  /** Nobody has judged them within 3 working days. */
  readonly reviews: number
  /** Patients who were not told within 72 hours, or until when it was put off. */
  readonly notices: number
}

/** What is overdue now. */
export const overdueEmergencies = async ({ store, clock }: Pick<Ground, 'store' | 'clock'>, zone: string): Promise<Overdue> => {
  const records = store.records<Emergency>(emergencyRecords)
  const open = await records.range('review', { from: ['open'], to: ['open'], limit: countedMax })
  const due = await records.range('notice', { from: ['due'], to: ['due'], limit: countedMax })
  const now = clock()
  return {
    reviews: open.rows.filter(({ value }) => reviewDue(value, zone) <= now).length,
    notices: due.rows.filter(({ value }) => value.notice.due <= now).length,
  }
}

/** Tells the officers by mail what is overdue, if anything is; once a day. @see auth.md 12.5.5 */
export const escalateEmergencies = async (ground: Ground, zone: string): Promise<Outcome<Overdue>> => {
  const overdue = await overdueEmergencies(ground, zone)
  if (overdue.reviews + overdue.notices === 0) return ok(overdue)
  const mail = mailAbout(ground, 'emergencies-overdue', { to: 'officers', at: ground.clock(), ...overdue })
  const done = await commitFacts(ground, [mail], [], { address: '' })
  return done.ok ? ok(overdue) : done
}
