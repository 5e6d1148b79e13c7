import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import { type BrokenGlass, factOf, wordsOf } from './break-glass.ts'
import { type Emergency, emergencyRecords, withNotice } from './emergency.ts'

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
    const found = await ground.store.records<Emergency>(emergencyRecords).get(id)
    if (found === undefined) return fail('unknown-instance', { what: 'Emergency' })
    const kept = withNotice(found)
    if (kept.value.account === by) return fail('another-person', {})
    if (kept.value.review !== 'open') return fail('wrong-status', { status: kept.value.review })
    const emergency: Emergency = { ...kept.value, review: judgement, reviewedBy: by, reviewedAt: ground.clock() }
    const facts: readonly Fact[] = [
      { ...factOf('emergency-reviewed', emergency), by, reason: judgement },
      // What an incident begins with.
      ...(judgement === 'unjustified' ? [{ ...factOf('emergency-unjustified', emergency), by }] : []),
    ]
    const done = await commitFacts(ground, [putOver<Emergency>(emergencyRecords, kept, emergency)], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok({ emergency, facts }) : again
  })

/** Reviewing is due within so many working days: Monday to Friday, for holidays are not known here. */
const workingDays = 3

/** ms: the same time of day, so many working days later. `zone`: IANA. */
export const reviewDue = ({ openedAt }: Pick<Emergency, 'openedAt'>, zone: string): number => {
  const weekday = new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'short' })
  let at = openedAt
  for (let left = workingDays; left > 0; ) {
    at += dayMs
    if (!weekday.format(at).startsWith('S')) left--
  }
  return at
}

const dayMs = 86_400_000

/** What the user wrote, for who reviews: it stands on record that somebody read it. Undefined where its key is gone. */
export const readWords = async (ground: Ground, by: string, emergency: Emergency, origin: Origin): Promise<Outcome<string | undefined>> => {
  const told = await commitFacts(ground, [], [{ ...factOf('emergency-words-read', emergency), by }], origin)
  return told.ok ? ok(await ground.fields.decrypt(emergency.words, wordsOf(emergency.id))) : told
}
