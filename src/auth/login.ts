import { type Outcome, ok } from '../base/outcome.ts'
import type { AccountParts } from './account-parts.ts'
import { type Account, withPassword, withRehashed } from './accounts/account.ts'
import { accountById, accountByName, type KeptAccount } from './accounts/find-account.ts'
import { foldName } from './accounts/names.ts'
import { factorRecords, factorsOf, factorUse, hasFactor } from './factors/factor-set.ts'
import type { Fact } from './facts.ts'
import { commitFacts, type Ground, type Origin } from './ground.ts'
import { abandon, accountBucket, admit, deviceBucket, nameBucket, settle, type Verdict } from './lockout/attempts.ts'
import type { Browser, LoginAnswer } from './login-answers.ts'
import { accountOf, expired, forgiving, type LoginState, onward, stateOf } from './login-progress.ts'
import { findStep, type KeptStep, neededFor, stepRecords } from './login-steps.ts'
import type { StoredPassword } from './passwords/hashing.ts'
import { newPassword } from './passwords/new-password.ts'
import { again, deleteOver, putOver, untilHeld } from './record-plans.ts'
import { knownDevice } from './sessions/device-cookies.ts'
import { loginEvent } from './sessions/login-history.ts'
import { type OutsideSession, withProof } from './sessions/session.ts'

/**
 * How somebody gets in: name and password, then what is still needed (a code, a second factor to set up, a new password), then a session.
 *
 * Whoever is refused costs the same look-ups, writes and hashes, whether the name is somebody's or not, and hears the same.
 * @see auth.md 2, 3
 */
type Answered = Promise<Outcome<LoginAnswer>>

/** The first step. */
export const logIn = async (
  parts: AccountParts,
  typed: { readonly name: string; readonly password: string },
  browser: Browser,
): Answered => {
  const { ground, hashing } = parts
  const found = await accountByName(ground, typed.name)
  const local = (await parts.localLogin?.(found?.value)) ?? 'open'
  const subject = subjectOf(ground, found, typed.name)
  const device = await knownDevice(ground, browser.device, subject)
  if (device === undefined) await parts.spraying.slowDown()
  const admitted = await admit(ground, device === undefined ? subject.bucket : deviceBucket(device))
  if (!admitted.ok) return admitted
  const open = admitted.value.is === 'admitted'
  const verified = await hashing.verify(typed.password, open && local !== 'off' ? passwordOf(found?.value) : undefined)
  if (!verified.ok) {
    // Nothing was checked, so nothing was guessed.
    if (admitted.value.is === 'admitted') await abandon(ground, admitted.value.attempt)
    return verified
  }
  if (!open) return lockedOut(parts, subject, device, browser.origin)
  const { attempt } = admitted.value
  const reason = local === 'off' ? 'provider' : refusalOf(found?.value, verified.value.matches)
  if (found === undefined || reason !== undefined) {
    const refused = refusal(parts, browser.origin, subject, device, reason ?? 'unknown')
    return settle(ground, browser.origin, attempt, async () => ok(refused))
  }
  const rehashed = verified.value.outdated ? await hashing.hash(typed.password) : undefined
  return settle(ground, browser.origin, attempt, async round => {
    const account = round === 0 ? found : await accountById(ground, found.key)
    if (account === undefined || account.value.epoch !== found.value.epoch || passwordOf(account.value) === undefined)
      return ok(refusal(parts, browser.origin, subject, device, 'changed'))
    const state: LoginState = {
      account,
      changed: rehashed?.ok === true ? withRehashed(account.value, rehashed.value) : account.value,
      factors: await factorsOf(ground, account.key),
      amr: [{ method: 'pwd', at: ground.clock() }],
      bucket: attempt.bucket,
      failures: attempt.failures,
      deviceKnown: device !== undefined,
    }
    const verdict = await onward(parts, state, browser)
    return ok(local === 'emergency' ? withFact(verdict, { what: 'emergency-login', account: account.key }) : verdict)
  })
}

