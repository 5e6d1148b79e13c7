import type { RecordWrite } from '../storage/port.ts'
import type { AccountParts } from './account-parts.ts'
import { type Account, accountRecords, passwordAgeOf } from './accounts/account.ts'
import { accountById, type KeptAccount } from './accounts/find-account.ts'
import { hasFactor, type KeptFactors } from './factors/factor-set.ts'
import type { Fact, Method } from './facts.ts'
import type { Ground } from './ground.ts'
import { forgetting, type Verdict } from './lockout/attempts.ts'
import type { Browser, LoginAnswer, LoginNotes } from './login-answers.ts'
import { type KeptStep, neededFor, newStep, stepRecords } from './login-steps.ts'
import { putOver } from './record-plans.ts'
import { rememberedDevice } from './sessions/device-cookies.ts'
import { loginEvent } from './sessions/login-history.ts'
import type { OutsideSession, Proof } from './sessions/session.ts'
import { newSession } from './sessions/sessions.ts'

/** How far a login has come. */
export type LoginState = {
  readonly account: KeptAccount
  /** The account as it is to be from now on. */
  readonly changed: Account
  readonly factors: KeptFactors
  readonly amr: readonly Proof[]
  readonly bucket: string
  readonly failures: number
  readonly deviceKnown: boolean
  /** Of a login by an outside identity provider. */
  readonly outside?: OutsideSession
  readonly notes?: LoginNotes
}

/** After each proof: a further step, or the session. */
export const onward = async (
  parts: AccountParts,
  state: LoginState,
  browser: Browser,
  method: Method = 'pwd',
): Promise<Verdict<LoginAnswer>> => {
  const { ground, rules } = parts
  const { changed, amr } = state
  const needed = neededFor(changed, hasFactor(state.factors), amr, ground.clock(), rules)
  if (needed !== 'nothing' && needed !== 'grace') {
    const { bucket, failures, deviceKnown, outside } = state
    const { token, step } = newStep(ground, {
      account: changed.id,
      epoch: changed.epoch,
      amr,
      bucket,
      failures,
      deviceKnown,
      ...(outside === undefined ? {} : { outside }),
    })
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
  state: LoginState,
  account: Account,
  browser: Browser,
  method: Method,
): Promise<Verdict<LoginAnswer>> => {
  const { amr, deviceKnown, failures, outside } = state
  const {
    session,
    cookie,
    records,
    facts: displaced,
  } = await newSession(ground, rules, account, { amr, ...(outside === undefined ? {} : { outside }) }, browser.origin)
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
const accountWrite = ({ account }: LoginState, after: Account): readonly RecordWrite[] =>
  after === account.value ? [] : [putOver(accountRecords, account, after)]

export const expired: LoginAnswer = { is: 'expired', facts: [] }

/** Steps that cannot be guessed are not counted; when they lead to a session, what failed before is forgotten as well. */
export const forgiving = ({ value }: KeptStep, { count }: Verdict<LoginAnswer>): readonly RecordWrite[] =>
  count === 'proved' ? [forgetting(value.bucket)] : []

/** The account of a step, as long as nothing ended what it had proved. */
export const accountOf = async (ground: Ground, { value }: KeptStep): Promise<KeptAccount | undefined> => {
  const account = await accountById(ground, value.account)
  return account?.value.status === 'active' && account.value.epoch === value.epoch ? account : undefined
}

export const stateOf = ({ value }: KeptStep, account: KeptAccount): Omit<LoginState, 'factors'> => ({
  account,
  changed: account.value,
  amr: value.amr,
  bucket: value.bucket,
  failures: value.failures,
  deviceKnown: value.deviceKnown,
  ...(value.outside === undefined ? {} : { outside: value.outside }),
})
