import { type Outcome, ok } from '../../base/outcome.ts'
import type { BrokenGlass } from '../emergencies/break-glass.ts'
import { emergencyById, emergencyPage } from '../emergencies/emergencies.ts'
import { type Emergency, emergencyWords } from '../emergencies/emergency.ts'
import { notePatientTold, postponeNotice, reasonIn } from '../emergencies/notice.ts'
import { readWords, reviewDue, reviewEmergency } from '../emergencies/review.ts'
import { badMembers, Members, present } from '../members.ts'
import type { AdminCall, AdminParts, AdminReply } from './admin-parts.ts'
import { type AdminRoute, iso, nextOf, pageOf, placeOf } from './routes.ts'
import { instantOf } from './standing.ts'

/** Emergency access, for who reviews it and for who tells the patient. @see auth.md 12.5 */

const reviews = ['open', 'justified', 'unjustified'] as const

/** `review` (open unless said otherwise), or `notice=due`: those of which the patient does not know yet. The oldest first. */
const list = async ({ ground, zone }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const by =
    call.query.get('notice') === 'due'
      ? { notice: 'due' as const }
      : { review: reviews.find(one => one === call.query.get('review')) ?? 'open' }
  const { emergencies, next } = await emergencyPage(ground, by, pageOf(call, 'sns'))
  return ok({ body: { emergencies: emergencies.map(one => shownEmergency(one, zone)), ...nextOf(next) } })
}

/** With what was written. That somebody read it is on record. */
const show = async ({ ground, zone }: AdminParts, call: AdminCall): Promise<Outcome<AdminReply>> => {
  const found = await emergencyById(ground, placeOf(call, 'id'))
  if (!found.ok) return found
  const words = await readWords(ground, call.principal.accountId, found.value, call.from)
  if (!words.ok) return words
  const postponedFor = await reasonIn(ground, found.value)
  return ok({ body: { emergency: { ...shownEmergency(found.value, zone), ...present({ words: words.value, postponedFor }) } } })
}

/** Without what was written. */
export const shownEmergency = (emergency: Emergency, zone: string): object => {
  const { id, account, client, patient, reason, openedAt, until, review, reviewedBy, reviewedAt, notice } = emergency
  return {
    id,
    account,
    ...(client === '' ? {} : { client }),
    patient,
    reason,
    openedAt: iso(openedAt),
    until: iso(until),
    review,
    ...(review === 'open'
      ? { reviewDue: iso(reviewDue(emergency, zone)) }
      : present({ reviewedBy, reviewedAt: reviewedAt && iso(reviewedAt) })),
    notice: {
      state: notice.state,
      from: iso(notice.from),
      due: iso(notice.due),
      ...(notice.postponed === undefined ? {} : { postponed: { by: notice.postponed.by, at: iso(notice.postponed.at) } }),
      ...(notice.told === undefined ? {} : { told: { by: notice.told.by, at: iso(notice.told.at) } }),
    },
  }
}

const review = async ({ ground, zone }: AdminParts, { principal, body, path, from }: AdminCall): Promise<Outcome<AdminReply>> => {
  const members = new Members(body)
  const judgement = members.neededOneOf('judgement', ['justified', 'unjustified'])
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  return replied(await reviewEmergency(ground, principal.accountId, path.id ?? '', judgement, from), zone)
}

const postpone = async ({ ground, zone }: AdminParts, { principal, body, path, from }: AdminCall): Promise<Outcome<AdminReply>> => {
  const members = new Members(body)
  members.neededText('until', 40)
  const until = instantOf(members, 'until') ?? 0
  const reason = members.neededText('reason', 4 * emergencyWords.most)
  members.others()
  if (members.faults.length > 0) return badMembers(members.faults)
  return replied(await postponeNotice(ground, principal.accountId, path.id ?? '', { until, reason }, from), zone)
}

const told = async ({ ground, zone }: AdminParts, { principal, path, from }: AdminCall): Promise<Outcome<AdminReply>> =>
  replied(await notePatientTold(ground, principal.accountId, path.id ?? '', from), zone)

const replied = (done: Outcome<BrokenGlass>, zone: string): Outcome<AdminReply> =>
  done.ok ? ok({ body: { emergency: shownEmergency(done.value.emergency, zone) } }) : done

const either = ['consent.override.review', 'privacy.requests'] as const

export const emergencyRoutes: readonly AdminRoute[] = [
  { method: 'GET', path: '/admin/emergencies', permissions: either, run: list },
  { method: 'GET', path: '/admin/emergencies/{id}', permissions: either, run: show },
  { method: 'POST', path: '/admin/emergencies/{id}/review', permissions: ['consent.override.review'], run: review },
  { method: 'POST', path: '/admin/emergencies/{id}/postpone', permissions: ['privacy.requests'], run: postpone },
  { method: 'POST', path: '/admin/emergencies/{id}/told', permissions: ['privacy.requests'], run: told },
]
