import { ok, type Outcome } from '../base/outcome.ts'
import type { Rule } from '../base/rules.ts'
import type { RecordWrite } from '../storage/port.ts'
import type { AccountParts } from './account-parts.ts'
import { type Account, accountRecords, passwordAgeOf, withPassword, withRehashed } from './accounts/account.ts'
import { accountById, accountByName, type KeptAccount } from './accounts/find-account.ts'
import { foldName } from './accounts/names.ts'
import type { Fact, Method } from './facts.ts'
import {
  type Enrolment,
  enrolled,
  factorRecords,
  factorsOf,
  factorUse,
  hasFactor,
  type KeptFactors,
  newEnrolment,
} from './factors/factor-set.ts'
import { commitFacts, type Ground, type Origin } from './ground.ts'
import { abandon, accountBucket, admit, deviceBucket, forgetting, nameBucket, settle, type Verdict } from './lockout/attempts.ts'
import { findStep, type KeptStep, type Needed, neededFor, newStep, stepRecords } from './login-steps.ts'
import { newPassword } from './passwords/new-password.ts'
import { again, deleteOver, putOver, untilHeld } from './record-plans.ts'
import { knownDevice, rememberedDevice } from './sessions/device-cookies.ts'
import { loginEvent } from './sessions/login-history.ts'
import { type Proof, type Session, withProof } from './sessions/session.ts'
import { newSession } from './sessions/sessions.ts'

/**
 * How somebody gets in: name and password, then what is still needed (a code, a second factor to set up, a new password), then a session.
 *
 * Expected things are answers. `refused` is one answer for a wrong password, a name nobody has, an account that is locked, disabled or only
 * invited, and costs the same look-ups, writes and hashes. What goes beyond the bounds of work is a failure with a time to come back.
 * @see auth.md 2, 3
 */
export type LoginAnswer = { readonly facts: readonly Fact[] } & (
  | { readonly is: 'refused' }
  | { readonly is: 'wrong-code' }
  /** The login is over or was finished elsewhere: begin again. */
  | { readonly is: 'expired' }
  | { readonly is: 'password-refused'; readonly faults: readonly Rule[] }
  | { readonly is: 'needed'; readonly needed: Needed; readonly token: string }
  | LoggedIn
)

export type LoggedIn = {
  readonly is: 'session'
  readonly facts: readonly Fact[]
  /** Values for the cookies of the browser. */
  readonly cookie: string
  readonly device: string
  readonly session: Session
  readonly account: Account
  /** A mail is due: this browser is new to the account. */
  readonly newDevice: boolean
  /** To show: a factor has to be set up before the next login. */
  readonly enrolSoon: boolean
  readonly passwordDaysLeft?: number
  readonly fewBackupCodes?: boolean
  /** Of a factor set up just now; they are shown once. */
  readonly backupCodes?: readonly string[]
}

/** What the browser brought: the value of its device cookie. */
export type Browser = { readonly device?: string; readonly origin: Origin }

type Answered = Promise<Outcome<LoginAnswer>>

/** The first step. */
export const logIn = async (
  parts: AccountParts,
  typed: { readonly name: string; readonly password: string },
  browser: Browser,
): Answered => {
  const { ground, hashing } = parts
  const found = await accountByName(ground, typed.name)
  const subject = subjectOf(ground, found, typed.name)
  const device = await knownDevice(ground, browser.device, subject)
  if (device === undefined) await parts.spraying.slowDown()
  const admitted = await admit(ground, device === undefined ? subject.bucket : deviceBucket(device))
  if (!admitted.ok) return admitted
  const open = admitted.value.is === 'admitted'
  const verified = await hashing.verify(typed.password, open ? passwordOf(found?.value) : undefined)
  if (!verified.ok) {
    // Nothing was checked, so nothing was guessed.
    if (admitted.value.is === 'admitted') await abandon(ground, admitted.value.attempt)
    return verified
  }
  if (!open) return lockedOut(parts, subject, device, browser.origin)
  const { attempt } = admitted.value
  const reason = refusalOf(found?.value, verified.value.matches)
  if (found === undefined || reason !== undefined) {
    const refused = refusal(parts, browser.origin, subject, device, reason ?? 'unknown')
    return settle(ground, browser.origin, attempt, async () => ok(refused))
  }
  const rehashed = verified.value.outdated ? await hashing.hash(typed.password) : undefined
  return settle(ground, browser.origin, attempt, async round => {
    const account = round === 0 ? found : await accountById(ground, found.key)
    if (account === undefined || account.value.epoch !== found.value.epoch || passwordOf(account.value) === undefined)
      return ok(refusal(parts, browser.origin, subject, device, 'changed'))
    const state: State = {
      account,
      changed: rehashed?.ok === true ? withRehashed(account.value, rehashed.value) : account.value,
      factors: await factorsOf(ground, account.key),
      amr: [{ method: 'pwd', at: ground.clock() }],
      bucket: attempt.bucket,
      failures: attempt.failures,
      deviceKnown: device !== undefined,
    }
    return ok(await onward(parts, state, browser))
  })
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
    const state: State = {
      ...stateOf(step, account),
      factors,
      amr: withProof(step.value.amr, use.method, ground.clock()),
      notes: { fewBackupCodes: use.fewCodes },
    }
    const verdict = await onward(parts, state, browser, use.method)
    return ok({ ...verdict, records: [deleteOver(stepRecords, step), putOver(factorRecords, factors, use.after), ...verdict.records] })
  })
}

