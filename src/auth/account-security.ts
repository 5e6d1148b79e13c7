import { type Outcome, ok } from '../base/outcome.ts'
import type { Rule } from '../base/rules.ts'
import type { AccountParts } from './account-parts.ts'
import { accountRecords, needsFactor, withPassword } from './accounts/account.ts'
import { type AccountChanged, changeAccount, withNewEpoch } from './accounts/change-account.ts'
import {
  type Enrolment,
  enrolled,
  factorRecords,
  factorsOf,
  factorUse,
  hasFactor,
  type KeptFactors,
  newEnrolment,
  withBackupCodes,
} from './factors/factor-set.ts'
import type { Fact, Method } from './facts.ts'
import { commitFacts, type Ground, type Origin } from './ground.ts'
import { abandon, accountBucket, admit, deviceBucket, settle, type Verdict } from './lockout/attempts.ts'
import type { Browser } from './login-answers.ts'
import { newPassword } from './passwords/new-password.ts'
import { again, putOver, untilHeld } from './record-plans.ts'
import { knownDevice } from './sessions/device-cookies.ts'
import { isFresh, type Session, sessionRecords } from './sessions/session.ts'
import { findSession, type LiveSession, withNewCookie } from './sessions/sessions.ts'

/**
 * What somebody who is logged in does about their own password and factors: *Account security*. Each takes the value of the session's cookie.
 * `ended`: there is no such session any more. `not-fresh`: prove yourself again first (`stepUp`). @see auth.md 2.4, 14
 */
type Told = { readonly facts: readonly Fact[] }
type Ended = { readonly is: 'ended' }
type NotFresh = { readonly is: 'not-fresh' }

/** The session under another cookie; the old value is dead. */
type Renewed = Told & { readonly cookie: string; readonly session: Session }

export type StepUpAnswer =
  | Ended
  | (Told & ({ readonly is: 'wrong' | 'refused' } | (Renewed & { readonly is: 'stepped-up'; readonly fewBackupCodes: boolean })))

/** Proves anew who sits there: by a second factor, or by the password where the account has none. Wrong ones count as at login. */
export const stepUp = async (
  { ground, hashing }: AccountParts,
  cookie: string,
  given: { readonly code: string } | { readonly password: string },
  browser: Browser,
): Promise<Outcome<StepUpAnswer>> => {
  const live = await findSession(ground, cookie)
  if (live === undefined) return ok({ is: 'ended' })
  const { key: id, value: account } = live.account
  const device = await knownDevice(ground, browser.device, { id, epoch: account.epoch })
  const admitted = await admit(ground, device === undefined ? accountBucket(id) : deviceBucket(device))
  if (!admitted.ok) return admitted
  if (admitted.value.is === 'locked') {
    const facts = [stepUpFailed(live, 'locked')]
    const done = await commitFacts(ground, [], facts, browser.origin)
    return done.ok ? ok({ is: 'refused', facts }) : done
  }
  const { attempt } = admitted.value
  const verified = 'password' in given ? await hashing.verify(given.password, account.password) : undefined
  if (verified?.ok === false) {
    await abandon(ground, attempt)
    return verified
  }
  return settle<StepUpAnswer>(ground, browser.origin, attempt, async round => {
    const now = round === 0 ? live : await findSession(ground, cookie)
    if (now === undefined) return ok<Verdict<StepUpAnswer>>({ count: 'right', records: [], facts: [], answer: { is: 'ended' } })
    const factors = await factorsOf(ground, id)
    const use = 'code' in given ? await factorUse(ground, factors, given.code) : undefined
    const proved: Method | undefined = use?.method ?? (verified?.value.matches === true && !hasFactor(factors) ? 'pwd' : undefined)
    if (proved === undefined) {
      const facts = [stepUpFailed(live, 'code' in given ? 'code' : 'password')]
      return ok<Verdict<StepUpAnswer>>({ count: 'wrong', records: [], facts, answer: { is: 'wrong', facts } })
    }
    const renewed = withNewCookie(ground, now.session, proved)
    const facts: readonly Fact[] = [{ what: 'stepped-up', account: id, session: now.session.key, method: proved }]
    return ok<Verdict<StepUpAnswer>>({
      count: 'proved',
      records: [renewed.write, ...(use === undefined ? [] : [putOver(factorRecords, factors, use.after)])],
      facts,
      answer: { is: 'stepped-up', cookie: renewed.cookie, session: renewed.after, fewBackupCodes: use?.fewCodes ?? false, facts },
    })
  })
}

export type PasswordAnswer =
  | Ended
  | NotFresh
  | { readonly is: 'password-refused'; readonly faults: readonly Rule[] }
  | (Renewed & { readonly is: 'changed' })