/** A password where a provider should have been asked: alert A-09. */
const withFact = (verdict: Verdict<LoginAnswer>, fact: Fact): Verdict<LoginAnswer> => {
  const facts = [...verdict.facts, fact]
  return { ...verdict, facts, answer: { ...verdict.answer, facts } }
}

/** The second step, where a factor is enrolled: six digits, or a backup code. */
export const giveCode = async (parts: AccountParts, token: string, typed: string, browser: Browser): Answered => {
  const { ground } = parts
  const first = await findStep(ground, token)
  if (first === undefined) return ok(expired)
  const admitted = await admit(ground, first.value.bucket)
  if (!admitted.ok) return admitted
  if (admitted.value.is === 'locked') {
    const { records, facts } = wrongCode(ground, browser.origin, first, 'locked')
    const done = await commitFacts(ground, records, facts, browser.origin)
    return done.ok ? ok({ is: 'refused', facts }) : done
  }
  const { attempt } = admitted.value
  return settle<LoginAnswer>(ground, browser.origin, attempt, async round => {
    const step = round === 0 ? first : await findStep(ground, token)
    const account = step === undefined ? undefined : await accountOf(ground, step)
    if (step === undefined || account === undefined) return ok({ count: 'right', records: [], facts: [], answer: expired })
    const factors = await factorsOf(ground, account.key)
    const use = await factorUse(ground, factors, typed)
    if (use === undefined) return ok(wrongCode(ground, browser.origin, step))
    const state: LoginState = {
      ...stateOf(step, account),
      factors,
      amr: withProof(step.value.amr, use.method, ground.clock()),
      notes: { fewBackupCodes: use.fewCodes },
    }
    const verdict = await onward(parts, state, browser, use.method)
    return ok({ ...verdict, records: [deleteOver(stepRecords, step), putOver(factorRecords, factors, use.after), ...verdict.records] })
  })
}

/** The new password, where one has to be chosen. */
export const giveNewPassword = async (parts: AccountParts, token: string, password: string, browser: Browser): Answered => {
  const { ground, hashing, rules } = parts
  const first = await findStep(ground, token)
  const before = first === undefined ? undefined : await accountOf(ground, first)
  if (first === undefined || before === undefined) return ok(expired)
  const factors = await factorsOf(ground, before.key)
  // Asked before anything else: this step comes last, and must not be the way around the others.
  if (neededFor(before.value, hasFactor(factors), first.value.amr, ground.clock(), rules) !== 'password') return ok(expired)
  const made = await newPassword(hashing, rules, before.value, password)
  if (!made.ok) return made
  if ('faults' in made.value) return ok({ is: 'password-refused', faults: made.value.faults, facts: [] })
  const { stored } = made.value
  return untilHeld<LoginAnswer>(async () => {
    const step = await findStep(ground, token)
    const account = step === undefined ? undefined : await accountOf(ground, step)
    if (step === undefined || account === undefined) return ok(expired)
    const changed = withPassword(account.value, stored, ground.clock())
    const verdict = await onward(parts, { ...stateOf(step, account), changed, factors }, browser)
    const facts: readonly Fact[] = [{ what: 'password-changed', account: account.key }, ...verdict.facts]
    const records = [deleteOver(stepRecords, step), ...verdict.records, ...forgiving(step, verdict)]
    const done = await commitFacts(ground, records, facts, browser.origin)
    if (!done.ok) return done
    return done.value.held ? ok({ ...verdict.answer, facts }) : again
  })
}

/**
 * What an outside identity provider proved. `provedAt` (ms): when it asked, if it says; a second factor of an unknown time is none of the last minutes.
 * `twoFactors`: it asked for two.
 */
export type OutsideProof = { readonly twoFactors: boolean; readonly provedAt?: number; readonly session?: OutsideSession }

