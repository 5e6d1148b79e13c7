import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'
import type { Proof } from '../sessions/session.ts'

/** What one authorization gave one application: with whom, for which patient, until when. One authorization, one grant, one launch context. @see auth.md 7, 8 */
export type GrantContext = {
  /** As tokens name it. */
  readonly id: string
  readonly account: string
  /** Of the account when it was made; with another epoch the grant is dead. */
  readonly epoch: number
  readonly client: string
  /** `online`: lives as long as its session. `offline`: without one. */
  readonly kind: 'online' | 'offline'
  /** Stable id of the session in which it was given. */
  readonly session: string
  /** As they were granted, space separated. */
  readonly scopes: string
  readonly fhirUser?: string
  /** Ids. */
  readonly patient?: string
  readonly encounter?: string
  readonly launch?: LaunchContext
  /** Specially protected data was not ticked: nothing above N, nothing with a sensitivity. Absent where nobody was asked. */
  readonly withoutProtected?: true
  /** v3-ActReason codes. */
  readonly purpose: readonly string[]
  readonly amr: readonly Proof[]
  readonly createdAt: number
  /** The last token that was made of it. */
  readonly usedAt?: number
  /** ms: no token of it lives longer. */
  readonly expires: number
  readonly mirror?: ConsentMirror
  readonly revoked?: { readonly at: number; readonly by: string; readonly reason: GrantEnd }
}

/** `reuse`: a refresh token or a code came twice; `client`: the application gave it back; `user`: withdrawn under *Apps*; `consent`: its Consent was. */
export type GrantEnd = 'reuse' | 'client' | 'user' | 'administrator' | 'logout' | 'rights' | 'consent'

/** Of what a patient, or somebody for one, gave to an application of others: the Consent by which the patient sees it, and may withdraw it. */
export type ConsentMirror = {
  /** `due`: not written yet. `shown`: in force. `ending`: in force, though the grant is not. `over`: nothing is left to do. */
  readonly state: 'due' | 'shown' | 'ending' | 'over'
  /** ms: not before. */
  readonly next: number
  readonly tries: number
  /** Id of the Consent, once there is one. */
  readonly consent?: string
}

/** What an EHR launch says beside patient and encounter, as the token response has it. */
export type LaunchContext = {
  readonly fhirContext?: readonly { readonly reference: string; readonly role?: string }[]
  readonly need_patient_banner?: boolean
  readonly intent?: string
  readonly smart_style_url?: string
  readonly tenant?: string
}

export type KeptGrant = StoredRecord<GrantContext>

export const grantRecords: RecordDefinition = {
  name: 'grant_context',
  key: 'id',
  indexes: {
    account: ['account', 'createdAt'],
    session: ['session', 'createdAt'],
    client: ['client', 'createdAt'],
    mirror: ['mirror.state', 'mirror.next'],
    consent: ['mirror.consent'],
  },
  expires: 'expires',
}