/** Where a factor has to be set up: begins it. `expired`: the login is over. */
export const beginEnrolment = async (
  { ground, rules }: AccountParts,
  token: string,
): Promise<Outcome<{ readonly is: 'begun'; readonly enrolment: Enrolment } | { readonly is: 'expired' }>> =>
  untilHeld<{ readonly is: 'begun'; readonly enrolment: Enrolment } | { readonly is: 'expired' }>(async () => {
    const step = await findStep(ground, token)
    const account = step === undefined ? undefined : await accountOf(ground, step)
    const factors = account === undefined ? undefined : await factorsOf(ground, account.key)
    if (account === undefined || hasFactor(factors)) return ok({ is: 'expired' })
    const names = { issuer: rules.facility, account: account.value.username ?? account.value.email ?? account.key }
    const { after, enrolment } = newEnrolment(ground, factors, account.key, names)
    const done = await ground.store.records(factorRecords).put(after, factors?.revision ?? 'none')
    if (!done.ok) return done
    return done.value.held ? ok({ is: 'begun', enrolment }) : again
  })

/** The first code of the factor that was set up. */
export const finishEnrolment = async (parts: AccountParts, token: string, typed: string, browser: Browser): Answered => {
  const { ground } = parts
  return untilHeld<LoginAnswer>(async () => {
    const step = await findStep(ground, token)
    const account = step === undefined ? undefined : await accountOf(ground, step)
    if (step === undefined || account === undefined) return ok(expired)
    const factors = await factorsOf(ground, account.key)
    if (hasFactor(factors)) return ok(expired)
    const made = await enrolled(ground, factors, typed)
    // Nothing can be guessed here: the secret was just shown to whoever types.
    if (made === undefined) return ok({ is: 'wrong-code', facts: [] })
    const state: State = {
      ...stateOf(step, account),
      factors: undefined,
      amr: withProof(step.value.amr, 'otp', ground.clock()),
      notes: { backupCodes: made.backupCodes },
    }
    const verdict = await onward(parts, state, browser, 'otp')
    const facts: readonly Fact[] = [{ what: 'factor-enrolled', account: account.key }, ...verdict.facts]
    const records = [
      deleteOver(stepRecords, step),
      putOver(factorRecords, factors, made.after),
      ...verdict.records,
      ...forgiving(step, verdict),
    ]
    const done = await commitFacts(ground, records, facts, browser.origin)
    if (!done.ok) return done
    return done.value.held ? ok({ ...verdict.answer, facts }) : again
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

/** Who was proved by an outside identity provider gets in like everybody else: what is needed is needed. */
export const logInFromOutside = async (parts: AccountParts, accountId: string, amr: readonly Method[], browser: Browser): Answered => {
  const { ground } = parts
  return untilHeld<LoginAnswer>(async () => {
    const account = await accountById(ground, accountId)
    if (account === undefined || account.value.status !== 'active') return ok({ is: 'refused', facts: [] })
    const device = await knownDevice(ground, browser.device, { id: account.key, epoch: account.value.epoch })
    const now = ground.clock()
    const state: State = {
      account,
      changed: account.value,
      factors: await factorsOf(ground, account.key),
      amr: [...new Set<Method>(['ext', ...amr])].map(method => ({ method, at: now })),
      bucket: device === undefined ? accountBucket(account.key) : deviceBucket(device),
      failures: 0,
      deviceKnown: device !== undefined,
    }
    const verdict = await onward(parts, state, browser, 'ext')
    const done = await commitFacts(ground, verdict.records, verdict.facts, browser.origin)
    if (!done.ok) return done
    return done.value.held ? ok({ ...verdict.answer, facts: verdict.facts }) : again
  })
}

/** How far a login has come. */
type State = {
  readonly account: KeptAccount
  /** The account as it is to be from now on. */
  readonly changed: Account
  readonly factors: KeptFactors
  readonly amr: readonly Proof[]
  readonly bucket: string
  readonly failures: number
  readonly deviceKnown: boolean
  readonly notes?: { readonly fewBackupCodes?: boolean; readonly backupCodes?: readonly string[] }
}

/** After each proof: a further step, or the session. */
const onward = async (parts: AccountParts, state: State, browser: Browser, method: Method = 'pwd'): Promise<Verdict<LoginAnswer>> => {
  const { ground, rules } = parts
  const { changed, amr } = state
  const needed = neededFor(changed, hasFactor(state.factors), amr, ground.clock(), rules)
  if (needed !== 'nothing' && needed !== 'grace') {
    const { bucket, failures, deviceKnown } = state
    const { token, step } = newStep(ground, { account: changed.id, epoch: changed.epoch, amr, bucket, failures, deviceKnown })
    const facts: readonly Fact[] = [{ what: 'login-continued', account: changed.id, method }]
    return {
      count: 'right',
      records: [putOver(stepRecords, undefined, step), ...accountWrite(state, changed)],
      facts,
      answer: { is: 'needed', needed, token, facts, ...state.notes },
    }
  }
  const graced = needed === 'grace' ? { ...changed, graceUsed: changed.graceUsed + 1 } : changed
  return arrive(parts, state, graced, browser, method)
}

const arrive = async (
  { ground, rules }: AccountParts,
  state: State,
  account: Account,
  browser: Browser,
  method: Method,
): Promise<Verdict<LoginAnswer>> => {
  const { amr, deviceKnown, failures } = state
  const { session, cookie, records, facts: displaced } = await newSession(ground, rules, account, amr, browser.origin)
  const device = await rememberedDevice(ground, browser.device, account)
  const age = passwordAgeOf(account, ground.clock(), rules)
  const facts: readonly Fact[] = [
    { what: 'login', account: account.id, session: session.id, method, failuresBefore: failures, newDevice: !deviceKnown },
    ...displaced,
  ]
  return {
    count: 'proved',
    records: [
      ...records,
      device.write,
      loginEvent(ground, browser.origin, { account: account.id, result: 'success', method, deviceKnown }),
      ...accountWrite(state, account),
    ],
    facts,
    answer: {
      is: 'session',
      cookie,
      device: device.cookie,
      session,
      account,
      newDevice: !deviceKnown,
      enrolSoon: account.graceUsed > state.changed.graceUsed,
      ...(age.is === 'ending' ? { passwordDaysLeft: age.daysLeft } : {}),
      ...state.notes,
      facts,
    },
  }
}

/** A put, where something about the account changed. Where nothing did, its epoch tells the session later whether it was right. */
const accountWrite = ({ account }: State, after: Account): readonly RecordWrite[] =>
  after === account.value ? [] : [putOver(accountRecords, account, after)]

/** Whom an attempt is about: an account, or a name that nobody has, alike in all that is done with it. */
type Subject = { readonly id: string; readonly epoch: number; readonly bucket: string; readonly about: Pick<Fact, 'account' | 'name'> }

const subjectOf = ({ hash }: Ground, found: KeptAccount | undefined, typed: string): Subject => {
  const name = hash.of('login-name', foldName(typed))
  return found === undefined
    ? { id: name, epoch: 0, bucket: nameBucket(name), about: { name } }
    : { id: found.key, epoch: found.value.epoch, bucket: accountBucket(found.key), about: { account: found.key } }
}

const passwordOf = (account: Account | undefined) => (account?.status === 'active' ? account.password : undefined)

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

const expired: LoginAnswer = { is: 'expired', facts: [] }

/** Steps that cannot be guessed are not counted; when they lead to a session, what failed before is forgotten as well. */
const forgiving = ({ value }: KeptStep, { count }: Verdict<LoginAnswer>): readonly RecordWrite[] =>
  count === 'proved' ? [forgetting(value.bucket)] : []

/** The account of a step, as long as nothing ended what it had proved. */
const accountOf = async (ground: Ground, { value }: KeptStep): Promise<KeptAccount | undefined> => {
  const account = await accountById(ground, value.account)
  return account?.value.status === 'active' && account.value.epoch === value.epoch ? account : undefined
}

const stateOf = ({ value }: KeptStep, account: KeptAccount): Omit<State, 'factors'> => ({
  account,
  changed: account.value,
  amr: value.amr,
  bucket: value.bucket,
  failures: value.failures,
  deviceKnown: value.deviceKnown,
})