/** Who was proved by an outside identity provider gets in like everybody else: what is needed is needed. */
export const logInFromOutside = async (parts: AccountParts, accountId: string, proof: OutsideProof, browser: Browser): Answered => {
  const { ground } = parts
  return untilHeld<LoginAnswer>(async () => {
    const account = await accountById(ground, accountId)
    if (account === undefined || account.value.status !== 'active') return ok({ is: 'refused', facts: [] })
    const device = await knownDevice(ground, browser.device, { id: account.key, epoch: account.value.epoch })
    const now = ground.clock()
    const state: LoginState = {
      account,
      changed: account.value,
      factors: await factorsOf(ground, account.key),
      amr: [{ method: 'ext', at: now }, ...(proof.twoFactors ? [{ method: 'mfa' as const, at: Math.min(proof.provedAt ?? 0, now) }] : [])],
      bucket: device === undefined ? accountBucket(account.key) : deviceBucket(device),
      failures: 0,
      deviceKnown: device !== undefined,
      ...(proof.session === undefined ? {} : { outside: proof.session }),
    }
    const verdict = await onward(parts, state, browser, 'ext')
    const done = await commitFacts(ground, verdict.records, verdict.facts, browser.origin)
    if (!done.ok) return done
    return done.value.held ? ok({ ...verdict.answer, facts: verdict.facts }) : again
  })
}

/** Whom an attempt is about: an account, or a name that nobody has, alike in all that is done with it. */
type Subject = { readonly id: string; readonly epoch: number; readonly bucket: string; readonly about: Pick<Fact, 'account' | 'name'> }

const subjectOf = ({ hash }: Ground, found: KeptAccount | undefined, typed: string): Subject => {
  const name = hash.of('login-name', foldName(typed))
  return found === undefined
    ? { id: name, epoch: 0, bucket: nameBucket(name), about: { name } }
    : { id: found.key, epoch: found.value.epoch, bucket: accountBucket(found.key), about: { account: found.key } }
}

const passwordOf = (account: Account | undefined): StoredPassword | undefined =>
  account?.status === 'active' ? account.password : undefined

/** Why an attempt is refused, for the history; the browser is not told. */
const refusalOf = (account: Account | undefined, matches: boolean): string | undefined => {
  if (account === undefined) return 'unknown'
  if (account.status !== 'active') return account.status
  if (account.password === undefined) return 'no-password'
  return matches ? undefined : 'password'
}

const refusal = (
  { ground, spraying }: AccountParts,
  origin: Origin,
  { id, about }: Subject,
  device: string | undefined,
  reason: string,
): Verdict<LoginAnswer> => {
  const failure: Fact = { what: 'login-failed', ...about, reason, method: 'pwd' }
  const facts: readonly Fact[] = spraying.failed(id) ? [failure, { what: 'spraying' }] : [failure]
  const deviceKnown = device !== undefined
  return {
    count: 'wrong',
    records: [loginEvent(ground, origin, { ...about, result: 'failure', reason, method: 'pwd', deviceKnown })],
    facts,
    answer: { is: 'refused', facts },
  }
}

/** The hash was computed for nothing, so that a lock cannot be told from a wrong password by the time it takes. */
const lockedOut = async (parts: AccountParts, subject: Subject, device: string | undefined, origin: Origin): Answered => {
  const { records, facts, answer } = refusal(parts, origin, subject, device, 'locked')
  const done = await commitFacts(parts.ground, records, facts, origin)
  return done.ok ? ok(answer) : done
}

const wrongCode = (ground: Ground, origin: Origin, { value }: KeptStep, reason = 'code'): Verdict<LoginAnswer> => {
  const { account, deviceKnown } = value
  const facts: readonly Fact[] = [{ what: 'login-failed', account, reason, method: 'otp' }]
  return {
    count: 'wrong',
    records: [loginEvent(ground, origin, { account, result: 'failure', reason, method: 'otp', deviceKnown })],
    facts,
    answer: { is: 'wrong-code', facts },
  }
}
