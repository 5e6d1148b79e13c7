import { shownEmergency } from '../auth/admin/emergency-routes.ts'
import { holdersOf } from '../auth/admin/holders.ts'
import type { BrokenGlass } from '../auth/emergencies/break-glass.ts'
import { emergencyById, emergencyPage } from '../auth/emergencies/emergencies.ts'
import type { Emergency } from '../auth/emergencies/emergency.ts'
import { notePatientTold, postponeNotice } from '../auth/emergencies/notice.ts'
import { reviewDue, reviewEmergency } from '../auth/emergencies/review.ts'
import { host } from '../auth/second-person.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { RecordPosition } from '../storage/port.ts'
import { type Administering, atHost, failed, type Open } from './administering.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/**
 * `simpul emergencies …`: emergency access from the host. Everybody at the host may see what waits. Whoever sits there is nobody in particular, so the host judges
 * and postpones only where no account but the one that opened it could. @see auth.md 12.5
 */

const pageRows = 200

/** Those that nobody has judged; with `notices` those of which the patient does not know yet. */
export const listEmergencies = async (
  open: Open,
  { notices = false }: { readonly notices?: boolean },
  terminal: Terminal,
): Promise<number> => {
  await using parts = await open()
  const by = notices ? { notice: 'due' as const } : { review: 'open' as const }
  let after: RecordPosition | undefined
  let count = 0
  do {
    const page = await emergencyPage(parts.ground, by, { limit: pageRows, ...(after === undefined ? {} : { after }) })
    for (const one of page.emergencies) shown(terminal, one, parts.zone)
    count += page.emergencies.length
    after = page.next
  } while (after !== undefined)
  if (count === 0) terminal.err(notices ? 'Every patient knows.' : 'Nothing waits for a review.')
  return exitCodes.good
}

export const reviewAtHost = (open: Open, id: string, judgement: 'justified' | 'unjustified', terminal: Terminal): Promise<number> =>
  done(open, id, 'consent.override.review', terminal, ({ ground }) => reviewEmergency(ground, host, id, judgement, atHost))

/** `until`: a date or an instant. */
export const postponeAtHost = (open: Open, id: string, until: string, reason: string, terminal: Terminal): Promise<number> =>
  done(open, id, 'privacy.requests', terminal, ({ ground }) =>
    postponeNotice(ground, host, id, { until: /^\d{4}-\d{2}-\d{2}/.test(until) ? Date.parse(until) : Number.NaN, reason }, atHost),
  )

export const toldAtHost = (open: Open, id: string, terminal: Terminal): Promise<number> =>
  done(open, id, 'privacy.requests', terminal, ({ ground }) => notePatientTold(ground, host, id, atHost))

const done = async (
  open: Open,
  id: string,
  permission: string,
  terminal: Terminal,
  change: (parts: Administering) => Promise<Outcome<BrokenGlass>>,
): Promise<number> => {
  await using parts = await open()
  const may = await hostStandsIn(parts, id, permission)
  const changed = may.ok ? await change(parts) : may
  if (!changed.ok) return failed(terminal, changed.failure)
  shown(terminal, changed.value.emergency, parts.zone)
  return exitCodes.good
}

const hostStandsIn = async ({ ground, roles }: Administering, id: string, permission: string): Promise<Outcome<undefined>> => {
  const emergency = await emergencyById(ground, id)
  if (!emergency.ok) return emergency
  const [holder] = await holdersOf(ground, roles, permission, { most: 1, except: emergency.value.account })
  return holder === undefined ? ok(undefined) : fail('permission-needed', { permission })
}

const shown = (terminal: Terminal, emergency: Emergency, zone: string): void =>
  report(terminal, { ...shownEmergency(emergency, zone) }, lineOf(emergency, zone))

const lineOf = (emergency: Emergency, zone: string): string => {
  const { id, openedAt, reason, review, notice } = emergency
  const reviewed = review === 'open' ? `review by ${day(reviewDue(emergency, zone))}` : review
  const told = notice.state === 'told' ? 'patient told' : `patient told by ${day(notice.due)}`
  return [id, new Date(openedAt).toISOString(), reason.padEnd(17), reviewed, told].join('  ')
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
