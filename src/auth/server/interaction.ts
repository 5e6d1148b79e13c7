import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from '../clients/client.ts'
import type { SmartScope } from '../scopes/scope.ts'
import type { Session } from '../sessions/session.ts'

/** One authorization request of a browser that waits for somebody: what the page in hand is about. @see auth.md 7.2 */
export type Interaction = {
  readonly uid: string
  readonly prompt: 'login' | 'select_patient' | 'select_encounter' | 'emergency' | 'consent'
  readonly client: Client
  /** Parsed and held against the client's registration and the roles of the user, once one is known. */
  readonly asked: readonly SmartScope[]
  /** Where the browser goes in the end; its origin stands in `form-action`. */
  readonly redirectUri: string
  readonly uiLocales?: string
  /** Stable id of our session, once somebody is signed in. */
  readonly session?: string
  /** Ids, once they are known. */
  readonly patient?: string
  readonly encounter?: string
  /** ms: access that outlives the session ends then at the latest. */
  readonly offlineUntil?: number
  /** Data is asked for: consent asks whether specially protected data may be opened as well, unticked, and says so to `allowed`. */
  readonly asksProtected?: true
  /**
   * Who is signed in has to sign in again: a launch of another user, a step-up that is asked for, or a client that asks for a login of now
   * (`prompt=login`, `max_age`). Absent, a session that lives is enough, and pages go on with it at once.
   */
  readonly again?: 'other-user' | 'factor' | 'login'
}

/** How pages go on with it. Each ends the answer: with a redirect, or with the page of an error. */
export interface Interactions {
  /** Undefined when it is over, unknown or of another browser. */
  find(req: IncomingMessage, res: ServerResponse): Promise<Interaction | undefined>
  loggedIn(req: IncomingMessage, res: ServerResponse, session: Session): Promise<void>
  patientChosen(req: IncomingMessage, res: ServerResponse, patient: string): Promise<void>
  encounterChosen(req: IncomingMessage, res: ServerResponse, encounter: string): Promise<void>
  /** The screen for emergency access is done with, whether one was opened or not. */
  emergencyAnswered(req: IncomingMessage, res: ServerResponse, opened: boolean): Promise<void>
  /**
   * The ticked scopes, as texts, each equal to or narrower than one asked for. `protectedData`: what was ticked where `asksProtected`; without
   * it, and without the choice, nothing above the confidentiality N and nothing with a sensitivity is open to the application.
   */
  allowed(req: IncomingMessage, res: ServerResponse, scopes: readonly string[], choice?: { readonly protectedData: boolean }): Promise<void>
  refused(req: IncomingMessage, res: ServerResponse): Promise<void>
}
