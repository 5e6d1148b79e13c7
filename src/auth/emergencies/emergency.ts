import type { RecordDefinition } from '../../storage/port.ts'

/** A broken glass: one patient, opened to one session of one client for a while. @see auth.md 12.5 */
export type Emergency = {
  readonly id: string
  readonly account: string
  /** Stable id of the session. */
  readonly session: string
  /** Id of the client; '' for our own pages. */
  readonly client: string
  /** Id of the Patient. */
  readonly patient: string
  readonly reason: EmergencyReason
  /** What the user wrote; encrypted (field encryption). */
  readonly words: string
  readonly openedAt: number
  /** ms: it holds until, not including, this instant. */
  readonly until: number
  readonly review: 'open' | 'justified' | 'unjustified'
}

/** ETREAT of v3-ActReason; the others are our own. */
export type EmergencyReason = 'ETREAT' | 'threat-to-others' | 'unable-to-consent' | 'other'

export const emergencyRecords: RecordDefinition = {
  name: 'emergency',
  key: 'id',
  indexes: {
    session: ['session', 'client', 'until'],
    patient: ['patient', 'openedAt'],
    account: ['account', 'openedAt'],
    review: ['review', 'openedAt'],
  },
}
