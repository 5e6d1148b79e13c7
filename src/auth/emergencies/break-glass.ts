import { fail, type Outcome, ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import type { Fact } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { heldPermissions } from '../policy/held-permissions.ts'
import type { Principal } from '../policy/principal.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import type { RoleTable } from '../roles/role-table.ts'
import { demandStepUp } from '../step-up.ts'
import { emergenciesOf } from './emergencies.ts'
import {
  type Emergency,
  emergenciesMax,
  emergencyMinutes,
  emergencyReasons,
  emergencyRecords,
  emergencyWords,
  isEmergencyReason,
  type KeptEmergency,
  noticeSince,
  withNotice,
} from './emergency.ts'

export type BreakGlassParts = {
  readonly ground: Ground
  readonly roles: () => RoleTable
  /**
   * Whether the Patient is there and this principal, with the emergency that is asked for, would see it. It asks the store the same for one that is hidden
   * and one that never was.
   */
  readonly wouldSee: (principal: Principal, patient: string) => Promise<boolean>
  /** What an emergency opens changed: principals that are remembered are out of date. */
  readonly changed: () => void
}

export type BreakGlass = {
  /** Id of the Patient. */
  readonly patient: string
  readonly reason: string
  /** What the user writes: why. */
  readonly words: string
  /** How long; 60 when absent. */
  readonly minutes?: number
}

export type BrokenGlass = { readonly emergency: Emergency; readonly facts: readonly Fact[] }

/** What an interaction is given of this; `wouldSee` is its own, see `BreakGlassParts`. */
export type OpenEmergency = (
  principal: Principal,
  asked: BreakGlass,
  wouldSee: BreakGlassParts['wouldSee'],
  requestId: string,
) => Promise<Outcome<BrokenGlass>>

/** @see breakGlass */
export const createOpenEmergency =
  (parts: Omit<BreakGlassParts, 'wouldSee'>): OpenEmergency =>
  (principal, asked, wouldSee, requestId) =>
    breakGlass({ ...parts, wouldSee }, principal, asked, { address: '', requestId })

/**
 * Opens one patient to this session and client for a while, with the reason on record. Fails `permission-needed`, `step-up-needed`, `bad-parameter`, and
 * `unknown-instance` alike for patients that are not there and that would stay hidden; `too-many-emergencies`.
 * @see auth.md 12.5
 */
export const breakGlass = async (
  parts: BreakGlassParts,
  principal: Principal,
  asked: BreakGlass,
  origin: Origin,
): Promise<Outcome<BrokenGlass>> => {
  const { ground } = parts
  const allowed = mayBreakGlass(parts, principal)
  if (!allowed.ok) return allowed
  const { account, session } = allowed.value
  const meant = read(asked)
  if (!meant.ok) return meant
  const { patient } = asked
  const client = principal.clientId ?? ''
  const emergencies = [...new Set([...principal.emergencies, patient])]
  if (!(await parts.wouldSee({ ...principal, emergencies }, patient))) return fail('unknown-instance', { what: `Patient/${patient}` })
  return untilHeld<BrokenGlass>(async () => {
    const open = await emergenciesOf(ground, { account, session, client })
    if (open.length >= emergenciesMax && !open.includes(patient)) return fail('too-many-emergencies', { max: emergenciesMax })
    const id = ground.ids()
    const now = ground.clock()
    const emergency: Emergency = {
      id,
      account,
      session,
      client,
      patient,
      reason: meant.value.reason,
      words: ground.fields.encrypt(meant.value.words, wordsOf(id)),
      openedAt: now,
      until: now + meant.value.minutes * 60_000,
      review: 'open',
      notice: noticeSince(now),
    }
    const facts = [{ ...factOf('glass-broken', emergency), reason: emergency.reason }]
    const done = await commitFacts(ground, [putOver<Emergency>(emergencyRecords, undefined, emergency)], facts, origin)
    if (!done.ok) return done
    if (!done.value.held) return again
    parts.changed()
    return ok({ emergency, facts })
  })
}

/** Who may break the glass at all, and here and now: a user with the permission, whose session used a second factor in the last five minutes. */
export const mayBreakGlass = (
  { ground, roles }: Pick<BreakGlassParts, 'ground' | 'roles'>,
  principal: Principal,
): Outcome<{ readonly account: string; readonly session: string }> => {
  const { kind, accountId, sessionId } = principal
  if (kind !== 'user' || accountId === undefined || !heldPermissions(roles(), principal).has('break-glass'))
    return fail('permission-needed', { permission: 'break-glass' })
  const fresh = demandStepUp(principal, ground.clock())
  if (!fresh.ok) return fresh
  return sessionId === undefined ? fail('permission-needed', { permission: 'break-glass' }) : ok({ account: accountId, session: sessionId })
}

type Meant = { readonly reason: Emergency['reason']; readonly words: string; readonly minutes: number }

const read = ({ reason, words, minutes = emergencyMinutes.usual }: BreakGlass): Outcome<Meant> => {
  if (!isEmergencyReason(reason)) {
    return fail('bad-parameter', { parameter: 'reason', rule: rule('one-of', { words: emergencyReasons.join(', ') }) })
  }
  const text = words.trim()
  const { least, most } = emergencyWords
  const length = [...text].length
  if (length < least || length > most) {
    return fail('bad-parameter', { parameter: 'text', rule: rule('text-between', { min: least, max: most }) })
  }
  if (!Number.isInteger(minutes) || minutes < emergencyMinutes.least || minutes > emergencyMinutes.most) {
    return fail('bad-parameter', {
      parameter: 'minutes',
      rule: rule('whole-number-from-to', { min: emergencyMinutes.least, max: emergencyMinutes.most }),
    })
  }
  return ok({ reason, words: text, minutes })
}

export const wordsOf = (id: string): { readonly table: string; readonly column: string; readonly row: string } => ({
  table: emergencyRecords.name,
  column: 'words',
  row: id,
})

export const factOf = (what: Fact['what'], { id, account, session, client, patient, until }: Emergency): Fact => ({
  what,
  account,
  session,
  patient,
  emergency: id,
  until,
  ...(client !== '' && { client }),
})

/** Ends what its user opened; what is over already counts as ended. Others' are not known. */
export const endEmergency = (
  { ground, changed }: Pick<BreakGlassParts, 'ground' | 'changed'>,
  account: string,
  id: string,
  origin: Origin,
): Promise<Outcome<BrokenGlass>> =>
  untilHeld<BrokenGlass>(async () => {
    const kept: KeptEmergency | undefined = await ground.store.records<Emergency>(emergencyRecords).get(id)
    if (kept === undefined || kept.value.account !== account) return fail('unknown-instance', { what: 'Emergency' })
    const now = ground.clock()
    if (kept.value.until <= now) return ok({ emergency: kept.value, facts: [] })
    const emergency: Emergency = { ...withNotice(kept).value, until: now }
    const facts = [factOf('emergency-ended', emergency)]
    const done = await commitFacts(ground, [putOver<Emergency>(emergencyRecords, kept, emergency)], facts, origin)
    if (!done.ok) return done
    if (!done.value.held) return again
    changed()
    return ok({ emergency, facts })
  })
