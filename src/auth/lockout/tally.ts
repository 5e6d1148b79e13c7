/**
 * How often somebody failed to prove who they are, in one bucket: an account, a name nobody has, or a browser that is known. Pure.
 *
 * An attempt is charged before it is checked, and the charge becomes a failure or is taken back. So of many attempts at the same moment no more are
 * checked than may fail; whoever counted afterwards would have let all of them guess.
 * @see auth.md 2.3
 */
export type Tally = {
  readonly key: string
  /** ms of each failure within the window. */
  readonly failures: readonly number[]
  /** Attempts under way. */
  readonly charges: readonly { readonly id: string; readonly at: number }[]
  readonly lockedUntil?: number
  readonly expires: number
}

export const failuresMax = 5
export const windowMs = 30 * 60_000
export const lockMs = 30 * 60_000
/** An attempt that did not end in this time belongs to a process that died; it counts as a failure. */
const chargeMs = 60_000

export type Charged =
  | { readonly is: 'charged'; readonly tally: Tally /** Before this attempt. */; readonly failures: number }
  | { readonly is: 'locked'; readonly until: number }
  /** As many attempts are under way as may fail. */
  | { readonly is: 'busy' }

export const charge = (before: Tally | undefined, key: string, id: string, now: number): Charged => {
  const { failures, charges, lockedUntil = 0 } = current(before, key, now)
  if (lockedUntil > now) return { is: 'locked', until: lockedUntil }
  if (failures.length >= failuresMax) return { is: 'locked', until: Math.min(...failures) + windowMs }
  if (failures.length + charges.length >= failuresMax) return { is: 'busy' }
  return { is: 'charged', tally: tallyOf(key, failures, [...charges, { id, at: now }], undefined, now), failures: failures.length }
}

/** The attempt failed. `locked`: this was the last that was allowed. */
export const failed = (
  before: Tally | undefined,
  key: string,
  id: string,
  now: number,
): { readonly tally: Tally; readonly locked: boolean } => {
  const { failures, charges, lockedUntil = 0 } = current(before, key, now)
  const others = charges.filter(one => one.id !== id)
  // A charge that grew old is a failure already.
  const counted = others.length < charges.length || charges.length + failures.length === 0 ? [...failures, now] : failures
  if (lockedUntil > now) return { tally: tallyOf(key, counted, others, lockedUntil, now), locked: false }
  if (counted.length < failuresMax) return { tally: tallyOf(key, counted, others, undefined, now), locked: false }
  return { tally: tallyOf(key, [], others, now + lockMs, now), locked: true }
}

/** The attempt was right, but does not prove enough yet: what failed before stays. Undefined: nothing is left to keep. */
export const takenBack = (before: Tally | undefined, key: string, id: string, now: number): Tally | undefined => {
  const { failures, charges, lockedUntil } = current(before, key, now)
  return kept(
    key,
    failures,
    charges.filter(one => one.id !== id),
    lockedUntil,
    now,
  )
}

/** Proved: what failed before is forgotten. Others that are under way stay charged. */
export const forgiven = (before: Tally | undefined, key: string, id: string, now: number): Tally | undefined => {
  const { charges, lockedUntil } = current(before, key, now)
  return kept(
    key,
    [],
    charges.filter(one => one.id !== id),
    lockedUntil,
    now,
  )
}

const current = (before: Tally | undefined, key: string, now: number): Omit<Tally, 'expires'> => {
  const { failures = [], charges = [], lockedUntil } = before ?? {}
  const [dead, alive] = [charges.filter(({ at }) => now - at > chargeMs), charges.filter(({ at }) => now - at <= chargeMs)]
  return {
    key,
    failures: [...failures, ...dead.map(({ at }) => at)].filter(at => now - at < windowMs),
    charges: alive,
    ...(lockedUntil === undefined || lockedUntil <= now ? {} : { lockedUntil }),
  }
}

const kept = (
  key: string,
  failures: Tally['failures'],
  charges: Tally['charges'],
  lockedUntil: number | undefined,
  now: number,
): Tally | undefined =>
  failures.length + charges.length === 0 && lockedUntil === undefined ? undefined : tallyOf(key, failures, charges, lockedUntil, now)

const tallyOf = (
  key: string,
  failures: Tally['failures'],
  charges: Tally['charges'],
  lockedUntil: number | undefined,
  now: number,
): Tally => ({
  key,
  failures,
  charges,
  ...(lockedUntil === undefined ? {} : { lockedUntil }),
  expires: Math.max(lockedUntil ?? 0, now + windowMs),
})
