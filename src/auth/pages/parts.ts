import type { Outcome } from '../../base/outcome.ts'
import type { AccountParts } from '../account-parts.ts'
import type { EmergencyReason } from '../emergencies/emergency.ts'
import type { Federation } from '../federation/federation.ts'
import type { Origin } from '../ground.ts'
import type { Signing } from '../keys/signing.ts'
import type { SmartScope } from '../scopes/scope.ts'
import type { Interactions } from '../server/interaction.ts'
import type { LiveSession } from '../sessions/sessions.ts'
import type { LaunchMade, LaunchRequest } from '../smart/launches.ts'
import type { PublicAddress } from '../web.ts'

/** What the pages of sign-in and of one's own account are given. */
export type PagesParts = {
  readonly accounts: AccountParts
  readonly address: PublicAddress
  /** `createSigning(keyring, 'forms')` */
  readonly forms: Signing
  /** Absent: nobody waits for an application, so `/login/{uid}` leads nowhere. */
  readonly interactions?: Interactions
  /** Absent: nobody signs in by an outside identity provider. */
  readonly federation?: Federation
  readonly patients: PatientDirectory
  readonly apps: GrantedApps
  /** Absent: nobody starts an application here. */
  readonly launches?: AppLaunches
  /** Absent: there is no emergency access here, and no banner. */
  readonly emergencies?: EmergencyAccess
  /** False: asked too often (auth.md 16); the browser is answered as ever and no mail is sent. `subject`: id of the account, or keyed hash of a name that is nobody's. */
  readonly mayAskReset?: (address: string, subject: string) => Promise<boolean>
  /** Origins that may frame the pages; none unless said otherwise. */
  readonly frameAncestors?: readonly string[]
}

/** As rows of a picker show them. Names come from records, so they are foreign text. */
export type PatientRow = {
  readonly id: string
  readonly name: string
  /** `1987-04-23`, or a part of it. */
  readonly birthDate?: string
  readonly recordNumber?: string
  readonly gender?: 'male' | 'female' | 'other' | 'unknown'
}

export type EncounterRow = {
  readonly id: string
  /** ms */
  readonly start?: number
  readonly end?: number
  /** Such as the unit or the class, in words. */
  readonly what?: string
}

/** Patients as the one who is signed in may see them: what the roles and relations do not reach is not there. */
export type PatientDirectory = {
  /** By name, record number or birth date; at most 20 rows. `text` has at least 3 characters. */
  find(live: LiveSession, text: string): Promise<Outcome<readonly PatientRow[]>>
  /** Oneself where one is a patient, and those whom one represents. Empty for staff. */
  own(live: LiveSession): Promise<Outcome<readonly PatientRow[]>>
  /** Undefined for one that is hidden, deleted or never was. */
  byId(live: LiveSession, patient: string): Promise<Outcome<PatientRow | undefined>>
  /** The newest first; at most 20 rows. */
  encounters(live: LiveSession, patient: string): Promise<Outcome<readonly EncounterRow[]>>
}

/** An application that has access by consent. */
export type GrantedApp = {
  readonly grant: string
  readonly name: string
  readonly publisher?: string
  readonly scopes: readonly SmartScope[]
  /** Id of the patient for whom it was opened. */
  readonly patient?: string
  /** ms */
  readonly since: number
  /** ms: access that outlives the session. */
  readonly offlineUntil?: number
}

export type GrantedApps = {
  /** The newest first; at most 100. */
  list(account: string): Promise<readonly GrantedApp[]>
  /** False: no such grant of this account. One that is over counts as withdrawn. */
  withdraw(account: string, grant: string, origin: Origin): Promise<Outcome<boolean>>
}

/** An application that somebody may open out of the record. */
export type LaunchableApp = {
  readonly id: string
  readonly name: string
  readonly publisher?: string
  /** Somebody of this house knows who made it. */
  readonly verified: boolean
  /** Where the browser goes, without what a launch adds. */
  readonly launchUri: string
  /** It may ask for an encounter. */
  readonly ofEncounters: boolean
}

/** @see auth.md 7.3 */
export type AppLaunches = {
  /** Those that whoever is signed in may start, by name; at most 50. */
  list(live: LiveSession): Promise<readonly LaunchableApp[]>
  /** Undefined for one that is not in use, or not for whoever is signed in. */
  find(live: LiveSession, client: string): Promise<LaunchableApp | undefined>
  start(live: LiveSession, request: Pick<LaunchRequest, 'clientId' | 'patient' | 'encounter'>): Promise<Outcome<LaunchMade>>
}

export const emergencyReasons = ['ETREAT', 'threat-to-others', 'unable-to-consent', 'other'] as const satisfies readonly EmergencyReason[]

/** @see auth.md 12.5 */
export type EmergencyAccess = {
  /** Of this session. */
  active(live: LiveSession): Promise<readonly { readonly patient: string; readonly until: number }[]>
  /** Of the patient who is signed in: those that they were told of, the newest first. Absent: nobody is shown any. */
  told?(live: LiveSession): Promise<readonly { readonly openedAt: number; readonly reason: EmergencyReason }[]>
  /**
   * `false`: no such patient, or none that this user may open so: one answer for all of it. The session is fresh (factor in the last 5 minutes). `client`: id of the
   * application for which it is opened; our own pages unless said.
   */
  begin(
    live: LiveSession,
    patient: string,
    why: { readonly reason: EmergencyReason; readonly text: string; readonly client?: string },
    origin: Origin,
  ): Promise<Outcome<boolean>>
}
