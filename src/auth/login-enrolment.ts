import { type Outcome, ok } from '../base/outcome.ts'
import type { AccountParts } from './account-parts.ts'
import { type Enrolment, enrolled, factorRecords, factorsOf, hasFactor, newEnrolment } from './factors/factor-set.ts'
import type { Fact } from './facts.ts'
import { commitFacts } from './ground.ts'
import type { Browser, LoginAnswer } from './login-answers.ts'
import { accountOf, expired, forgiving, onward, stateOf } from './login-progress.ts'
import { findStep, stepRecords } from './login-steps.ts'
import { again, deleteOver, putOver, untilHeld } from './record-plans.ts'
import { withProof } from './sessions/session.ts'

export type EnrolmentBegun = { readonly is: 'begun'; readonly enrolment: Enrolment } | { readonly is: 'expired' }

/** Where a factor has to be set up: begins it. `expired`: the login is over. */
export const beginEnrolment = async ({ ground, rules }: AccountParts, token: string): Promise<Outcome<EnrolmentBegun>> =>
  untilHeld<EnrolmentBegun>(async () => {
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
export const finishEnrolment = async (
  parts: AccountParts,
  token: string,
  typed: string,
  browser: Browser,
): Promise<Outcome<LoginAnswer>> => {
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
    const state = {
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