/** A new password. Everything else that was logged in ends; this session goes on. */
export const changePassword = async (
  { ground, hashing, rules }: AccountParts,
  cookie: string,
  password: string,
  origin: Origin,
): Promise<Outcome<PasswordAnswer>> => {
  const fresh = await freshSession(ground, cookie)
  if ('is' in fresh) return ok(fresh)
  const made = await newPassword(hashing, rules, fresh.live.account.value, password)
  if (!made.ok) return made
  if ('faults' in made.value) return ok({ is: 'password-refused', faults: made.value.faults })
  const { stored } = made.value
  return untilHeld<PasswordAnswer>(async () => {
    const live = await findSession(ground, cookie)
    if (live === undefined) return ok({ is: 'ended' })
    const { session, account } = live
    const after = withPassword(account.value, stored, ground.clock())
    const renewed = withNewCookie(ground, session)
    const kept: Session = { ...renewed.after, epoch: after.epoch }
    const facts: readonly Fact[] = [{ what: 'password-changed', account: account.key, session: session.key }]
    const done = await commitFacts(ground, [putOver(accountRecords, account, after), putOver(sessionRecords, session, kept)], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok({ is: 'changed', cookie: renewed.cookie, session: kept, facts }) : again
  })
}

/** Begins to set up an authenticator app, or another one; what there is stays until its first code. */
export const beginFactor = (
  { ground, rules }: AccountParts,
  cookie: string,
): Promise<Outcome<Ended | NotFresh | { readonly is: 'begun'; readonly enrolment: Enrolment }>> =>
  untilHeld<Ended | NotFresh | { readonly is: 'begun'; readonly enrolment: Enrolment }>(async () => {
    const fresh = await freshSession(ground, cookie)
    if ('is' in fresh) return ok(fresh)
    const { key, value } = fresh.live.account
    const { after, enrolment } = newEnrolment(ground, fresh.factors, key, { issuer: rules.facility, account: value.username ?? key })
    const done = await ground.store.records(factorRecords).put(after, fresh.factors?.revision ?? 'none')
    if (!done.ok) return done
    return done.value.held ? ok({ is: 'begun', enrolment }) : again
  })

export type FactorAnswer =
  | Ended
  | { readonly is: 'wrong-code' }
  | (Renewed & { readonly is: 'enrolled'; readonly backupCodes: readonly string[] })

/** The first code of the new app. The backup codes are shown once. */
export const finishFactor = ({ ground }: AccountParts, cookie: string, typed: string, origin: Origin): Promise<Outcome<FactorAnswer>> =>
  untilHeld<FactorAnswer>(async () => {
    const live = await findSession(ground, cookie)
    if (live === undefined) return ok({ is: 'ended' })
    const factors = await factorsOf(ground, live.account.key)
    const made = await enrolled(ground, factors, typed)
    if (made === undefined) return ok({ is: 'wrong-code' })
    const renewed = withNewCookie(ground, live.session, 'otp')
    const facts: readonly Fact[] = [{ what: 'factor-enrolled', account: live.account.key, session: live.session.key }]
    const done = await commitFacts(ground, [putOver(factorRecords, factors, made.after), renewed.write], facts, origin)
    if (!done.ok) return done
    return done.value.held
      ? ok({ is: 'enrolled', cookie: renewed.cookie, session: renewed.after, backupCodes: made.backupCodes, facts })
      : again
  })

/** New backup codes; the old ones are void. `none`: there is no factor that they could stand in for. */
export const renewBackupCodes = (
  { ground }: AccountParts,
  cookie: string,
  origin: Origin,
): Promise<
  Outcome<Ended | NotFresh | { readonly is: 'none' } | (Told & { readonly is: 'made'; readonly backupCodes: readonly string[] })>
> =>
  untilHeld<Ended | NotFresh | { readonly is: 'none' } | (Told & { readonly is: 'made'; readonly backupCodes: readonly string[] })>(
    async () => {
      const fresh = await freshSession(ground, cookie)
      if ('is' in fresh) return ok(fresh)
      const { factors, live } = fresh
      if (factors === undefined || !hasFactor(factors)) return ok({ is: 'none' })
      const { after, backupCodes } = withBackupCodes(ground, factors.value)
      const facts: readonly Fact[] = [{ what: 'backup-codes-made', account: live.account.key, session: live.session.key }]
      const done = await commitFacts(ground, [putOver(factorRecords, factors, after)], facts, origin)
      if (!done.ok) return done
      return done.value.held ? ok({ is: 'made', backupCodes, facts }) : again
    },
  )

/** `needed`: this account must have a factor; another one can be set up in its place. */
export const removeFactor = (
  { ground }: AccountParts,
  cookie: string,
  origin: Origin,
): Promise<Outcome<Ended | NotFresh | { readonly is: 'needed' | 'none' } | (Told & { readonly is: 'removed' })>> =>
  untilHeld<Ended | NotFresh | { readonly is: 'needed' | 'none' } | (Told & { readonly is: 'removed' })>(async () => {
    const fresh = await freshSession(ground, cookie)
    if ('is' in fresh) return ok(fresh)
    const { factors, live } = fresh
    if (factors === undefined) return ok({ is: 'none' })
    if (needsFactor(live.account.value)) return ok({ is: 'needed' })
    const facts: readonly Fact[] = [{ what: 'factor-removed', account: live.account.key, session: live.session.key }]
    const write = { record: factorRecords.name, delete: factors.key, expected: factors.revision }
    const done = await commitFacts(ground, [write], facts, origin)
    if (!done.ok) return done
    return done.value.held ? ok({ is: 'removed', facts }) : again
  })

/** "This was not me": everything ends, and the next login asks for a new password. */
export const disown = (ground: Ground, account: string, origin: Origin): Promise<Outcome<AccountChanged>> =>
  changeAccount(ground, account, origin, before => ({
    after: { ...withNewEpoch(before), mustChangePassword: true },
    facts: [{ what: 'disowned', account, by: account }],
  }))

/** The session, when the strongest proof it can have was given in the last 5 minutes. */
const freshSession = async (
  ground: Ground,
  cookie: string,
): Promise<Ended | NotFresh | { readonly live: LiveSession; readonly factors: KeptFactors }> => {
  const live = await findSession(ground, cookie)
  if (live === undefined) return { is: 'ended' }
  const factors = await factorsOf(ground, live.account.key)
  return isFresh(live.session.value.amr, hasFactor(factors), ground.clock()) ? { live, factors } : { is: 'not-fresh' }
}

const stepUpFailed = ({ session, account }: LiveSession, reason: string): Fact => ({
  what: 'step-up-failed',
  account: account.key,
  session: session.key,
  reason,
})
