import type { RecordDefinition, StoredRecord } from '../../storage/port.ts'

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
  /** Kept after it ended: an independent person looks at each. */
  readonly review: 'open' | 'justified' | 'unjustified'
  readonly reviewedBy?: string
  readonly reviewedAt?: number
  readonly notice: Notice
}

/** That the patient is told: by the server where the patient has an account, else by the officer. */
export type Notice = {
  readonly state: 'due' | 'told'
  /** ms: not before; until then an officer may postpone it. */
  readonly from: number
  /** ms: by then, or it is overdue. */
  readonly due: number
  readonly postponed?: {
    readonly by: string
    readonly at: number
    /** Encrypted (field encryption). */
    readonly reason: string
  }
  /** `by`: id of an account, or `server` where the patient's own account says it. */
  readonly told?: { readonly by: string; readonly at: number }
}

export type KeptEmergency = StoredRecord<Emergency>

/**
 * An emergency out of the store. Rows of before patients were told have no notice: it is due as it would have been then. The index of notices learns of it when
 * the row is written again, at its review at the latest.
 */
export const withNotice = <K extends { readonly value: Emergency }>(kept: K): K =>
  kept.value.notice === undefined ? { ...kept, value: { ...kept.value, notice: noticeSince(kept.value.openedAt) } } : kept

/** What is due once the glass was broken at an instant (ms). */
export const noticeSince = (openedAt: number): Notice => ({
  state: 'due',
  from: openedAt + noticeHours.from * hourMs,
  due: openedAt + noticeHours.due * hourMs,
})

const hourMs = 3_600_000

/** ETREAT of v3-ActReason; the others are our own. */
export const emergencyReasons = ['ETREAT', 'threat-to-others', 'unable-to-consent', 'other'] as const
export type EmergencyReason = (typeof emergencyReasons)[number]

export const isEmergencyReason = (text: string): text is EmergencyReason => (emergencyReasons as readonly string[]).includes(text)

export const emergencyRecords: RecordDefinition = {
  name: 'emergency',
  key: 'id',
  indexes: {
    session: ['session', 'client', 'until'],
    patient: ['patient', 'openedAt'],
    account: ['account', 'openedAt'],
    review: ['review', 'openedAt'],
    notice: ['notice.state', 'notice.from'],
  },
}

/** Minutes. */
export const emergencyMinutes = { least: 15, usual: 60, most: 240 } as const
/** Characters of what the user writes. */
export const emergencyWords = { least: 20, most: 2_000 } as const
/** Hours after which, and before which, the patient is told. */
export const noticeHours = { from: 48, due: 72 } as const
/** Patients that one session of one client has open at once. */
export const emergenciesMax = 20
