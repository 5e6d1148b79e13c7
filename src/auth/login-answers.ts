import type { Rule } from '../base/rules.ts'
import type { Account } from './accounts/account.ts'
import type { Fact } from './facts.ts'
import type { Origin } from './ground.ts'
import type { Needed } from './login-steps.ts'
import type { Session } from './sessions/session.ts'

/**
 * What a step of a login answers. Expected things are answers: `refused` is one for a wrong password, a name nobody has, an account that is locked,
 * disabled or only invited. What goes beyond the bounds of work is a failure with a time to come back.
 */
export type LoginAnswer = { readonly facts: readonly Fact[] } & (
  | { readonly is: 'refused' }
  | { readonly is: 'wrong-code' }
  /** The login is over or was finished elsewhere: begin again. */
  | { readonly is: 'expired' }
  | { readonly is: 'password-refused'; readonly faults: readonly Rule[] }
  /** `token`: for the next step, in a cookie or the form. */
  | ({ readonly is: 'needed'; readonly needed: Needed; readonly token: string } & LoginNotes)
  | LoggedIn
)

export type LoggedIn = LoginNotes & {
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
}

/** To show at once. */
export type LoginNotes = {
  readonly fewBackupCodes?: boolean
  /** Of a factor set up just now; they are shown once. */
  readonly backupCodes?: readonly string[]
}

/** What the browser brought: the value of its device cookie. */
export type Browser = { readonly device?: string; readonly origin: Origin }
