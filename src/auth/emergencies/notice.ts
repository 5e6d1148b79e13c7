import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { RecordPosition } from '../../storage/port.ts'
import { accountsOfUser } from '../accounts/find-account.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { mailAbout } from '../pages/mails/outbox.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import { type BrokenGlass, factOf } from './break-glass.ts'
import { type Emergency, emergencyRecords, emergencyWords, type KeptEmergency, noticeHours, withNotice } from './emergency.ts'

/** That the patient is told of each emergency: within 72 hours, unless an officer postpones it with a reason. @see auth.md 12.5.4 */

const dayMs = 86_400_000
/** Days by which it is put off at most, and then again. */
const postponedDaysMax = 30

/**
 * Puts it off until an instant (ms), with the reason on record. Fails `unknown-instance`, `another-person` for who opened it, `wrong-status` once the patient was
 * told, `bad-parameter` for a reason or an instant that is none.
 */
export const postponeNotice = (
  ground: Ground,
  by: string,
  id: string,
  { until, reason }: { readonly until: number; readonly reason: string },
  origin: Origin,
): Promise<Outcome<BrokenGlass>> =>
  changeNotice(ground, by, id, origin, ({ notice }) => {
    const now = ground.clock()
    const words = reason.trim()
    const { least, most } = emergencyWords
    if ([...words].length < least || [...words].length > most)
      return fail('bad-parameter', { parameter: 'reason', rule: rule('text-between', { min: least, max: most }) })
    if (!(until > now && until <= now + postponedDaysMax * dayMs))
      return fail('bad-parameter', { parameter: 'until', rule: rule('days-ahead', { max: postponedDaysMax }) })
    const postponed = { by, at: now, reason: ground.fields.encrypt(words, reasonOf(id)) }
    const due = Math.max(notice.due, until + (noticeHours.due - noticeHours.from) * hourMs)
    return ok({ notice: { ...notice, from: until, due, postponed }, what: 'patient-notice-postponed' })
  })

/** Somebody told the patient, in person or by letter. Fails as `postponeNotice`. */
export const notePatientTold = (ground: Ground, by: string, id: string, origin: Origin): Promise<Outcome<BrokenGlass>> =>
  changeNotice(ground, by, id, origin, ({ notice }) =>
    ok({ notice: { ...notice, state: 'told', told: { by, at: ground.clock() } }, what: 'patient-told' }),
  )

type Changed = { readonly notice: Emergency['notice']; readonly what: Fact['what'] }

const changeNotice = (
  ground: Ground,
  by: string,
  id: string,
  origin: Origin,
  change: (emergency: Emergency) => Outcome<Changed>,
): Promise<Outcome<BrokenGlass>> =>
  untilHeld<BrokenGlass>(async () => {
    const found = await ground.store.records<Emergency>(emergencyRecords).get(id)
    if (found === undefined) return fail('unknown-instance', { what: 'Emergency' })
    const kept = withNotice(found)
    if (kept.value.account === by) return fail('another-person', {})
    if (kept.value.notice.state !== 'due') return fail('wrong-status', { status: kept.value.notice.state })
    const changed = change(kept.value)
    if (!changed.ok) return changed
    const emergency: Emergency = { ...kept.value, notice: changed.value.notice }
    const facts = [{ ...factOf(changed.value.what, emergency), by }]
    const done = await commitFacts(ground, [putOver<Emergency>(emergencyRecords, kept, emergency)], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok({ emergency, facts }) : again
  })

export const reasonOf = (id: string): { readonly table: string; readonly column: string; readonly row: string } => ({
  table: emergencyRecords.name,
  column: 'notice.reason',
  row: id,
})

/** Why it was put off; undefined where it was not, or the key is gone. */
export const reasonIn = async ({ fields }: Pick<Ground, 'fields'>, { id, notice }: Emergency): Promise<string | undefined> =>
  notice.postponed === undefined ? undefined : fields.decrypt(notice.postponed.reason, reasonOf(id))

const hourMs = 3_600_000
const pageRows = 200

/**
 * Tells the patients whose time has come and who have an account with an e-mail address: a mail, and from then on a line in the account, in one write. The others
 * stay due: the officer tells them. Run it every few minutes, by one node at a time. Says how many were told.
 */
export const tellPatients = async (ground: Ground): Promise<Outcome<number>> => {
  let told = 0
  for await (const kept of dueNotices(ground)) {
    const done = await tellPatient(ground, kept)
    if (!done.ok) return done
    if (done.value) told++
  }
  return ok(told)
}

async function* dueNotices({ store, clock }: Ground): AsyncGenerator<KeptEmergency> {
  let after: RecordPosition | undefined
  do {
    const range = { from: ['due'], to: ['due', clock()], limit: pageRows, ...(after === undefined ? {} : { after }) }
    const page = await store.records<Emergency>(emergencyRecords).range('notice', range)
    yield* page.rows
    after = page.more ? page.rows.at(-1)?.position : undefined
  } while (after !== undefined)
}

/** False: there is no account that could be told, or somebody else was faster. */
const tellPatient = async (ground: Ground, kept: KeptEmergency): Promise<Outcome<boolean>> => {
  const { notice, patient, openedAt } = kept.value
  const accounts = (await accountsOfUser(ground, `Patient/${patient}`)).filter(
    ({ status, email }) => status === 'active' && email !== undefined,
  )
  if (accounts.length === 0) return ok(false)
  const emergency: Emergency = { ...kept.value, notice: { ...notice, state: 'told', told: { by: 'server', at: ground.clock() } } }
  const mails = accounts.map(({ id }) => mailAbout(ground, 'emergency-patient', { account: id, at: openedAt }))
  const facts = [{ ...factOf('patient-told', emergency), by: 'server' }]
  const done = await commitFacts(ground, [putOver<Emergency>(emergencyRecords, kept, emergency), ...mails], facts, { address: '' })
  return done.ok ? ok(done.value.held) : done
}
