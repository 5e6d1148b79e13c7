import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import { type BrokenGlass, factOf, wordsOf } from './break-glass.ts'
import { type Emergency, emergencyRecords } from './emergency.ts'

/**
 * What an independent person thinks of an emergency. Fails `unknown-instance`, `another-person` for who opened it, `wrong-status` when it was judged before.
 * @see auth.md 12.5.5
 */
export const reviewEmergency = (
  ground: Ground,
  by: string,
  id: string,
  judgement: 'justified' | 'unjustified',
  origin: Origin,
): Promise<Outcome<BrokenGlass>> =>
  untilHeld<BrokenGlass>(async () => {
    const kept = await ground.store.records<Emergency>(emergencyRecords).get(id)
    if (kept === undefined) return fail('unknown-instance', { what: 'Emergency' })
    if (kept.value.account === by) return fail('another-person', {})
    if (kept.value.review !== 'open') return fail('wrong-status', { status: kept.value.review })
    const emergency: Emergency = { ...kept.value, review: judgement, reviewedBy: by, reviewedAt: ground.clock() }
    const facts = [{ ...factOf('emergency-reviewed', emergency), by, reason: judgement }]
    const done = await commitFacts(ground, [putOver<Emergency>(emergencyRecords, kept, emergency)], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok({ emergency, facts }) : again
  })

/** What the user wrote; undefined where its key is gone. For reviewers alone. */
export const wordsIn = ({ fields }: Pick<Ground, 'fields'>, { id, words }: Emergency): Promise<string | undefined> =>
  fields.decrypt(words, wordsOf(id))
