import type { RecordDefinition, StoredRecord } from '../storage/port.ts'
import { type Account, type AccountRules, needsFactor, passwordAgeOf } from './accounts/account.ts'
import type { Ground } from './ground.ts'
import { isSecret, newSecret, secretHash } from './secrets.ts'
import { factorAt, type OutsideSession, type Proof } from './sessions/session.ts'

/** A login that is under way: something is proved, and more is needed. Used up by the step that ends it. */
export type LoginStep = {
  /** SHA-256 of the token in the browser. */
  readonly hash: string
  readonly account: string
  readonly epoch: number
  readonly amr: readonly Proof[]
  /** What failures count against. */
  readonly bucket: string
  /** Failures before this login. */
  readonly failures: number
  readonly deviceKnown: boolean
  readonly outside?: OutsideSession
  readonly expires: number
}
export type KeptStep = StoredRecord<LoginStep>

export const stepRecords: RecordDefinition = { name: 'login_step', key: 'hash', expires: 'expires' }

export const stepMs = 10 * 60_000
/** Logins without the second factor that an account needs. */
export const graceLogins = 1

/** `factor`: a code; `enrol`: a second factor has to be set up; `password`: a new one has to be chosen. */
export type Needed = 'factor' | 'enrol' | 'password'

/** What has to come before there is a session; `grace`: nothing this time. @see auth.md 2.2, 2.4 */
export const neededFor = (
  account: Account,
  hasFactor: boolean,
  amr: readonly Proof[],
  now: number,
  rules: AccountRules,
): Needed | 'nothing' | 'grace' => {
  const proved = factorAt(amr) !== undefined
  if (hasFactor && !proved) return 'factor'
  const missing = needsFactor(account) && !proved
  if (missing && account.graceUsed >= graceLogins) return 'enrol'
  const old = amr.some(({ method }) => method === 'pwd') && passwordAgeOf(account, now, rules).is === 'expired'
  // Who only ever comes through an outside provider has no password here.
  if (account.password !== undefined && (account.mustChangePassword === true || old)) return 'password'
  return missing ? 'grace' : 'nothing'
}

export const newStep = (
  { random, clock }: Ground,
  about: Omit<LoginStep, 'hash' | 'expires'>,
): { readonly token: string; readonly step: LoginStep } => {
  const token = newSecret(random)
  return { token, step: { hash: secretHash(token), expires: clock() + stepMs, ...about } }
}

/** Undefined when it is over, used up or never was. */
export const findStep = async ({ store, clock }: Ground, token: string): Promise<KeptStep | undefined> => {
  if (!isSecret(token)) return undefined
  const kept = await store.records<LoginStep>(stepRecords).get(secretHash(token))
  return kept !== undefined && kept.value.expires > clock() ? kept : undefined
}
