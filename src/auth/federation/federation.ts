import type { Outcome } from '../../base/outcome.ts'
import type { Browser, LoginAnswer } from '../login-answers.ts'
import type { Origin } from '../ground.ts'

/** Logging in by an outside identity provider, as pages need it. @see auth.md 13 */
export type Federation = {
  /** For buttons: those in use, by name. Empty also while the store cannot say. */
  shown(): Promise<readonly ShownProvider[]>
  /** `unknown`: no provider in use; `away`: it does not answer. */
  begin(provider: string, wanted: Wanted): Promise<Outcome<Begun>>
  /** The browser is back. `token`: of its cookie; `query`: what the provider sent with it. */
  finish(provider: string, token: string, query: URLSearchParams, browser: Browser): Promise<Outcome<Finished>>
  /** A logout token from the provider: ends the sessions it names. `refused`: it is none that counts; `away`: the keys that would show it cannot be had. */
  loggedOut(provider: string, logoutToken: string, origin: Origin): Promise<Outcome<'ended' | 'refused' | 'away'>>
}

export type ShownProvider = { readonly id: string; readonly name: string }

export type Wanted = {
  /** A page of ours. */
  readonly next: string
  /** Of the application that waits. */
  readonly uid?: string
  /** Secret of an invitation, which the login is to accept. */
  readonly invitation?: string
  /** A login of now is needed, not one of before. */
  readonly again?: boolean
  readonly language: 'id' | 'en'
}

/** Where the browser goes, and the value of its cookie. */
export type Begun = { readonly is: 'begun'; readonly url: string; readonly token: string } | { readonly is: 'unknown' | 'away' }

export type Finished = { readonly next: string; readonly uid?: string } & (
  | { readonly is: 'answered'; readonly answer: LoginAnswer }
  /** Why nobody came in; words of ours. */
  | { readonly is: 'refused'; readonly why: FederationRefusal }
)

/**
 * `over`: used up, too old, or of another browser. `forged`: not what the provider would send. `cancelled`: the provider refused, or the user did. `away`: it does
 * not answer. `unlinked`: it means nobody here. `domain`: no verified address that is let in. `account`: the account is not in use.
 */
export type FederationRefusal = 'over' | 'forged' | 'cancelled' | 'away' | 'unlinked' | 'domain' | 'account'
